"""Each reader sees what is meant for that reader."""

from typing import Any

import pytest

from engine import envelopes, timeline
from engine.contracts import Event, Kind, seal
from engine.timeline import TimelineEntry
from tests.engine.people import MONDAY, later, owned

ENVELOPE = envelopes.Envelope(
    id="e1", ticket_id="web:1", requested_by="cleo", assigned_to="ben", team_id="network", reason="DNS",
    created_at=MONDAY, response_due_at=later(4),
)  # fmt: skip


def entry(name: str, visibility: str, *, thread: str | None = None, author: str = "ana") -> TimelineEntry:
    facts: dict[str, Any] = {"type": "note", "content": name, "created_at": MONDAY, "ticket_id": "web:1"}
    return TimelineEntry(id=name, visibility=visibility, envelope_id=thread, author_id=author, **facts)


ENTRIES = [
    entry("mail", "public"),
    entry("note", "internal"),
    entry("asked in public", "public", thread="e1"),
    entry("found", "internal", thread="e1", author="ben"),
    entry("draft", "envelope_only", thread="e1", author="ben"),
    entry("other thread", "internal", thread="e2", author="eva"),
]


def test_customer_reads_only_public_entries_of_the_main_thread() -> None:
    assert [e.id for e in timeline.for_customer(ENTRIES)] == ["mail"]


@pytest.mark.parametrize(
    ("agent", "seen"),
    [
        ("ana", ["mail", "note", "asked in public", "found"]),
        ("cleo", ["mail", "note", "asked in public", "found"]),
        ("ben", ["mail", "note", "asked in public", "found", "draft"]),
        ("fin", ["mail", "note"]),
        ("eva", ["mail", "note", "other thread"]),
    ],
)
def test_threads_are_for_their_people(agent: str, seen: list[str]) -> None:
    found = timeline.for_agent(ENTRIES, agent_id=agent, ticket=owned(), envelopes=[ENVELOPE])
    assert [e.id for e in found] == seen


def test_what_was_done_is_told_internally() -> None:
    done = [
        Event(ticket_id="web:1", kind=Kind.ACCEPTED, at=MONDAY, value="ana", actor="ana"),
        Event(
            ticket_id="web:1",
            kind=Kind.ENVELOPE_COMPLETED,
            at=MONDAY,
            value="e1",
            actor="ben",
            reason="zone was missing",
        ),
        Event(ticket_id="web:1", kind=Kind.TASK, at=MONDAY, value="t1", data={"title": "call", "status": "done"}),
        Event(ticket_id="web:1", kind=Kind.MESSAGE, at=MONDAY),
    ]
    history = [seal(event, version=n, previous_hash="", recorded_at=MONDAY) for n, event in enumerate(done, 1)]
    entries = timeline.entries(history)
    assert [(e.type, e.content) for e in entries] == [
        ("system", "ana accepted the ticket and owns it"),
        ("envelope_completed", "Envelope e1 completed: zone was missing"),
        ("task_completed", "Task call: done"),
    ]
    assert timeline.for_customer(entries) == []
