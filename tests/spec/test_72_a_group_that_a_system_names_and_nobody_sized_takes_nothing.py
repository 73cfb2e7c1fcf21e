"""Disks comes from ServiceNow without a bandwidth: INC-1 waits until `people import` says 12."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import AssignmentGroup, Delivery, Outcome
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.allocate import allocate
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, delivered, later
from tests.pipelines.vendors import TOKEN, ServiceNow, serving

DISKS = "d" * 32


def given_to(app: App, hours: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Outcome, str | None, int]:
    """What allocation decides of INC-1, and how many tickets Disks can hold."""
    monkeypatch.setattr(app, "now", lambda: later(hours))
    allocate(app, Snapshot(app, later(hours)))
    newest = max(app.store.decisions(), key=lambda made: made.decided_at)
    return newest.outcome, newest.group_id, app.store.get(AssignmentGroup, DISKS).max_bandwidth


def test_disks_takes_nothing_until_it_is_sized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "groups.csv"
    table.write_text(f"group_id,max\n{DISKS},12\n", encoding="utf-8")
    system = ServiceNow()
    system.tables["sys_user_group"] = [{"sys_id": DISKS, "name": "Disks", "active": "true"}]
    account: dict[str, Any] = {"handler_user": "desk@example.com", "handler_token": TOKEN}
    with serving(system), open_app(home=tmp_path, handler="servicenow", handler_url=system.url, **account) as app:
        app.store.ingest(Delivery(tickets=(delivered(source="servicenow", ticket_id="INC0000001"),)), at=MONDAY)
        assert given_to(app, 1, monkeypatch) == (Outcome.WAITING, None, 0)
        words = ["--home", str(tmp_path), "people", "import", str(table)]
        assert CliRunner().invoke(command_line, words, catch_exceptions=False).output == "AssignmentGroup 1\n"
        assert given_to(app, 2, monkeypatch) == (Outcome.ALLOCATED, DISKS, 12)
        assert sum("/stats/" in asked for asked in system.asked) == 2
