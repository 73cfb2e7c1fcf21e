"""`helmdesk demo` writes to `var/demo`, so synthetic tickets never mix with yours, and that home stays in its time."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.app import identity
from pipelines.app.container import App, open_app
from pipelines.app.people_files import load_people
from pipelines.app.settings import shipped_data
from pipelines.cli import command_line
from pipelines.clock_replay import replay
from pipelines.marts import MartReader
from pipelines.samples.files import write_sample
from pipelines.samples.generate import as_of, generate
from pipelines.snapshot import Snapshot
from sla.alerting.alerts import called_for

START, DAYS = date(2026, 8, 31), 31
AS_OF = as_of(START, DAYS)
PROMISES = "SELECT clock, state, count(*) AS windows FROM sla_clocks GROUP BY ALL ORDER BY ALL"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which `helmdesk demo` was called, with a small sample."""
    here = tmp_path_factory.mktemp("demo")
    data = here / "data"
    data.mkdir()
    for part in shipped_data().iterdir():
        if part.name != "tickets":
            (data / part.name).symlink_to(part)
    sample = generate(60, seed=7, start=START, days=DAYS, people=load_people(shipped_data() / "people"))
    write_sample(data / "tickets", sample, seed=7, start=START, days=DAYS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELMDESK_DATA", str(data))
        patch.setenv("HELMDESK_EMBEDDER", "wordllama")
        patch.chdir(here)
        run = CliRunner().invoke(command_line, ["demo"])
        assert run.exit_code == 0, run.output
        yield here


@pytest.fixture
def app(place: Path) -> Iterator[App]:
    with open_app(home=place / "var/demo") as opened:
        yield opened


def test_demo_leaves_nothing_beside_its_own_home(place: Path) -> None:
    assert [path.name for path in (place / "var").iterdir()] == ["demo"]
    assert (place / "var/demo/helmdesk.db").is_file()


def test_publish_after_the_demo_speaks_of_the_demos_time(place: Path) -> None:
    before = MartReader(place / "var/demo/marts").query(PROMISES)
    assert CliRunner().invoke(command_line, ["--home", "var/demo", "publish"]).exit_code == 0
    after = MartReader(place / "var/demo/marts")
    assert after.query(PROMISES).equals(before)
    assert after.publication.as_of - AS_OF < timedelta(hours=1)


@pytest.mark.usefixtures("place")
def test_what_the_demo_wrote_of_its_past_is_whole() -> None:
    assert CliRunner().invoke(command_line, ["--home", "var/demo", "audit", "verify"]).exit_code == 0


def test_the_demo_has_a_past_in_every_room(app: App) -> None:
    tables = ("reviews", "feedback", "envelopes", "resolutions", "calibration_items", "surveys", "notices")
    more = ("kanban_views", "sla_alerts", "alerts")
    assert not [name for name in (*tables, *more) if app.store.frame(name).is_empty()]


def test_an_alert_of_the_past_was_called_for_then(app: App) -> None:
    alerts, snapshot = app.store.frame("sla_alerts"), Snapshot(app, AS_OF)
    for (at,), raised in alerts.group_by("triggered_at"):
        known = snapshot.events.filter(pl.col("at") <= at)
        clocks = replay(snapshot.tickets_now.filter(pl.col("created_at") <= at), known, app.policies.sla, as_of=at)
        assert set(raised["dedupe_key"]) <= set(called_for(clocks, app.policies.alerts.rules, at)["dedupe_key"])


def test_a_nudge_of_the_past_was_due_then_and_not_at_the_look_before(app: App) -> None:
    matrix, nudges, snapshot = app.policies.desk.nudges, app.store.frame("alerts"), Snapshot(app, AS_OF)
    nobodys = nudges.filter(pl.col("condition") == "not_assigned", pl.col("triggered_at") < AS_OF)
    rows = nobodys.join(snapshot.tickets_now.select(ticket_id="ticket", born="created_at"), on="ticket_id")
    waits = {level: timedelta(minutes=row.levels[level]["not_assigned"].minutes)
             for row in matrix.priorities.values() for level in row.levels}  # fmt: skip
    assert rows.height
    assert all(row["triggered_at"] - row["born"] >= min(waits.values()) for row in rows.iter_rows(named=True))
    assert nudges["triggered_at"].n_unique() > 5


def test_nothing_of_the_past_is_later_than_the_demo(app: App) -> None:
    assert app.store.frame("events", ["id", "at"]).filter(pl.col("at") > app.now()).is_empty()


def test_each_role_has_somebody_to_work_as(app: App) -> None:
    roles = {role for user in identity.users(app) for role in user.roles}
    assert roles == set(identity.UserRole) - {identity.UserRole.ADMIN}


def test_a_second_run_of_the_demo_lives_no_second_past(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("HELMDESK_DATA", str(place / "data"))
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")

    def held() -> tuple[int, ...]:
        with open_app(home=place / "var/demo") as app:
            return tuple(app.store.frame(table).height for table in ("tickets", "surveys", "resolutions", "sla_alerts"))

    before = held()
    run = CliRunner().invoke(command_line, ["demo"])
    assert (run.exit_code, held()) == (0, before), run.output
