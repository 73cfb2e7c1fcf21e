"""Where a number of DECISIONS.md or a policy of the desk divides: just below it, at it, just above it."""

from datetime import datetime, timedelta

import pytest

from engine import priority
from engine.allocation.decide import decide
from engine.contracts import Delivery, Event, Kind, Outcome
from engine.lifecycle import replay
from engine.priority import Section
from tests.engine.allocation.desk import NOON, group, policy, ticket
from tests.engine.people import MONDAY, POLICIES, delivered, later, owned, stood
from tests.engine.test_flags import earlier, is_repeat
from tests.engine.test_grant_review import grant, weekly
from tests.engine.test_kanban import board_of, view
from tests.ports.memory_store import MemoryStore

INSTANT = timedelta(microseconds=1)
NOTED = (Kind.CLASSIFIED, Kind.DRAFTED, Kind.ALERT, Kind.ACKNOWLEDGED, Kind.REMINDER, Kind.ALLOCATED, Kind.RULE)


def status(value: str, hours: float, key: str) -> Event:
    return Event(id=key, ticket_id="web:1", kind=Kind.STATUS, value=value, at=later(hours))


def taken(*deliveries: Delivery) -> MemoryStore:
    store = MemoryStore()
    for delivery in deliveries:
        store.ingest(delivery, at=later(24))
    return store


@pytest.mark.parametrize(("hours", "expected"), [(1.999, "resolved"), (2, "in_progress"), (2.001, "in_progress")])
def test_a_new_event_of_the_same_instant_comes_after_those_before(hours: float, expected: str) -> None:
    first = Delivery(
        tickets=(delivered(1, status="resolved", updated_at=later(2)),), events=(status("resolved", 2, "a"),)
    )
    store = taken(first, Delivery(events=(status("in_progress", hours, "b"),)))
    assert store.ticket("web:1").status == expected


def test_a_known_event_of_the_same_instant_explains_no_change() -> None:
    told = (status("resolved", 2, "a"), status("in_progress", 2, "b"))
    first = Delivery(tickets=(delivered(1, status="in_progress", updated_at=later(2)),), events=told)
    store = taken(first, Delivery(tickets=(delivered(1, status="resolved", updated_at=later(5)),), events=told[:1]))
    history = store.history("web:1")
    assert (history[-1].value, history[-1].at) == ("resolved", later(5))
    assert replay(history[0].data, history).status == store.ticket("web:1").status == "resolved"


@pytest.mark.parametrize(
    ("since", "expected"), [(-INSTANT, "skipped"), (timedelta(0), "skipped"), (INSTANT, "updated")]
)
def test_a_delivery_changes_a_ticket_if_it_is_newer(since: timedelta, expected: str) -> None:
    store = taken(Delivery(tickets=(delivered(1, updated_at=later(1)),)))
    newer = delivered(1, status="resolved", updated_at=later(1) + since)
    report = store.ingest(Delivery(tickets=(newer,)), at=later(24))
    assert {"updated": report.updated, "skipped": report.skipped}[expected] == 1


@pytest.mark.parametrize("kind", NOTED)
def test_what_the_desk_notes_by_itself_was_no_update_of_then(kind: Kind) -> None:
    store = taken(Delivery(tickets=(delivered(1),)))
    store.append([Event(ticket_id="web:1", kind=kind, at=later(2), value="x")], at=later(2))
    store.append([Event(ticket_id="web:1", kind=Kind.MESSAGE, at=later(4))], at=later(4))
    assert updated_at(store, later(3)) == MONDAY


@pytest.mark.parametrize("kind", sorted(set(Kind) - set(NOTED) - {Kind.CREATED}))
def test_whatever_else_happened_was_an_update_of_then(kind: Kind) -> None:
    store = taken(Delivery(tickets=(delivered(1),)))
    value = {"status": "in_progress", "priority": "low", "tier": "free", "type": "problem"}.get(kind, "x")
    store.append([Event(ticket_id="web:1", kind=kind, at=later(2), value=value)], at=later(2))
    store.append([Event(ticket_id="web:1", kind=Kind.MESSAGE, at=later(4))], at=later(4))
    assert [updated_at(store, later(2) + span) for span in (-INSTANT, timedelta(0), INSTANT)] == [
        MONDAY,
        later(2),
        later(2),
    ]


def updated_at(store: MemoryStore, at: datetime) -> datetime:
    found: datetime = stood(store, at)["updated_at"].item()
    return found


@pytest.mark.parametrize(("span", "is_flagged"), [(-INSTANT, True), (timedelta(0), True), (INSTANT, False)])
def test_a_contact_counts_within_thirty_days(span: timedelta, *, is_flagged: bool) -> None:
    first = earlier(1).model_copy(update={"created_at": MONDAY - timedelta(days=30) - span})
    assert is_repeat([first, earlier(2)]) is is_flagged


@pytest.mark.parametrize(
    ("above", "outcome"), [(-1e-9, Outcome.ALLOCATED), (0, Outcome.ALLOCATED), (1e-9, Outcome.WAITING)]
)
def test_a_group_that_scores_the_minimum_scores_enough(above: float, outcome: Outcome) -> None:
    composite = decide(ticket(), [group("a")], policy(), NOON).score
    assert decide(ticket(), [group("a")], policy(min_score=composite + above), NOON).outcome == outcome


@pytest.mark.parametrize(("above", "burns"), [(-0.1, True), (0, True), (0.1, False)])
def test_a_score_at_the_attention_score_needs_attention(above: float, *, burns: bool) -> None:
    preset = priority.load(POLICIES / "priority.yaml").preset()
    scored = priority.score(owned(), at=later(1), preset=preset)
    limit = preset.model_copy(update={"attention_score": scored.score + above})
    found = priority.section(owned(), scored, preset=limit)
    assert found == (Section.NEEDS_ATTENTION if burns else Section.ON_TRACK)


@pytest.mark.parametrize(("cards", "is_over"), [(1, False), (2, False), (3, True)])
def test_a_column_at_its_limit_is_not_over_it(cards: int, *, is_over: bool) -> None:
    shown = board_of(view(wip_limits={"in_progress": 2}), [owned(id=str(n)) for n in range(cards)])
    assert [column.is_over_limit for column in shown.columns if column.name == "in_progress"] == [is_over]


@pytest.mark.parametrize(
    ("at", "is_listed"),
    [
        (later(-9) - INSTANT, False),
        (later(-9), True),
        (later(-9, days=7) - INSTANT, True),
        (later(-9, days=7), False),
    ],
)
def test_a_week_of_grants_goes_from_monday_until_before_monday(at: datetime, *, is_listed: bool) -> None:
    assert bool(weekly([grant(1, created_at=at)])) is is_listed
