"""How the desk stands in one sentence: what was kept in the last settled week, and what is late now."""

from datetime import date
from typing import NamedTuple

import polars as pl

from pipelines.figures import queries, words
from pipelines.figures.selection import Period, Selection
from pipelines.marts import MartReader


class SettledWeek(NamedTuple):
    """The last settled week and the share of promises kept in it; `usual`: the mean of the settled weeks before;
    `decided`: how many of its promises are, by clock, tier and priority."""

    week: str
    share: float
    usual: float | None
    decided: pl.DataFrame


class Standing(NamedTuple):
    """Open tickets that are late, at risk, or nobody's; the group with the most late ones, None without any."""

    late: int
    at_risk: int
    unassigned: int
    worst: str | None
    late_there: int


def settled_week(reader: MartReader) -> SettledWeek | None:
    """None before a week is settled: nearly all its clocks of any kind are met or breached."""
    weeks = settled_weeks(reader)
    return None if weeks.is_empty() else of_week(reader, weeks["week"][-1])


def of_week(reader: MartReader, monday: date) -> SettledWeek | None:
    """The same of the week that begins then, settled or not; None where nothing of it is decided."""
    counts = queries.decided(reader, monday)
    clocks = queries.headline(reader, Selection(period=Period.of_week(monday)))
    decided, met = int(counts["decided"].sum()), int(clocks["met"].sum())
    if not decided:
        return None
    usual = settled_weeks(reader).filter(pl.col("week") < monday)["share"].to_list()
    return SettledWeek(words.day(monday), met / decided, sum(usual) / len(usual) if usual else None, counts)


def settled_weeks(reader: MartReader) -> pl.DataFrame:
    """One row a settled week, oldest first: week, share kept of all its clocks."""
    return (
        queries.attainment_by_week(reader)
        .group_by("week")
        .agg(pl.col("clocks", "met", "breached", "in_time").sum())
        .filter(pl.col("in_time") / pl.col("clocks") < queries.UNSETTLED, pl.col("met") + pl.col("breached") > 0)
        .select("week", share=pl.col("met") / (pl.col("met") + pl.col("breached")))
        .sort("week")
    )


def standing(rows: pl.DataFrame) -> Standing:
    """Of the rows of the live queue."""
    late = rows.filter(pl.col("sla_state") == "breached")
    by_group = late.drop_nulls("group_id").group_by("group_id").len().sort("len", "group_id", descending=[True, False])
    worst, there = by_group.row(0) if by_group.height else (None, 0)
    nobodys = rows.filter(pl.col("owner_id").is_null() & pl.col("assignee_id").is_null())
    return Standing(late.height, rows.filter(pl.col("sla_state") == "at_risk").height, nobodys.height, worst, there)


def in_words(week: SettledWeek | None, target: float | None, now: Standing, worst: str | None) -> str:
    """The sentence, with the share that the desk wants of such a week, and the worst group by its name."""
    parts = [
        f"{words.count(now.late, 'ticket')} {'is' if now.late == 1 else 'are'} late and {now.at_risk:,} at risk",
        *([f"{worst} has the most late: {now.late_there:,}"] if worst else []),
    ]
    return f"{_of_week(week, target)}; {'; '.join(parts)}."


def _of_week(week: SettledWeek | None, target: float | None) -> str:
    if week is None:
        return "No week is settled yet"
    beside = [("target", target), ("usually", week.usual)]
    gaps = {name: round(week.share * 100) - round(other * 100) for name, other in beside if other is not None}
    heads = [_against_target(gaps["target"])] if "target" in gaps else []
    heads += [_against_usual(gaps["usually"])] if "usually" in gaps else []
    share = f"{words.percent(week.share)} of the promises of the week from {week.week} were kept"
    others = [f"{name} {words.percent(other)}" for name, other in beside if other is not None and gaps[name]]
    sentence = ", ".join([share, *others])
    return f"{' and '.join(heads).capitalize()}: {sentence}" if heads else sentence


def _against_target(gap: int) -> str:
    return "above target" if gap > 0 else "below target" if gap < 0 else "on target"


def _against_usual(gap: int) -> str:
    return "better than usual" if gap > 0 else "worse than usual" if gap < 0 else "as usual"
