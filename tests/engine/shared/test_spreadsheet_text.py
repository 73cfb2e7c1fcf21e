"""A stranger's text stays text in the spreadsheet of whoever opens the table."""

from pathlib import Path

import polars as pl
import pytest

from engine.shared.spreadsheet_text import defused, write_csv


@pytest.mark.parametrize(
    "formula",
    [
        '=HYPERLINK("http://x.example","open")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "＝1+1",
        "-",
        "=1",
    ],
)
def test_a_formula_gets_an_apostrophe(formula: str) -> None:
    assert defused(pl.DataFrame({"title": [formula]}))["title"].to_list() == [f"'{formula}"]


@pytest.mark.parametrize("plain", ["-5", "+49", "-1,234.5", "-12 %", "1e-3", "-1.5E+10", "a=b", "it's", "", None])
def test_numbers_and_plain_text_stay(plain: str | None) -> None:
    assert defused(pl.DataFrame({"title": [plain]}, schema={"title": pl.String}))["title"].to_list() == [plain]


def test_a_table_for_people_is_written_so(tmp_path: Path) -> None:
    write_csv(pl.DataFrame({"n": [-1], "who": ["=1+1"]}), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "n,who\n-1,'=1+1\n"


def test_each_column_keeps_its_own_text() -> None:
    frame = pl.DataFrame({"a": ["=A1", "x"], "b": ["y", "@z"], "n": [1, 2], "none": [None, None]})
    assert defused(frame).rows() == [("'=A1", "y", 1, None), ("x", "'@z", 2, None)]
