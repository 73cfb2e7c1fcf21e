"""Why a promise was broken: nobody picked the ticket up, it waited on our side, or the work itself took longer."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl
from pydantic import Field

from engine.contracts import Frozen
from engine.shared import policy_file
from sla.calendar.calendars import Calendar
from sla.clocks.evaluate import whole_second
from sla.contracts import UTC_INSTANT, Clock, State
from sla.policy.model import DEFAULT_TERMS, Policies, Terms
from sla.reporting.time_in_state import business_seconds

NEVER_PICKED_UP, WAITING_INTERNALLY, OVER_EFFORT = "never_picked_up", "waiting_internally", "over_effort"
_STOPPED = sorted(DEFAULT_TERMS[Clock.RESOLUTION].stop_states)
_STANDING = ["clock", "policy", "version", "status", "hold"]

BREACH_REASONS = pl.Schema(
    {
        "ticket": pl.String(),
        "clock": pl.String(),
        "window": pl.Int32(),
        "reason": pl.String(),
        "picked_up_at": UTC_INSTANT,  # null if nobody had it in the window
        "seconds_to_pick_up": pl.Int64(),  # counted until then; all of `elapsed` without it
        "seconds_waiting_internal": pl.Int64(),
        "seconds_in_work": pl.Int64(),  # elapsed = waiting internal + in work
        "over_by": pl.Int64(),  # elapsed - target
    }
)


class ReasonRule(Frozen):
    """What counts as waiting on our side, and how much of it makes waiting the reason."""

    source: str = ""
    waiting_statuses: frozenset[str]  # nobody works, and it is we or our supplier who are awaited
    queue_statuses: frozenset[str]  # nobody has begun, even where somebody is assigned
    work_statuses: frozenset[str]  # being in one of these is being picked up
    waiting_share: float = Field(gt=0, le=1)  # of the counted time


def breach_reasons(
    clocks: pl.DataFrame,
    standings: pl.DataFrame,
    *,
    rule: ReasonRule,
    policies: Policies,
    calendars: Mapping[str, Calendar],
    as_of: datetime,
) -> pl.DataFrame:
    """One row a breached window, with one reason and the figures behind it: the frame `BREACH_REASONS`.

    All seconds are those that count against the target: business time without pauses. A ticket is picked up once
    somebody is assigned, accepts or answers it, or it gets a work status. The first that holds is the reason:

    1. `never_picked_up`: the target was used up before anybody picked it up;
    2. `waiting_internally`: at least `waiting_share` of the counted time nobody had it, it lay in a queue status or in
       a waiting status (`seconds_waiting_internal`, which includes the time to the pick-up);
    3. `over_effort`: it was being worked on and took longer.

    Worked example: 4 h from Tuesday 9:00, office hours 9 to 17. Assigned and begun at 10:00, waiting_vendor from 11:00
    to 14:00, resolved at 15:00. Counted 6 h, over by 2 h; 1 h to the pick-up; 1 + 3 = 4 h waiting, 2 h in work. 4 of 6
    is more than half: `waiting_internally`. Begun at once and without the vendor: `over_effort`. First touched on
    Tuesday at 14:00: `never_picked_up`, whatever happened after.

    What stands still follows the policy of the window, but what paused nothing (an agreed end) counts throughout; stops
    are resolved and closed. `standings`: one row a ticket
    for its creation (`place` 0) and each later event, in order, with `ticket`, `since`, `until` (null: still so),
    `kind` and `value` of the event, and after it `status` and `hold` (reason of an approved pause).
    """
    broken = clocks.with_columns(pl.col("ticket", "clock", "state").cast(pl.String)).filter(
        (pl.col("state") == State.BREACHED.value) & pl.col("window_start").is_not_null()
    )
    now = pl.lit(whole_second(as_of), UTC_INSTANT)
    rows = broken.with_row_index("place").with_columns(window_end=pl.col("stopped_at").fill_null(now))
    rows = rows.with_columns(version=_version(policies))
    pieces = _pieces(rows, _held(standings, rule), rule)
    pieces = pieces.join(_standing_still(pieces, policies), on=_STANDING, how="left", nulls_equal=True)
    has_paused = (pl.col("paused") > 0) | pl.col("status").is_in(_STOPPED)
    seconds = pl.when(pl.col("stands_still") & has_paused).then(0).otherwise(business_seconds(pieces, calendars))
    picked_up = pl.col("start").filter("is_held").min()
    figures = (
        pieces.with_columns(counted=seconds)
        .group_by("place")
        .agg(
            picked_up_at=picked_up,
            seconds_to_pick_up=pl.col("counted").filter(pl.col("start") < picked_up).sum(),
            seconds_waiting_internal=pl.col("counted").filter("is_waiting").sum(),
        )
    )
    found = rows.join(figures, on="place", how="left", maintain_order="left").with_columns(
        pl.col("seconds_waiting_internal").fill_null(0),
        seconds_to_pick_up=pl.when(pl.col("picked_up_at").is_null()).then("elapsed").otherwise("seconds_to_pick_up"),
        over_by=pl.col("elapsed") - pl.col("target"),
    )
    return found.with_columns(
        reason=_reason(rule), seconds_in_work=pl.col("elapsed") - pl.col("seconds_waiting_internal")
    ).select(pl.col(name).cast(dtype) for name, dtype in BREACH_REASONS.items())


def load(path: str | Path) -> ReasonRule:
    """The rule of a YAML file. Raises BadInput with file, key and reason."""
    return policy_file.read(path, ReasonRule, what="rule for breach reasons")


def _reason(rule: ReasonRule) -> pl.Expr:
    return (
        pl.when(pl.col("seconds_to_pick_up") >= pl.col("target"))
        .then(pl.lit(NEVER_PICKED_UP))
        .when(pl.col("seconds_waiting_internal") >= pl.col("elapsed") * rule.waiting_share)
        .then(pl.lit(WAITING_INTERNALLY))
        .otherwise(pl.lit(OVER_EFFORT))
    )


def _held(standings: pl.DataFrame, rule: ReasonRule) -> pl.DataFrame:
    """The standings with `is_held`: whether somebody has the ticket, by assignment, answer or a work status."""
    kind, value = pl.col("kind"), pl.col("value")
    works = (kind == "status") & value.is_in(list(rule.work_statuses))
    held = (
        pl.when((kind == "assignee") | (kind == "transferred"))
        .then(value.fill_null("") != "")
        .when(works | kind.is_in(["accepted", "response"]))
        .then(pl.lit(value=True))
        .when((pl.col("place") == 0) | (kind == "released"))
        .then(pl.lit(value=False))
    )
    return standings.select("ticket", "since", "until", "status", "hold", is_held=held.forward_fill())


def _pieces(rows: pl.DataFrame, held: pl.DataFrame, rule: ReasonRule) -> pl.DataFrame:
    """The windows cut wherever the ticket's standing changes; one that begins with the stop is a piece of 0 s."""
    waiting = pl.col("status").is_in(list(rule.waiting_statuses | rule.queue_statuses))
    return (
        rows.select("place", "ticket", "clock", "policy", "version", "calendar", "paused", "window_start", "window_end")
        .join(held, on="ticket")
        .with_columns(pl.col("until").fill_null(pl.col("window_end")))
        .filter(
            (pl.col("since") <= pl.col("window_end"))
            & ((pl.col("until") > pl.col("window_start")) | (pl.col("since") >= pl.col("window_start")))
        )
        .with_columns(
            start=pl.max_horizontal("since", "window_start"),
            end=pl.min_horizontal("until", "window_end"),
            is_waiting=waiting | ~pl.col("is_held"),
        )
    )


def _standing_still(pieces: pl.DataFrame, policies: Policies) -> pl.DataFrame:
    """For every standing that occurs: whether the clock stands still in it, by the terms of its policy."""
    standings = pieces.select(_STANDING).unique()
    still = [
        status in _STOPPED or _terms(policies, clock, policy, version).pauses(status, hold)
        for clock, policy, version, status, hold in standings.iter_rows()
    ]
    return standings.with_columns(stands_still=pl.Series(still, dtype=pl.Boolean))


def _terms(policies: Policies, clock: str, policy: str | None, version: int) -> Terms:
    named = [p for p in policies.versions[version].policies if p.name == policy] if version >= 0 else []
    return policies.terms_under(Clock(clock), version, named[0] if named else None)


def _version(policies: Policies) -> pl.Expr:
    """Index of the version in force when the window started."""
    starts = [v.valid_from for v in policies.versions]
    begun = [pl.lit(1) if at is None else (pl.col("window_start") >= at).cast(pl.Int32) for at in starts]
    return pl.sum_horizontal(begun).cast(pl.Int32) - 1
