"""Does more come in than goes out: what came and went by day and by kind of ticket, and who has too much of it."""

from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.figures import words
from pipelines.figures.selection import ALL_CLOCKS, COUNTING, GROUP_NAMES, Selection, among, segment_of, tickets_among
from pipelines.marts import MartReader

DIMENSIONS = {
    "segment": "Segment", "priority": "Priority", "product": "Product", "tier": "Contract tier", "group": "Group",
    "customer": "Customer", "type": "Type", "source": "Source",
}  # fmt: skip
"""By what came and went can be cut; each is the ticket's as it is now."""
MOVES = """SELECT ticket, 'created' AS figure, CAST(timezone(?, created_at) AS DATE) AS day FROM tickets
    UNION ALL SELECT ticket, figure, day FROM counted_tickets WHERE figure IN ('resolved', 'reopened', 'left_out')"""
"""Each time a ticket came or went, by day of the zone that is its parameter."""
CHANGE = "CASE WHEN figure IN ('created', 'reopened') THEN 1 ELSE -1 END"
"""Of a row of MOVES: how it changes what is open."""
HELD = f"""WITH net AS (SELECT ticket, day, sum({CHANGE}) AS change FROM ({MOVES}) GROUP BY ticket, day),
    held AS (SELECT ticket, day, sum(change) OVER (PARTITION BY ticket ORDER BY day) AS open,
        lead(day) OVER (PARTITION BY ticket ORDER BY day) AS until FROM net)
    SELECT ticket, day, until FROM held WHERE open > 0"""
"""The days on which each ticket was open at their end: from `day` until the one before `until`, null: still."""
LATE = (
    f"""SELECT DISTINCT ticket FROM sla_clocks c WHERE {COUNTING} AND c.state = 'breached' AND c.stopped_at IS NULL"""
)
"""The tickets with a clock past its target that still runs."""
ALLOCATED = """SELECT ticket, group_id FROM allocations WHERE outcome = 'allocated'"""
MOVED = ("created", "resolved", "reopened", "left_out")
_COUNTS = ", ".join(f"count(*) FILTER (m.figure = '{one}'{{0}}) AS {one}" for one in MOVED)


class Flow(NamedTuple):
    """What came and went in a period, in times a ticket did, and what was open around it."""

    created: int
    resolved: int
    reopened: int
    left_out: int
    open_at_start: int
    open_at_end: int
    since: date
    """The first day of the period that the desk has."""

    @property
    def came(self) -> int:
        return self.created + self.reopened

    @property
    def went(self) -> int:
        return self.resolved + self.left_out


def days(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a day from the desk's first to the publication's, oldest first: created, resolved, reopened, left_out,
    open_at_end. Of everything it is the mart `volume`, and the quiet days since."""
    parts, wanted = tickets_among(chosen)
    during, ends = chosen.period.holds_day("day")
    zone = reader.publication.time_zone
    return reader.query(
        f"""WITH every AS MATERIALIZED ({MOVES}),
        m AS (SELECT * FROM every {
            "SEMI JOIN (SELECT ticket FROM tickets t WHERE " + " AND ".join(parts) + ") USING (ticket)" if parts else ""
        }),
        spine AS (SELECT CAST(unnest(generate_series(min(day), greatest(max(day), CAST(? AS DATE)),
            INTERVAL 1 DAY)) AS DATE) AS day FROM every),
        counted AS (SELECT s.day, {_COUNTS.format("")} FROM spine s LEFT JOIN m ON m.day = s.day GROUP BY s.day),
        standing AS (SELECT *, CAST(sum(created - resolved + reopened - left_out) OVER (ORDER BY day) AS BIGINT)
            AS open_at_end FROM counted)
        SELECT * FROM standing WHERE {" AND ".join(["true", *during])} ORDER BY day""",
        [zone, *wanted, reader.publication.as_of.astimezone(ZoneInfo(zone)).date(), *ends],
    )


def flow(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> Flow | None:
    """The sums of `days`; None if the desk has no day in the period."""
    found = days(reader, chosen)
    if found.is_empty():
        return None
    first = found.row(0, named=True)
    start = first["open_at_end"] - first["created"] - first["reopened"] + first["resolved"] + first["left_out"]
    created, resolved, reopened, left_out = (int(found[name].sum()) for name in MOVED)
    return Flow(created, resolved, reopened, left_out, start, int(found["open_at_end"][-1]), first["day"])


def flow_before(reader: MartReader, chosen: Selection) -> Flow | None:
    """The same of the period before; None where there is none, or the desk is younger than its first day."""
    earlier = chosen.before()
    found = flow(reader, earlier) if earlier else None
    return found if earlier and found and found.since == earlier.period.first else None


def by(reader: MartReader, dimension: str, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a value of the dimension (a key of DIMENSIONS), those with the most created first: value in words, id
    ("" is none), created, resolved, reopened, left_out, open_at_end, and created_before and resolved_before, null where
    there is no period before."""
    parts, wanted = tickets_among(chosen)
    key, value, join = _value(dimension)
    first, last = chosen.period
    earlier = chosen.period.before() or (None, None)
    return reader.query(
        f"""WITH every AS MATERIALIZED ({MOVES}), during AS (SELECT min(day) AS since, CAST(? AS DATE) AS first,
            CAST(? AS DATE) AS last, CAST(? AS DATE) AS b, CAST(? AS DATE) AS e FROM every),
        m AS (SELECT {key} AS id, {value} AS value, x.figure, {CHANGE} AS change,
            coalesce(x.day <= d.last, true) AS is_so_far,
            is_so_far AND coalesce(x.day >= d.first, true) AS is_in,
            CASE WHEN d.since <= d.b THEN x.day BETWEEN d.b AND d.e END AS is_before
        FROM every x JOIN tickets t ON t.ticket = x.ticket {join}, during d
        WHERE {" AND ".join(["true", *parts])})
        SELECT id, any_value(value) AS value, {_COUNTS.format(" AND is_in")},
        CAST(coalesce(sum(change) FILTER (is_so_far), 0) AS BIGINT) AS open_at_end,
        CAST(sum(CAST(is_before AS INTEGER) * CAST(figure = 'created' AS INTEGER)) AS BIGINT) AS created_before,
        CAST(sum(CAST(is_before AS INTEGER) * CAST(figure = 'resolved' AS INTEGER)) AS BIGINT) AS resolved_before
        FROM m GROUP BY id HAVING bool_or(is_in) OR coalesce(bool_or(is_before), false) OR open_at_end > 0
        ORDER BY created DESC, open_at_end DESC, value""",
        [reader.publication.time_zone, first, last, *earlier, *wanted],
    )


def _value(dimension: str) -> tuple[str, str, str]:
    """The id ("" is none) and the words of a dimension of tickets (as `t`), and the join they need."""
    none = f"no {dimension}"
    match dimension:
        case "segment":
            return segment_of("t"), f"coalesce(nullif({segment_of('t')}, ''), '{none}')", ""
        case "group":
            join = f"LEFT JOIN ({GROUP_NAMES}) g ON g.group_id = t.group_id"
            return "coalesce(t.group_id, '')", f"coalesce(g.group_name, t.group_id, '{none}')", join
        case "customer":
            join = "LEFT JOIN names n ON n.dimension = 'company_id' AND n.value = t.company_id"
            return "coalesce(t.company_id, '')", f"coalesce(n.name, t.company_id, '{none}')", join
    return f"coalesce(t.\"{dimension}\", '')", f"coalesce(t.\"{dimension}\", '{none}')", ""


def group_load(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a group as it is now, the fullest first, "" the tickets without one: id, name, status, capacity, load,
    utilisation (as in the mart), and of its open tickets here: open, allocated (by allocation), before (the others),
    late (past a target that still runs); `elsewhere` is what it carries in other systems."""
    parts, wanted = among(("coalesce(group_id, '')", chosen.groups))
    return reader.query(
        f"""WITH here AS (SELECT coalesce(t.group_id, '') AS id, count(*) AS open,
            count(a.ticket) AS allocated, count(l.ticket) AS late
            FROM tickets t LEFT JOIN ({ALLOCATED}) a ON a.ticket = t.ticket AND a.group_id = t.group_id
            LEFT JOIN ({LATE}) l ON l.ticket = t.ticket WHERE t.is_open GROUP BY 1),
        every AS (SELECT coalesce(g.group_id, h.id) AS group_id,
            coalesce(g.group_name, nullif(h.id, ''), 'no group') AS name, lower(g.status) AS status, g.capacity,
            g.utilisation, coalesce(h.open, 0) AS open, coalesce(h.allocated, 0) AS allocated,
            coalesce(h.open - h.allocated, 0) AS before, coalesce(h.late, 0) AS late,
            coalesce(g.load_after, h.open) AS load
            FROM group_load g FULL JOIN here h ON h.id = g.group_id)
        SELECT group_id AS id, * EXCLUDE (group_id), load - open AS elsewhere FROM every
        WHERE {" AND ".join(["true", *parts])} ORDER BY utilisation DESC NULLS LAST, load DESC, name""",
        wanted,
    )


def agent_load(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row an agent as it is now, the fullest first: id, name, is_there, capacity, load, utilisation (as in the
    mart), and late of their tickets. Of a selection of groups those count who hold an open ticket of them."""
    parts, wanted = among(("id", chosen.agents))
    groups, ids = among(("coalesce(t.group_id, '')", chosen.groups))
    holder = "coalesce(t.owner_id, t.assignee_id)"
    there = f"id IN (SELECT {holder} FROM tickets t WHERE t.is_open AND {groups[0]})" if groups else "true"
    return reader.query(
        f"""WITH late AS (SELECT {holder} AS id, count(*) AS late FROM tickets t SEMI JOIN ({LATE}) l
            ON l.ticket = t.ticket WHERE t.is_open GROUP BY 1),
        every AS (SELECT a.agent_id AS id, a.* EXCLUDE (agent_id), coalesce(l.late, 0) AS late
            FROM agent_load a LEFT JOIN late l ON l.id = a.agent_id)
        SELECT * FROM every WHERE {" AND ".join([there, *parts])}
        ORDER BY utilisation DESC NULLS LAST, load DESC, name""",
        [*ids, *wanted],
    )


def sentence(found: Flow, before: Flow | None, groups: pl.DataFrame, agents: pl.DataFrame) -> str:
    """Whether more comes in than goes out, what that does to the backlog, and who is over capacity."""
    change = found.open_at_end - found.open_at_start
    which = "More comes in than goes out" if change > 0 else "More goes out than comes in" if change < 0 else (
        "As much goes out as comes in")  # fmt: skip
    backlog = f"{abs(change):,} {'more' if change > 0 else 'fewer'} than" if change else "as many as"
    came = f"{found.came:,} came in{_against(found.came, before and before.came)}"
    return (
        f"{which}: {came}, {found.went:,} went out; {words.count(found.open_at_end, 'ticket')} open at the end, "
        f"{backlog} at the start. {_overloaded(groups, agents)}"
    )


def _against(now: int, before: int | None) -> str:
    return "" if before is None else f" ({signed(now - before)} to the period before)"


def signed(change: int) -> str:
    """A change that begins with its sign: `+1,200`, `-3`, `±0`."""
    return f"{change:+,}" if change else "±0"


NAMED = 3


def _overloaded(groups: pl.DataFrame, agents: pl.DataFrame) -> str:
    over = [one for one in (_over(groups, "group"), _over(agents, "agent")) if one]
    alone = groups.filter(pl.col("capacity") == 0, pl.col("load") > 0).height
    nobody = f" Nobody is there for {words.count(alone, 'group')} with open tickets." if alone else ""
    return (f"Over capacity: {words.listed(over)}." if over else "Nobody is over capacity.") + nobody


def _over(found: pl.DataFrame, what: str) -> str:
    """The fullest of those with more than they can hold: `2 groups (Network 12 of 10, Data 21 of 20)`."""
    over = found.filter(pl.col("utilisation") > 1).to_dicts()
    if not over:
        return ""
    names = [f"{row['name']} {row['load']} of {row['capacity']}" for row in over[:NAMED]]
    more = ", …" if len(over) > NAMED else ""
    return f"{words.count(len(over), what)} ({', '.join(names)}{more})"
