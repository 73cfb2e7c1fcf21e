"""The marts about attainment, each cell worked out again with SQL over the published clocks and the store's events."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.app.container import open_app
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.jobs.publish import publish
from pipelines.marts import MartReader
from pipelines.marts.attainment import DIMENSIONS, OF_A_TICKET
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF, write_export

Z = 1.959963984540054
MIDDLE, SPREAD = f"k/n + {Z * Z}/(2*n)", f"{Z} * sqrt(k/n * (1 - k/n) / n + {Z * Z}/(4*n*n))"
WILSON = f"""CASE WHEN n > 0 THEN k / n END AS share,
 CASE WHEN n > 0 THEN greatest(0, ({MIDDLE} - {SPREAD}) / (1 + {Z * Z}/n)) END AS low,
 CASE WHEN n > 0 THEN least(1, ({MIDDLE} + {SPREAD}) / (1 + {Z * Z}/n)) END AS high"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A fortnight of 150 tickets: the reader of its publication, and the app."""
    home: Path = tmp_path_factory.mktemp("home")
    with open_app(home=home) as app:
        bring_people(app, app.settings.data / "people")
        ingest(app, write_export(home / "export", 150), source="helmdesk", at=AS_OF)
        publish(app, Snapshot(app, AS_OF))
        with MartReader(app.settings.marts_folder) as reader:
            yield reader, app


def same(reader: MartReader, mart: str, sql: str, *, keys: list[str]) -> None:
    found, again = reader.frame(mart), reader.query(sql)
    assert found.height > 0
    assert_frame_equal(found.sort(keys), again.select(found.columns).sort(keys), check_dtypes=False, rel_tol=1e-9)


def by(dimensions: tuple[str, ...], select: str) -> str:
    """The same SELECT over all and by each dimension; {d} and {v} stand for its name and value."""
    values = [("all", "'all'"), *((d, f"coalesce(CAST(x.{d} AS VARCHAR), 'unknown')") for d in dimensions)]
    return " UNION ALL ".join(select.format(d=f"'{d}'", v=v) for d, v in values)


def test_attainment_counted_with_sql(desk) -> None:
    counted = by(
        DIMENSIONS,
        """SELECT clock, {d} AS dimension, {v} AS value, count(*) AS clocks,
        count(*) FILTER (state = 'met') AS met, count(*) FILTER (state = 'breached') AS breached,
        count(*) FILTER (state = 'at_risk') AS at_risk, count(*) FILTER (state = 'on_track') AS running
        , count(*) FILTER (state = 'not_measured') AS not_measured
        FROM sla_clocks x WHERE counts AND state NOT IN ('no_target', 'no_clock') GROUP BY ALL""",
    ).replace("count(*) AS clocks", "count(*) FILTER (state <> 'not_measured') AS clocks")
    share = WILSON.replace("AS share", "AS share_met")
    sql = f"SELECT *, {share} FROM (SELECT *, met::DOUBLE AS k, (met + breached)::DOUBLE AS n FROM ({counted}))"
    same(desk[0], "attainment", sql, keys=["clock", "dimension", "value"])


def test_response_times_with_sql(desk) -> None:
    sql = by(
        DIMENSIONS,
        """SELECT clock, {d} AS dimension, {v} AS value, count(*) AS stopped,
        avg(epoch(stopped_at) - epoch(window_start)) AS mean_seconds,
        quantile_cont(epoch(stopped_at) - epoch(window_start), 0.5) AS median_seconds, count(target) AS promised,
        avg(elapsed) AS mean_business_seconds, quantile_cont(elapsed, 0.5) AS median_business_seconds
        FROM sla_clocks x WHERE stopped_at IS NOT NULL AND clock <> 'next_response' GROUP BY ALL""",
    )
    same(desk[0], "response_times", sql, keys=["clock", "dimension", "value"])


def test_reopens_with_sql(desk) -> None:
    counted = by(
        DIMENSIONS,
        """SELECT {d} AS dimension, {v} AS value, count(*) AS resolved, count(later.ticket) AS reopened
        FROM sla_clocks x LEFT JOIN sla_clocks later ON later.ticket = x.ticket AND later.clock = x.clock
        AND later."window" = x."window" + 1 WHERE x.clock = 'resolution' AND x.stopped_at IS NOT NULL GROUP BY ALL""",
    )
    share = WILSON.replace("AS share", "AS share_reopened")
    sql = f"SELECT *, {share} FROM (SELECT *, reopened::DOUBLE AS k, resolved::DOUBLE AS n FROM ({counted}))"
    same(desk[0], "reopens", sql, keys=["dimension", "value"])
    whole = desk[0].frame("reopens").row(0, named=True)
    assert whole["reopened"] > 0


def test_time_in_state_with_sql(desk) -> None:
    """Wall seconds from the events by SQL, business seconds from one calendar's own arithmetic at a time."""
    reader, app = desk
    events = app.store.frame("events").filter(pl.col("kind") == "status", pl.col("at") <= AS_OF)
    born = app.store.frame("tickets").select(ticket_id="id", at="created_at", value="created_status", version=pl.lit(0))
    told = pl.concat([born, events.select("ticket_id", "at", "value", pl.col("version").cast(pl.Int32))]).to_arrow()
    connection = reader._connection.cursor()
    connection.register("told", told)
    stays = connection.sql(
        f"""WITH changes AS (SELECT *, date_trunc('second', "at") AS since FROM told
            QUALIFY value IS DISTINCT FROM lag(value) OVER (PARTITION BY ticket_id ORDER BY version)),
        ends AS (SELECT *, coalesce(lead(since) OVER (PARTITION BY ticket_id ORDER BY version),
            TIMESTAMPTZ '{AS_OF.isoformat()}') AS until FROM changes)
        SELECT e.ticket_id AS ticket, value AS status, since, until, x.calendar, x.priority, x.tier, x.type, x.group_id,
            x.company_id FROM ends e JOIN sla_clocks x ON x.ticket = e.ticket_id
        WHERE until > since AND x.clock = 'resolution' AND x.is_current"""
    ).to_arrow_table()
    rows = pl.DataFrame(stays).to_dicts()
    calendars = app.policies.sla.calendars
    for row in rows:
        calendar = calendars.get(row["calendar"])
        wall = int((row["until"] - row["since"]).total_seconds())
        row["wall"], row["business"] = wall, calendar.elapsed(row["since"], row["until"]) if calendar else wall
    connection.register("stays", pl.DataFrame(rows, infer_schema_length=None).to_arrow())
    select = """SELECT status, {d} AS dimension, {v} AS value, count(*) AS tickets,
        CAST(sum(visits) AS BIGINT) AS visits,
        CAST(sum(wall) AS BIGINT) AS total_seconds, avg(wall) AS mean_seconds, median(wall) AS median_seconds,
        count(*) AS on_calendar, CAST(sum(business) AS BIGINT) AS total_business_seconds,
        avg(business) AS mean_business_seconds, median(business) AS median_business_seconds
        FROM (SELECT ticket, status, priority, tier, type, group_id, company_id, count(*) AS visits,
            CAST(sum(wall) AS BIGINT) AS wall, CAST(sum(business) AS BIGINT) AS business FROM stays GROUP BY ALL) x
        GROUP BY ALL"""
    again = pl.DataFrame(connection.sql(by(OF_A_TICKET, select)).to_arrow_table())
    found, keys = reader.frame("time_in_state"), ["status", "dimension", "value"]
    assert found.height > 8
    assert_frame_equal(found.sort(keys), again.sort(keys), check_dtypes=False, rel_tol=1e-9)


def test_every_breach_has_one_reason_that_follows_from_its_figures(desk) -> None:
    sql = """SELECT b.*, CASE WHEN seconds_to_pick_up >= c.target THEN 'never_picked_up'
        WHEN 2 * seconds_waiting_internal >= c.elapsed THEN 'waiting_internally' ELSE 'over_effort' END AS again,
        c.elapsed - c.target AS over, c.elapsed - seconds_waiting_internal AS work
        FROM sla_clocks c LEFT JOIN breach_reasons b ON b.ticket = c.ticket AND b.clock = c.clock
        AND b."window" = c."window" WHERE c.state = 'breached'"""
    found = desk[0].query(sql)
    assert found.height == desk[0].publication.rows["breach_reasons"] > 0
    for left, right in (("reason", "again"), ("over_by", "over"), ("seconds_in_work", "work")):
        assert found[left].to_list() == found[right].to_list()


def test_credits_with_sql(desk) -> None:
    breaches = """SELECT ticket, reference, clock, "window", coalesce(company_id, 'unknown') AS company_id,
        CAST(date_trunc('month', due_at) AS DATE) AS month, priority, elapsed / target AS times_target,
        CASE WHEN clock = 'resolution' THEN CASE priority WHEN 'critical' THEN 20.0 WHEN 'high' THEN 15.0
            WHEN 'medium' THEN 10.0 ELSE 5.0 END
        WHEN elapsed < 2 * target THEN 5.0 WHEN elapsed <= 4 * target THEN 10.0 ELSE 15.0 END::DOUBLE AS credit_percent,
        stopped_at IS NOT NULL AS is_final, 'graded' AS preset FROM sla_clocks WHERE state = 'breached'"""
    same(desk[0], "credited_breaches", breaches, keys=["ticket", "clock", "window"])
    owed = f"""SELECT company_id, month, count(*) AS breaches, count(*) FILTER (NOT is_final) AS still_running,
        sum(credit_percent) AS summed_percent, least(sum(credit_percent), 25.0) AS credit_percent,
        sum(credit_percent) > 25 AS is_capped, 'graded' AS preset FROM ({breaches}) GROUP BY ALL"""
    same(desk[0], "sla_credits", owed, keys=["company_id", "month"])


def test_agents_with_sql(desk) -> None:
    """Who stopped the clock, straight from the events; the rest had it then."""
    reader, app = desk
    connection = reader._connection.cursor()
    connection.register("events", app.store.frame("events").to_arrow())
    connection.register("agents", app.store.frame("agents").to_arrow())
    wrong = connection.sql(
        """SELECT c.ticket FROM sla_clocks c JOIN events e ON e.ticket_id = c.ticket
        AND date_trunc('second', e."at") = c.stopped_at JOIN agents a ON a.id = e.actor
        WHERE ((c.clock = 'first_response' AND e.kind = 'response')
            OR (c.clock = 'resolution' AND e.kind = 'status' AND e.value = 'resolved'))
        AND (c.agent_id <> e.actor OR c.agent_because NOT IN ('responded', 'resolved') OR c.agent_id IS NULL)"""
    ).fetchall()
    assert wrong == []
    found = reader.frame("sla_clocks")
    assert set(found["agent_because"].drop_nulls()) >= {"responded", "resolved", "assigned_then"}


def test_names_say_who_groups_agents_and_customers_are(desk) -> None:
    names = desk[0].frame("names")
    assert set(names["dimension"]) == {"group_id", "agent_id", "company_id"}
    known = set(names.filter(pl.col("dimension") == "agent_id")["value"])
    assert set(desk[0].frame("sla_clocks")["agent_id"].drop_nulls()) <= known
