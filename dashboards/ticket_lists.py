"""The tickets behind a number: each list has the rows that the number counted, under the same filters."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from dashboards import filters
from pipelines.figures import rhythm, volume
from pipelines.figures.selection import COUNTING, GROUP_NAMES, Period, Selection, clocks_where, tickets_among
from pipelines.marts import MartReader

SIZE = 50
"""Rows of a page."""
CLOCKS: Mapping[str, str] = {
    "met": "c.state = 'met'",
    "breached": "c.state = 'breached'",
    "at_risk": "c.state = 'at_risk'",
    "running": "c.state = 'on_track'",
    "breached_by_hour": "c.state = 'breached'",
    "stopped": "c.stopped_at IS NOT NULL AND c.clock IN ('first_response', 'resolution')",
    "resolved": "c.stopped_at IS NOT NULL AND c.clock = 'resolution'",
    "reopened": "c.stopped_at IS NOT NULL AND c.clock = 'resolution' AND NOT c.is_current",
    "never_picked_up": "b.reason = 'never_picked_up'",
    "waiting_internally": "b.reason = 'waiting_internally'",
    "over_effort": "b.reason = 'over_effort'",
}
"""Lists of clocks, each the condition of its rows."""
BY_HOUR = frozenset({"breached_by_hour"})
"""Those of which `which` is the hour of the week in which the clock started (`rhythm.hour_of`)."""
NOT_COUNTED = "not_counted"
TICKETS: Mapping[str, str] = {
    "open": "t.is_open",
    "for_a_person": "k.needs_review",
    "classified": "k.ticket IS NOT NULL",
    "late": f"t.is_open AND t.ticket IN ({volume.LATE})",
    "allocated": f"t.is_open AND (t.ticket, t.group_id) IN ({volume.ALLOCATED})",
    "before_allocation": f"t.is_open AND (t.ticket, coalesce(t.group_id, '')) NOT IN ({volume.ALLOCATED})",
}
"""Lists of tickets, likewise."""
_EVENTS = "SELECT ticket, day, strftime(day, '%Y-%m-%d') AS which FROM counted_tickets WHERE figure = "
_OF = "SELECT ticket, day, value AS which FROM counted_tickets WHERE figure = "
_BARE = "NULL::DATE AS day, NULL::VARCHAR AS which"
COUNTED: Mapping[str, str] = {
    "created": """SELECT ticket, CAST(timezone($zone, created_at) AS DATE) AS day, strftime(day, '%Y-%m-%d') AS which
        FROM tickets""",
    "created_by_hour": """SELECT ticket, CAST(timezone($zone, created_at) AS DATE) AS day,
        strftime(timezone($zone, created_at), '%a %H:00') AS which FROM tickets""",
    "closed": """SELECT t.ticket, CAST(timezone($zone, t.closed_at) AS DATE) AS day,
        CASE WHEN s.ticket IS NULL THEN 'no answer' ELSE 'answer' END AS which
        FROM tickets t LEFT JOIN surveys s ON s.ticket = t.ticket WHERE t.closed_at IS NOT NULL""",
    "resolved_times": f"{_EVENTS} 'resolved'",
    "reopened_times": f"{_EVENTS} 'reopened'",
    "left_out": f"{_EVENTS} 'left_out'",
    "open_then": volume.HELD.replace("?", "$zone").replace(
        "day, until FROM", "day, until, NULL::VARCHAR AS which FROM"
    ),
    "in_status": f"{_OF} 'status'",
    "checked": f"SELECT ticket, {_BARE} FROM reviews",
    "agreed": f"SELECT ticket, {_BARE} FROM reviews WHERE is_right",
    "corrected": """SELECT ticket, NULL::DATE AS day, said || ' → ' || label AS which FROM reviews
        WHERE NOT is_right""",
    "surveyed": """SELECT ticket, CAST(timezone($zone, answered_at) AS DATE) AS day, CAST(csat AS VARCHAR) AS which
        FROM surveys""",
    "complained": """SELECT ticket, CAST(timezone($zone, answered_at) AS DATE) AS day, CAST(csat AS VARCHAR) AS which
        FROM surveys WHERE is_complaint""",
    "handed_over": """SELECT ticket, CAST(timezone($zone, "at") AS DATE) AS day,
        from_group || ' → ' || to_group AS which FROM hand_offs""",
    "drafted": f"SELECT ticket, {_BARE} FROM suggestions",
    "answered": f"SELECT ticket, {_BARE} FROM suggestions WHERE grounded",
    "citing": """SELECT DISTINCT ticket, NULL::DATE AS day, unnest(json_extract_string(citations, '$[*].article_id'))
        AS which FROM suggestions WHERE grounded""",
    "uncovered": """SELECT unnest(json_extract_string(members, '$[*]')) AS ticket, NULL::DATE AS day,
        place || '. ' || about AS which FROM coverage_gaps""",
    "judged_model": f"{_OF} 'judged_model'",
    "judged_label": f"{_OF} 'judged_label'",
    "judged_article": f"{_OF} 'judged_article'",
    "classify": f"{_OF} 'classify'",
    "draft": f"{_OF} 'draft'",
}
"""Lists of what was counted, a row each time: whose ticket, on which day (null where the period does not apply), and of
which status, model, …"""
INTERNAL = frozenset({"surveyed", "complained", "closed"})
"""Those for who may read internal entries alone."""
DATED = frozenset(
    {
        "handed_over",
        "surveyed",
        "complained",
        "created",
        "created_by_hour",
        "closed",
        "resolved_times",
        "reopened_times",
        "left_out",
        "classify",
        "draft",
    }
)
"""Those to which the period applies."""
LISTS: Mapping[str, str] = {
    "breached": "Clocks past their target",
    "met": "Clocks met",
    "at_risk": "Clocks at risk",
    "running": "Clocks that run in time",
    "breached_by_hour": "Clocks past their target by hour",
    NOT_COUNTED: "Clocks in no share",
    "never_picked_up": "Broken: never picked up in time",
    "waiting_internally": "Broken: waited on our side",
    "over_effort": "Broken: the work took longer",
    "stopped": "Clocks that were stopped",
    "resolved": "Resolutions",
    "reopened": "Reopened",
    "open": "Open tickets",
    "open_then": "Open at the end of the period",
    "late": "Open and past a target",
    "allocated": "Open, by allocation where they are",
    "before_allocation": "Open, not by allocation where they are",
    "created": "Tickets created",
    "created_by_hour": "Tickets created by hour",
    "closed": "Closed, with or without an answer",
    "resolved_times": "Times resolved",
    "reopened_times": "Times reopened",
    "left_out": "Ended, in no figure",
    "in_status": "Ever in a status",
    "handed_over": "Handed from group to group",
    "surveyed": "Surveys answered",
    "complained": "Complaints in surveys",
    "classified": "Classified tickets",
    "for_a_person": "Triage sends to a person",
    "checked": "Claims people checked",
    "agreed": "Claims people agreed with",
    "corrected": "Claims people corrected",
    "drafted": "Tickets with a draft",
    "answered": "Drafts with an answer",
    "citing": "Drafts that cite an article",
    "uncovered": "Without an article",
    "judged_model": "Judged drafts",
    "judged_label": "Judged drafts by product",
    "judged_article": "Judged drafts by article",
    "classify": "Classified by a model",
    "draft": "Drafted by a model",
}
_LATEST_CLAIM = """(SELECT ticket, arg_max(needs_review, created_at) AS needs_review FROM classifications
 GROUP BY ticket) k ON k.ticket = t.ticket"""


def address(what: str, chosen: Selection | None, which: str | None = None) -> dict[str, str]:
    """The parameters of the page's address for a list under a selection; None is everything of all history."""
    return {"list": LISTS[what], "page": "1", "which": which or "", **filters.link(chosen)}


class Size(NamedTuple):
    rows: int
    tickets: int


def size(reader: MartReader, what: str, chosen: Selection) -> Size:
    """How many rows a list (a key of LISTS) has, and of how many tickets."""
    _, source, _, values = _sql(reader, what, chosen)
    counted = reader.query(f"SELECT count(*) AS rows, count(DISTINCT t.ticket) AS tickets {source}", values)
    return Size(*counted.row(0))


def listed(reader: MartReader, what: str, chosen: Selection, *, page: int | None = 1) -> pl.DataFrame:
    """The rows behind a number, of one page (None: all): ticket, reference, subject, clock, state, remaining, status,
    priority, tier, group_name, agent, customer; of a list of tickets clock, state and remaining are null, and `day` is
    on which it counted."""
    columns, source, order, values = _sql(reader, what, chosen)
    part = "" if page is None else f"LIMIT {SIZE} OFFSET {(page - 1) * SIZE}"
    return reader.query(f"SELECT {columns} {source} ORDER BY {order} {part}", values)


def _sql(reader: MartReader, what: str, chosen: Selection) -> tuple[str, str, str, list[object]]:
    """Columns, FROM and WHERE, order, and the parameters."""
    return _clocks(reader, what, chosen) if what in CLOCKS or what == NOT_COUNTED else _tickets(reader, what, chosen)


def offered(reader: MartReader, what: str) -> list[str]:
    """The statuses, models, days, … that a list of COUNTED can be narrowed to."""
    if what in BY_HOUR:
        return [rhythm.hour_of(day, hour) for day in range(1, 8) for hour in range(24)]
    if what not in COUNTED:
        return []
    sql, values = _counted(reader, what)
    return [str(one) for one in reader.query(f"SELECT DISTINCT which FROM ({sql}) WHERE which IS NOT NULL "
                                             "ORDER BY which", values)["which"]]  # fmt: skip


def _counted(reader: MartReader, what: str) -> tuple[str, list[object]]:
    sql = COUNTED[what]
    return sql.replace("$zone", "?"), [reader.publication.time_zone] * sql.count("$zone")


def _clocks(reader: MartReader, what: str, chosen: Selection) -> tuple[str, str, str, list[object]]:
    joins = f"""JOIN tickets t ON t.ticket = c.ticket LEFT JOIN breach_reasons b ON b.ticket = c.ticket
        AND b.clock = c.clock AND b."window" = c."window" {_names("c.agent_id", "c")}"""
    where, values = clocks_where(chosen, reader, joins)
    if what == NOT_COUNTED:
        where = where.replace(COUNTING, f"NOT ({COUNTING}) AND c.state NOT IN ('no_target', 'no_clock')", 1)
    else:
        where = f"{where} AND {CLOCKS[what]}"
    if what in BY_HOUR and chosen.which is not None:
        where = f"{where} AND strftime(timezone(?, c.window_start), '%a %H:00') = ?"
        values = [*values, reader.publication.time_zone, chosen.which]
    return _columns("c", "c.clock, c.state, c.remaining"), where, 'c.remaining, c.ticket, c.clock, c."window"', values


def _tickets(reader: MartReader, what: str, chosen: Selection) -> tuple[str, str, str, list[object]]:
    counted, values = _counted(reader, what) if what in COUNTED else ("", [])
    join = f"JOIN ({counted}) e ON e.ticket = t.ticket" if counted else ""
    parts, wanted = tickets_among(chosen)
    if counted and chosen.which is not None:
        parts.append("e.which = ?")
        wanted.append(chosen.which)
    if what in DATED:
        during, days = chosen.period.holds_day("e.day")
        parts, wanted = [*parts, *during], [*wanted, *days]
    if what == "open_then":
        until, days = Period(None, chosen.period.last).holds_day("e.day")
        still = "(e.until IS NULL OR e.until > CAST(? AS DATE))" if until else "e.until IS NULL"
        parts, wanted = [*parts, *until, still], [*wanted, *days, *days]
    source = f"""FROM tickets t {join} LEFT JOIN {_LATEST_CLAIM} {_names("coalesce(t.owner_id, t.assignee_id)", "t")}
        WHERE {" AND ".join([TICKETS.get(what, "true"), *parts])}"""
    day, latest = ("e.day", "e.day DESC, ") if counted else ("NULL", "")
    return (
        _columns("t", f"NULL AS clock, NULL AS state, NULL AS remaining, {day} AS day"),
        source,
        f"{latest}t.created_at DESC, t.ticket",
        [*values, *wanted],
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
