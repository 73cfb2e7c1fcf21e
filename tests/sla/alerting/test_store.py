"""Alerts are kept once, also when two evaluators raise them at the same moment."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, create_engine, insert, inspect, select

from engine.storage import open_store
from sla.alerting.alerts import ALERTS
from sla.alerting.store import AlertStore, metadata, notification_queue, sla_alerts, tickets
from tests.ports.examples import delivery
from tests.processes import meet

NOW = datetime(2024, 1, 16, 12, tzinfo=UTC)


def alerts(*keys: str) -> pl.DataFrame:
    rows = [
        {
            "ticket": key.split("/")[0],
            "clock": "resolution",
            "window": 1,
            "rule": "breach",
            "alert_type": "breach",
            "level": 3,
            "state": "breached",
            "deadline": None,
            "remaining_seconds": -60.0,
            "triggered_at": NOW,
            "recipients": ["owner"],
            "channel": "console",
            "dedupe_key": key,
        }
        for key in keys
    ]
    return pl.DataFrame(rows, schema=ALERTS)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'desk.db'}", connect_args={"timeout": 30})
    metadata.create_all(made)
    with made.begin() as connection:
        connection.execute(insert(tickets), [{"id": "a:1"}, {"id": "a:2"}])
    yield made
    made.dispose()


def test_only_new_alerts_come_back(engine: Engine) -> None:
    store = AlertStore(engine)
    assert store.add(alerts("a:1/x", "a:2/x"))["dedupe_key"].to_list() == ["a:1/x", "a:2/x"]
    assert store.add(alerts("a:2/x", "a:1/y"))["dedupe_key"].to_list() == ["a:1/y"]
    assert store.known_keys(["a:1/x", "a:1/y", "a:1/z"]) == {"a:1/x", "a:1/y"}


def test_two_evaluators_at_once_leave_one_row(engine: Engine) -> None:
    wanted = alerts(*(f"a:1/{n}" for n in range(700)))
    with ThreadPoolExecutor(4) as pool:
        fresh = list(pool.map(lambda _: AlertStore(engine).add(wanted), range(4)))
    assert sorted(k for frame in fresh for k in frame["dedupe_key"]) == sorted(wanted["dedupe_key"])
    assert AlertStore(engine).known_keys(wanted["dedupe_key"]) == set(wanted["dedupe_key"])


def test_signed_remaining_and_missing_deadline_are_kept(engine: Engine) -> None:
    store = AlertStore(engine)
    store.add(alerts("a:1/x"), external_ids={"a:1": "INC-1"})
    [row] = store.unqueued()
    assert (row["remaining_seconds"], row["deadline"], row["triggered_at"]) == (-60.0, None, NOW)
    assert (row["ticket_external_id"], row["escalation_level"], row["notification_sent"]) == ("INC-1", 3, False)


def queued_in(engine: Engine, **notices: str | None) -> None:
    """Rows of the queue, by the notice that each went into."""
    with engine.begin() as connection:
        rows = [{"id": key, "notice_id": notice} for key, notice in notices.items()]
        connection.execute(insert(notification_queue), rows)


def sent(engine: Engine) -> dict[str, datetime | None]:
    with engine.connect() as connection:
        found = connection.execute(select(sla_alerts.c.dedupe_key, sla_alerts.c.notification_sent_at))
        return dict(found.tuples().all())


def test_alert_is_sent_once_a_notice_that_tells_of_it_is_taken(engine: Engine) -> None:
    store = AlertStore(engine)
    store.add(alerts("a:1/x", "a:1/y"))
    queued_in(engine, ana="n1", cleo="n2", dirk=None)
    store.mark_queued([("a:1/x", "ana"), ("a:1/x", "cleo"), ("a:1/y", "dirk"), ("a:1/x", "ana")])
    assert sent(engine) == {"a:1/x": None, "a:1/y": None}
    assert store.mark_sent("n2", at=NOW) == 1
    assert store.mark_sent("n1", at=NOW + timedelta(hours=1)) == 0
    assert store.mark_sent("n3", at=NOW) == 0
    assert sent(engine) == {"a:1/x": NOW, "a:1/y": None}


def test_queued_is_what_somebody_is_to_hear_of(engine: Engine) -> None:
    store = AlertStore(engine)
    store.add(alerts("a:1/x", "a:1/y"))
    store.mark_queued([("a:1/x", "ana")])
    assert [row["dedupe_key"] for row in store.unqueued()] == ["a:1/y"]


def test_queuing_that_fails_leaves_all_unqueued(engine: Engine) -> None:
    store = AlertStore(engine)
    store.add(alerts("a:1/x", "a:1/y"))
    with engine.begin() as connection:
        store.mark_queued([("a:1/x", "ana"), ("a:1/y", "ana")], within=connection)
        assert store.unqueued(within=connection) == []
        connection.rollback()
    assert len(store.unqueued()) == 2


def test_old_news_can_be_left_out(engine: Engine) -> None:
    store = AlertStore(engine)
    store.add(alerts("a:1/x"))
    assert len(store.unqueued(since=NOW - timedelta(seconds=1))) == 1
    assert store.unqueued(since=NOW) == []


def test_what_is_raised_later_is_no_news_of_then(engine: Engine) -> None:
    store = AlertStore(engine)
    store.add(alerts("a:1/x"))
    assert store.unqueued(until=NOW - timedelta(seconds=1)) == []
    assert len(store.unqueued(until=NOW)) == 1


def raise_as_process(url: str, *, backwards: bool) -> list[str]:
    """What one of two processes gets back of 500 alerts that both raise once both are ready."""
    store = open_store(url)
    wanted = alerts(*(f"servicenow:INC1/{n:03}" for n in range(500)))
    assert AlertStore(store.engine).known_keys(wanted["dedupe_key"]) == set()
    meet()
    return AlertStore(store.engine).add(wanted.reverse() if backwards else wanted)["dedupe_key"].to_list()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def desk_url(request: pytest.FixtureRequest) -> str:
    """A migrated database with one ticket."""
    if request.param == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('sqlite_file')}"
    else:
        url = str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))
    store = open_store(url)
    store.ingest(delivery(), at=NOW)
    store.close()
    return url


def test_two_processes_raise_each_alert_once(desk_url: str, process_pool: ProcessPoolExecutor) -> None:
    running = [process_pool.submit(raise_as_process, desk_url, backwards=backwards) for backwards in (False, True)]
    fresh = [future.result(timeout=90) for future in running]
    assert sorted(fresh[0] + fresh[1]) == [f"servicenow:INC1/{n:03}" for n in range(500)]
    store = open_store(desk_url)
    assert len(AlertStore(store.engine).unqueued()) == 500
    store.close()


def test_nothing_to_add_is_fine(engine: Engine) -> None:
    assert AlertStore(engine).add(alerts()).is_empty()


def test_migrations_make_the_same_table(sqlite_file: Path) -> None:
    store = open_store(f"sqlite:///{sqlite_file}")
    columns = {column["name"]: column["nullable"] for column in inspect(store.engine).get_columns("sla_alerts")}
    assert columns == {column.name: column.nullable for column in sla_alerts.c}
