"""What a system outside is to be told: written with the decision, sent later, marked once the other side has it.

A ticket has at most one row of a kind that waits; a newer one takes its place, so that nothing old arrives after it.
Notices are about no one ticket, and none takes another's place.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from more_itertools import chunked
from sqlalchemy import Connection, Engine, case, func, select, update

from engine.contracts import AllocationDecision, Outcome
from engine.shared.columns import ROWS_PER_TRANSACTION, insert_into
from engine.shared.errors import NotFound
from engine.storage import audit_log, rows, seals
from engine.storage.audit_log import Entry
from engine.storage.bulk import insert_rows
from engine.storage.connect import reading, writing
from engine.storage.people_tables import notices, notification_queue
from engine.storage.tables import allocation_decisions, breakers, outbox
from engine.storage.text import clean

ALLOCATION = "allocation"
SUGGESTION = "suggestion"
NOTICE = "notice"
NOTICES = "notice:"
"""How the destination of every channel of notices begins."""
_UNSENT = outbox.c.state.in_(("pending", "refused"))


class Destination(Protocol):
    """Where decisions are sent to, and what it is told of one; a handler plugin is one."""

    name: str

    def payload(self, decision: AllocationDecision) -> dict[str, Any]: ...


class Outgoing(NamedTuple):
    """A row that is not sent. `key` names the fact (the ticket, its decision's number), never the attempt."""

    id: int
    destination: str
    ticket_id: str | None
    key: str
    payload: dict[str, Any]
    attempts: int
    last_error: str | None


class Standing(NamedTuple):
    """How it stands with a row: sent, or why not, and when it is tried next."""

    destination: str
    ticket_id: str | None
    key: str
    kind: str
    state: str
    created_at: datetime
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    sent_at: datetime | None


class Parcel(NamedTuple):
    """What a destination is to be sent, of a ticket unless it is a notice; the same key is the same fact."""

    destination: str
    ticket_id: str | None
    key: str
    payload: dict[str, Any]


class Breaker(NamedTuple):
    """How often in a row a destination failed, and until when it is left alone."""

    failures: int = 0
    rests_until: datetime | None = None


class Unsent(NamedTuple):
    """How many rows of one destination were not sent yet, and how many of them wait for a person."""

    destination: str
    waiting: int
    refused: int


def queue(
    connection: Connection, new: Sequence[AllocationDecision], destination: Destination | None, *, at: datetime
) -> None:
    """In the transaction that kept these decisions: the last one of each ticket waits, older unsent ones never go."""
    last = {decision.ticket_id: decision for decision in new}
    _replace(connection, last, ALLOCATION)
    if destination is None:
        return
    key = allocation_decisions.c.ticket_id
    counted = select(key, func.count()).where(key.in_(last)).group_by(key)
    numbers = dict(connection.execute(counted).tuples().all())
    allocated = [decision for decision in last.values() if decision.outcome == Outcome.ALLOCATED]
    parcels = [
        Parcel(
            destination.name,
            one.ticket_id,
            f"{one.ticket_id}/decision/{numbers[one.ticket_id]}",
            destination.payload(one),
        )
        for one in allocated
    ]
    _insert(connection, parcels, ALLOCATION, at)


def _replace(connection: Connection, tickets: Collection[str], kind: str) -> None:
    older = _UNSENT & outbox.c.ticket_id.in_(tickets) & (outbox.c.kind == kind)
    connection.execute(update(outbox).where(older).values(state="replaced"))


def _insert(connection: Connection, parcels: Sequence[Parcel], kind: str, at: datetime) -> None:
    """What is to be sent stands in the audit log with the row."""
    if not parcels:
        return
    new = [_row(parcel, kind, at) for parcel in parcels]
    insert_rows(connection, outbox, new)
    audit_log.keep_seals(connection, dict(map(seals.OUTGOING.seal, new)), Entry(kind, at, "", "system", {}))


def _row(parcel: Parcel, kind: str, at: datetime) -> dict[str, Any]:
    fields = {
        **parcel._asdict(),
        "kind": kind,
        "created_at": at,
        "attempts": 0,
        "next_attempt_at": at,
        "state": "pending",
    }
    return rows.plain(outbox, fields)


class Outbox:
    """The deliverer's side; every change is a transaction of its own, so that a kill costs one row's mark at most."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def queue_suggestions(self, parcels: Sequence[Parcel], *, at: datetime) -> None:
        """They wait from now on, in the place of older ones of their tickets; none may be `known`."""
        for some in chunked(parcels, ROWS_PER_TRANSACTION):
            with writing(self._engine) as connection:
                _replace(connection, [parcel.ticket_id for parcel in some if parcel.ticket_id], SUGGESTION)
                _insert(connection, some, SUGGESTION, at)

    def queue_notices(self, parcels: Sequence[Parcel], *, at: datetime, within: Connection) -> None:
        """In the transaction that keeps the notices."""
        _insert(within, parcels, NOTICE, at)

    def known(self, keys: Collection[str]) -> set[str]:
        """Which of these keys the outbox has, whatever became of them."""
        found: set[str] = set()
        with reading(self._engine) as connection:
            for some in chunked(keys, ROWS_PER_TRANSACTION):
                found |= set(connection.execute(select(outbox.c.key).where(outbox.c.key.in_(some))).scalars())
        return found

    def next_due(self, destination: str, *, at: datetime, after: int = 0) -> Outgoing | None:
        """The first row past number `after` whose time has come."""
        due = (outbox.c.state == "pending") & (outbox.c.next_attempt_at <= at) & (outbox.c.id > after)
        found = self._rows(due & (outbox.c.destination == destination), limit=1)
        return found[0] if found else None

    def refused(self) -> list[Outgoing]:
        """What a person has to look at, the oldest first."""
        return self._rows(outbox.c.state == "refused")

    def standings(self, keys: Collection[str] | None = None, *, limit: int | None = None) -> list[Standing]:
        """How it stands with these rows; without keys, with those not sent, refused and old ones first."""
        columns = [outbox.c[name] for name in Standing._fields]
        which = _UNSENT if keys is None else outbox.c.key.in_(list(keys))
        query = select(*columns).where(which).order_by(outbox.c.state.desc(), outbox.c.id).limit(limit)
        with reading(self._engine) as connection:
            return [Standing(*row) for row in connection.execute(query)]

    def unsent(self) -> list[Unsent]:
        """By destination; one with nothing left to send is not among them."""
        refused = func.count().filter(outbox.c.state == "refused")
        found = select(outbox.c.destination, func.count() - refused, refused).where(_UNSENT)
        with reading(self._engine) as connection:
            rows = connection.execute(found.group_by(outbox.c.destination).order_by(outbox.c.destination))
            return [Unsent(*row) for row in rows]

    def drop(self, destination: str) -> int:
        """What was not sent there never will be; returns how many rows. They stay, marked as replaced, and say so."""
        there = _UNSENT & (outbox.c.destination == destination)
        with writing(self._engine) as connection:
            given_up = update(outbox).where(there).values(state="replaced", last_error="dropped, its handler is gone")
            return connection.execute(given_up).rowcount

    def sent(self, number: int, *, at: datetime, within: Connection | None = None) -> None:
        """The other side has it, whatever was decided meanwhile."""
        self._mark(outbox.c.id == number, within, state="sent", sent_at=at, last_error=None)

    def notice_sent(self, notice_id: str, *, at: datetime, within: Connection) -> None:
        """A notice was taken, and with it all the news in it."""
        within.execute(update(notices).where(notices.c.id == notice_id).values(sent_at=at))
        summed_up = notification_queue.c.notice_id == notice_id
        within.execute(update(notification_queue).where(summed_up).values(sent_at=at))

    def breaker(self, destination: str) -> Breaker:
        query = select(breakers.c.failures, breakers.c.rests_until).where(breakers.c.destination == destination)
        with reading(self._engine) as connection:
            found = connection.execute(query).first()
        return Breaker(*found) if found else Breaker()

    def keep_breaker(self, destination: str, breaker: Breaker) -> None:
        with writing(self._engine) as connection:
            statement = insert_into(breakers, connection).values(destination=destination, **breaker._asdict())
            connection.execute(statement.on_conflict_do_update(index_elements=["destination"], set_=breaker._asdict()))

    def delay(self, number: int, *, until: datetime, why: str) -> bool:
        """Try again later; False if a newer decision has taken its place."""
        return self._mark(_waits(number), next_attempt_at=until, last_error=clean(why)) == 1

    def refuse(self, number: int, *, why: str) -> bool:
        """Keep it for a person; False if a newer decision has taken its place."""
        return self._mark(_waits(number), state="refused", last_error=clean(why)) == 1

    def hold(self, destination: str, *, until: datetime) -> None:
        """Nothing goes there before."""
        later = case((outbox.c.next_attempt_at < until, until), else_=outbox.c.next_attempt_at)
        waiting = (outbox.c.destination == destination) & (outbox.c.state == "pending")
        with writing(self._engine) as connection:
            connection.execute(update(outbox).where(waiting).values(next_attempt_at=later))

    def retry(self, key: str | None, *, at: datetime) -> Counter[str]:
        """Let a row that was refused or that rests, or all of them, be sent now; returns how many of each kind. Raises
        NotFound for another key."""
        chosen = _UNSENT & ((outbox.c.state == "refused") | (outbox.c.next_attempt_at > at))
        with writing(self._engine) as connection:
            named = chosen if key is None else chosen & (outbox.c.key == clean(key))
            changed = update(outbox).where(named).values(state="pending", next_attempt_at=at)
            found = connection.execute(changed.returning(outbox.c.kind, outbox.c.destination)).all()
            again = {destination for _, destination in found}
            connection.execute(update(breakers).where(breakers.c.destination.in_(again)).values(rests_until=None))
        if key is not None and not found:
            raise NotFound(
                f"Nothing refused or resting goes by the key {key}; `helmdesk deliver --refused` lists what was refused"
            )
        return Counter(kind for kind, _ in found)

    def _mark(self, which: Any, within: Connection | None = None, **values: Any) -> int:
        with writing(self._engine, within=within) as connection:
            marked = update(outbox).where(which).values(attempts=outbox.c.attempts + 1, **values)
            return connection.execute(marked).rowcount

    def _rows(self, which: Any, *, limit: int | None = None) -> list[Outgoing]:
        columns = [outbox.c[name] for name in Outgoing._fields]
        with reading(self._engine) as connection:
            found = connection.execute(select(*columns).where(which).order_by(outbox.c.id).limit(limit))
            return [Outgoing(*row) for row in found]


def _waits(number: int) -> Any:
    return (outbox.c.id == number) & (outbox.c.state == "pending")
