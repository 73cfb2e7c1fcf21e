"""The fast way to seal a history gives the hashes of the plain one."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from engine.contracts import GENESIS, Event, Kind, RecordedEvent, SlaEffect, first_broken_link, seal
from engine.storage.chain import Head, link, portable

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
instants = st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words | instants
nested = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))
events = st.builds(
    Event,
    ticket_id=st.just("s:1"),
    kind=st.sampled_from(Kind),
    at=instants,
    value=st.none() | words,
    actor=words,
    reason=st.none() | words,
    sla_effect=st.sampled_from(SlaEffect),
    data=st.dictionaries(words, nested, max_size=3),
    id=st.none() | words,
)


@given(st.lists(events, max_size=4), instants)
def test_fast_chain_equals_seal(given_events: list[Event], recorded_at: datetime) -> None:
    kept = [portable(event) for event in given_events]
    rows, head = link(kept, head=Head(), recorded_at=recorded_at)
    slow: list[RecordedEvent] = []
    for version, event in enumerate(kept, start=1):
        previous = slow[-1].hash if slow else GENESIS
        slow.append(seal(event, version=version, previous_hash=previous, recorded_at=recorded_at))
    assert [RecordedEvent(**row) for row in rows] == slow
    assert head == Head(len(slow), slow[-1].hash if slow else GENESIS)
    assert first_broken_link(slow) is None


@given(events)
def test_a_portable_event_stays_what_it_is(event: Event) -> None:
    assert portable(portable(event)) == portable(event)
