"""What ran last, and why it failed: kept by whatever runs a stage, a cycle or a command of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.shared.errors import BadInput, Busy, StageFailed
from pipelines.app.container import App, open_app
from pipelines.app.locks import alone
from pipelines.jobs import failures
from pipelines.jobs.cycle import CycleRun
from pipelines.jobs.deliver import deliver


@pytest.fixture
def app(tmp_path: Path, sqlite_file: Path) -> Iterator[App]:
    with open_app(home=tmp_path) as opened:
        yield opened


def runs(app: App) -> dict[str, str | None]:
    return {run.work: run.error for run in app.last_runs.every()}


def test_a_command_and_a_stage_leave_their_run(app: App) -> None:
    deliver(app, at=app.now())
    CycleRun(app, app.now()).stage("evaluate")
    assert runs(app) == {"deliver": None, "evaluate": None}


def test_a_failure_is_kept_until_it_succeeds_again(app: App) -> None:
    with alone(app, "publish"):
        pass
    before = app.last_runs.every()[0].succeeded_at
    with pytest.raises(BadInput), alone(app, "publish"):
        raise BadInput("the mart\nis broken")
    [run] = app.last_runs.every()
    assert (run.error, run.succeeded_at) == ("the mart is broken", before)
    assert [one.command for one in failures.stages(app).failures] == [app.settings.command("publish")]
    with alone(app, "publish"):
        pass
    assert failures.stages(app).failures == []


def test_what_somebody_else_is_at_is_no_run(app: App) -> None:
    with pytest.raises(Busy), alone(app, "sweep"):
        raise Busy("somebody is at it")
    assert runs(app) == {}


def test_a_cycle_says_which_stage_failed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(app.outbox), "next_due", lambda *_, **__: 1 / 0)
    app.__dict__["notifiers"] = {}
    with pytest.raises(StageFailed), alone(app, "cycle"):
        CycleRun(app, app.now()).walk(["deliver"])
    assert runs(app)["deliver"] == "ZeroDivisionError division by zero"
    assert "deliver: ZeroDivisionError" in str(runs(app)["cycle"])
