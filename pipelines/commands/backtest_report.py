"""A backtest for a terminal: what would have been kept and broken, and which tickets it would have been."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.commands.terminal import counted

if TYPE_CHECKING:
    from sla.reporting.backtest import Backtest

WEEKS, TICKETS = 12, 20
_COLUMNS = (("clocks", 10), ("met before", 12), ("after", 9), ("points", 8), ("met→breached", 14), ("breached→met", 14))
HEAD = " " * 26 + "".join(f"{name:>{width}}" for name, width in _COLUMNS)


def lines(found: "Backtest") -> Iterator[str]:
    """Attainment by dimension (of the weeks the last ones), windows of one side only, moves of state, some tickets."""
    for (clock,), rows in found.attainment.group_by("clock", maintain_order=True):
        yield f"{clock}".replace("_", " ")
        yield HEAD
        for (dimension,), cut in rows.group_by("dimension", maintain_order=True):
            shown = cut.tail(WEEKS) if dimension == "week" else cut
            if shown.height < cut.height:
                yield f"  the last {WEEKS} of {cut.height} weeks"
            yield from (_attained(row) for row in shown.iter_rows(named=True))
        yield ""
    for row in found.one_sided.iter_rows(named=True):
        exist = "exists" if row["windows"] == 1 else "exist"
        yield f"{counted(row['windows'], 'window')} of {row['clock']} {exist} {row['under']} the change only"
    yield from _moves(found.changes)


def _attained(row: dict[str, Any]) -> str:
    name = row["value"] if row["dimension"] == "all" else f"{row['dimension']} {row['value']}"
    clocks, points = row["clocks_after"], row["points"]
    change = "–" if points is None else f"{points:+.1f}"
    shares = f"{_percent(row['share_met_before']):>12}{_percent(row['share_met_after']):>9}"
    return f"  {name:<24}{clocks:>10,}{shares}{change:>8}{row['met_to_breached']:>14,}{row['breached_to_met']:>14,}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _moves(changes: pl.DataFrame) -> Iterator[str]:
    clocks, tickets = counted(changes.height, "clock"), counted(changes["ticket"].n_unique(), "ticket")
    yield f"{clocks} of {tickets} {'changes' if changes.height == 1 else 'change'} state"
    states = [pl.col(name).cast(pl.String) for name in ("clock", "state_before", "state_after")]
    moves = (
        changes.group_by(states)
        .len()
        .sort("len", *["clock", "state_before", "state_after"], descending=[True] + [False] * 3)
    )
    yield from (f"  {n:>10,}  {clock:<16}{before} → {after}" for clock, before, after, n in moves.iter_rows())
    if changes.height:
        yield f"  {'ticket':<28}{'clock':<16}{'window':>6}  {'before':<10}{'left':>12}  {'after':<10}{'left':>12}"
    for row in changes.head(TICKETS).iter_rows(named=True):
        before, after = (f"{row[f'state_{s}']:<10}{_left(row[f'remaining_{s}']):>12}" for s in ("before", "after"))
        yield f"  {row['ticket']:<28}{row['clock']:<16}{row['window']:>6}  {before}  {after}"
    if changes.height > TICKETS:
        yield f"  and {changes.height - TICKETS:,} more: --changed FILE.csv writes all of them"


def _left(seconds: int | None) -> str:
    from sla.clocks.explain import hms

    return "–" if seconds is None else hms(seconds)
