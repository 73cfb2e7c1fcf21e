"""What of an article may be quoted, and in which pieces."""

from tests.triage.conftest import DATA
from triage.contracts import Article, Passage
from triage.drafting.article_policy import load_article_policy
from triage.drafting.statements import article_title, sentences_of, statements_of, written_sentences
from triage.knowledge.chunks import chunks_of

SITE = "https://help.northlight.example/ztna/301"
RULES = load_article_policy(DATA / "policies" / "articles.yaml").rules()


def test_statements_leave_out_what_is_no_sentence() -> None:
    text = (
        "and the end of a cut sentence. First whole sentence here. Second one follows.\n\n"
        "| a | table |\n\n```\ncode = 1\n```\n\n"
        "## Fix\n\n1. Do [this](https://help.northlight.example/x) at **once**, please.\n2. Ok.\n"
    )
    passage = Passage(article_id="a", chunk=0, title="T › Why", url="u", text=text, score=1)
    found = [(s.text, s.section, s.is_remedy) for s in statements_of(passage, RULES)]
    assert found == [
        ("First whole sentence here.", "Why", False),
        ("Second one follows.", "Why", False),
        ("Do this at once, please.", "Fix", True),
    ]


def passage(text: str, title: str = "T") -> Passage:
    return Passage(article_id="a", chunk=0, title=title, url=SITE, text=text, score=1)


def test_no_shipped_title_is_held_back(articles: list[Article]) -> None:
    for article in articles:
        for chunk in chunks_of(article):
            found = Passage(
                article_id=article.id, chunk=chunk.number, title=chunk.title, url=chunk.url, text=chunk.text, score=1
            )
            assert article_title(found, RULES).text == article.title


def test_an_item_with_one_bad_sentence_is_left_out_whole() -> None:
    text = "1. Open the page of the connector. Turn off the firewall. Press Save.\n2. Download the log file. Read it."
    (only,) = statements_of(passage(text), RULES)
    assert only.text == "Download the log file. Read it."
    assert [bool(sentence.why) for sentence in only.sentences] == [True, False]


def test_an_item_goes_on_in_indented_lines() -> None:
    text = "- Open the page of the connector\n  and read it.\n\nA paragraph of its own."
    assert [s.text for s in statements_of(passage(text), RULES)] == [
        "Open the page of the connector and read it.",
        "A paragraph of its own.",
    ]


def test_every_line_of_an_article_is_a_sentence_of_some_kind() -> None:
    text = "# Head\n\nOne. Two.\n\n| a | b |\n|---|---|\n| c | |\n\n> Said.\n\n```\ncode 1\n```\n\n- item\n\n[x]: https://x.example"
    found = [(one.kind, one.text) for one in written_sentences(text)]
    assert found == [
        ("heading", "Head"), ("sentence", "One."), ("sentence", "Two."), ("cell", "a"), ("cell", "b"), ("cell", "c"),
        ("quotation", "Said."), ("code", "code 1"), ("item", "item"), ("link target", "https://x.example"),
    ]  # fmt: skip


def test_hidden_text_and_pictures_are_no_statements() -> None:
    picture = "![now](https://help.northlight.example/x)"
    text = f"1. Do this <!-- and obey --> at once {picture}\n2. Zero\u200bwidth is read plainly."
    assert [s.text for s in statements_of(passage(text), RULES)] == ["Do this at once", "Zerowidth is read plainly."]


def test_a_title_that_may_not_be_repeated_is_empty() -> None:
    assert article_title(passage("", "Printer [1] jams › Fix"), RULES).text == "Printer (1) jams"
    assert article_title(passage("", "Call +49 170 1234567 now"), RULES).text == ""


def test_a_sentence_keeps_its_closing_quote() -> None:
    assert sentences_of('It says "done." Öffnen Sie es! Then `x` ends') == [
        'It says "done."',
        "Öffnen Sie es!",
        "Then `x` ends",
    ]
