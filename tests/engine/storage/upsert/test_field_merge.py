"""What a source and the desk say in turn leaves one state, and the history tells the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.contracts import Delivery, Event, Kind, Priority, StandardTicket, Status, TicketType, Tier
from engine.lifecycle import replay
from tests.ports.memory_store import MemoryStore

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = "jira:1"
hours = st.integers(0, 30)
said = st.fixed_dictionaries(
    {"status": st.sampled_from(Status), "priority": st.sampled_from(Priority)},
    optional={
        "tier": st.sampled_from(Tier),
        "type": st.sampled_from(TicketType),
        "updated_at": hours,
        "resolved_at": hours,
        "closed_at": hours,
        "first_response_at": hours,
        "title": st.sampled_from("ab"),
        "told_at": hours,
        "told": st.sampled_from(Status),
    },
)
steps = st.lists(
    st.tuples(st.sampled_from(["source", "source with events", "events", "desk"]), said), min_size=1, max_size=6
)


def instant(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def delivered(fields: dict[str, Any]) -> StandardTicket:
    dated = {name: instant(value) if isinstance(value, int) else value for name, value in fields.items()}
    known = {name: value for name, value in dated.items() if name in StandardTicket.model_fields}
    return StandardTicket.model_validate({"ticket_id": "1", "source": "jira", "created_at": START, **known})


def move(store: MemoryStore, fields: dict[str, Any], at: datetime) -> None:
    """The desk changes status and priority; never dated before what happened already."""
    ticket = store.ticket(KEY)
    when = max(at, ticket.updated_at, *(event.at for event in store.history(KEY)))
    events = [Event(ticket_id=KEY, kind=Kind(name), at=when, value=fields[name]) for name in ("status", "priority")]
    changed = {name: fields[name] for name in ("status", "priority")} | {"updated_at": when}
    store.save(ticket.model_copy(update=changed), events, at=when)


def take(store: MemoryStore, how: str, fields: dict[str, Any], at: datetime) -> None:
    ticket = delivered(fields)
    status = fields.get("told", ticket.status)
    told = Event(ticket_id=KEY, kind=Kind.STATUS, at=instant(fields.get("told_at", 0)), value=status)
    events = () if how == "source" else (told,)
    store.ingest(Delivery(tickets=() if how == "events" else (ticket,), events=events), at=at)


@given(st.sampled_from(["source", "source with events"]), said, steps)
def test_state_follows_from_history(
    how_first: str, first: dict[str, Any], later: list[tuple[str, dict[str, Any]]]
) -> None:
    store = MemoryStore()
    take(store, how_first, first, START)
    for hour, (how, fields) in enumerate(later, start=10):
        if how == "desk":
            move(store, fields, instant(hour))
        else:
            take(store, how, fields, instant(hour))
    ticket, history = store.ticket(KEY), store.history(KEY)
    derived = replay(history[0].data, history)
    assert (derived.status, derived.priority, derived.tier, derived.type) == (
        ticket.status,
        ticket.priority,
        ticket.tier,
        ticket.type,
    )


@given(said, said)
def test_the_same_word_twice_changes_nothing(first: dict[str, Any], second: dict[str, Any]) -> None:
    store = MemoryStore()
    take(store, "source", first, START)
    take(store, "source", second, instant(40))
    before = store.ticket(KEY), store.history(KEY)
    take(store, "source", second, instant(50))
    assert (store.ticket(KEY), store.history(KEY)) == before
