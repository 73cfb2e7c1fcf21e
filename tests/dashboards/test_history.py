"""What happened to a ticket, told with names, each thing once."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards import history
from engine.contracts import Event, Kind
from engine.timeline import TimelineEntry

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAMES = {"grp-net": "Network", "AGT-22": "Ana Lima", "CT-1": "Kim Berg"}


def lines(*happened: Event) -> list[str]:
    return [line for _, line in history.thread(happened, [], NAMES)]


def event(kind: Kind, value: str | None = None, **cells) -> Event:
    return Event(ticket_id="demo:1", kind=kind, at=cells.pop("at", NOON), value=value, **cells)


def alert(condition: str, level: int, at: datetime = NOON) -> Event:
    return event(Kind.ALERT, f"demo:1/{condition}/{level}/1", at=at, data={"condition": condition, "level": level})


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_event_is_told(kind):
    event = Event(ticket_id="demo:1", kind=kind, at=NOON, value="waiting_customer", reason="asked")
    assert history.TELLING[kind] != kind
    assert history.event_text(event).endswith("(asked)")


def test_messages_tell_their_text():
    event = Event(ticket_id="demo:1", kind=Kind.MESSAGE, at=NOON, data={"text": "Hello {value}"})
    assert history.event_text(event) == "wrote:\nHello {value}"


def test_thread_is_in_order_of_time():
    event = Event(ticket_id="demo:1", kind=Kind.ACCEPTED, at=NOON, value="ana", actor="ana")
    letter = TimelineEntry(
        id="e",
        ticket_id="demo:1",
        type="email_inbound",
        author_id="kim",
        content="Help",
        created_at=NOON - timedelta(1),
    )
    assert [line for _, line in history.thread([event], [letter])] == [
        "kim wrote:\nHelp",
        "ana accepted the ticket and owns it",
    ]


def test_what_was_written_is_told_once():
    event = Event(ticket_id="demo:1", kind=Kind.MESSAGE, at=NOON, actor="kim")
    letter = TimelineEntry(
        id="e", ticket_id="demo:1", type="email_inbound", author_id="kim", content="Help", created_at=NOON
    )
    assert [line for _, line in history.thread([event], [letter])] == ["kim wrote:\nHelp"]


def test_people_and_groups_are_named():
    opened, moved = event(Kind.CREATED, actor="CT-1"), event(Kind.GROUP, "grp-net", actor="dispatch")
    assert lines(opened, moved, event(Kind.ASSIGNEE, "AGT-22", actor="dispatch")) == [
        "Kim Berg opened the ticket",
        "dispatch moved it to the group Network",
        "dispatch assigned it to Ana Lima",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"grounded": True}, "drafted a reply"),
        ({"grounded": False}, "looked for an answer and found none"),
        ({}, "looked for a reply"),
    ],
)
def test_draft_is_told_only_if_there_is_one(data, said):
    assert lines(event(Kind.DRAFTED, actor="helmdesk", data=data)) == [f"helmdesk {said}"]


@pytest.mark.parametrize(
    ("kind", "value", "approval", "line"),
    [
        (Kind.APPROVAL, "demo:1/resolution-1", "approved", "approved the grant"),
        (Kind.APPROVAL, "demo:1/resolution-1", "rejected", "refused the grant"),
        (Kind.CALIBRATION, "listed", None, "listed the grant for review"),
        (Kind.CALIBRATION, "coaching_needed", None, "reviewed the grant: coaching needed"),
        (Kind.CALIBRATION, "second_opinion", None, "gave a second opinion on the grant"),
    ],
)
def test_history_says_how_a_grant_was_decided(kind, value, approval, line):
    data = {"approval": approval} if approval else {}
    assert lines(event(kind, value, actor="AGT-22", data=data)) == [f"Ana Lima {line}"]


def test_ticket_that_no_group_takes_is_said():
    reason = "No active group has ztna"
    text = lines(event(Kind.ALLOCATED, None, actor="allocation", reason=reason))
    assert text == ["allocation found no group for it (No active group has ztna)"]
    assert lines(event(Kind.ALLOCATED, "grp-net", actor="allocation")) == [
        "allocation allocated it to the group Network"
    ]


def test_alert_says_condition_and_level():
    assert lines(alert("not_assigned", 2)) == ["system raised a nudge: not assigned, level 2"]


def test_alerts_of_one_instant_are_one_line():
    later = alert("not_assigned", 2, at=NOON + timedelta(hours=1))
    assert lines(alert("not_assigned", 1), alert("not_updated", 1), alert("not_updated", 2), later) == [
        "system raised 3 nudges: not assigned, level 1; not updated, levels 1, 2",
        "system raised a nudge: not assigned, level 2",
    ]


def test_acknowledged_alert_is_named():
    raised = alert("not_updated", 3)
    assert lines(raised, event(Kind.ACKNOWLEDGED, raised.value, actor="AGT-22"))[1] == (
        "Ana Lima acknowledged an alert: not updated, level 3"
    )


def test_who_works_on_this_machine_is_said_in_words() -> None:
    assert history.named("local:root", {}) == "root on this machine"
