"""The tickets behind a number: each list has the rows that the number counted, under the same filters."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from dashboards import queries
from dashboards.queries import COUNTING, GROUP_NAMES, Selection
from pipelines.marts import MartReader

SIZE = 50
"""Rows of a page."""
CLOCKS: Mapping[str, str] = {
    "met": "c.state = 'met'",
    "breached": "c.state = 'breached'",
    "at_risk": "c.state = 'at_risk'",
    "running": "c.state = 'on_track'",
    "stopped": "c.stopped_at IS NOT NULL AND c.clock IN ('first_response', 'resolution')",
    "resolved": "c.stopped_at IS NOT NULL AND c.clock = 'resolution'",
    "reopened": "c.stopped_at IS NOT NULL AND c.clock = 'resolution' AND NOT c.is_current",
    "never_picked_up": "b.reason = 'never_picked_up'",
    "waiting_internally": "b.reason = 'waiting_internally'",
    "over_effort": "b.reason = 'over_effort'",
}
"""Lists of clocks, each the condition of its rows."""
NOT_COUNTED = "not_counted"
TICKETS: Mapping[str, str] = {
    "open": "t.is_open",
    "created": "true",
    "for_a_person": "k.needs_review",
    "classified": "k.ticket IS NOT NULL",
}
"""Lists of tickets, likewise."""
LISTS: Mapping[str, str] = {
    "breached": "Clocks past their target",
    "met": "Clocks met",
    "at_risk": "Clocks at risk",
    "running": "Clocks that run in time",
    NOT_COUNTED: "Clocks in no share",
    "never_picked_up": "Broken: never picked up in time",
    "waiting_internally": "Broken: waited on our side",
    "over_effort": "Broken: the work took longer",
    "stopped": "Clocks that were stopped",
    "resolved": "Resolutions",
    "reopened": "Reopened",
    "open": "Open tickets",
    "created": "Tickets created",
    "classified": "Classified tickets",
    "for_a_person": "Triage sends to a person",
}
FILTERS = {
    "clock": "clocks", "tier": "tiers", "priority": "priorities", "group": "groups", "agent": "agents",
    "customer": "customers", "type": "types", "week": "weeks",
}  # fmt: skip
"""In the page's address, each by the names that the reader sees. No other page has parameters of these names: Streamlit
drops those that the page one comes from has too."""
_LATEST_CLAIM = """(SELECT ticket, arg_max(needs_review, created_at) AS needs_review FROM classifications
 GROUP BY ticket) k ON k.ticket = t.ticket"""


def address(what: str, window: str, **filters: str | Sequence[str]) -> dict[str, str | Sequence[str]]:
    """The parameters of the page's address for a list; a filter not given is empty, whatever it was before."""
    given = {key: filters.get(name) or "" for name, key in FILTERS.items()}
    return {"list": LISTS[what], "since": window, "page": "1"} | given


class Size(NamedTuple):
    rows: int
    tickets: int


def size(reader: MartReader, what: str, chosen: Selection) -> Size:
    """How many rows a list (a key of LISTS) has, and of how many tickets."""
    _, source, _, values = _sql(reader, what, chosen)
    counted = reader.query(f"SELECT count(*) AS rows, count(DISTINCT t.ticket) AS tickets {source}", values)
    return Size(*counted.row(0))


def listed(reader: MartReader, what: str, chosen: Selection, *, page: int = 1) -> pl.DataFrame:
    """The rows behind a number: ticket, reference, subject, clock, state, remaining, status, priority, tier,
    group_name, agent, customer; of a list of tickets clock, state and remaining are null."""
    columns, source, order, values = _sql(reader, what, chosen)
    first = (page - 1) * SIZE
    return reader.query(f"SELECT {columns} {source} ORDER BY {order} LIMIT {SIZE} OFFSET {first}", values)


def _sql(reader: MartReader, what: str, chosen: Selection) -> tuple[str, str, str, list[object]]:
    """Columns, FROM and WHERE, order, and the parameters."""
    return _tickets(reader, what, chosen) if what in TICKETS else _clocks(reader, what, chosen)


def _clocks(reader: MartReader, what: str, chosen: Selection) -> tuple[str, str, str, list[object]]:
    joins = f"""JOIN tickets t ON t.ticket = c.ticket LEFT JOIN breach_reasons b ON b.ticket = c.ticket
        AND b.clock = c.clock AND b."window" = c."window" {_names("c.agent_id", "c")}"""
    where, values = queries.clocks_where(chosen, reader, joins)
    if what == NOT_COUNTED:
        where = where.replace(COUNTING, f"NOT ({COUNTING}) AND c.state NOT IN ('no_target', 'no_clock')", 1)
    else:
        where = f"{where} AND {CLOCKS[what]}"
    return _columns("c", "c.clock, c.state, c.remaining"), where, 'c.remaining, c.ticket, c.clock, c."window"', values


def _tickets(reader: MartReader, what: str, chosen: Selection) -> tuple[str, str, str, list[object]]:
    parts, values = queries.among(
        ("t.tier", chosen.tiers), ("t.priority", chosen.priorities), ("t.group_id", chosen.groups),
        ("coalesce(t.owner_id, t.assignee_id, '')", chosen.agents), ("coalesce(t.company_id, '')", chosen.customers),
        ("t.type", chosen.types),
    )  # fmt: skip
    if what == "created" and chosen.weeks is not None:
        parts.append("CAST(timezone(?, t.created_at) AS DATE) > CAST(? AS TIMESTAMPTZ) - to_days(CAST(? AS INTEGER))")
        values += [reader.publication.time_zone, reader.publication.as_of, 7 * chosen.weeks]
    source = f"""FROM tickets t LEFT JOIN {_LATEST_CLAIM} {_names("coalesce(t.owner_id, t.assignee_id)", "t")}
        WHERE {" AND ".join([TICKETS[what], *parts])}"""
    return (
        _columns("t", "NULL AS clock, NULL AS state, NULL AS remaining"),
        source,
        "t.created_at DESC, t.ticket",
        values,
    )


def _names(agent: str, of: str) -> str:
    return f"""LEFT JOIN ({GROUP_NAMES}) g ON g.group_id = {of}.group_id
        LEFT JOIN names a ON a.dimension = 'agent_id' AND a.value = {agent}
        LEFT JOIN names m ON m.dimension = 'company_id' AND m.value = {of}.company_id"""


def _columns(of: str, clock: str) -> str:
    agent = "c.agent_id" if of == "c" else "coalesce(t.owner_id, t.assignee_id)"
    return f"""t.ticket, t.reference, t.subject, {clock}, t.status, {of}.priority, {of}.tier,
        coalesce(g.group_name, {of}.group_id) AS group_name, coalesce(a.name, {agent}) AS agent,
        coalesce(m.name, {of}.company_id) AS customer"""
