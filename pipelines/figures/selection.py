"""Which clocks and tickets a figure counts: a period of whole days, and values of dimensions."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipelines.marts import MartReader

DIMENSIONS = {
    "priority": "Priority", "tier": "Contract tier", "group": "Group", "agent": "Agent", "customer": "Customer",
    "source": "Source", "product": "Product", "week": "Week", "type": "Type",
}  # fmt: skip
COUNTING = "c.counts AND c.state NOT IN ('no_target', 'no_clock', 'not_measured')"
"""Which windows are in attainment."""
GROUP_NAMES = "SELECT group_id, any_value(group_name) AS group_name FROM group_load GROUP BY group_id"
DAY = timedelta(days=1)


class Period(NamedTuple):
    """Whole days of the desk's time zone, both ends included; None is without an end."""

    first: date | None = None
    last: date | None = None

    @classmethod
    def of_days(cls, days: int, *, until: date) -> "Period":
        """So many days, the last of them `until`."""
        return cls(until - (days - 1) * DAY, until)

    @classmethod
    def of_week(cls, monday: date) -> "Period":
        return cls(monday, monday + 6 * DAY)

    def before(self) -> "Period | None":
        """The period of equal length that ends the day before; None without a first and a last day."""
        if self.first is None or self.last is None:
            return None
        return Period(self.first - (self.last - self.first) - DAY, self.first - DAY)

    def bounds(self, zone: str) -> tuple[datetime | None, datetime | None]:
        """The instant at which the first day begins, and the one at which the last has ended."""
        ends = (self.first, self.last + DAY if self.last else None)
        begin, end = (datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) if day else None for day in ends)
        return begin, end

    def holds(self, column: str, zone: str) -> tuple[list[str], list[object]]:
        """SQL conditions that an instant lies in the period, and their parameters."""
        begin, end = self.bounds(zone)
        found = [(f"{column} >= CAST(? AS TIMESTAMPTZ)", begin), (f"{column} < CAST(? AS TIMESTAMPTZ)", end)]
        return [sql for sql, at in found if at], [at for _, at in found if at]

    def holds_day(self, column: str) -> tuple[list[str], list[object]]:
        """The same of a column of days."""
        found = [(f"{column} >= CAST(? AS DATE)", self.first), (f"{column} <= CAST(? AS DATE)", self.last)]
        return [sql for sql, day in found if day], [day for _, day in found if day]


ALL_HISTORY = Period()


class Selection(NamedTuple):
    """Which clocks and tickets count: an empty tuple is all of them. Values are ids; "" of a group, an agent, a
    customer, a product or a segment is that there is none."""

    clocks: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    period: Period = ALL_HISTORY
    """Of a clock the days in which it started, of a ticket those in which it was created."""
    agents: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    which: str | None = None
    """Of a list that counts by a status, a model, a day, …: the one that is meant."""

    def before(self) -> "Selection | None":
        """The same in the period before; None where there is none."""
        period = self.period.before()
        return None if period is None else self._replace(period=period)


ALL_CLOCKS = Selection()


def clocks_where(chosen: Selection, reader: MartReader, joins: str = "") -> tuple[str, list[object]]:
    """FROM and WHERE over sla_clocks (as `c`) for a selection, with its parameters."""
    parts, values = among(
        ("c.clock", chosen.clocks),
        ("c.tier", chosen.tiers),
        ("c.priority", chosen.priorities),
        ("coalesce(c.group_id, '')", chosen.groups),
        ("coalesce(c.agent_id, '')", chosen.agents),
        ("coalesce(c.company_id, '')", chosen.customers),
        ("c.source", chosen.sources),
        ("c.type", chosen.types),
        (segment_of("c"), chosen.segments),
    )
    if chosen.products:
        parts.append("c.ticket IN (SELECT ticket FROM tickets WHERE list_contains(?, coalesce(product, '')))")
        values.append(list(chosen.products))
    during, instants = chosen.period.holds("c.window_start", reader.publication.time_zone)
    return f"FROM sla_clocks c {joins} WHERE {' AND '.join([COUNTING, *parts, *during])}", [*values, *instants]


def tickets_where(
    chosen: Selection, reader: MartReader, joins: str = "", *, at: str | None = "t.created_at"
) -> tuple[str, list[object]]:
    """FROM and WHERE over tickets (as `t`) for a selection, with its parameters; `at` is the instant that lies in the
    period, None for tickets of any age."""
    parts, values = tickets_among(chosen)
    during, instants = chosen.period.holds(at, reader.publication.time_zone) if at else ([], [])
    return f"FROM tickets t {joins} WHERE {' AND '.join(['true', *parts, *during])}", [*values, *instants]


def tickets_among(chosen: Selection) -> tuple[list[str], list[object]]:
    """What a selection asks of a ticket (`t`) but for the period."""
    return among(
        ("t.tier", chosen.tiers), ("t.priority", chosen.priorities), ("coalesce(t.group_id, '')", chosen.groups),
        ("coalesce(t.owner_id, t.assignee_id, '')", chosen.agents), ("coalesce(t.company_id, '')", chosen.customers),
        ("t.source", chosen.sources), ("coalesce(t.product, '')", chosen.products), ("t.type", chosen.types),
        (segment_of("t"), chosen.segments),
    )  # fmt: skip


def segment_of(table: str) -> str:
    """The line of business of the customer of a row of `table`, as SQL; "" without one."""
    found = f"SELECT any_value(s.segment) FROM customers s WHERE s.company_id = {table}.company_id"
    return f"coalesce(({found}), '')"


def value_of(dimension: str) -> tuple[str, str]:
    """How SQL over sla_clocks (as `c`) says a dimension (a key of DIMENSIONS) in the reader's words, and the join it
    needs."""
    match dimension:
        case "group":
            join = f"LEFT JOIN ({GROUP_NAMES}) g ON g.group_id = c.group_id"
            return "coalesce(group_name, c.group_id, 'no group')", join
        case "agent" | "customer":
            column = {"agent": "agent_id", "customer": "company_id"}[dimension]
            join = f"LEFT JOIN names n ON n.dimension = '{column}' AND n.value = c.{column}"
            return f"coalesce(n.name, c.{column}, 'no {dimension}')", join
        case "product":
            return "coalesce(p.product, 'no product')", "LEFT JOIN tickets p ON p.ticket = c.ticket"
        case "week":
            return "strftime(c.week, '%Y-%m-%d')", ""
    return f'c."{dimension}"', ""


def id_of(dimension: str) -> str:
    """The same by the id that a Selection takes; "" where there is none."""
    columns = {"group": "c.group_id", "agent": "c.agent_id", "customer": "c.company_id", "product": "p.product"}
    return f"coalesce({columns.get(dimension, value_of(dimension)[0])}, '')"


def among(*wanted: tuple[str, Sequence[str]]) -> tuple[list[str], list[object]]:
    """Conditions `column is one of …` for the columns with any value given, and their parameters."""
    given = [(column, list(values)) for column, values in wanted if values]
    return [f"list_contains(CAST(? AS VARCHAR[]), {column})" for column, _ in given], [values for _, values in given]
