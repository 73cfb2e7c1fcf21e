"""Every number on a page: what was kept, what is due, what is known of a ticket, asked of the published tables."""

from datetime import date
from typing import Any, NamedTuple

import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures.selection import (
    ALL_CLOCKS,
    COUNTING,
    GROUP_NAMES,
    Period,
    Selection,
    clocks_where,
    id_of,
    tickets_where,
    value_of,
)
from pipelines.marts import MartReader
from pipelines.marts.allocations import FACTORS

UNSETTLED = 0.1


class Page(NamedTuple):
    """Some rows of an ordered answer, and how many there are in all."""

    rows: pl.DataFrame
    total: int


class Review(NamedTuple):
    """How many classifications there are and how many of them go to a person."""

    tickets: int
    to_a_person: int

    @property
    def share(self) -> float | None:
        return self.to_a_person / self.tickets if self.tickets else None


COUNTED = """count(*) AS clocks, count(*) FILTER (state = 'met') AS met,
 count(*) FILTER (state = 'breached') AS breached, count(*) FILTER (state = 'at_risk') AS at_risk,
 count(*) FILTER (state = 'on_track') AS running"""


def headline(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a clock: clocks, met, breached, at_risk, running, share_met with its 95 % interval low, high."""
    where, values = clocks_where(chosen, reader)
    return with_share_met(reader.query(f"SELECT clock, {COUNTED} {where} GROUP BY clock ORDER BY clock", values))


def not_counted(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """What is in no share: clock, why (of `sla_clocks`; `left_out` for outcomes that don't count), windows, tickets."""
    where, values = clocks_where(chosen, reader)
    others = where.replace(COUNTING, f"NOT ({COUNTING}) AND c.state NOT IN ('no_target', 'no_clock')", 1)
    return reader.query(
        f"""SELECT c.clock, CASE WHEN c.counts THEN c.why ELSE 'left_out' END AS why, count(*) AS windows,
        count(DISTINCT c.ticket) AS tickets {others} GROUP BY ALL ORDER BY c.clock, windows DESC, why""",
        values,
    )


def open_tickets(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> int:
    """Tickets still open, of any age, that fit the selection."""
    where, values = tickets_where(chosen, reader, at=None)
    answer = reader.query(f"SELECT count(*) AS n {where} AND t.is_open", values)
    return int(answer.item())


def attainment_by(reader: MartReader, dimension: str, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a clock and value of the dimension (a key of DIMENSIONS) with its `id`, columns as in `headline`."""
    value, join = value_of(dimension)
    where, values = clocks_where(chosen, reader, join)
    found = reader.query(
        f"SELECT clock, {value} AS value, {id_of(dimension)} AS id, {COUNTED} {where} GROUP BY ALL ORDER BY ALL", values
    )
    return with_share_met(found)


def attainment_by_week(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a clock and week (the Monday it started in), oldest first, columns as in `headline` and three more.

    `in_time` counts the clocks that still run in time: they are in no share yet. `share_at_best` is the share if all
    of them are met. A week is settled once they are fewer than UNSETTLED of its clocks: before, its share is too low,
    because a late clock counts as breached at once and a kept one only when it stops.
    """
    where, values = clocks_where(chosen, reader)
    found = reader.query(f"SELECT clock, week, {COUNTED} {where} GROUP BY ALL ORDER BY week, clock", values)
    in_time = pl.col("running") + pl.col("at_risk")
    return with_share_met(found).with_columns(
        in_time=in_time,
        share_at_best=(pl.col("met") + in_time) / pl.col("clocks"),
        is_settled=in_time / pl.col("clocks") < UNSETTLED,
    )


def decided(reader: MartReader, week: date) -> pl.DataFrame:
    """How many clocks that started in a week are `decided`, met or breached, by clock, tier and priority."""
    where, values = clocks_where(Selection(period=Period.of_week(week)), reader)
    return reader.query(
        f"""SELECT c.clock, c.tier, c.priority, count(*) FILTER (state IN ('met', 'breached')) AS decided
        {where} GROUP BY ALL ORDER BY ALL""",
        values,
    )


def decided_by(reader: MartReader, dimension: str, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """How many clocks are `met`, and how many `decided`, by clock, tier and priority of each value of a dimension, with
    its `id`."""
    value, join = value_of(dimension)
    where, values = clocks_where(chosen, reader, join)
    return reader.query(
        f"""SELECT {value} AS value, {id_of(dimension)} AS id, c.clock, c.tier, c.priority,
        count(*) FILTER (state = 'met') AS met, count(*) FILTER (state IN ('met', 'breached')) AS decided
        {where} GROUP BY ALL ORDER BY ALL""",
        values,
    )


def closest_to_breach(reader: MartReader, chosen: Selection = ALL_CLOCKS, *, limit: int = 15) -> pl.DataFrame:
    """Clocks that run and are not yet broken, the next deadline first."""
    where, values = clocks_where(chosen, reader, f"LEFT JOIN ({GROUP_NAMES}) g ON g.group_id = c.group_id")
    return reader.query(
        f"""SELECT c.ticket, c.reference, t.subject, c.clock, c.state, c.due_at, c.remaining, c.priority, c.tier,
        coalesce(group_name, c.group_id) AS group_name
        {where.replace("WHERE", "LEFT JOIN tickets t ON t.ticket = c.ticket WHERE", 1)}
        AND c.is_current AND c.stopped_at IS NULL AND c.state IN ('on_track', 'at_risk') AND c.due_at IS NOT NULL
        ORDER BY c.due_at, c.ticket, c.clock LIMIT {int(limit)}""",
        values,
    )


def choices(reader: MartReader) -> dict[str, list[str]]:
    """What the filters offer: by field of a Selection the ids that occur."""
    columns = {
        "clocks": ("clock", "sla_clocks"),
        "tiers": ("tier", "tickets"),
        "priorities": ("priority", "tickets"),
        "groups": ("group_id", "tickets"),
        "agents": ("agent_id", "sla_clocks"),
        "customers": ("company_id", "tickets"),
        "sources": ("source", "tickets"),
        "products": ("product", "tickets"),
        "types": ("type", "tickets"),
    }
    return {name: _distinct(reader, column, mart) for name, (column, mart) in columns.items()}


def group_names(reader: MartReader) -> dict[str, str]:
    """A group's name by its id."""
    return dict(reader.query(GROUP_NAMES).rows())


def names(reader: MartReader) -> dict[str, str]:
    """What groups, agents and customers are called, by id."""
    known = reader.query("SELECT value, name FROM names WHERE value IS NOT NULL AND name IS NOT NULL")
    return group_names(reader) | dict(known.rows())


def review(reader: MartReader) -> Review:
    """How much of triage goes to a person."""
    tickets, to_a_person = reader.query(
        "SELECT coalesce(sum(tickets), 0) AS n, coalesce(sum(needs_review), 0) AS r FROM confidence"
    ).row(0)
    return Review(int(tickets), int(to_a_person))


def confidence(reader: MartReader) -> pl.DataFrame:
    """How confidence is spread: lower, upper, and tickets by where they go (`triage` or `person`)."""
    return reader.query(
        """SELECT lower, upper, 'person' AS goes_to, needs_review AS tickets FROM confidence UNION ALL
        SELECT lower, upper, 'triage' AS goes_to, tickets - needs_review FROM confidence ORDER BY lower, goes_to"""
    )


def rejected(reader: MartReader, *, limit: int = 200) -> Page:
    """Rows that could not be taken in, with their reason."""
    rows = reader.query(f'SELECT source, origin, "row", reason FROM rejected ORDER BY origin, "row" LIMIT {int(limit)}')
    return Page(rows, reader.publication.rows["rejected"])


def of_ticket(reader: MartReader, mart: str, ticket: str, order: str) -> pl.DataFrame:
    """The rows of a mart about the ticket with this key."""
    return reader.query(f"SELECT * FROM {mart} WHERE ticket = ? ORDER BY {order}", [ticket])


def waits_of(reader: MartReader, ticket: str) -> dict[str, Any] | None:
    """How long the customer waited for answers; None where messages are not told."""
    found = reader.query("SELECT * FROM replies WHERE ticket = ?", [ticket])
    return found.row(0, named=True) if found.height else None


def factor_scores(allocation: dict[str, Any]) -> pl.DataFrame:
    """The seven scores of a decision that were given: factor, score in [0, 1]."""
    given = [(name, allocation[name]) for name in FACTORS if allocation[name] is not None]
    return pl.DataFrame(given, schema={"factor": pl.String(), "score": pl.Float64()}, orient="row")


def with_share_met(counted: pl.DataFrame) -> pl.DataFrame:
    """Adds share_met = met / (met + breached) and its interval."""
    return with_share(counted, "share_met", pl.col("met"), pl.col("met") + pl.col("breached"))


def _distinct(reader: MartReader, column: str, mart: str) -> list[str]:
    found = reader.query(f"SELECT DISTINCT {column} AS v FROM {mart} WHERE {column} IS NOT NULL ORDER BY v")
    return [str(value) for value in found["v"]]
