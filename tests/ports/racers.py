"""What two processes do at once to one store."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from engine.contracts import Event, IngestReport, Kind, Ticket
from engine.shared.errors import Conflict
from engine.storage import open_store
from engine.storage.ports import Store
from tests.ports.examples import LATER, delivery, event, ticket


def accepted(found: Ticket, by: str) -> tuple[Ticket, list[Event]]:
    owned = found.model_copy(update={"owner_id": by, "accepted_by": by, "accepted_at": LATER, "updated_at": LATER})
    return owned, [Event(ticket_id=found.id, kind=Kind.ACCEPTED, at=LATER, value=by, actor=by)]


def claim(store: Store, key: str, by: str, ready: Any = None) -> str | None:
    """Load, wait for the others, accept: the name if this one won."""
    owned, events = accepted(store.ticket(key), by)
    if ready is not None:
        ready.wait()
    try:
        return store.save(owned, events, at=LATER).ticket.owner_id
    except Conflict:
        return None


def claim_as_process(url: str, key: str, by: str) -> str | None:
    store = open_store(url)
    try:
        return claim(store, key, by)
    except Exception as error:
        return f"failed: {error!r}"


def deliver_as_process(url: str) -> IngestReport:
    tickets = [ticket(number) for number in range(400)]
    events = [event(number, hours=hour, id=f"{number}/{hour}") for number in range(400) for hour in (1, 2, 3)]
    return open_store(url).ingest(delivery(*tickets, events=tuple(events)), at=LATER)


def claims_of_threads(url: str, key: str, names: list[str]) -> list[str]:
    ready = Barrier(len(names))
    stores = [open_store(url) for _ in names]
    with ThreadPoolExecutor(len(names)) as pool:
        running = [pool.submit(claim, store, key, name, ready) for store, name in zip(stores, names, strict=True)]
        return [winner for future in running if (winner := future.result())]
