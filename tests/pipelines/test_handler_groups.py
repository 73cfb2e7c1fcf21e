"""Groups of the handler's system come in before tickets are given to them, with the load they carry elsewhere."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from structlog.testing import capture_logs
from typer.testing import CliRunner

from engine.contracts import AssignmentGroup, StandardTicket
from engine.contracts import Delivery as Tickets
from engine.shared.errors import BadInput
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.cli import command_line
from pipelines.jobs.allocate import current_groups
from pipelines.jobs.deliver import deliver
from pipelines.jobs.handler_groups import FRESH, bring_handler_groups
from pipelines.snapshot import Snapshot
from tests.pipelines.vendors import START, TOKEN, ServiceNow, serving
from tests.pipelines.vendors.servicenow import NETWORK

NOW = START + timedelta(days=1)
HERE = AssignmentGroup(group_id=NETWORK, name="Net", capabilities=("network",), max_bandwidth=20)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceNow]:
    """Four incidents are Network's."""
    started = ServiceNow(6)
    for row in started.tickets[:4]:
        row["assignment_group"] = NETWORK
    settings = {"": "servicenow", "_URL": started.url, "_USER": "desk@example.com", "_TOKEN": TOKEN}
    for name, value in settings.items():
        monkeypatch.setenv(f"HELMDESK_HANDLER{name}", value)
    with serving(started), stamina.set_testing(True, attempts=2, cap=True):
        yield started


@pytest.fixture
def app(tmp_path: Path, system: ServiceNow) -> Iterator[App]:
    """Of Network's incidents 1 and 2 are open here, 3 is closed and 4 unknown; 5 and 6 wait for a group."""
    given = {1: (NETWORK, "in_progress"), 2: (NETWORK, "in_progress"), 3: (NETWORK, "closed"),
             5: (None, "new"), 6: (None, "new")}  # fmt: skip
    tickets = [
        StandardTicket(ticket_id=f"INC{number:07}", source="servicenow", created_at=START, category="network",
                       group=group, status=status)
        for number, (group, status) in given.items()
    ]  # fmt: skip
    with open_app(home=tmp_path) as opened:
        opened.store.put([HERE])
        opened.store.ingest(Tickets(tickets=tuple(tickets)), at=NOW)
        yield opened


def bring(app: App, *, minutes: float = 0) -> bool:
    return bring_handler_groups(app, Snapshot(app, NOW), at=NOW + minutes * timedelta(minutes=1))


def groups(app: App) -> dict[str, AssignmentGroup]:
    return {group.name: group for group in app.store.all(AssignmentGroup)}


def test_load_there_counts_without_what_is_here(app: App) -> None:
    assert bring(app)
    assert groups(app)["Network"].current_load == 2
    assert carried(app) == 4


def test_what_the_system_does_not_say_stays(app: App) -> None:
    bring(app)
    network, mail = groups(app)["Network"], groups(app)["Mail"]
    assert (network.capabilities, network.max_bandwidth) == (("network",), 20)
    assert (mail.status, mail.max_bandwidth) == ("inactive", 0)


def test_they_are_asked_for_every_five_minutes(app: App, system: ServiceNow) -> None:
    fresh = FRESH / timedelta(minutes=1)
    assert [bring(app, minutes=minutes) for minutes in (0, fresh - 0.1, fresh)] == [True, False, True]
    assert sum("/stats/" in asked for asked in system.asked) == 2


def test_a_system_that_does_not_answer_leaves_the_last_known(app: App, system: ServiceNow) -> None:
    bring(app)
    system.trouble = [(503, {})] * 2
    with capture_logs() as log:
        assert not bring(app, minutes=5)
    assert [(entry["event"], entry["instead"], "answered 503" in entry["reason"]) for entry in log] == [
        ("groups not renewed", f"those of {NOW.isoformat()}", True)
    ]
    assert groups(app)["Network"].current_load == 2


def test_a_decision_on_its_way_is_counted_once(app: App, system: ServiceNow) -> None:
    """Here alone until it was sent, then there and here."""
    assert run(app, "allocate", "--as-of", NOW.isoformat()).exit_code == 0
    assert [app.store.ticket(f"INC{number:07}").group_id for number in (5, 6)] == [NETWORK] * 2
    loads = []
    for minutes in (600_000, 600_010):
        bring(app, minutes=minutes)
        loads.append((groups(app)["Network"].current_load, carried(app)))
        deliver(app, at=app.now())
    assert (loads, system.tickets[4]["assignment_group"]) == ([(2, 6), (2, 6)], NETWORK)


def carried(app: App) -> int:
    """All that Network carries, here and elsewhere."""
    return next(each.current_load for each in current_groups(Snapshot(app, NOW)) if each.group_id == NETWORK)


def run(app: App, *words: str) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), *words])


def test_a_group_that_is_none_is_refused_by_number(app: App, system: ServiceNow) -> None:
    data = shutil.copytree(shipped_data(), app.settings.home / "data")
    config = data / "mappings" / "plugins.yaml"
    config.write_text(config.read_text("utf-8").replace("columns: {} # {", "columns: {u_skills: max_bandwidth} # {"))
    with open_app(home=app.settings.home, data=data) as other, capture_logs() as log:
        assert bring(other)
    assert [(entry["event"], entry["reason"].partition(": ")[0]) for entry in log] == [
        ("group refused", "group, row 1")
    ]
    assert {"Net", "Mail"} <= groups(app).keys()


def test_an_address_needs_to_know_whose_it_is(tmp_path: Path) -> None:
    with (
        open_app(home=tmp_path, handler_url="http://127.0.0.1:9/allocate") as app,
        pytest.raises(BadInput, match="HELMDESK_HANDLER_URL needs HELMDESK_HANDLER: webhook"),
    ):
        _ = app.handler
