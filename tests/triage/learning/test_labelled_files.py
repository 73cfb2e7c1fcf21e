import gzip
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from engine.shared.errors import BadInput, NotFound
from triage.learning.labelled_files import check_file, learnable, read_labelled, read_outside
from triage.learning.product_model import LabelledText


def written(file: Path, frame: pl.DataFrame) -> None:
    writers: dict[str, Callable[..., object]] = {
        ".csv": frame.write_csv,
        ".parquet": frame.write_parquet,
        ".jsonl": frame.write_ndjson,
    }
    writers[file.suffix.lower()](file)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl", "CSV"])
def test_rows_are_read_from_any_format(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"rows.{ending}"
    written(file, pl.DataFrame({"said": ["hi", " ", None, "bye"], "kind": [1, 1, 2, 2]}))
    assert read_labelled(file, text="said", label="kind") == ([("hi", "1"), ("bye", "2")], 2)
    assert read_outside(file, text="said", label="none", inside={"1"}) == (["hi", "bye"], 2)


def test_quoted_lines_marks_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(
        'text,label\r\n"one,\r\ntwo",a\r\n\r\n"say ""hi""",b\r\nshort\r\n', encoding="utf-8-sig", newline=""
    )
    assert read_labelled(file, text="text", label="label") == ([("one,\r\ntwo", "a"), ('say "hi"', "b")], 1)


def test_a_field_that_only_later_lines_have_is_found(tmp_path: Path) -> None:
    lines = [{"text": f"t{at}"} for at in range(300)] + [{"text": "\ud800x", "label": True}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert read_labelled(tmp_path / "rows.jsonl", text="text", label="label") == ([("?x", "true")], 300)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_missing_column_names_those_there_are(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, pl.DataFrame({"said": ["hi"], "kind": ["a"]}))
    with pytest.raises(BadInput, match="no column 'text'; it has said, kind"):
        read_labelled(tmp_path / name, text="text", label="kind")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xlsx", "x", "save the labelled texts as one of them"),
        ("a.parquet", "no parquet", "can't be read as Parquet"),
        ("a.csv", "", "is empty; its first line names the columns"),
        ("a.jsonl", "", "is empty; each line is a JSON object"),
        ("a.jsonl", '{"text": "x", "label": "a"}\n{', "line 2: is no JSON object"),
        ("a.jsonl", "3", "line 1: is no JSON object"),
        ("a.jsonl", '{"text": ["x"], "label": "a"}', "line 1: 'text' is a list; give a text or a number"),
        ("a.csv", "text,label\n,\n", "no row with text and label"),
        (
            "a.csv",
            "text,label\nx,a\nx, y,a\n",
            "line 3: has 3 cells, the first line has 2; put a text that holds commas",
        ),
        ("a.csv", 'text,label\n"x\ny",a\n"z,a\n', "line 4: has a quotation mark that is not closed"),
        ("a.csv", f'text,label\n"{"x" * 200_000}\n', "line 2: has a quotation mark that is not closed"),
        ("a.csv", "text;label\nx;a;b\n", "put a text that holds ; between"),
        ("a.csv", "Text;label\nx;a\n", "has no column 'text'; it has Text;label"),
        ("a.csv.gz", "text,label\n", "can't be unpacked"),
        ("a.parquet.gz", "x", "save the labelled texts as one of them"),
        ("a.csv", "text,label,text\nx,a,y\n", "has the column 'text' 2 times; rename all but one"),
    ],
)
def test_an_unusable_file_is_refused_with_the_remedy(tmp_path: Path, name: str, content: str, reason: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=name) as refused:
        read_labelled(tmp_path / name, text="text", label="label")
    assert reason in str(refused.value)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_told_with_the_line(tmp_path: Path, name: str, encoding: str) -> None:
    (tmp_path / name).write_text("text,label\nGröße,a\n", encoding=encoding)
    with pytest.raises(BadInput, match=rf"{name}, line {2 if encoding == 'latin-1' else 1}: is not UTF-8; save it as"):
        read_labelled(tmp_path / name, text="text", label="label")


def test_lists_in_parquet_are_refused_by_column(tmp_path: Path) -> None:
    pl.DataFrame({"text": [["a"]], "label": ["a"], "raw": [b"\xff"]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="'text' is List"):
        read_labelled(tmp_path / "a.parquet", text="text", label="label")
    with pytest.raises(BadInput, match="can't be read as Parquet"):
        read_labelled(tmp_path / "a.parquet", text="raw", label="label")


def test_only_the_columns_asked_for_are_judged(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label,,\nhi,a,,\n", encoding="utf-8")
    assert read_labelled(tmp_path / "a.csv", text="text", label="label")[0] == [("hi", "a")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz"])
def test_any_usual_mark_may_stand_between_cells(tmp_path: Path, mark: str, ending: str) -> None:
    content = f'id{mark} text {mark}label\n1{mark}"hi; you, there|\tnow"{mark}a\n'.encode()
    (tmp_path / f"a.{ending}").write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    rows = read_labelled(tmp_path / f"a.{ending}", text="text", label="label")
    assert rows == ([("hi; you, there|\tnow", "a")], 0)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_texts_out_of_scope_have_no_learned_label(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, pl.DataFrame({"text": ["x", "", "y", "z"], "label": ["oos", "oos", "a", "a"]}))
    assert read_outside(tmp_path / name, text="text", label="label", inside={"b"}) == (["x", "y", "z"], 1)
    with pytest.raises(BadInput, match=f"{name} has 2 rows with a label that is learned, as 'a'"):
        read_outside(tmp_path / name, text="text", label="label", inside={"a"})


def test_a_number_that_is_none_is_no_label(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x", "label": NaN}\n{"text": "y", "label": 0}', encoding="utf-8")
    pl.DataFrame({"text": ["x", "y"], "label": [float("nan"), 0.5]}).write_parquet(tmp_path / "a.parquet")
    assert read_labelled(tmp_path / "a.jsonl", text="text", label="label") == ([("y", "0")], 1)
    assert read_labelled(tmp_path / "a.parquet", text="text", label="label") == ([("y", "0.5")], 1)


def test_a_place_without_a_file_is_told_before_reading(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder; name a file in it"):
        check_file(tmp_path)
    with pytest.raises(NotFound, match="There is no file"):
        check_file(tmp_path / "other.csv")


def test_a_text_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'text,label\n"{"x, " * 100_000}",a\n', encoding="utf-8")
    ((row,), left_out) = read_labelled(tmp_path / "a.csv", text="text", label="label")
    assert (len(row.text), row.label, left_out) == (299_999, "a", 0)


def test_lines_above_the_names_are_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("Labelled tickets\nMarch;2026\n\ntext;label\nit drops;VPN\nit is dear;Billing\n", encoding="utf-8")
    rows, left_out = read_labelled(file, text="text", label="label")
    assert ([row.label for row in rows], left_out) == (["VPN", "Billing"], 0)


def test_a_label_of_one_text_is_not_learnable() -> None:
    rows = [LabelledText(*pair) for pair in (("a", "X"), ("b", "X"), ("c", "Y"), ("c", "Y"))]
    assert learnable(rows) == (rows[:2], ["Y"])
