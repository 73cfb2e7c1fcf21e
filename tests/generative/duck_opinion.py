"""A third opinion in SQL: default terms only, opening hours from the second-by-second clock, targets by hand."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import duckdb
import polars as pl

from tests.generative.backlogs import CALENDARS, TIERS, Backlog
from tests.sla.slow_clock import is_open

HORIZON = timedelta(days=45)
WORKING_DAY = {"24x7": 86_400, "ny": 26_100, "night": 28_800, "island": 86_400, "brief": 3_600, "once": 0, "closed": 0}
DIMENSIONS = ("priority", "tier", "type", "team")

SETUP = """
CREATE TEMP TABLE points AS
WITH usable AS (
    SELECT e.ticket, date_trunc('second', e.ts) AS moment, e.kind, e.value, e.id, e.ord, coalesce(e.seq, 0) AS seq
    FROM events e
    WHERE e.ts IS NOT NULL AND date_trunc('second', e.ts) <= $as_of
      AND e.kind IN ('status', 'response', 'priority', 'tier', 'type', 'pause', 'resume')
      AND (e.value IS NOT NULL OR e.kind IN ('response', 'pause', 'resume'))
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY ticket ORDER BY moment, seq, ord) AS rn FROM usable
), once AS (
    SELECT * FROM ranked
    QUALIFY id IS NULL OR row_number() OVER (PARTITION BY ticket, id ORDER BY rn) = 1
), lives AS (
    SELECT *, date_trunc('second', created_at) AS created FROM tickets
    WHERE created_at IS NOT NULL AND date_trunc('second', created_at) <= $as_of
), sequence AS (
    SELECT id AS ticket, 0 AS rn, created AS moment, 'created' AS kind, coalesce(status, 'open') AS status,
           coalesce(priority, 'medium') AS priority, coalesce(tier, 'standard') AS tier,
           coalesce(type, 'incident') AS type, team
    FROM lives
    UNION ALL
    SELECT o.ticket, o.rn, greatest(o.moment, l.created), o.kind, CASE WHEN kind = 'status' THEN value END,
           CASE WHEN kind = 'priority' THEN value END, CASE WHEN kind = 'tier' THEN value END,
           CASE WHEN kind = 'type' THEN value END, l.team
    FROM once o JOIN lives l ON l.id = o.ticket
), standing AS (
    SELECT ticket, rn, moment, kind, team, last_value(status IGNORE NULLS) OVER so_far AS status,
           last_value(priority IGNORE NULLS) OVER so_far AS priority, last_value(tier IGNORE NULLS) OVER so_far AS tier,
           last_value(type IGNORE NULLS) OVER so_far AS type,
           max(kind = 'response') OVER so_far AS responded,
           coalesce(lead(moment) OVER (PARTITION BY ticket ORDER BY rn), $as_of) AS until
    FROM sequence
    WINDOW so_far AS (PARTITION BY ticket ORDER BY rn ROWS UNBOUNDED PRECEDING)
), flags AS (
    SELECT *, status IN ('resolved', 'closed') AS stopped FROM standing
)
SELECT *, status IN ('waiting_customer', 'pending_customer', 'on_hold') OR coalesce(last_value(
           CASE WHEN kind = 'pause' AND NOT stopped THEN true
                WHEN kind = 'resume' OR (kind = 'status' AND stopped) THEN false END IGNORE NULLS)
           OVER (PARTITION BY ticket ORDER BY rn ROWS UNBOUNDED PRECEDING), false) AS paused
FROM flags;

CREATE TEMP TABLE runs AS
WITH answered AS (
    SELECT *, 'first_response' AS clock, 1 AS win,
           coalesce(min(CASE WHEN stopped OR responded THEN rn END) OVER (PARTITION BY ticket), 1000000) AS stop_rn
    FROM points
), opened AS (
    SELECT *, rn = 0 OR (NOT stopped AND lag(stopped) OVER (PARTITION BY ticket ORDER BY rn)) AS opens FROM points
), numbered AS (
    SELECT *, sum(opens::INT) OVER (PARTITION BY ticket ORDER BY rn) AS win FROM opened
)
SELECT ticket, rn, moment, until, clock, win, rn < stop_rn AS active, false AS paused, priority, tier, type, team
FROM answered
UNION ALL
SELECT ticket, rn, moment, until, 'resolution', win, NOT stopped, paused, priority, tier, type, team FROM numbered;

CREATE TEMP TABLE windows AS
WITH shape AS (
    SELECT ticket, clock, win, min(moment) AS start, min(moment) FILTER (NOT active) AS stopped_at,
           coalesce(max(rn) FILTER (active), min(rn)) AS governing,
           coalesce(arg_max(paused, rn), false) AS paused_last
    FROM runs GROUP BY ALL
), governed AS (
    SELECT s.*, r.priority, r.tier, r.type, r.team FROM shape s
    JOIN runs r ON r.ticket = s.ticket AND r.clock = s.clock AND r.rn = s.governing
)
SELECT g.ticket, g.clock, g.win, g.start, g.stopped_at, coalesce(g.stopped_at, $as_of) AS finish,
       g.stopped_at IS NULL AND g.paused_last AS is_paused, t.target, t.calendar
FROM governed g
LEFT JOIN targets t ON t.clock = g.clock
    AND t.tier = CASE WHEN g.tier IN ($tiers) THEN g.tier ELSE '?' END AND t.rule = (
    SELECT min(rule) FROM rules r
    WHERE (r.priority IS NULL OR list_contains(r.priority, g.priority))
      AND (r.tier IS NULL OR list_contains(r.tier, g.tier))
      AND (r.type IS NULL OR list_contains(r.type, g.type))
      AND (r.team IS NULL OR (g.team IS NOT NULL AND list_contains(r.team, g.team)))
);

CREATE TEMP MACRO passed(cal, t) AS (
    SELECT coalesce(sum(epoch(least(o."end", t)) - epoch(o.start)), 0)::BIGINT
    FROM business_intervals o WHERE o.calendar = cal AND o.start < t
);
CREATE TEMP MACRO reached(cal, n) AS (
    SELECT min(o.start + to_seconds(n - o.before)) FROM business_intervals o
    WHERE o.calendar = cal AND o.before < n AND o.before + epoch(o."end") - epoch(o.start) >= n
);

CREATE TEMP TABLE spans AS
WITH measured AS (
    SELECT w.ticket, w.clock, w.win, w.calendar, w.target, r.rn, r.paused, passed(w.calendar, r.moment) AS since,
           passed(w.calendar, r.until) - passed(w.calendar, r.moment) AS seconds
    FROM windows w JOIN runs r ON r.ticket = w.ticket AND r.clock = w.clock AND r.win = w.win AND r.active
    WHERE w.target IS NOT NULL
)
SELECT *, sum(CASE WHEN paused THEN 0 ELSE seconds END) OVER (PARTITION BY ticket, clock, win ORDER BY rn) AS used
FROM measured;
"""

ANSWER = """
WITH sums AS (
    SELECT w.*, coalesce(sum(s.seconds) FILTER (NOT s.paused), 0)::BIGINT AS elapsed,
           coalesce(sum(s.seconds) FILTER (s.paused), 0)::BIGINT AS paused,
           min_by(s.since + w.target - (s.used - s.seconds), s.rn)
               FILTER (NOT s.paused AND s.used >= w.target AND s.used - s.seconds < w.target) AS hit
    FROM windows w LEFT JOIN spans s ON s.ticket = w.ticket AND s.clock = w.clock AND s.win = w.win
    WHERE w.target IS NOT NULL GROUP BY ALL
)
SELECT ticket, clock, win::INT AS "window", target, elapsed, paused,
       CASE WHEN stopped_at IS NOT NULL THEN CASE WHEN elapsed <= target THEN 'met' ELSE 'breached' END
            WHEN elapsed > target THEN 'breached'
            WHEN (target - elapsed) * 100 <= 15 * target THEN 'at_risk' ELSE 'on_track' END AS state,
       CASE WHEN calendar = 'closed' THEN NULL
            WHEN target = 0 THEN start
            WHEN hit IS NOT NULL THEN reached(calendar, hit)
            WHEN is_paused THEN NULL
            ELSE reached(calendar, passed(calendar, finish) + target - elapsed) END AS due_at
FROM sums ORDER BY ticket, clock, win
"""


def opinion(backlog: Backlog, start: datetime) -> list[dict[str, Any]]:
    """Rows with a target of the first response and the resolution; `due_at` is null beyond the horizon too."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    text, moment = pl.String(), pl.Datetime("us", "UTC")
    key = pl.Int64() if isinstance(backlog.tickets[0]["id"], int) else text
    tables = {
        "tickets": pl.DataFrame(
            [{"status": None} | t for t in backlog.tickets],
            schema={"id": key, "created_at": moment, **dict.fromkeys((*DIMENSIONS, "status"), text)},
        ),
        "events": pl.DataFrame(
            [e | {"ord": i} for i, e in enumerate(backlog.events)],
            schema={
                "ticket": key,
                "ts": moment,
                "kind": text,
                "value": text,
                "id": pl.Int64,
                "seq": pl.Int64,
                "ord": pl.Int64,
            },
        ),
        "rules": pl.DataFrame(
            [{"rule": i} | {d: p.get(d) for d in DIMENSIONS} for i, p in enumerate(backlog.policies)],
            schema={"rule": pl.Int64(), **dict.fromkeys(DIMENSIONS, pl.List(pl.String))},
        ),
        "targets": pl.DataFrame(
            [row for i, policy in enumerate(backlog.policies) for row in _targets(i, policy)],
            schema={"rule": pl.Int64, "clock": text, "tier": text, "target": pl.Int64, "calendar": text},
        ),
        "business_intervals": business_intervals(start),
    }
    for name, table in tables.items():
        connection.register(f"_{name}", table.to_arrow())
        connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM _{name}")
    as_of = backlog.as_of.replace(microsecond=0)
    setup = SETUP.replace("$as_of", f"TIMESTAMPTZ '{as_of.isoformat()}'").replace(
        "$tiers", ", ".join(f"'{tier}'" for tier in TIERS)
    )
    connection.execute(setup)
    found = pl.from_arrow(connection.sql(ANSWER).to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found.to_dicts()


@lru_cache(maxsize=8)
def business_intervals(start: datetime) -> pl.DataFrame:
    """Every calendar from a start to the horizon, found quarter hour by quarter hour."""
    step, rows = timedelta(minutes=15), []
    for name, calendar in CALENDARS.items():
        at, passed, opened = start, 0, None
        while at <= start + HORIZON:
            now = at < start + HORIZON and is_open(calendar, at)
            if now and opened is None:
                opened = at
            elif not now and opened is not None:
                rows.append({"calendar": name, "start": opened, "end": at, "before": passed})
                passed, opened = passed + int((at - opened).total_seconds()), None
            at += step
    moment = pl.Datetime("us", "UTC")
    return pl.DataFrame(rows, schema={"calendar": pl.String, "start": moment, "end": moment, "before": pl.Int64})


def _targets(rule: int, policy: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for clock in ("first_response", "resolution"):
        for tier in (*TIERS, "?"):
            content = policy.get(clock)
            given = content if isinstance(content, dict) else {"target": content}
            factor = {} if tier in given.get("tiers", {}) else policy.get("multipliers", {})
            amount, unit = given.get("tiers", {}).get(tier, given["target"]), given.get("unit", "seconds")
            if amount is None:
                continue
            length = {"seconds": 1, "minutes": 60, "business_days": WORKING_DAY[policy["calendar"]]}[unit]
            seconds = int(amount * length * factor.get(tier, 1))
            if policy["rounding"] == "floor_minute":
                seconds -= seconds % 60
            calendar = "24x7" if unit == "minutes" else policy["calendar"]
            rows.append({"rule": rule, "clock": clock, "tier": tier, "target": seconds, "calendar": calendar})
    return rows
