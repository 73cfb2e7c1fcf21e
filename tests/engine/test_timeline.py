"""Each reader sees what is meant for that reader."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def seen(reader: str, *, reads_internal: bool = False, teams: tuple[str, ...] = ()) -> list[str]:
    by = timeline.glimpse(reader, owned(), [ENVELOPE], teams=teams, reads_internal=reads_internal)
    return [e.id for e in timeline.for_reader(ENTRIES, by)]


@pytest.mark.parametrize(
    ("reader", "found"),
    [
        ("ana", ["mail", "note", "asked in public", "found", "draft"]),
        ("cleo", ["mail", "note", "asked in public", "found", "draft"]),
        ("ben", ["mail", "note", "asked in public", "found", "draft"]),
        ("fin", ["mail"]),
        ("eva", ["mail", "other thread"]),
    ],
)
def test_threads_are_for_their_people_and_notes_for_those_of_the_ticket(reader: str, found: list[str]) -> None:
    assert seen(reader) == found


def test_internal_entries_of_other_peoples_tickets_take_the_right() -> None:
    assert seen("dirk", reads_internal=True) == ["mail", "note", "asked in public", "found", "other thread"]


def test_a_team_that_is_asked_reads_what_it_is_about() -> None:
    assert seen("fin", teams=("network",)) == ["mail", "note"]


VISIBILITIES = ["public", "internal", "envelope_only"]
PEOPLE = ["ana", "ben", "cleo", "dirk", "eva"]
ENTRY = st.builds(
    entry, st.uuids().map(str), st.sampled_from(VISIBILITIES), thread=st.sampled_from([None, "e1", "e2"]),
    author=st.sampled_from(PEOPLE),
)  # fmt: skip


@given(entries=st.lists(ENTRY, max_size=8), reader=st.sampled_from([*PEOPLE, "fin"]), right=st.booleans())
def test_nobody_below_the_right_reads_what_is_not_theirs(
    entries: list[TimelineEntry], reader: str, right: bool
) -> None:
    """Ana owns the ticket; Cleo asked Ben, who is the expert of e1; nobody is of e2."""
    by = timeline.glimpse(reader, owned(), [ENVELOPE], teams=(), reads_internal=right)
    shown = {e.id for e in timeline.for_reader(entries, by)}
    for e in entries:
        if e.author_id == reader:
            assert e.id in shown
        elif e.visibility == "envelope_only":
            assert (e.id in shown) == (reader in {"ana", "ben", "cleo"} and e.envelope_id == "e1")
        elif e.envelope_id:
            assert (e.id in shown) == (right or (e.envelope_id == "e1" and reader in {"ana", "ben", "cleo"}))
        elif e.visibility == "internal":
            assert (e.id in shown) == (right or reader in {"ana", "ben", "cleo"})
        else:
            assert e.id in shown


def test_history_of_other_peoples_tickets_says_what_but_not_why() -> None:
    done = [
        Event(ticket_id="web:1", kind=Kind.STATUS, at=MONDAY, value="resolved", actor="ana", reason="his own fault"),
        Event(ticket_id="web:1", kind=Kind.FLAG, at=MONDAY, value="legal_risk", actor="ana", reason="he may sue"),
        Event(ticket_id="web:1", kind=Kind.FLAG, at=MONDAY, value="vip", actor="fin", reason="mine"),
    ]
    history = [seal(event, version=n, previous_hash="", recorded_at=MONDAY) for n, event in enumerate(done, 1)]

    def of(reader: str) -> list[tuple[str, str | None]]:
        by = timeline.glimpse(reader, owned(), [ENVELOPE], teams=(), reads_internal=False)
        return [(event.kind, event.reason) for event in timeline.events_for_reader(history, by)]

    assert of("fin") == [("status", None), ("flag", "mine")]
    assert of("ana") == [("status", "his own fault"), ("flag", "he may sue"), ("flag", "mine")]


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
