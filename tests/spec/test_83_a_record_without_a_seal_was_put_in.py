"""`INSERT INTO users`: `audit verify` names it, exit 1. A home of an earlier version passes and is sealed as found."""

from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from engine.contracts import Delivery
from engine.storage.sql import SqlStore
from pipelines.app.container import App
from pipelines.cli import command_line
from tests.engine.people import MONDAY, delivered
from tests.ports.test_audit_records import tamper

INSERT = "INSERT INTO users (id, name, roles, is_active) VALUES ('{0}', '{0}', '[]', 1)"


@pytest.fixture
def desk(app: App) -> App:
    app.store.ingest(Delivery(tickets=(delivered(1),)), at=MONDAY)
    return app


def run(app: App, *words: str) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), *words])


def put_in(app: App, name: str) -> None:
    with app.store.transaction() as connection:
        connection.execute(text(INSERT.format(name)))


def test_a_user_that_sql_put_in_is_named(desk: App) -> None:
    assert run(desk, "audit", "verify").exit_code == 0
    put_in(desk, "eve")
    found = run(desk, "audit", "verify")
    assert (found.exit_code, "users/eve is not sealed" in found.output) == (1, True), found.output


def test_an_earlier_home_is_sealed_as_found(desk: App) -> None:
    put_in(desk, "old")
    assert isinstance(desk.store, SqlStore)
    tamper(desk.store, "DELETE FROM audit_log")
    assert run(desk, "audit", "verify").exit_code == 0
    assert run(desk, "migrate").exit_code == 0
    put_in(desk, "eve")
    found = run(desk, "audit", "verify").output
    assert ("users/eve is not sealed" in found, "users/old" in found) == (True, False), found
