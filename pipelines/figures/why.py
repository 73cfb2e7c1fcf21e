"""Why promises were broken, and who waited on whom."""

from typing import NamedTuple

import polars as pl

from pipelines.figures import reports, words
from pipelines.figures.selection import ALL_CLOCKS, Selection, tickets_where
from pipelines.marts import MartReader

_NAMED = "LEFT JOIN names {0} ON {0}.dimension = 'group_id' AND {0}.value = h.{1}"


class Answer(NamedTuple):
    """The commonest reason, of how many broken promises, and the group with the most of them; None without any."""

    reason: str
    breaches: int
    all_breaches: int
    group: str
    there: int


def answer(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> Answer | None:
    by_group = reports.reasons(reader, chosen, "group")
    if by_group.is_empty():
        return None
    reasons = (
        by_group.group_by("reason").agg(pl.col("breaches").sum()).sort("breaches", "reason", descending=[True, False])
    )
    groups = (
        by_group.group_by("value").agg(pl.col("breaches").sum()).sort("breaches", "value", descending=[True, False])
    )
    reason, breaches = reasons.row(0)
    group, there = groups.row(0)
    return Answer(reason, breaches, int(reasons["breaches"].sum()), group, there)


def sentence(found: Answer | None) -> str:
    if found is None:
        return "No promise that fits these filters was broken."
    share = words.percent(found.breaches / found.all_breaches)
    return (
        f"Of {words.count(found.all_breaches, 'broken promise')} most {words.REASONS[found.reason]}: "
        f"{found.breaches:,} ({share}). {found.group} has the most: {found.there:,}."
    )


def hand_offs(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a pair of groups, those that waited longest in all first: from_group, to_group (names), hand_offs,
    picked_up of them, median_seconds and total_seconds waited, and the pair as `which` of the list behind it."""
    joins = (
        f"JOIN hand_offs h ON h.ticket = t.ticket {_NAMED.format('a', 'from_group')} {_NAMED.format('b', 'to_group')}"
    )
    where, values = tickets_where(chosen, reader, joins, at="h.at")
    return reader.query(
        f"""SELECT coalesce(a.name, h.from_group) AS from_group, coalesce(b.name, h.to_group) AS to_group,
        count(*) AS hand_offs, count(*) FILTER (h.ended_by = 'picked_up') AS picked_up,
        median(h.seconds_waited) AS median_seconds, sum(h.seconds_waited) AS total_seconds,
        h.from_group || ' → ' || h.to_group AS which {where} GROUP BY ALL ORDER BY total_seconds DESC, which""",
        values,
    )
