"""What failed is looked at part by part; a part that can't be looked at is said, not passed over."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.storage.outbox import Parcel
from engine.storage.receipts import Posted
from pipelines import actions
from pipelines.app.container import App, open_app
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


def test_what_is_tried_again_and_what_nobody_sends_is_told(app: App) -> None:
    app.outbox.queue_suggestions([Parcel("outbox", None, "late", {}), Parcel("jira-notes", None, "left", {})], at=LATER)
    row = app.outbox.next_due("outbox", at=LATER)
    assert row
    app.outbox.delay(row.id, until=app.now() + timedelta(hours=1), why="503")
    found = {one.key or one.destination: one for one in failures.unsent(app).failures}
    assert found["late"].why == "503"
    assert found["jira-notes"].command == "uv run helmdesk deliver --drop jira-notes"
    assert actions.retry_unsent(app, "late", at=app.now()) == Parcels(decisions=1, notices=0)
    assert actions.drop_unsent(app, "jira-notes") == Parcels(decisions=1, notices=0)
    assert [one.key for one in failures.unsent(app).failures if one.destination] == []
