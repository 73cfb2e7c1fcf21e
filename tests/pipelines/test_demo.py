"""A home of the demo lives in the demo's time: it runs on, begins again with the dashboard, and never goes back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.contracts import Agent, Delivery, StandardTicket, Status
from engine.shared.errors import BadInput
from engine.storage.last_instant import last_instant
from pipelines.app import clock
from pipelines.app.container import App
from pipelines.app.settings import Settings
from pipelines.cli import command_line
from pipelines.jobs.demo import start_again
from tests.pipelines.small_desk import AS_OF

REAL = datetime(2031, 5, 6, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def app(settings: Settings) -> Iterator[App]:
    with App(settings) as opened:
        ticket = StandardTicket(ticket_id="INC-1", source="demo", title="VPN drops", created_at=AS_OF - HOUR)
        opened.store.put([Agent(id="ana", email="ana@desk.example", name="Ana", role="agent")])
        opened.store.ingest(Delivery(tickets=(ticket,)), at=AS_OF)
        yield opened


def test_a_home_without_a_clock_has_the_machines_time(settings: Settings) -> None:
    assert clock.now(settings, real=REAL) == REAL
    assert not App(settings).is_demo


def test_time_of_the_demo_runs_on_from_where_it_was_set(settings: Settings) -> None:
    clock.set_demo_clock(settings, began_at=AS_OF, at=AS_OF, real=REAL)
    assert clock.now(settings, real=REAL + HOUR) == AS_OF + HOUR


def test_a_machine_whose_clock_was_put_back_puts_back_no_demo(settings: Settings) -> None:
    clock.set_demo_clock(settings, began_at=AS_OF, at=AS_OF, real=REAL)
    assert clock.now(settings, real=REAL - HOUR) == AS_OF


def test_another_database_is_not_in_the_demos_time(settings: Settings) -> None:
    clock.set_demo_clock(settings, began_at=AS_OF, at=AS_OF, real=REAL)
    hosted = Settings(home=settings.home, database_url="postgresql://desk.invalid/helmdesk")
    assert clock.now(hosted, real=REAL) == REAL


def test_a_copied_home_stays_in_its_time(settings: Settings, tmp_path: Path) -> None:
    clock.set_demo_clock(settings, began_at=AS_OF, at=AS_OF, real=REAL)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / clock.FILE).write_bytes((settings.home / clock.FILE).read_bytes())
    assert clock.now(Settings(home=tmp_path / "copy"), real=REAL) == AS_OF


def test_a_damaged_clock_is_named(settings: Settings) -> None:
    (settings.home / clock.FILE).write_text('{"at": "noon"}', encoding="utf-8")
    with pytest.raises(BadInput, match=r"clock\.json: .*helmdesk demo"):
        App(settings).now()


def test_a_restart_begins_at_the_demos_instant(app: App) -> None:
    clock.set_demo_clock(app.settings, began_at=AS_OF, at=AS_OF, real=datetime.now(UTC) - timedelta(days=62))
    start_again(app)
    assert AS_OF <= app.now() < AS_OF + HOUR


def test_events_after_a_restart_are_never_before_earlier_ones(app: App) -> None:
    clock.set_demo_clock(app.settings, began_at=AS_OF, at=AS_OF, real=datetime.now(UTC) - 3 * HOUR)
    key = app.store.ticket("INC-1").id
    app.desk.accept(key, by="ana", at=app.now())
    start_again(app)
    app.desk.change_status(key, to=Status.WAITING_CUSTOMER, by="ana", at=app.now())
    instants = [event.at for event in app.store.history(key)]
    assert instants == sorted(instants)
    assert instants[-1] < AS_OF + 4 * HOUR


def test_what_is_to_come_moves_no_clock(app: App) -> None:
    key = app.store.ticket("INC-1").id
    app.desk.accept(key, by="ana", at=AS_OF)
    app.desk.remind(key, by="ana", at=AS_OF, trigger_at=AS_OF + 240 * HOUR, message="Ask again")
    assert last_instant(app.store.engine) == AS_OF


def test_a_command_wakes_a_demo_that_was_left_for_days(app: App) -> None:
    days_ago = datetime.now(UTC) - timedelta(days=62)
    clock.set_demo_clock(app.settings, began_at=AS_OF, at=AS_OF, real=days_ago)
    run = CliRunner().invoke(command_line, ["--home", str(app.settings.home), "desk", "incidents", "--by", "ana"])
    assert f"{AS_OF:%Y-%m-%d}" in run.stderr
    assert app.now() < AS_OF + HOUR


def test_tickets_of_ones_own_are_not_mixed_with_the_demos(app: App) -> None:
    run = CliRunner().invoke(command_line, ["--home", str(app.settings.home), "demo"])
    assert isinstance(run.exception, BadInput)
    assert not app.is_demo
