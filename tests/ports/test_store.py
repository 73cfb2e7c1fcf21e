"""What every system of record promises, whether it is memory, SQLite or PostgreSQL."""

from datetime import datetime

import pytest

from engine.contracts import Kind, Outcome, Priority, Status
from engine.envelopes import Envelope
from engine.shared.errors import BadInput, Conflict, NotFound
from engine.storage.ports import Store
from tests.ports.examples import (
    ANA,
    BEN,
    HOUR,
    LATER,
    MONDAY,
    decision,
    delivery,
    event,
    ticket,
)
from tests.ports.racers import accepted, claim

sql_only = pytest.mark.usefixtures("sql_only")
KEY = "servicenow:INC1"


def test_a_ticket_is_found_by_key_reference_or_external_id(store: Store) -> None:
    store.ingest(delivery(ticket(ticket_number="INC-2026-0007")), at=LATER)
    assert {store.ticket(name).id for name in (KEY, "INC-2026-0007", "INC1")} == {KEY}
    for unknown in ("INC9", "INC1\x00", "INC\udcff"):
        with pytest.raises(NotFound, match="INC"):
            store.ticket(unknown)


def test_a_name_of_two_tickets_is_not_guessed(store: Store) -> None:
    store.ingest(delivery(ticket(), ticket(source="jira")), at=LATER)
    with pytest.raises(BadInput, match=r"Several .* one of jira:INC1, servicenow:INC1\."):
        store.ticket("INC1")


def test_tickets_fit_all_filters_oldest_first(store: Store) -> None:
    given = [ticket(number, created_at=MONDAY - number * HOUR) for number in range(1, 6)]
    store.ingest(delivery(*given), at=LATER)
    claim(store, "INC2", ANA)
    assert [found.external_id for found in store.tickets()] == ["INC5", "INC4", "INC3", "INC2", "INC1"]
    assert [found.external_id for found in store.tickets(holder=[ANA])] == ["INC2"]
    assert [f.external_id for f in store.tickets(ids=[KEY, "servicenow:INC3", "no"], limit=1)] == ["INC3"]
    assert store.tickets(ids=[]) == store.tickets(statuses=[Status.CLOSED]) == []
    assert len(store.tickets(statuses=[Status.NEW], limit=4)) == 4


def test_save_writes_ticket_events_and_records_together(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    envelope = Envelope(id="e1", ticket_id=KEY, requested_by=ANA, reason="BGP", created_at=LATER, response_due_at=LATER)
    saved = store.save(*accepted(store.ticket(KEY), ANA), at=LATER, records=[envelope])
    assert saved.ticket == store.ticket(KEY)
    assert (saved.ticket.owner_id, saved.ticket.accepted_at, saved.ticket.version) == (ANA, LATER, 2)
    assert saved.events == store.history(KEY)[1:]
    assert store.get(Envelope, "e1") == envelope


def test_save_is_all_or_nothing(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    lost = Envelope(id="e1", ticket_id="no:1", requested_by=ANA, reason="x", created_at=LATER, response_due_at=LATER)
    with pytest.raises(NotFound):
        store.save(*accepted(store.ticket(KEY), ANA), at=LATER, records=[lost])
    assert (store.ticket(KEY).owner_id, len(store.history(KEY)), store.all(Envelope)) == (None, 1, [])


def test_a_ticket_that_moved_on_is_not_saved(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    loaded = store.ticket(KEY)
    store.append([event()], at=LATER)
    with pytest.raises(Conflict, match="moved on"):
        store.save(*accepted(loaded, ANA), at=LATER)


def test_mark_moves_with_what_happens_to_tickets(store: Store) -> None:
    marks = [store.mark()]
    store.ingest(delivery(), at=MONDAY)
    marks.append(store.mark())
    store.append([event()], at=LATER)
    marks.append(store.mark())
    claim(store, KEY, ANA)
    assert len({*marks, store.mark()}) == 4
    assert store.mark() == store.mark()


def test_the_first_owner_stays(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    claim(store, KEY, ANA)
    with pytest.raises(Conflict, match="never changes"):
        store.save(*accepted(store.ticket(KEY), BEN), at=LATER)
    handed = store.ticket(KEY).model_copy(update={"owner_id": BEN})
    with pytest.raises(Conflict, match="transfer"):
        store.save(handed, [], at=LATER)


def test_a_transfer_changes_the_owner_and_not_who_accepted(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    claim(store, KEY, ANA)
    handed = store.ticket(KEY).model_copy(update={"owner_id": BEN})
    store.save(handed, [event(kind=Kind.TRANSFERRED, value=BEN)], at=LATER)
    assert (store.ticket(KEY).owner_id, store.ticket(KEY).accepted_by) == (BEN, ANA)


def test_an_owner_without_acceptance_is_refused(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    with pytest.raises(BadInput, match="both"):
        store.save(store.ticket(KEY).model_copy(update={"owner_id": ANA}), [], at=LATER)


def test_an_unknown_ticket_is_not_saved_nor_appended_to(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    with pytest.raises(NotFound):
        store.save(store.ticket(KEY).model_copy(update={"id": "no:1"}), [], at=LATER)
    with pytest.raises(NotFound, match="servicenow:INC2"):
        store.append([event(2)], at=LATER)


def test_append_skips_events_it_knows(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    drafted = event(kind=Kind.DRAFTED, id="draft/1")
    assert store.append([drafted, drafted, event()], at=LATER) == 2
    assert store.append([drafted], at=LATER) == 0
    assert store.ticket(KEY).version == 3


def test_an_instant_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="time zone"):
        store.ingest(delivery(), at=datetime(2026, 3, 2))  # noqa: DTZ001


def test_decisions_are_kept_with_scores_and_set_the_group(store: Store) -> None:
    store.ingest(delivery(ticket(1), ticket(2)), at=MONDAY)
    given = [decision(1), decision(2, None, Outcome.WAITING)]
    assert store.record_decisions(given, at=LATER) == 2
    assert store.decisions() == given
    assert store.decisions("servicenow:INC2") == given[1:]
    assert [found.group_id for found in store.tickets()] == ["g-net", None]
    last = store.history(KEY)[-1]
    assert (last.kind, last.value, last.data["outcome"]) == ("allocated", "g-net", "allocated")


def test_a_decisions_score_is_stored_as_confidence(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    store.record_decisions([decision(1)], at=LATER)
    assert store.frame("allocation_decisions")["confidence"].to_list() == [0.877]
    assert [made.score for made in store.decisions()] == [0.877]


def test_an_equal_decision_is_skipped(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    again = decision().model_copy(update={"rationale": "other words"})
    assert store.record_decisions([decision(), again], at=LATER) == 1
    assert store.record_decisions([again], at=LATER) == 0
    assert store.record_decisions([decision(group="g-app"), decision()], at=LATER) == 2
    assert store.ticket(KEY).group_id == "g-net"


def test_a_decision_on_an_unknown_ticket_is_refused(store: Store) -> None:
    with pytest.raises(NotFound):
        store.record_decisions([decision()], at=LATER)


def test_counts_tell_rows_per_table(store: Store) -> None:
    store.ingest(delivery(ticket(1), ticket(2)), at=MONDAY)
    counts = store.counts()
    assert (counts["tickets"], counts["events"], counts["ingest_batches"], counts["agents"]) == (2, 2, 1, 0)


def test_priority_of_a_ticket_is_read_as_its_enum(store: Store) -> None:
    store.ingest(delivery(ticket(priority="high")), at=MONDAY)
    assert store.tickets()[0].priority is Priority.HIGH
