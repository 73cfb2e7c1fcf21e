"""Where tickets spend their time: how long each stayed in each status, on the wall and on its own calendar."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from sla.calendar.calendars import Calendar
from sla.calendar.timetables import Timetable
from sla.clocks.evaluate import whole_second
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
    standings: pl.DataFrame, ticket_calendars: pl.DataFrame, calendars: Mapping[str, Calendar], as_of: datetime
) -> pl.DataFrame:
    """The stays of each ticket in a status up to `as_of`: the frame `SPELLS`, by ticket and time.

    `standings`: one row a ticket for its creation (`place` 0) and each later event, in order, with `ticket`, `since`
    and `status`; `ticket_calendars` names each ticket's `calendar`. Being set to the status it has ends no stay; a stay
    under a second is none.
    """
    is_first = pl.col("place") == 0
    stays = standings.select("ticket", "place", "status", start="since").filter(
        is_first | (pl.col("status") != pl.col("status").shift(1))
    )
    last = pl.lit(whole_second(as_of), UTC_INSTANT)
    timed = (
        stays.with_columns(end=pl.when(~is_first.shift(-1)).then(pl.col("start").shift(-1)).fill_null(last))
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


def per_ticket(stays: pl.DataFrame, dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """A row a ticket and status that it was ever in: `visits`, `seconds`, `business_seconds`, and the dimensions."""
    business = pl.col("business_seconds")
    return stays.group_by("ticket", "status").agg(
        *(pl.col(name).first() for name in dimensions),
        visits=pl.len(),
        seconds=pl.col("seconds").sum(),
        business_seconds=pl.when(business.count() > 0).then(business.sum()),
    )


def time_in_state(stays: pl.DataFrame, dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """Per status, over all tickets and per value of each dimension: the frame `TIME_IN_STATE`.

    `stays` is the frame `SPELLS` with the dimensions (one value a ticket) joined to it.
    """
    business = pl.col("business_seconds")
    return cut(
        per_ticket(stays, dimensions),
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
