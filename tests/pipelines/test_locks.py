"""A stage and a command of its own name never run at once, and a cycle is not in its own way."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from engine.shared.errors import Busy
from pipelines.app.container import App, open_app
from pipelines.app.locks import alone
from pipelines.jobs.cycle import STAGES
from pipelines.jobs.deliver import deliver
from tests.ports.test_lock import another_process


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    url = ""
    if request.param == "postgres":
        url = str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))
    with open_app(home=tmp_path, database_url=url) as opened:
        yield opened


def is_busy(app: App, work: str) -> bool:
    """Whether somebody else, here another thread, is refused."""
    heard: list[bool] = []

    def ask() -> None:
        try:
            with alone(app, work):
                heard.append(False)
        except Busy:
            heard.append(True)

    asking = Thread(target=ask)
    asking.start()
    asking.join()
    return heard[0]


def test_cycle_takes_each_stages_lock_for_that_stage(app: App) -> None:
    with alone(app, "cycle"):
        for stage in STAGES:
            with alone(app, stage):
                assert is_busy(app, stage)
            assert is_busy(app, stage) == (stage in ("triage", "enrich"))
    assert not any(is_busy(app, stage) for stage in STAGES)


def test_stage_that_runs_elsewhere_stops_no_other(app: App) -> None:
    with another_process(app.settings.store_url, "evaluate"), alone(app, "cycle"):
        with pytest.raises(Busy, match="evaluate lock"), alone(app, "evaluate"):
            pass
        with alone(app, "publish"):
            pass


def test_deliver_stage_is_not_refused_by_itself(app: App) -> None:
    with alone(app, "cycle"), alone(app, "deliver"):
        assert deliver(app, at=app.now()).sent == 0
