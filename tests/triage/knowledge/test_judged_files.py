from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from triage.knowledge.judged_files import read_corpus, read_judgements

HEAD = "query-id\tcorpus-id\tscore\n"


def judgements(folder: Path, content: str) -> object:
    (folder / "qrels.tsv").write_text(content, encoding="utf-8")
    return read_judgements(folder / "qrels.tsv", {"q"}, {"d", "e"}).grades


def test_grades_are_read_by_query_and_document(tmp_path: Path) -> None:
    content = "\ufeffScore\tQuery-ID\tCorpus-ID\tnote\tnote\n2\tq\td\t\t\n-1\tq\te\t\t\n\n2\tq\td\t\t\n"
    assert judgements(tmp_path, content) == {"q": {"d": 2, "e": -1}}


@pytest.mark.parametrize(
    "content",
    ["q 0 d 2\nq Q0 e -1\n", "q\t0\td\t2\nq\t0\te\t-1\n", "q\td\t2\r\nq\te\t-1\r\n", HEAD + "q\td\t2.0\nq\te\t-1."],
)
def test_judgements_without_a_header_are_read(tmp_path: Path, content: str) -> None:
    assert judgements(tmp_path, content) == {"q": {"d": 2, "e": -1}}


@pytest.mark.parametrize("content", ["", "q,d,1\n", "q\td\n", "query_id\tdoc_id\tscore\nq\td\t1\n", "a\tq\t0\td\t1\n"])
def test_a_file_of_other_columns_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(
        BadInput, match=r"no column '[a-z-]+'; its first line names query-id, corpus-id, score, by tabs"
    ):
        judgements(tmp_path, content)


@pytest.mark.parametrize("grade", ["--1", "9" * 5000, "9" * 400, "²", "٣", "1.5", ""])
def test_a_grade_that_is_no_short_whole_number_is_refused(tmp_path: Path, grade: str) -> None:
    with pytest.raises(BadInput, match=r"qrels\.tsv, line 2: needs a query id, a document id and a whole number"):
        judgements(tmp_path, f"{HEAD}q\td\t{grade}\n")


def test_a_pair_with_two_grades_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="line 3: 'q' and 'd' have another grade above; keep one"):
        judgements(tmp_path, f"{HEAD}q\td\t1\nq\td\t0\n")


def test_a_column_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has the column 'corpus-id' twice"):
        judgements(tmp_path, "query-id\tcorpus-id\tcorpus-id\tscore\nq\td\te\t1\n")


def test_a_folder_is_told_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        read_corpus(tmp_path)


def test_another_encoding_is_told_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": 1, "text": "a"}\n{"_id": 2, "text": "ö"}', encoding="latin-1")
    with pytest.raises(BadInput, match=r"corpus\.jsonl, line 2: is not UTF-8; save it as UTF-8"):
        read_corpus(tmp_path / "corpus.jsonl")


def test_queries_nobody_asks_are_left_out_and_absent_documents_stay_unfound(tmp_path: Path) -> None:
    (tmp_path / "qrels.tsv").write_text(f"{HEAD}q\td\t1\nq\tgone\t2\nother\td\t1\n", encoding="utf-8")
    found = read_judgements(tmp_path / "qrels.tsv", {"q"}, {"d", "e"})
    assert found == ({"q": {"d": 1, "gone": 2}}, 1, 1)


@pytest.mark.parametrize(
    ("content", "said"), [("x\td\t1", "no query 'x', nor any other"), ("q\tx\t1", "no document 'x', nor any other")]
)
def test_judgements_of_another_collection_are_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        judgements(tmp_path, HEAD + content)


def test_three_and_four_columns_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"line 2: needs a query id"):
        judgements(tmp_path, "q\td\t1\nq\t0\td\t1\n")


def test_a_blank_first_line_does_not_hide_the_tabs(tmp_path: Path) -> None:
    assert judgements(tmp_path, "\n" + HEAD + "q\td\t1\n") == {"q": {"d": 1}}
