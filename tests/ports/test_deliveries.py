"""What a delivery does to every system of record."""

from datetime import datetime
from typing import Any

import pytest

from engine.contracts import Event, IngestReport, Kind, Status, first_broken_link
from engine.lifecycle import history_from_dates
from engine.shared.errors import Conflict
from engine.storage.ports import Store
from tests.ports.examples import (
    ANA,
    HOUR,
    LATER,
    MONDAY,
    REJECTED,
    created,
    delivery,
    event,
    ticket,
)
from tests.ports.memory_store import MemoryStore
from tests.ports.racers import accepted, claim

sql_only = pytest.mark.usefixtures("sql_only")
KEY = "servicenow:INC1"


def test_new_ticket_keeps_what_the_source_says(store: Store) -> None:
    given = ticket(
        ticket_number="INC-2026-0001", requester="cy", company="acme", group="g1", assignee=ANA, tags=("vpn",),
        requester_location={"lat": 1.5, "lng": 2.0}, external_metadata={"n": 1}, impact=2, resolved_at=LATER,
    )  # fmt: skip
    assert store.ingest(delivery(given), at=LATER).created == 1
    kept = store.ticket(KEY)
    assert (kept.reference, kept.subject, kept.content) == ("INC-2026-0001", "VPN drops", "since “Monday” ☎")
    assert (kept.requester_id, kept.company_id, kept.group_id, kept.assignee_id) == ("cy", "acme", "g1", ANA)
    assert (kept.location, kept.tags, kept.external_metadata) == (given.requester_location, ("vpn",), {"n": 1})
    assert (kept.created_at, kept.resolved_at, kept.closed_at, kept.impact) == (MONDAY, LATER, None, 2)


def test_same_delivery_again_is_only_skipped(store: Store) -> None:
    given = delivery(ticket(1), ticket(2), events=(created(1), event(1), event(1, value="x", id="m1")))
    given = given.model_copy(update={"rejected": (REJECTED,)})
    first = store.ingest(given, at=LATER)
    assert (first.created, first.events, first.rejected) == (2, 4, 1)
    assert store.ingest(given, at=LATER + HOUR) == IngestReport(skipped=2, rejected=1)
    assert (store.counts()["events"], len(store.rejected())) == (4, 1)


def test_history_is_told_by_dates_without_a_created_event(store: Store) -> None:
    given = ticket(status="resolved", first_response_at=MONDAY + HOUR, resolved_at=LATER, updated_at=LATER)
    store.ingest(delivery(given), at=LATER)
    assert [(e.kind, e.at, e.value) for e in store.history(KEY)] == [
        (e.kind, e.at, e.value) for e in history_from_dates(given, at=LATER)
    ]


def test_values_at_creation_are_kept(store: Store) -> None:
    born = created(priority="low", status="triage")
    store.ingest(delivery(ticket(priority="high", status="in_progress"), events=(born,)), at=LATER)
    row = store.frame("tickets").row(0, named=True)
    assert (row["created_priority"], row["created_status"], row["priority"]) == ("low", "triage", "high")


def test_a_ticket_delivered_twice_in_one_go_is_one(store: Store) -> None:
    newer = ticket(title="VPN drops again", updated_at=LATER)
    assert store.ingest(delivery(ticket(), newer, ticket()), at=LATER) == IngestReport(
        created=1, updated=1, skipped=1, events=2
    )
    assert store.ticket(KEY).subject == "VPN drops again"


@pytest.mark.parametrize(
    ("updated_at", "status", "expected"),
    [
        (MONDAY + HOUR, "resolved", "updated"),
        (MONDAY, "resolved", "skipped"),
        (MONDAY - HOUR, "resolved", "skipped"),
        (None, "resolved", "updated"),
        (None, "new", "skipped"),
    ],
)
def test_only_newer_news_change_a_ticket(store: Store, updated_at: datetime | None, status: str, expected: str) -> None:
    store.ingest(delivery(ticket()), at=MONDAY)
    report = store.ingest(delivery(ticket(updated_at=updated_at, status=status)), at=LATER)
    assert (report.updated, report.skipped) == ((1, 0) if expected == "updated" else (0, 1))
    assert store.ticket(KEY).status == (status if expected == "updated" else "new")


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "in_progress"), ("priority", "critical"), ("tier", "enterprise"), ("type", "problem"), ("group", "g2")],
)
def test_a_change_without_its_event_gets_one(store: Store, field: str, value: str) -> None:
    change: dict[str, Any] = {field: value}
    store.ingest(delivery(ticket()), at=MONDAY)
    assert store.ingest(delivery(ticket(updated_at=LATER, **change)), at=LATER).events == 1
    last = store.history(KEY)[-1]
    assert (last.kind, last.value, last.at, last.actor) == (field, value, LATER, "servicenow")
    assert store.ticket(KEY).version == len(store.history(KEY))


def test_a_change_with_its_event_gets_no_second(store: Store) -> None:
    store.ingest(delivery(ticket()), at=MONDAY)
    told = event(kind=Kind.STATUS, value="in_progress", hours=2, actor=ANA, id="s1")
    store.ingest(delivery(ticket(updated_at=LATER, status="in_progress"), events=(told,)), at=LATER)
    assert [(e.id, e.actor) for e in store.history(KEY) if e.kind == Kind.STATUS] == [("s1", ANA)]


def test_a_resolution_at_the_source_is_dated_by_the_source(store: Store) -> None:
    store.ingest(delivery(ticket()), at=MONDAY)
    noon, done = MONDAY + 3 * HOUR, MONDAY + 4 * HOUR
    closed = ticket(status="closed", first_response_at=noon, resolved_at=noon, closed_at=done, updated_at=LATER)
    store.ingest(delivery(closed), at=LATER)
    assert [(e.kind, e.value, e.at, e.sla_effect) for e in store.history(KEY)[1:]] == [
        ("status", "resolved", noon, "stop"),
        ("response", None, noon, "none"),
        ("status", "closed", done, "none"),
    ]


def test_the_desk_keeps_what_the_source_did_not_change(store: Store) -> None:
    store.ingest(delivery(ticket()), at=MONDAY)
    claim(store, KEY, ANA)
    moved = store.ticket(KEY).model_copy(update={"status": Status.IN_PROGRESS, "group_id": "g-net"})
    store.save(moved, [event(kind=Kind.STATUS, value="in_progress", hours=8)], at=LATER)
    store.ingest(delivery(ticket(title="More words", updated_at=LATER + HOUR)), at=LATER + HOUR)
    kept = store.ticket(KEY)
    assert (kept.subject, kept.status, kept.group_id, kept.owner_id) == ("More words", "in_progress", "g-net", ANA)


def test_news_of_a_source_are_not_lost_to_a_decision_made_before(store: Store) -> None:
    store.ingest(delivery(ticket()), at=MONDAY)
    loaded = store.ticket(KEY)
    store.ingest(delivery(ticket(title="More words", updated_at=LATER)), at=LATER)
    with pytest.raises(Conflict):
        store.save(*accepted(loaded, ANA), at=LATER)


def test_events_out_of_order_are_recorded_by_time(store: Store) -> None:
    late, early = event(hours=5, id="late"), event(hours=2, id="early")
    store.ingest(delivery(events=(late, created(), early)), at=LATER)
    assert [e.id for e in store.history(KEY)] == [f"{KEY}/born", "early", "late"]


def test_a_history_longer_than_a_transaction_is_kept_whole(store: Store) -> None:
    many = tuple(event(hours=hour, id=f"m{hour}") for hour in range(1, 1201))
    store.ingest(delivery(events=(created(), *many)), at=LATER)
    history = store.history(KEY)
    assert [e.version for e in history] == list(range(1, 1202))
    assert first_broken_link(history) is None


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (event(2, id="lost"), "unknown"),
        (event(1, Kind.STATUS, value="asleep", id="odd"), "'asleep'"),
        (created(1, tier="gold"), "'gold'"),
    ],
)
def test_an_event_that_cannot_be_kept_is_rejected_each_time_and_kept_once(store: Store, bad: Event, why: str) -> None:
    given = delivery(events=(bad,))
    assert [store.ingest(given, at=LATER).rejected for _ in range(2)] == [1, 1]
    (kept,) = store.rejected()
    assert (why in kept.reason, kept.content["id"], kept.source) == (True, bad.id, "servicenow")


def test_rejected_rows_are_kept_once_in_order(store: Store) -> None:
    other = REJECTED.model_copy(update={"row": 8})
    given = delivery().model_copy(update={"rejected": (REJECTED, other, REJECTED)})
    assert [store.ingest(given, at=LATER).rejected for _ in range(2)] == [3, 3]
    assert store.rejected() == [REJECTED, other]


def test_what_json_does_not_have_costs_its_own_row_only(store: Store) -> None:
    odd = ticket(2, external_metadata={"a": float("inf")})
    heard = (event(1, data={"a": float("nan")}), event(1, id="sound"))
    report = store.ingest(delivery(ticket(1), odd, ticket(3), events=heard), at=LATER)
    assert (report.created, report.rejected, [each.id for each in store.tickets()]) == (
        2, 2, ["servicenow:INC1", "servicenow:INC3"],
    )  # fmt: skip
    assert [each.id for each in store.history(KEY)][-1] == "sound"
    assert [each.content for each in store.rejected()] == [
        each.content | {"ticket_id": name} for name, each in zip(["INC2", KEY], store.rejected(), strict=True)
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_event_id_of_another_ticket_is_refused_not_lost(store: Store, *, at_once: bool) -> None:
    mine, theirs = event(1, id="1"), event(2, id="1")
    parts = [(mine, theirs)] if at_once else [(mine,), (theirs,)]
    reports = [store.ingest(delivery(ticket(1), ticket(2), events=part), at=LATER) for part in parts]
    assert reports[-1].rejected == 1
    (kept,) = store.rejected()
    assert "is an event of servicenow:INC1" in kept.reason
    assert store.ingest(delivery(ticket(1), events=(mine,)), at=LATER).rejected == 0


def test_one_event_id_told_two_ways_is_refused_not_lost(store: Store) -> None:
    twice = (event(1, id="1", value="a"), event(1, id="1", value="b"), event(1, id="1", value="a"))
    assert store.ingest(delivery(events=twice), at=LATER).rejected == 1
    assert store.history(KEY)[-1].value == "a"


def test_letters_that_databases_refuse_do_no_harm(store: Store) -> None:
    odd = ticket(title="nul \x00 in it", external_metadata={"a": "x\x00y", "half": "\ud83d", "literal": "\\u0000"})
    store.ingest(delivery(odd, events=(created(), event(reason="a\x00b", data={"when": MONDAY, "n": (2,)}))), at=LATER)
    kept = store.ticket(KEY)
    assert kept.subject == "nul \ufffd in it"
    assert kept.external_metadata == {"a": "x\ufffdy", "half": "\ufffd", "literal": "\\u0000"}
    assert store.history(KEY)[-1].data == {"when": str(MONDAY), "n": [2]}
    assert first_broken_link(store.history(KEY)) is None


@pytest.mark.usefixtures("sql_only")
def test_an_interrupted_delivery_is_finished_by_delivering_again(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = [ticket(number) for number in range(300)]
    many = tuple(event(number, hours=hour, id=f"{number}/{hour}") for number in range(300) for hour in range(1, 6))
    given, reference = delivery(*tickets, events=many), MemoryStore()
    reference.ingest(given, at=LATER)
    unharmed, calls = store._take_in, iter(range(10))
    monkeypatch.setattr(store, "_take_in", lambda items, at: unharmed(items, at=at) if next(calls) < 2 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.ingest(given, at=LATER)
    monkeypatch.setattr(store, "_take_in", unharmed)
    assert 0 < store.counts()["tickets"] < 300
    store.ingest(given, at=LATER)
    assert [store.history(found.id) for found in store.tickets()] == [
        reference.history(found.id) for found in reference.tickets()
    ]


def test_a_stolen_id_does_not_discredit_its_owner(store: Store) -> None:
    store.ingest(delivery(ticket(1), events=(event(1, id="1"),)), at=LATER)
    both = delivery(ticket(2), ticket(1), events=(event(2, id="1"), event(1, id="1")))
    assert store.ingest(both, at=LATER).rejected == 1


def test_a_stolen_id_deep_in_a_story_leaves_no_trace(store: Store) -> None:
    store.ingest(delivery(ticket(1), events=(event(1, id="e1"),)), at=LATER)
    many = [event(2, hours=1 + number / 100, id=f"m{number}") for number in range(700)]
    stolen = event(2, kind=Kind.STATUS, hours=9, value=Status.RESOLVED, id="e1")
    report = store.ingest(delivery(ticket(2), events=(*many, stolen)), at=LATER)
    assert (report.events, report.rejected) == (701, 1)
    assert Kind.STATUS not in {found.kind for found in store.history("servicenow:INC2")}
