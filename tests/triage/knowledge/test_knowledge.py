import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shared.errors import BadInput
from tests.cpu import cpu_seconds
from triage.contracts import Article
from triage.knowledge.articles import read_folder
from triage.knowledge.chunks import CHUNK, article_hash, article_of, chunks_of, lesson, same_source
from triage.knowledge.milvus_schema import LENGTHS

HEAD = "---\nid: a1\ntitle: A title\nurl: https://help.example/a1\n---\n"


def article(text: str) -> Article:
    return Article(id="a1", title="A title", url="https://help.example/a1", text=text, error_codes=("ZTNA-1",))


def test_shipped_articles_are_readable(articles: list[Article]) -> None:
    assert len(articles) >= 42
    assert [a.id for a in articles] == sorted(a.id for a in articles)
    assert all(len(chunk.text) <= CHUNK for a in articles for chunk in chunks_of(a))


@given(st.text(alphabet="ab .\n#", max_size=4000))
def test_chunks_lose_nothing_and_stay_short(text: str) -> None:
    chunks = chunks_of(article(text))
    assert chunks
    assert all(len(chunk.text) <= CHUNK for chunk in chunks)
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    letters = [c for c in text if c in "ab"]
    if letters:
        assert sum(c in "ab" for chunk in chunks for c in chunk.text) >= len(letters)


def test_a_chunk_ends_at_a_heading_and_knows_its_place() -> None:
    symptoms, fix = "It fails now. " * 50, "Do this. " * 40
    first, second = chunks_of(article(f"## Symptoms\n\n{symptoms}\n\n## Fix\n\n{fix}"))
    assert (first.title, second.title) == ("A title › Symptoms", "A title › Fix")
    assert second.text.startswith("## Fix")
    assert "ZTNA-1" in second.findable


def test_nested_headings_make_a_path_and_code_makes_none() -> None:
    text = "## Fix\n\n### Mac\n\n" + "Do this. " * 70 + "\n\n```\n# a comment\n```\n\n" + "And that. " * 60
    text += "\n\n## Verify\n\n" + "See it. " * 80
    titles = [chunk.title for chunk in chunks_of(article(text))]
    assert titles[0] == "A title › Fix"
    assert titles[1:-1] == ["A title › Fix › Mac"] * (len(titles) - 2)
    assert titles[-1] == "A title › Verify"


def test_a_book_is_cut_in_seconds() -> None:
    text = "".join(f"## Part {number}\n\n{'It says much. ' * 60}\n\n" for number in range(1200))
    chunks = chunks_of(article(text))
    assert len(chunks) >= 1200
    assert chunks[-1].title == "A title › Part 1199"
    assert cpu_seconds(lambda: chunks_of(article(text)), under=5) < 5


def test_an_article_fits_an_index_whatever_it_says() -> None:
    long = article("text").model_copy(update={"title": "語" * 900, "text": "語" * 5000, "tags": ("語" * 3000,)})
    for chunk in chunks_of(long):
        assert len(chunk.title.encode()) < LENGTHS["title"]
        assert len(chunk.text.encode()) < LENGTHS["text"]
        assert len(chunk.findable.encode()) < 16384


def test_long_paragraphs_overlap_at_a_sentence() -> None:
    text = " ".join(f"Sentence number {n:03d} says something." for n in range(80))
    first, second = chunks_of(article(text))[:2]
    assert second.text.startswith("Sentence number")
    assert second.text[:30] in first.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no front matter", "starts without front matter"),
        ("---\nid: [1\n---\ntext", "front matter is not readable"),
        ("---\nid: a1\ntitle: T\n---\ntext", "url: Field required"),
        ("---\nid: a1\ntitle: T\nurl: u\ncolour: red\n---\ntext", "colour: Extra inputs are not permitted"),
        ("---\njust text\n---\ntext", "its front matter is not closed or names no fields"),
        ("---\nid: a1\ntitle: T\nurl: u\nerror_codes: 5\n---\ntext", "error_codes: Input should be a valid tuple"),
    ],
)
def test_bad_article_is_refused_with_the_reason(content: str, reason: str) -> None:
    with pytest.raises(BadInput, match=re.escape(reason)):
        article_of(content)


def test_windows_line_ends_are_read_and_hashes_see_changes(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes((HEAD + "## Fix\n\nDo it.").replace("\n", "\r\n").encode())
    read = read_folder(tmp_path).articles[0]
    assert read.text == "## Fix\n\nDo it."
    assert article_hash(read) != article_hash(read.model_copy(update={"tags": ("new",)}))


def test_a_calibrated_case_becomes_a_lesson() -> None:
    made = lesson("INC-7", title="Refund after outage", because="Handled correctly because …", url="helmdesk://INC-7")
    assert (made.id, made.tags, made.text) == ("lesson-INC-7", ("calibration",), "Handled correctly because …")


@pytest.mark.parametrize("held", [{}, {"a1": "kb", "a2": "kb"}, {"x1": "wiki"}])
def test_a_new_source_and_one_that_shares_an_id_may_be_synced(held: dict[str, str]) -> None:
    same_source([article("text")], "kb", held)


def test_a_folder_that_only_shares_a_name_is_no_source() -> None:
    with pytest.raises(BadInput, match=r"'kb' holds 2 other articles and none of these; say --source NAME"):
        same_source([article("text")], "kb", {"x1": "kb", "x2": "kb", "y1": "wiki"})
