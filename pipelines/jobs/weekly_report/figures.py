"""Everything that the weekly report says, asked once."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from engine.shared.errors import BadInput, NotFound
from pipelines.app.container import App
from pipelines.figures import queries, reports, verdict, weekly
from pipelines.figures.selection import Period, Selection
from pipelines.figures.triage_numbers import Honesty, honesty
from pipelines.live_queue import live_queue
from pipelines.marts import MartReader, Publication

WEEKS = 8


class Volume(NamedTuple):
    """What came, was solved and came back in a week, and what was open at its end; None without any day of it."""

    created: int
    resolved: int
    reopened: int
    open_at_end: int


class WeeklyReport(NamedTuple):
    """Of the week that begins at `monday`; `before` is the week before it."""

    monday: date
    is_settled: bool
    verdict: str
    late_at: datetime
    """When the late tickets of the verdict were counted."""
    publication: Publication
    is_synthetic: bool
    weeks: pl.DataFrame
    """Up to this week, the oldest first: `against_target` with `week` and `is_settled`."""
    clocks: pl.DataFrame
    """`headline` of the week, with `share_before`."""
    cuts: pl.DataFrame
    reasons: pl.DataFrame
    volume: Volume | None
    volume_before: Volume | None
    times: pl.DataFrame
    reopens: pl.DataFrame
    honesty: Mapping[str, Honesty]
    not_counted: pl.DataFrame


def weekly_report(app: App, monday: date | None = None, *, at: datetime) -> WeeklyReport:
    """By the publication in force; without a week, of the last settled one; tickets are late as of `at`.

    Raises NotFound without a publication, without a settled week, and for a week in which no clock that counts began;
    BadInput for a day that is no Monday.
    """
    with MartReader(app.settings.marts_folder) as reader:
        queue, wanted = live_queue(app, at=at), app.policies.goals.attainment.wanted()
        weeks = weeks_until(reader, wanted, monday)
        week = weeks.row(-1, named=True)
        first: date = week["week"]
        chosen = Selection(period=Period.of_week(first))
        before = chosen._replace(period=Period.of_week(first - timedelta(days=7)))
        then = queries.headline(reader, before).select("clock", share_before="share_met")
        stands = verdict.standing(queue.rows)
        names = queries.group_names(reader)
        share, target = verdict.of_week(reader, first), week["target"]
        if share and not week["is_settled"]:  # what it may still come to is compared with nothing
            share, target = share._replace(usual=None), None
        worst = names.get(stands.worst, stands.worst) if stands.worst else None
        return WeeklyReport(
            monday=first,
            is_settled=week["is_settled"],
            verdict=verdict.in_words(share, target, stands, worst),
            late_at=queue.as_of,
            publication=reader.publication,
            is_synthetic=app.is_demo,
            weeks=weeks.tail(WEEKS),
            clocks=queries.headline(reader, chosen).join(then, on="clock", how="left", maintain_order="left"),
            cuts=weekly.worst_cuts(reader, wanted, chosen),
            reasons=reports.reasons(reader, chosen),
            volume=volume(reader, chosen.period),
            volume_before=volume(reader, before.period),
            times=reports.response_times(reader, chosen),
            reopens=reports.reopens(reader, chosen),
            honesty={claims: honesty(reader, claims) for claims in ("sure", "unsure")},
            not_counted=queries.not_counted(reader, chosen),
        )


def weeks_until(reader: MartReader, wanted: pl.Expr, monday: date | None) -> pl.DataFrame:
    """The weeks with a clock that counts, up to the one asked for, else to the last settled one. Raises as
    `weekly_report`."""
    if monday is not None and monday.weekday():
        raise BadInput(
            f"{monday} is no Monday: a week is named by its first day, {monday - timedelta(days=monday.weekday())}"
        )
    weeks = weekly.by_week(reader, wanted)
    if monday is None:
        settled = weeks.filter("is_settled")
        if settled.is_empty():
            raise NotFound("No week is settled yet: nearly all of its promises have to be kept or broken; "
                           "`--week MONDAY` reports one that is not")  # fmt: skip
        monday = settled["week"][-1]
    until = weeks.filter(pl.col("week") <= monday)
    if until.is_empty() or until["week"][-1] != monday:
        raise NotFound(f"No promise that counts began in the week from {monday}: name another with --week")
    return until


def volume(reader: MartReader, period: Period) -> Volume | None:
    days = reports.volume(reader, period)
    if days.is_empty():
        return None
    return Volume(*days.select(pl.col("created", "resolved", "reopened").sum(), pl.col("open_at_end").last()).row(0))
