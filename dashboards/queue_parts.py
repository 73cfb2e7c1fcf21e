"""The parts that divide the open tickets, whose they are, and the filters of the queue; all over the live floor."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

PARTS = {
    "late": "Late", "risk": "At risk", "answered": "Customer answered", "work": "In work",
    "unassigned": "Other unassigned", "waiting": "Waiting",
}  # fmt: skip
FIELDS = {"group": "group_id", "priority": "priority", "tier": "tier", "status": "status"}
"""The filters of the queue by their name in the address, and the column of the floor."""


class Whose(NamedTuple):
    """Tickets held under one of these names, and those that nobody has in these groups, None: in any; without names all
    of these groups, and of neither everything."""

    names: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None

    def fits(self) -> pl.Expr:
        if self.names is None and self.groups is None:
            return pl.lit(value=True)
        in_groups = pl.lit(value=True) if self.groups is None else pl.col("group_id").is_in(list(self.groups))
        if self.names is None:
            return in_groups.fill_null(value=False)
        known = [name.casefold() for name in self.names]
        held = pl.any_horizontal(pl.col("owner_id", "assignee_id").str.to_lowercase().is_in(known))
        return held.fill_null(value=False) | (is_nobodys() & in_groups.fill_null(value=False))


def is_nobodys() -> pl.Expr:
    return pl.col("owner_id").is_null() & pl.col("assignee_id").is_null()


def part() -> pl.Expr:
    """The part of each open ticket, the first that holds: late and at risk by its worst running clock; answered, where
    the customer wrote after the desk and waits; waiting for others; nobody's; all else is in work."""
    held = {
        "late": pl.col("sla_state") == "breached",
        "risk": pl.col("sla_state") == "at_risk",
        "answered": pl.col("customer_waits_since").is_not_null(),
        "waiting": pl.col("status").str.starts_with("waiting_"),
        "unassigned": is_nobodys(),
    }
    found = pl.lit("work")
    for name, holds in reversed(held.items()):
        found = pl.when(holds).then(pl.lit(name)).otherwise(found)
    return found


def sizes(rows: pl.DataFrame) -> dict[str, int]:
    """Tickets in each part, all parts named."""
    counted: dict[str, int] = dict(rows.group_by(part().alias("part")).len().iter_rows())
    return {name: counted.get(name, 0) for name in PARTS}


def chosen(rows: pl.DataFrame, whose: Whose, filters: Mapping[str, str | None], text: str = "") -> pl.DataFrame:
    """The rows that fit: `filters` by FIELDS; `text` stands in reference or subject, capitals aside."""
    wanted = [pl.col(FIELDS[name]) == value for name, value in filters.items() if value is not None]
    if text := text.strip().casefold():
        in_text = pl.col("reference", "subject").str.to_lowercase().str.contains(text, literal=True)
        wanted.append(pl.any_horizontal(in_text))
    return rows.filter(whose.fits(), *wanted)
