"""Where tickets spend their time: how long each stayed in each status, on the wall and on its own calendar."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from sla.calendar.calendars import Calendar
from sla.calendar.timetables import Timetable
from sla.clocks.evaluate import DEFAULTS, SETTING, whole_second
from sla.contracts import UTC_INSTANT
from sla.policy.model import with_round_the_clock
from sla.reporting.attainment import cut

SPELLS = pl.Schema(
    {
        "ticket": pl.String(),
        "status": pl.String(),
        "start": UTC_INSTANT,
        "end": UTC_INSTANT,  # the next change of status, or as_of
        "seconds": pl.Int64(),
        "business_seconds": pl.Int64(),  # on the ticket's calendar; null without one
    }
)

TIME_IN_STATE = pl.Schema(
    {
        "status": pl.String(),
        "dimension": pl.String(),
        "value": pl.String(),
        "tickets": pl.Int64(),  # that were ever in it
        "visits": pl.Int64(),
        "total_seconds": pl.Int64(),
        "mean_seconds": pl.Float64(),  # per ticket, all its visits together
        "median_seconds": pl.Float64(),
        "on_calendar": pl.Int64(),  # tickets with a calendar: only these have business time
        "total_business_seconds": pl.Int64(),
        "mean_business_seconds": pl.Float64(),
        "median_business_seconds": pl.Float64(),
    }
)


def spells(
    tickets: pl.DataFrame,
    events: pl.DataFrame,
    ticket_calendars: pl.DataFrame,
    calendars: Mapping[str, Calendar],
    as_of: datetime,
) -> pl.DataFrame:
    """The stays of each ticket in a status up to `as_of`: the frame `SPELLS`, by ticket and time.

    `tickets` and `events` as in `contracts`; `ticket_calendars` names each ticket's `calendar`. Being set to the
    status it has ends no stay; a stay under a second is none.
    """
    status = pl.when(pl.col("kind") == "status").then("value")
    stays = (
        standings(tickets, events, {"status"}, as_of)
        .with_columns(status=status)
        .filter(pl.col("status").is_not_null())
        .filter(pl.struct("row", "status").ne_missing(pl.struct("row", "status").shift(1)))
    )
    last = pl.lit(whole_second(as_of), UTC_INSTANT)
    timed = (
        stays.with_columns(start="at", end=pl.col("at").shift(-1).over("row").fill_null(last))
        .filter(pl.col("end") > pl.col("start"))
        .join(
            ticket_calendars.select(pl.col("ticket").cast(pl.String), "calendar"),
            on="ticket",
            how="left",
            maintain_order="left",
        )
        .with_columns(seconds=(pl.col("end") - pl.col("start")).dt.total_seconds())
    )
    return timed.with_columns(business_seconds=business_seconds(timed, calendars)).select(
        pl.col(name).cast(dtype) for name, dtype in SPELLS.items()
    )


def time_in_state(stays: pl.DataFrame, dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """Per status, over all tickets and per value of each dimension: the frame `TIME_IN_STATE`.

    `stays` is the frame `SPELLS` with the dimensions (one value a ticket) joined to it.
    """
    business = pl.col("business_seconds")
    per_ticket = stays.group_by("ticket", "status").agg(
        pl.col(*dimensions).first() if dimensions else pl.lit(0).alias("_"),
        visits=pl.len(),
        seconds=pl.col("seconds").sum(),
        business_seconds=pl.when(business.count() > 0).then(business.sum()),
    )
    return cut(
        per_ticket,
        ["status"],
        dimensions,
        tickets=pl.len(),
        visits=pl.col("visits").sum(),
        total_seconds=pl.col("seconds").sum(),
        mean_seconds=pl.col("seconds").mean(),
        median_seconds=pl.col("seconds").median(),
        on_calendar=business.count(),
        total_business_seconds=business.sum(),
        mean_business_seconds=business.mean(),
        median_business_seconds=business.median(),
    ).select(pl.col(name).cast(dtype) for name, dtype in TIME_IN_STATE.items())


def standings(tickets: pl.DataFrame, events: pl.DataFrame, kinds: Collection[str], as_of: datetime) -> pl.DataFrame:
    """Each ticket's creation and what of these kinds happened to it, in order: row, ticket, at, kind, value, actor.

    The creation is a `status` with the first status. Read as the engines read it: to the whole second, an id once,
    none before creation or after `as_of`, at one instant by seq and then as delivered; unknown tickets are left out.
    """
    now = pl.lit(whole_second(as_of), UTC_INSTANT)
    status = pl.col("status") if "status" in tickets.columns else pl.lit(None, pl.String)
    born = (
        tickets.unique("id", keep="first", maintain_order=True)
        .with_row_index("row")
        .select(
            "row",
            ticket=pl.col("id").cast(pl.String),
            at=_second("created_at"),
            value=status.fill_null(DEFAULTS["status"]),
        )
        .filter(pl.col("at") <= now)
    )
    optional = {"id": pl.String(), "seq": pl.Int64(), "actor": pl.String()}
    given = events.with_columns(pl.col("ticket").cast(pl.String)).with_columns(
        pl.lit(None, t).alias(c) for c, t in optional.items() if c not in events.columns
    )
    happened = (
        given.filter(
            pl.col("ts").is_not_null()
            & pl.col("kind").is_in(list(kinds))
            & (pl.col("value").is_not_null() | ~pl.col("kind").is_in(list(SETTING)))
        )
        .with_columns(at=_second("ts"))
        .filter(pl.col("at") <= now)
        .join(born.select("row", "ticket", created="at"), on="ticket", maintain_order="left")
        .with_row_index("order")
        .sort("row", "at", pl.col("seq").fill_null(0), "order")
        .filter(pl.col("id").is_null() | pl.struct("row", "id").is_first_distinct())
        .with_columns(at=pl.max_horizontal("at", "created"), delivered=pl.lit(1))
    )
    start = born.with_columns(kind=pl.lit("status"), actor=pl.lit(None, pl.String), delivered=pl.lit(0))
    columns = ["row", "ticket", "at", "kind", "value", "actor", "delivered"]
    every = pl.concat([start.select(columns), happened.select(columns)])
    return every.sort("row", "delivered", maintain_order=True).drop("delivered")


def business_seconds(intervals: pl.DataFrame, calendars: Mapping[str, Calendar]) -> pl.Series:
    """Business seconds from `start` to `end` of each row on the calendar it names in `calendar`; null without one."""
    named = with_round_the_clock(calendars)
    names = sorted(intervals["calendar"].drop_nulls().unique())
    if not names:
        return pl.Series("business_seconds", [None] * intervals.height, dtype=pl.Int64())
    is_known = intervals["calendar"].is_not_null()
    known = intervals.filter(is_known)
    start, end = (known[column].dt.epoch("s").to_numpy() for column in ("start", "end"))
    timetable = Timetable([named[name] for name in names], int(start.min()), int(end.max()))
    code = known["calendar"].replace_strict(names, range(len(names)), return_dtype=pl.Int32).to_numpy()
    seconds = np.zeros(intervals.height, np.int64)
    seconds[is_known.to_numpy()] = timetable.passed(code, end) - timetable.passed(code, start)
    return pl.Series("business_seconds", seconds).set(~is_known, None)


def _second(column: str) -> pl.Expr:
    return pl.col(column).dt.truncate("1s").cast(UTC_INSTANT)
