"""What is decided at the desk is news to those whom it concerns, and to nobody else; it is queued with the decision."""

import re
from decimal import Decimal

import pytest

from engine.contracts import Event, Kind
from engine.desk import Desk
from engine.flags import FlagType
from engine.notifications import QueuedNotification, load
from engine.resolutions import Claim
from engine.storage.ports import Store
from engine.tasks import TaskStatus
from tests.engine.people import ANA, MONDAY, POLICIES, a_desk, later, on_leave


@pytest.fixture
def desk(store: Store) -> Desk:
    """Ana owns web:1."""
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=MONDAY)
    return desk


def news(desk: Desk) -> list[tuple[str, str, str]]:
    rows = desk.store.all(QueuedNotification)
    return sorted((row.event_type, row.agent_id, row.payload["message"]) for row in rows)


def listeners(desk: Desk, event_type: str) -> list[str]:
    return [agent for kind, agent, _ in news(desk) if kind == event_type]


def test_expert_hears_of_the_envelope_and_the_owner_of_its_answer(desk: Desk) -> None:
    asked = desk.open_envelope("web:1", by="ana", reason="DNS fails", assigned_to="fin", at=later(1))
    assert news(desk) == [("envelope_opened", "fin", "INC-1: Ana asks for help: DNS fails")]
    desk.accept_envelope(asked.id, by="fin", at=later(2))
    desk.complete_envelope(asked.id, by="fin", summary="TTL was 0", at=later(3))
    assert news(desk)[:2] == [
        ("envelope_accepted", "ana", "INC-1: Fin accepted your envelope: DNS fails"),
        ("envelope_completed", "ana", "INC-1: Fin completed the envelope: TTL was 0"),
    ]


def test_all_of_the_team_hear_of_an_envelope_and_that_it_was_taken_back(desk: Desk) -> None:
    asked = desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=later(1))
    desk.cancel_envelope(asked.id, by="ana", reason="found it", at=later(2))
    assert listeners(desk, "envelope_opened") == listeners(desk, "envelope_completed") == ["ben", "dirk", "fin"]


def test_a_team_that_nobody_is_in_is_stood_in_for_by_its_manager(desk: Desk) -> None:
    desk.add_flag("web:1", type=FlagType.LEGAL, by="ana", reason="a letter", at=later(1))
    assert listeners(desk, "envelope_opened") == ["dirk"]


def a_claim(amount: str) -> Claim:
    return Claim(what_went_wrong="outage", why_eligible="goodwill", type="credit", amount=Decimal(amount))


@pytest.mark.parametrize(("amount", "able"), [("50", []), ("300", ["cleo"]), ("600", ["dirk"])])
def test_who_may_approve_hears_of_a_grant_above_the_limit(desk: Desk, amount: str, able: list[str]) -> None:
    desk.propose_resolution("web:1", a_claim(amount), by="ana", at=later(1), team_id="cloud")
    assert listeners(desk, "approval_asked") == able


def test_who_asked_hears_of_the_approval(desk: Desk) -> None:
    grant = desk.propose_resolution("web:1", a_claim("300"), by="ana", at=later(1), team_id="cloud")
    desk.approve_resolution(grant.id, by="cleo", at=later(2), is_approved=False, reason="too much")
    assert ("approval_given", "ana", "INC-1: Cleo rejected the credit of 300 EUR (too much)") in news(desk)


def test_both_owners_hear_of_a_transfer(desk: Desk) -> None:
    desk.store.put([on_leave(ANA, 40)])
    desk.transfer("web:1", to="fin", reason="extended_leave", by="dirk", at=later(1))
    assert news(desk) == [("transferred", who, "INC-1 went from Ana to Fin (extended_leave)") for who in ("ana", "fin")]


def test_a_note_reaches_those_whom_it_names(desk: Desk) -> None:
    desk.note("web:1", by="ana", text="@fin and @ben. look; @ana, @nobody, mail@cleo, @@dirk @fin", at=later(1))
    assert listeners(desk, "mentioned") == ["ben", "fin"]
    assert news(desk)[0][2].startswith("INC-1: Ana mentioned you in a note: @fin and @ben. look;")


def test_what_an_envelopes_thread_says_stays_there(desk: Desk) -> None:
    asked = desk.open_envelope("web:1", by="ana", reason="DNS", assigned_to="fin", at=later(1))
    desk.accept_envelope(asked.id, by="fin", at=later(2))
    desk.note("web:1", by="fin", text="@cleo the password is 123", at=later(3), envelope_id=asked.id)
    assert ("mentioned", "cleo", "INC-1: Fin mentioned you in a note of an envelope") in news(desk)


def test_a_task_is_news_to_whom_it_is_given(desk: Desk) -> None:
    task = desk.add_task("web:1", title="call them", by="ana", assigned_to="fin", at=later(1))
    desk.move_task(task.id, to=TaskStatus.IN_PROGRESS, by="fin", at=later(2))
    desk.add_task("web:1", title="later", by="ana", at=later(3))
    assert news(desk) == [("assigned", "fin", "INC-1: Ana gave you the task call them")]


def test_assignment_is_news_to_the_assignee(desk: Desk) -> None:
    ticket = desk.store.ticket("web:1")
    event = Event(ticket_id=ticket.id, kind=Kind.ASSIGNEE, at=later(1), value="fin", actor="ana")
    desk.keep(ticket.model_copy(update={"assignee_id": "fin"}), [event], at=later(1))
    assert news(desk) == [("assigned", "fin", "INC-1 was assigned to you by Ana")]


def test_decision_that_is_refused_is_no_news(desk: Desk) -> None:
    stale = desk.store.ticket("web:1")
    desk.reply("web:1", by="ana", text="hi", at=later(1))
    event = Event(ticket_id=stale.id, kind=Kind.ASSIGNEE, at=later(2), value="fin", actor="ana")
    with pytest.raises(Exception, match="moved on"):
        desk.keep(stale, [event], at=later(2))
    assert news(desk) == []


def test_every_type_of_news_is_in_the_policy() -> None:
    """Those of alerts by the patterns that name them."""
    root = POLICIES.parents[1]
    source = "".join(
        file.read_text(encoding="utf-8") for room in ("engine", "pipelines") for file in (root / room).rglob("*.py")
    )
    found = set(re.findall(r'(?:Announcement\(|event_type=)"(\w+)"', source))
    assert {"mentioned", "envelope_opened", "reminder", "flagged"} <= found
    levels = {f"alert_level_{level}" for level in (1, 2, 3)} | {"sla_warning", "sla_breach", "envelope_overdue", "rule"}
    assert found | levels == set(load(POLICIES / "notifications.yaml").events)
