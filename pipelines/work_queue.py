"""The order of work: priority scores joined from what the desk, the clocks and triage know of each open ticket."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from engine.contracts import AssignmentGroup

if TYPE_CHECKING:
    from engine.priority import Preset


def scored(
    tickets: pl.DataFrame,
    clocks: pl.DataFrame,
    flags: pl.DataFrame,
    envelopes: pl.DataFrame,
    *,
    preset: "Preset",
    at: datetime,
) -> pl.DataFrame:
    """Open tickets with `score`, `score_parts`, `section` and the promise that falls due next, the highest score first.

    All but the preset are parts of a snapshot as of `at`.
    """
    from engine.priority import in_words_expr, score_expr, section_expr

    queue = (
        tickets.filter("is_open")
        .join(next_promise(clocks), on="ticket", how="left")
        .join(_flags(flags, at), on="ticket", how="left")
        .join(_waiting(envelopes, at), on="ticket", how="left")
        .join(_reopened(clocks), on="ticket", how="left")
        .with_columns(sla_seconds_left=pl.col("seconds_left").cast(pl.Float64), sla_share_left="share_left")
    )
    made = (expr(at=at, preset=preset) for expr in (score_expr, section_expr, in_words_expr))
    return queue.with_columns(*made).sort(["score", "created_at", "ticket"], descending=[True, False, False])


def runs() -> pl.Expr:
    """Whether a clock is its ticket's present one, has not stopped, and has a promise to keep."""
    return pl.col("is_current") & pl.col("stopped_at").is_null() & pl.col("remaining").is_not_null()


def next_promise(clocks: pl.DataFrame) -> pl.DataFrame:
    """Per ticket: the worst state of its running clocks, the one with the fewest business seconds left, and the least
    share of its target that a clock has which is not paused."""
    running = clocks.filter(runs())
    nearest = running.sort("remaining", "clock").unique("ticket", keep="first", maintain_order=True)
    has = [(running["state"].cast(pl.String) == state).alias(state) for state in ("breached", "at_risk")]
    share = pl.when(~pl.col("is_paused")).then(pl.col("remaining") / pl.col("target"))
    each = running.select("ticket", *has, share_left=share).group_by("ticket")
    worst = each.agg(pl.col("breached", "at_risk").any(), pl.col("share_left").min())
    state = pl.when("breached").then(pl.lit("breached")).when("at_risk").then(pl.lit("at_risk"))
    return nearest.join(worst, on="ticket").select(
        "ticket",
        next_clock=pl.col("clock").cast(pl.String),
        next_due_at="due_at",
        seconds_left="remaining",
        share_left="share_left",
        is_paused="is_paused",
        sla_state=state.otherwise(pl.lit("on_track")),
    )


def _flags(flags: pl.DataFrame, at: datetime) -> pl.DataFrame:
    raised = flags.filter(_in_force("created_at", "cleared_at", at))
    return raised.group_by("ticket").agg(flags=pl.col("type").unique())


def _waiting(envelopes: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Per ticket whether an expert was at it, and how long the longest unanswered question had waited by then."""
    waited = (pl.lit(at, pl.Datetime("us", "UTC")) - pl.col("created_at")).dt.total_microseconds() / 1e6
    is_active = (pl.col("accepted_at") <= at).fill_null(value=False)
    return (
        envelopes.filter(_in_force("created_at", "completed_at", at))
        .group_by("ticket")
        .agg(has_active_envelope=is_active.any(), pending_envelope_seconds=waited.filter(~is_active).max())
    )


def _in_force(since: str, until: str, at: datetime) -> pl.Expr:
    return (pl.col(since) <= at) & (pl.col(until).is_null() | (pl.col(until) > at))


def _reopened(clocks: pl.DataFrame) -> pl.DataFrame:
    return clocks.group_by("ticket").agg(is_reopened=(pl.col("window") > 1).any())


def with_load(groups: Sequence[AssignmentGroup], held: pl.DataFrame) -> list[AssignmentGroup]:
    """The groups with these open tickets (column `group_id`) added to the load they carry elsewhere."""
    here = dict(held.drop_nulls("group_id").group_by("group_id").len().iter_rows())
    return [
        group.model_copy(update={"current_load": group.current_load + here.get(group.group_id, 0)}) for group in groups
    ]
