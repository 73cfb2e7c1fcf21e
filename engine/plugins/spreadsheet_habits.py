"""What spreadsheets and reports add to a table: rows of totals, ids cut to a few digits."""

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

DAMAGED: Final = r"(?i)^\d+([.,]\d+)?E\+\d+$"
"""`2,02508E+15`: what Excel keeps of a number with more than eleven digits."""
TOTAL: Final = (
    r"(?i)^\s*((grand|sub)[\s-]*)?(totals?|totale?s?|totaal|gesamt\w*|summen?|sum|suma|somme|somma|summa|razem|celkem|"
    r"toplam|összesen|yhteensä|итого|всего|合計|合计|总计|總計)(\s+(general|général|générale|generale|geral))?"
    r"\s*[:(=]?\s*[\d.,\s]*\)?\s*$"
)
_TOTAL: Final = re.compile(TOTAL)
_AMOUNT: Final = re.compile(r"^\s*[-+]?[\d.,:\s'%€$£hms]*\s*$")


def totals(frame: pl.DataFrame, ids: str, row: str) -> dict[int, dict[str, str]]:
    """The rows that add up those above, by their number: the id is a word for it or empty, some cell is such a word,
    and all others are empty or amounts."""
    likely = frame.filter(pl.col(ids).fill_null("").str.contains(rf"{TOTAL}|^\s*$"))
    rows = {each.pop(row): {name: cell for name, cell in each.items() if cell} for each in likely.iter_rows(named=True)}
    return {number: cells for number, cells in rows.items() if _adds_up(cells)}


def is_total(cell: str) -> bool:
    return bool(_TOTAL.match(cell))


def _adds_up(cells: Mapping[str, str]) -> bool:
    words = [cell for cell in cells.values() if not _AMOUNT.match(cell)]
    return bool(words) and all(map(is_total, words))
