"""What failed is looked at part by part; a part that can't be looked at is said, not passed over."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.contracts import Delivery, Event, Kind, Rejected, StandardTicket
from engine.storage.outbox import Parcel
from engine.storage.receipts import Posted
from pipelines import actions
from pipelines.app.container import App, open_app
from pipelines.app.settings import read_settings
from pipelines.jobs import failures
from pipelines.jobs.deliver import Parcels
from tests.ports.examples import LATER

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture
def app(tmp_path: Path, sqlite_file: Path) -> Iterator[App]:
    with open_app(home=tmp_path, data=shutil.copytree(DATA, tmp_path / "data")) as opened:
        yield opened


def test_a_new_desk_has_rules_that_name_nobody_and_says_that_nothing_ran(app: App) -> None:
    looks = failures.look(app)
    assert {name for name, look in looks.items() if look.failures} == {"rules"}
    assert {name for name, look in looks.items() if look.fault} == {"stages"}


def test_a_policy_that_is_refused_is_told_with_what_holds(app: App) -> None:
    assert failures.policies(app).total == 0
    file = app.settings.data / "policies" / "notifications.yaml"
    file.write_text("first_few: none\n", encoding="utf-8")
    [found] = failures.policies(app).failures
    assert (found.what, "The last good version stays in force." in found.why) == ("policy desk", True)


def test_a_broken_policy_from_the_start_holds_up_no_other_part(app: App) -> None:
    (app.settings.data / "policies" / "notifications.yaml").write_text("first_few: none\n", encoding="utf-8")
    looks = failures.look(app)
    assert "notifications.yaml" in str(looks["rules"].fault)
    assert [one.what for one in looks["policies"].failures] == ["policy desk"]


def test_a_receipt_that_nobody_reads_shows_after_an_hour(app: App) -> None:
    app.receipts.keep([Posted("servicenow", b"{}", app.now() - timedelta(minutes=5), "key")])
    assert failures.receipts(app).total == 0
    app.receipts.keep([Posted("servicenow", b"[]", app.now() - timedelta(hours=2), "key")])
    with app.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE receipts SET received_at = '2026-01-01 00:00:00.000000'")
    assert failures.receipts(app).failures[0].alike == 2


def test_a_rejected_row_leaves_the_list_once_its_ticket_is_taken_in(app: App) -> None:
    at = app.now()
    lost = [
        Rejected(source="helmdesk", origin="t.jsonl", row=1, reason="priority: no",
                 content={"source": "web", "ticket_id": "1"}),
        Rejected(source="example", origin="t.csv", row=2, reason="priority: no", content={"Ticket": 2}),
        Rejected(source="helmdesk", origin="t.jsonl", row=3, reason="ticket_id: Field required",
                 content={"title": "x"}),
        Rejected(source="helmdesk", origin="e.jsonl", row=4, reason="ticket_id: there is no ticket",
                 content={"ticket_id": "web:1", "kind": "message", "id": "web:1/9"}),
    ]  # fmt: skip
    app.store.ingest(Delivery(tickets=(ticket("web", "3"),), rejected=tuple(lost)), at=at)
    assert failures.rejected(app).total == 4
    mended = (ticket("web", "1"), ticket("example", "2"))
    app.store.ingest(Delivery(tickets=mended), at=at + timedelta(minutes=1))
    assert {one.what.partition(": ")[2] for one in failures.rejected(app).failures} == {
        "t.jsonl, first in row 3", "e.jsonl, first in row 4",
    }  # fmt: skip
    news = Event(ticket_id="web:1", kind=Kind.MESSAGE, at=at, actor="x", id="web:1/9")
    app.store.ingest(Delivery(events=(news,)), at=at + timedelta(minutes=2))
    assert failures.rejected(app).total == 1


def test_a_row_of_a_ticket_that_was_known_before_stays(app: App) -> None:
    at = app.now()
    app.store.ingest(Delivery(tickets=(ticket("web", "1"),)), at=at)
    lost = Rejected(source="web", origin="t.jsonl", row=1, reason="priority: no", content={"ticket_id": "1"})
    app.store.ingest(Delivery(rejected=(lost,)), at=at + timedelta(minutes=1))
    app.store.append([Event(ticket_id="web:1", kind=Kind.MESSAGE, at=at, actor="x")], at=at + timedelta(minutes=2))
    assert failures.rejected(app).total == 1


def test_commands_name_the_home_that_is_looked_at(app: App) -> None:
    found = failures.rules(app).failures[0]
    assert found.command == f"uv run helmdesk --home {app.settings.home} rules list"
    assert read_settings().command("cycle") == "uv run helmdesk cycle"


def ticket(source: str, key: str) -> StandardTicket:
    return StandardTicket(source=source, ticket_id=key, ticket_number=key, title="x", created_at=LATER)


def test_what_is_tried_again_and_what_nobody_sends_is_told(app: App) -> None:
    app.outbox.queue_suggestions([Parcel("outbox", None, "late", {}), Parcel("jira-notes", None, "left", {})], at=LATER)
    row = app.outbox.next_due("outbox", at=LATER)
    assert row
    app.outbox.delay(row.id, until=app.now() + timedelta(hours=1), why="503")
    found = {one.key or one.destination: one for one in failures.unsent(app).failures}
    assert found["late"].why == "503"
    assert found["jira-notes"].command == app.settings.command("deliver --drop jira-notes")
    assert actions.retry_unsent(app, "late", at=app.now()) == Parcels(decisions=1, notices=0)
    assert actions.drop_unsent(app, "jira-notes") == Parcels(decisions=1, notices=0)
    assert [one.key for one in failures.unsent(app).failures if one.destination] == []
