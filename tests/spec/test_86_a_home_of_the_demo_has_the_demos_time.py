"""The demo stands at Monday 9:00: INC-1 is accepted then, whatever the machine says, and one may be Ana there."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.app import clock
from pipelines.app.container import App, open_app
from pipelines.app.sign_in import Visit, user_at
from pipelines.cli import command_line
from tests.engine.people import MONDAY, a_desk


@pytest.fixture
def desk(sqlite_file: Path) -> Iterator[App]:
    """A home with its database in it, as each command opens it."""
    with open_app(home=sqlite_file.parent) as app:
        a_desk(app.store)
        yield app


def accept(app: App) -> timedelta:
    """How long after Monday 9:00 the command says that it was."""
    words = ["--home", str(app.settings.home), "ticket", "accept", "INC-1", "--by", "ana"]
    run = CliRunner().invoke(command_line, words, catch_exceptions=False)
    assert run.exit_code == 0, run.output
    accepted = app.store.ticket("INC-1").accepted_at
    assert accepted
    return accepted - MONDAY


def test_what_is_done_there_is_done_then(desk: App) -> None:
    clock.set_demo_clock(desk.settings, began_at=MONDAY, at=MONDAY)
    assert timedelta() <= accept(desk) < timedelta(minutes=5)
    assert user_at(desk, Visit(), work_as="ana").id == "ana"


def test_elsewhere_it_is_the_machines_time_and_one_is_oneself(desk: App) -> None:
    assert accept(desk) > timedelta(days=1)
    assert user_at(desk, Visit(), work_as="ana").id != "ana"
