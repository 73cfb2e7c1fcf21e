"""Tables as CSV for people, whose spreadsheets would run a cell like `=HYPERLINK(…)` that a stranger wrote."""

from pathlib import Path
from typing import Final

import polars as pl

FORMULA: Final = r"^[=+\-@\t\r\n＝＋－＠]"
NUMBER: Final = r"^[+-]?\d+([.,]\d+)*([eE][+-]?\d+)?\s?%?$"


def defused(frame: pl.DataFrame) -> pl.DataFrame:
    """With an apostrophe before every text that a spreadsheet takes for a formula; numbers stay."""
    return frame.with_columns(_defused(pl.col(name)) for name, kind in frame.schema.items() if kind == pl.String)


def _defused(text: pl.Expr) -> pl.Expr:
    is_formula = text.str.contains(FORMULA) & ~text.str.contains(NUMBER)
    return pl.when(is_formula).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).name.keep()


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """The only way in which a table for people is written as CSV; pages show them `defused`."""
    defused(frame).write_csv(path)
