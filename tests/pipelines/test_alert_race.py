"""Two evaluators at once: between them each alert is raised once and told once."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from pipelines.app.container import open_app
from pipelines.jobs.alerts import Raised, raise_and_queue
from tests.pipelines.test_alerts import LATER, breached, in_a_group, queue, tickets_of
from tests.processes import meet

STORM = 400


def evaluate_as_process(home: Path, database_url: str) -> Raised:
    with open_app(home=home, database_url=database_url) as app:
        app.store.counts()
        clocks = breached(STORM)
        meet()
        return raise_and_queue(app, clocks, tickets_of(app), as_of=LATER)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('sqlite_file')}"
    return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


def test_two_evaluators_at_once_tell_each_alert_once(
    tmp_path: Path, database_url: str, process_pool: ProcessPoolExecutor
) -> None:
    with open_app(home=tmp_path, database_url=database_url) as app:
        in_a_group(app, STORM)
    running = [process_pool.submit(evaluate_as_process, tmp_path, database_url) for _ in range(2)]
    found = [future.result(timeout=120) for future in running]
    assert sum(raised.alerts for raised in found) == STORM
    with open_app(home=tmp_path, database_url=database_url) as app:
        assert (app.store.frame("sla_alerts").height, app.alert_store.unqueued()) == (STORM, [])
        rows = queue(app)
        told: dict[str, int] = {}
        for row in rows:
            told[row.agent_id] = told.get(row.agent_id, 0) + row.payload.get("alerts", 1)
        assert told == {"cleo": STORM, "dirk": STORM}
