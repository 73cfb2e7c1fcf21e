"""Triage for a terminal: how often people agree with it, what became of its drafts, what to write next, the bill."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.commands.terminal import counted, plain

if TYPE_CHECKING:
    from pipelines.marts import MartReader

PARTS = ("honesty", "confidence", "calibration", "draft_feedback", "unhelpful_articles", "coverage_gaps", "cost_ledger")
"""The marts it tells of."""
ROWS = 12


def as_data(reader: "MartReader") -> dict[str, Any]:
    """Every row of these marts, and the instant they speak of."""
    return {"as_of": reader.publication.as_of} | {name: reader.frame(name).to_dicts() for name in PARTS}


def lines(reader: "MartReader") -> Iterator[str]:
    """A page of it: shares with their 95 % interval."""
    yield f"as of {reader.publication.as_of:%Y-%m-%d %H:%M} UTC"
    yield from honest_lines(reader.frame("honesty"))
    yield from _sure(reader.frame("confidence"), reader.frame("calibration"))
    yield from _drafts(reader.frame("draft_feedback"), reader.frame("unhelpful_articles"))
    yield from _gaps(reader.frame("coverage_gaps"))
    yield from _bill(reader.frame("cost_ledger"))


def honest_lines(found: pl.DataFrame) -> Iterator[str]:
    """How far triage can be believed: when it is sure, and over all its claims."""
    sure, every = (found.row(by_predicate=pl.col("claims") == name, named=True) for name in ("sure", "all"))
    if not every["tickets"]:
        return
    when = f"when it is sure ({sure['tickets']:,} of {counted(every['tickets'], 'ticket')})"
    if sure["share_agreed"] is None:
        yield f"{when}: not known yet: 0 of {sure['drawn']:,} of the random slice answered: helmdesk triage review"
        return
    yield f"{when}, people agree {_interval(sure)}, n = {sure['answered']:,} of the random slice of {sure['drawn']:,}"
    if every["share_agreed"] is not None and sure["tickets"] < every["tickets"]:
        yield f"over all its claims, were none corrected: {_interval(every)}, n = {every['answered']:,}"


def _interval(row: dict[str, Any]) -> str:
    return f"{row['share_agreed']:.0%} [{row['low']:.0%}–{row['high']:.0%}]"


def _sure(spread: pl.DataFrame, found: pl.DataFrame) -> Iterator[str]:
    tickets, reviewed = int(spread["tickets"].sum()), int(spread["needs_review"].sum())
    share = f" ({reviewed / tickets:.1%})" if tickets else ""
    yield f"{tickets:,} tickets classified, {reviewed:,} of them for a person{share}, open and closed"
    if found.is_empty():
        yield "nobody has checked a claim yet: helmdesk triage review"
        return
    yield f"\n{'how often people agreed':<40}{'checked':>8}{'mean confidence':>17}{'agreed':>9}   95 % interval"
    for row in found.iter_rows(named=True):
        name = f"{plain(row['model_used'])[:26]} {row['lower']:.0%} to {row['upper']:.0%}"
        interval = f"{row['low']:.0%} to {row['high']:.0%}"
        yield f"{name:<40}{row['answered']:>8,}{row['mean_confidence']:>17.1%}{row['share_agreed']:>9.1%}   {interval}"


def _drafts(found: pl.DataFrame, useless: pl.DataFrame) -> Iterator[str]:
    if found.is_empty():
        yield "\nno draft was judged yet: helmdesk triage feedback TICKET --sent"
    else:
        yield f"\n{'drafts':<40}{'judged':>8}{'sent':>7}{'edited':>8}{'rejected':>10}{'accepted':>10}   95 % interval"
        for row in found.group_by("dimension", maintain_order=True).head(ROWS).iter_rows(named=True):
            name = "all" if row["dimension"] == "all" else f"{row['dimension']} {plain(row['value'])}"
            counts = f"{row['drafts']:>8,}{row['sent']:>7,}{row['edited']:>8,}{row['rejected']:>10,}"
            yield f"{name[:39]:<40}{counts}{row['share_accepted']:>10.1%}   {row['low']:.0%} to {row['high']:.0%}"
    for (why,), rows in useless.group_by("why", maintain_order=True):
        named = ", ".join(plain(name) for name in rows["article_id"].head(ROWS))
        yield f"{rows.height:,} articles {why}: {named}{', …' if rows.height > ROWS else ''}"


def _gaps(found: pl.DataFrame) -> Iterator[str]:
    if found.is_empty():
        return
    yield "\nwrite this next (tickets that no article answers)"
    for row in found.head(ROWS).iter_rows(named=True):
        yield f"{row['tickets']:>8,}  {plain(row['about'])[:70]:<70}  {plain(row['examples'])}"
    if found.height > ROWS:
        yield f"{'':>8}  and {found.height - ROWS:,} more: --json"


def _bill(ledger: pl.DataFrame) -> Iterator[str]:
    if ledger.is_empty():
        return
    sums = [pl.col(name).sum() for name in ("tickets", "prompt_tokens", "completion_tokens", "cost")]
    latency = (pl.col("mean_latency_ms") * pl.col("tickets")).sum() / pl.col("tickets").sum()
    found = ledger.group_by("operation", "model_used").agg(*sums, ms=latency).sort("operation", "model_used")
    yield f"\n{'the bill':<40}{'tickets':>9}{'ms each':>9}{'prompt':>12}{'completion':>12}{'US dollars':>12}"
    for row in found.iter_rows(named=True):
        tokens = f"{row['prompt_tokens']:>12,}{row['completion_tokens']:>12,}"
        name = f"{row['operation']} {plain(row['model_used'])}"
        yield f"{name[:39]:<40}{row['tickets']:>9,}{row['ms']:>9.0f}{tokens}{row['cost']:>12.4f}"
