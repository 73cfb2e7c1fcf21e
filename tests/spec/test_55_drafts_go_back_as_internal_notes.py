"""Drafts go back to their tickets as internal notes: only when wanted, never in public, once each."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import AllocationDecision, Outcome, StandardTicket
from engine.contracts import Delivery as Tickets
from engine.shared.errors import NotAllowed, NotFound
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.deliver import Delivered, deliver, drop, orphans_in_words
from pipelines.jobs.push import chosen, push_suggestions
from tests.pipelines.vendors import START, VENDORS, Vendor, serving
from triage.contracts import Suggestion, TicketText
from triage.feedback.acceptance import Feedback

NUMBERS = {"jira": "SUP-{}", "servicenow": "INC{:07}", "zendesk": "{}"}
NOW = START + timedelta(days=1)
DRAFT = "Restart the [code]proxy[/code] {noformat} [~ana] [1]."


@pytest.fixture(params=["jira", "jira-dc", "servicenow", "zendesk"])
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    with serving(VENDORS[request.param](4)) as started:
        for name, value in started.settings().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HELMDESK_PUSH_SUGGESTIONS", "true")
        yield started


@pytest.fixture
def app(tmp_path: Path, vendor: Vendor) -> Iterator[App]:
    """Tickets 1 to 3 with a grounded draft, 4 with one that is not; 3 is closed."""
    with open_app(home=tmp_path) as opened:
        tickets = [
            StandardTicket(ticket_id=NUMBERS[vendor.source].format(n), source=vendor.source, created_at=START,
                           status="closed" if n == 3 else "in_progress")
            for n in range(1, 5)
        ]  # fmt: skip
        opened.store.ingest(Tickets(tickets=tuple(tickets)), at=NOW)
        for n in range(1, 5):
            draft(opened, key(vendor, n), f"d{n}", grounded=n != 4)
        yield opened


def key(vendor: Vendor, number: int) -> str:
    return f"{vendor.source}:{NUMBERS[vendor.source].format(number)}"


def draft(app: App, ticket: str, name: str, *, grounded: bool = True, hours: int = 0) -> None:
    text = TicketText(ticket_id=ticket, subject="s", content="c")
    made = Suggestion(id=name, ticket_id=ticket, text=DRAFT, grounded=grounded, model_used="m",
                      created_at=START + timedelta(hours=hours))  # fmt: skip
    app.triage.store.save_suggestions([text], [made], at=NOW)


def states(app: App) -> dict[str, str]:
    rows = app.store.frame("outbox", ["key", "state"]).rows()
    return {name.rpartition("/")[2]: state for name, state in rows}


def test_grounded_drafts_of_open_tickets_arrive_once(app: App, vendor: Vendor) -> None:
    done = push_suggestions(app, at=NOW)
    assert (len(done.choice.parcels), done.choice.ungrounded, done.delivered) == (2, 1, Delivered(2, 0, 0, 0))
    assert push_suggestions(app, at=NOW + timedelta(hours=1)).delivered == Delivered(0, 0, 0, 0)
    assert (len(vendor.notes), states(app)) == (2, {"d1": "sent", "d2": "sent"})


def test_a_note_is_internal(app: App, vendor: Vendor) -> None:
    push_suggestions(app, at=NOW)
    place, note = vendor.notes[0]
    text = json.dumps(note)
    assert "Restart the" in text
    assert f"[{key(vendor, 1)}/draft/d1]" in text
    match vendor.source:
        case "zendesk":
            assert (place, note["ticket"]["comment"]["public"], set(note["ticket"])) == ("1", False, {"comment"})
        case "servicenow":
            assert (place, set(note), "[code]" in text) == (f"{1:032x}", {"work_notes"}, False)
        case _:
            assert note["properties"] == [{"key": "sd.public.comment", "value": {"internal": True}}]


@pytest.mark.parametrize("vendor", ["jira-dc"], indirect=True)
def test_wiki_text_mentions_nobody(app: App, vendor: Vendor) -> None:
    push_suggestions(app, at=NOW)
    body = vendor.notes[0][1]["body"]
    assert (body.startswith("{noformat}"), body.endswith("{noformat}"), body.count("{noformat}")) == (True, True, 2)


def test_a_note_whose_answer_was_lost_is_not_doubled(app: App, vendor: Vendor) -> None:
    reads = {"jira": 2, "servicenow": 2, "zendesk": 1}[vendor.source]
    vendor.trouble = [*[""] * reads, "lost"]  # the reads before it are answered
    assert push_suggestions(app, at=NOW).delivered == Delivered(1, 1, 0, 0)
    assert deliver(app, at=NOW + timedelta(hours=1)) == Delivered(1, 0, 0, 0)
    assert (len(vendor.notes), set(states(app).values())) == (2, {"sent"})


def test_what_is_refused_is_listed(app: App, vendor: Vendor) -> None:
    vendor.trouble = [(422, {})]
    assert push_suggestions(app, at=NOW).delivered == Delivered(1, 0, 1, 0)
    row = app.outbox.refused()[0]
    assert (row.key, "422" in str(row.last_error)) == (f"{key(vendor, 1)}/draft/d1", True)


def test_a_wrong_token_holds_all_and_loses_none(app: App, vendor: Vendor) -> None:
    right, vendor.account = vendor.account, "Bearer another"
    assert push_suggestions(app, at=NOW).delivered == Delivered(0, 1, 0, 0)
    vendor.account = right
    assert deliver(app, at=NOW + timedelta(hours=1)) == Delivered(2, 0, 0, 0)


def test_a_newer_draft_takes_the_place_of_one_that_waits(app: App, vendor: Vendor) -> None:
    vendor.trouble = [(429, {"Retry-After": "60"})]
    push_suggestions(app, at=NOW)
    draft(app, key(vendor, 1), "newer", hours=1)
    push_suggestions(app, at=NOW + timedelta(hours=1))
    assert states(app) == {"d1": "replaced", "d2": "sent", "newer": "sent"}


def test_a_decision_leaves_suggestions_waiting(app: App, vendor: Vendor) -> None:
    vendor.trouble = [(429, {"Retry-After": "60"})]
    push_suggestions(app, at=NOW)
    made = AllocationDecision(ticket_id=key(vendor, 1), decided_at=NOW, outcome=Outcome.ALLOCATED, group_id="g1",
                              group_name="g1", rationale="r")  # fmt: skip
    app.store.record_decisions([made], at=NOW, destination=app.handler)
    assert states(app) == {"d1": "pending", "d2": "pending", "1": "pending"}


def test_a_judged_draft_stays(app: App, vendor: Vendor) -> None:
    given = Feedback(ticket_id=key(vendor, 1), suggestion_id="d1", outcome="rejected", model_used="m", given_by="ana",
                     given_at=NOW)  # fmt: skip
    app.triage.feedback.add_feedback(given)
    choice = chosen(app)
    assert ([parcel.ticket_id for parcel in choice.parcels], choice.judged) == ([key(vendor, 2)], 1)


def test_off_is_the_default(app: App, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELMDESK_PUSH_SUGGESTIONS")
    with open_app(home=app.settings.home) as off:
        with pytest.raises(NotAllowed, match="set HELMDESK_PUSH_SUGGESTIONS=true"):
            push_suggestions(off, at=NOW)
        deliver(off, at=NOW)
    assert (vendor.asked, app.store.frame("outbox").height) == ([], 0)


def test_what_waits_when_it_is_turned_off_says_so(app: App, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor.trouble = [(429, {"Retry-After": "60"})]
    push_suggestions(app, at=NOW)
    monkeypatch.delenv("HELMDESK_PUSH_SUGGESTIONS")
    with open_app(home=app.settings.home) as off:
        name = f"{vendor.source}-notes"
        assert (
            f"2 unsent for {name}, which is not in use: set HELMDESK_PUSH_SUGGESTIONS=true" in orphans_in_words(off)[0]
        )
        assert drop(off, name) == 2
        with pytest.raises(NotFound):
            drop(off, name)


def test_ungrounded_ones_go_if_a_setting_says_so(app: App, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_PUSH_UNGROUNDED", "true")
    with open_app(home=app.settings.home) as free:
        assert len(chosen(free).parcels) == 3


def run(app: App, *words: str) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), "push", "suggestions", *words])


def test_dry_run_sends_nothing(app: App, vendor: Vendor) -> None:
    done = run(app, "--dry-run", "--source", vendor.source)
    assert "would queue 2 suggestions; 1 rest on no article, 0 were judged by a person" in done.output
    assert (vendor.asked, app.store.frame("outbox").height) == ([], 0)


def test_the_command_says_what_became_of_them(app: App, vendor: Vendor) -> None:
    assert "queued 2 suggestions" in (done := run(app)).output
    assert "sent 2, delayed 0, refused 0, replaced 0" in done.output
