"""All marts: built, checked against their rules, and named in the order in which they are published."""

from collections.abc import Iterator, Mapping

import polars as pl

from engine.shared.errors import RuleBroken
from pipelines.marts import (
    alerts,
    allocations,
    attainment,
    backlog_signals,
    breach_reasons,
    classifications,
    cost_ledger,
    counted_tickets,
    coverage_gaps,
    credits,
    customers,
    drafts,
    enrichments,
    entitlements,
    hand_offs,
    honesty,
    internal_entries,
    model_runs,
    names,
    rejected,
    replies,
    reviews,
    sla_clocks,
    sources,
    surveys,
    tickets,
    time_in_state,
    volume,
    work_queue,
)
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot

SUBJECTS: tuple[Mapping[str, Mart], ...] = (
    tickets.MARTS,
    sla_clocks.MARTS,
    attainment.MARTS | replies.MARTS,
    breach_reasons.MARTS | time_in_state.MARTS | hand_offs.MARTS,
    credits.MARTS,
    work_queue.MARTS,
    allocations.MARTS,
    classifications.MARTS,
    reviews.MARTS | honesty.MARTS | model_runs.MARTS,
    drafts.MARTS | coverage_gaps.MARTS,
    cost_ledger.MARTS,
    enrichments.MARTS | customers.MARTS | entitlements.MARTS | backlog_signals.MARTS,
    alerts.MARTS,
    sources.MARTS,
    internal_entries.MARTS | surveys.MARTS,
    volume.MARTS | counted_tickets.MARTS | rejected.MARTS | names.MARTS,
)
"""The marts by name, those together that are read together."""
MARTS: Mapping[str, Mart] = {name: mart for marts in SUBJECTS for name, mart in marts.items()}
SHOWN = 3


def build(snapshot: Snapshot) -> dict[str, pl.DataFrame]:
    """Every mart with its declared columns. Raises RuleBroken."""
    frames = {name: mart.frame(snapshot) for name, mart in MARTS.items()}
    check(frames)
    return frames


def check(frames: Mapping[str, pl.DataFrame]) -> None:
    """Holds each mart to the rules of its schema, and each key that leads to another mart to that one.

    Raises RuleBroken with a rule that is broken, one about a single column before one about several, and the keys of
    the first rows that break it.
    """
    for name, mart in MARTS.items():
        frame = frames[name]
        if not mart.rules.is_valid(frame, engine="in-memory"):  # half the CPU of streaming over frames this small
            failures = mart.rules.filter(frame).failure
            rule = min(failures.counts(), key=lambda rule: "|" not in rule)
            raise _broken(name, rule, failures.details().filter(pl.col(rule) == "invalid"))
        for column, other in leads(mart):
            if (lost := frame.join(frames[other].select(pl.col("ticket").alias(column)), on=column, how="anti")).height:
                raise _broken(name, f"every {column} is in {other}", lost)


def leads(mart: Mart) -> Iterator[tuple[str, str]]:
    """The columns of a mart that hold keys of another, with its name."""
    for name, column in mart.rules.columns().items():
        if column.metadata and "leads_to" in column.metadata:
            yield name, column.metadata["leads_to"]


def _broken(name: str, rule: str, rows: pl.DataFrame) -> RuleBroken:
    """Names rows by their key, or by the first column where a mart has none: never by a ticket's text."""
    rules = MARTS[name].rules
    keys = rows.select(rules.primary_key() or rules.column_names()[:1]).head(SHOWN).iter_rows(named=True)
    shown = "; ".join(", ".join(f"{column} {value}" for column, value in key.items()) for key in keys)
    more = f" and {rows.height - SHOWN:,} more" if rows.height > SHOWN else ""
    return RuleBroken(
        f"the mart {name} breaks its rule `{rule}` in {rows.height:,} row{'s' * (rows.height > 1)} ({shown}{more}); "
        "nothing was published, the marts published before stay"
    )
