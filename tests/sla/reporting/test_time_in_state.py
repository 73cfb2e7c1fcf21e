"""Where tickets spend their time: the engines' reading of history, cut into stays."""

from typing import Any

import duckdb
import polars as pl
from hypothesis import HealthCheck, given, settings

from sla.check.check import frames
from sla.policy.calendar_files import parse_all
from sla.reporting.time_in_state import spells, time_in_state
from tests.generative.backlogs import CALENDARS as GENERATED
from tests.generative.backlogs import Backlog, backlogs
from tests.sla.store_tables import standings_of
from tests.sla.timelines import CALENDARS, at, story

OFFICE = pl.DataFrame({"ticket": [1], "calendar": ["office"]})


def stays(events: str, as_of: str) -> pl.DataFrame:
    tickets, happened = frames([{"id": 1, "created_at": at("Tue 09:00"), "status": "new"}], story(events))
    return spells(standings_of(tickets, happened, at(as_of)), OFFICE, CALENDARS, at(as_of))


def test_a_stay_ends_with_the_next_status_or_as_of() -> None:
    found = stays("Tue 10:00 status in_progress\nTue 16:00 status waiting_vendor", "Wed 10:00")
    assert found.select("status", "seconds", "business_seconds").rows() == [
        ("new", 3_600, 3_600),
        ("in_progress", 6 * 3_600, 6 * 3_600),
        ("waiting_vendor", 18 * 3_600, 2 * 3_600),
    ]


def test_the_same_status_again_ends_no_stay() -> None:
    assert stays("Tue 09:30 status new\nTue 10:00 status new", "Tue 11:00")["seconds"].to_list() == [7_200]


def test_what_happened_after_as_of_is_not_seen() -> None:
    assert stays("Tue 12:00 status closed", "Tue 11:00")["status"].to_list() == ["new"]


def test_visits_of_a_ticket_are_one_time() -> None:
    events = "Tue 10:00 status open\nTue 11:00 status new\nTue 13:00 status open"
    row = time_in_state(stays(events, "Tue 14:00")).filter(pl.col("status") == "new").row(0, named=True)
    assert (row["tickets"], row["visits"], row["mean_seconds"], row["median_seconds"]) == (1, 2, 10_800, 10_800)


def test_without_a_calendar_there_is_no_business_time() -> None:
    tickets, events = frames([{"id": 1, "created_at": at("Tue 09:00")}], [])
    nowhere = pl.DataFrame({"ticket": [1], "calendar": [None]}, schema={"ticket": pl.Int64, "calendar": pl.String})
    stays = spells(standings_of(tickets, events, at("Tue 10:00")), nowhere, CALENDARS, at("Tue 10:00"))
    row = time_in_state(stays).row(0, named=True)
    assert (row["total_seconds"], row["on_calendar"], row["mean_business_seconds"]) == (3_600, 0, None)


BY_SQL = """
WITH told AS (
    SELECT *, date_trunc('second', ts) AS moment FROM events
    WHERE kind = 'status' AND value IS NOT NULL AND ts IS NOT NULL AND date_trunc('second', ts) <= $as_of
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY ticket ORDER BY moment, coalesce(seq, 0), ord) AS rn FROM told
), once AS (
    SELECT * FROM ranked QUALIFY id IS NULL OR row_number() OVER (PARTITION BY ticket, id ORDER BY rn) = 1
), born AS (
    SELECT id AS ticket, date_trunc('second', created_at) AS created, coalesce(status, 'open') AS status FROM tickets
    WHERE date_trunc('second', created_at) <= $as_of
), points AS (
    SELECT ticket, 0 AS rn, created AS since, status FROM born
    UNION ALL SELECT o.ticket, o.rn, greatest(moment, created), value FROM once o JOIN born b ON b.ticket = o.ticket
), changes AS (
    SELECT * FROM points QUALIFY status IS DISTINCT FROM lag(status) OVER (PARTITION BY ticket ORDER BY rn)
), ends AS (
    SELECT *, coalesce(lead(since) OVER (PARTITION BY ticket ORDER BY rn), $as_of) AS until FROM changes
), per_ticket AS (
    SELECT status, ticket, count(*) AS visits, CAST(sum(epoch(until) - epoch(since)) AS BIGINT) AS seconds
    FROM ends WHERE until > since GROUP BY ALL
)
SELECT status, count(*) AS tickets, CAST(sum(visits) AS BIGINT) AS visits, CAST(sum(seconds) AS BIGINT) AS total,
    avg(seconds) AS mean, median(seconds) AS median FROM per_ticket GROUP BY status ORDER BY status
"""


def by_sql(backlog: Backlog) -> list[tuple[Any, ...]]:
    tickets, events = (frame.to_arrow() for frame in frames_of(backlog))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("tickets", tickets)
        connection.register("events", events)
        return connection.execute(BY_SQL, {"as_of": backlog.as_of.replace(microsecond=0)}).fetchall()


def frames_of(backlog: Backlog) -> tuple[pl.DataFrame, pl.DataFrame]:
    tickets, events = frames(backlog.tickets, backlog.events)
    status = pl.lit(None, pl.String).alias("status") if "status" not in tickets.columns else "status"
    return tickets.with_columns(status), events.with_row_index("ord")


@settings(suppress_health_check=list(HealthCheck))
@given(backlogs(plain=True))
def test_polars_and_sql_agree_on_every_cell(backlog: Backlog) -> None:
    tickets, events = frames_of(backlog)
    calendar = pl.DataFrame({"ticket": tickets["id"]}).with_columns(calendar=pl.lit("ny"))
    standings = standings_of(tickets, events, backlog.as_of)
    found = spells(standings, calendar, parse_all(GENERATED), backlog.as_of)
    table = time_in_state(found).select(
        "status", "tickets", "visits", "total_seconds", "mean_seconds", "median_seconds"
    )
    assert table.rows() == by_sql(backlog)
    office = parse_all(GENERATED)["ny"]
    assert all(row["business_seconds"] == office.elapsed(row["start"], row["end"]) for row in found.to_dicts())
