"""The statements behind the SQL store; each runs in a transaction that its caller has opened."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from more_itertools import chunked
from pydantic import BaseModel
from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Select,
    Text,
    any_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from engine.contracts import AllocationDecision, Event, Kind, Outcome, Rejected, Ticket
from engine.shared.columns import insert_into
from engine.shared.errors import Conflict
from engine.storage import outbox, rows, seals
from engine.storage.bulk import insert_rows
from engine.storage.chain import Head
from engine.storage.records import RecordMapping, mapping_of, parents_first
from engine.storage.tables import allocation_decisions, events, rejected_rows, tickets
from engine.storage.text import as_json
from engine.storage.upsert import field_merge, guards, plan
from engine.storage.upsert.field_merge import Row
from engine.storage.upsert.plan import ROWS_PER_TRANSACTION, Plan

_STAYS = {"id", "source", "external_id", "created_at"}


def fetch(connection: Connection, query: Executable) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]


def among(column: Column[str], dialect: str) -> ColumnElement[bool]:
    """Whether the column holds one of the words of the parameter `words` (see `in_words`), however many they are."""
    if dialect == "postgresql":
        return column == any_(bindparam("words", type_=ARRAY(Text)))
    return column.in_(select(func.json_each(bindparam("words", type_=Text)).table_valued("value").c.value))


def in_words(connection: Connection, words: Iterable[str]) -> dict[str, Any]:
    many = sorted(set(words))
    return {"words": many if connection.dialect.name == "postgresql" else as_json(many)}


@cache
def _query(kind: str, dialect: str) -> Select[Any]:
    last = (events.c.ticket_id == tickets.c.id) & (events.c.version == tickets.c.version)
    there = among(tickets.c.id, dialect)
    match kind:
        case "delivered at":
            return select(tickets.c.id, tickets.c.source_updated_at).where(there)
        case "tickets":
            return select(tickets).where(there).order_by(tickets.c.id)
        case "tickets locked":  # FOR NO KEY UPDATE: records that point to the ticket can be written meanwhile
            return select(tickets).where(there).order_by(tickets.c.id).with_for_update(key_share=True)
        case "keys locked":
            return select(tickets.c.id).where(there).order_by(tickets.c.id).with_for_update(key_share=True)
        case "event ids":
            return select(events.c.id, events.c.ticket_id).where(among(events.c.id, dialect))
        case _:
            return select(tickets.c.id, events.c.version, events.c.hash).join(events, last).where(there)


def _prepared_query(connection: Connection, kind: str, words: Iterable[str]) -> CursorResult[Any]:
    return connection.execute(_query(kind, connection.dialect.name), in_words(connection, words))


def delivered_at(connection: Connection, keys: Iterable[str]) -> dict[str, datetime | None]:
    """Which of these tickets are known, and the instant their source gave them last."""
    return dict(_prepared_query(connection, "delivered at", keys).tuples().all())


def known(connection: Connection, keys: Iterable[str], *, lock: bool = False) -> dict[str, Row]:
    """Stored tickets by key; `lock` holds them (in one order, so that nobody waits in a circle) until the end."""
    found = _prepared_query(connection, "tickets locked" if lock else "tickets", keys)
    return {row["id"]: dict(row) for row in found.mappings()}


def known_ids(connection: Connection, new: Iterable[Event]) -> dict[str, str]:
    """Which of these events' ids are known, and to which ticket each belongs."""
    ids = [event.id for event in new if event.id is not None]
    return dict(_prepared_query(connection, "event ids", ids).tuples().all()) if ids else {}


def heads(connection: Connection, keys: Collection[str]) -> dict[str, Head]:
    """The last link of each ticket's chain."""
    found = _prepared_query(connection, "heads", keys) if keys else ()
    return {key: Head(version, link) for key, version, link in found}


def last_instants(connection: Connection, keys: Collection[str]) -> dict[str, dict[Kind, datetime]]:
    """When the last event of each kind that a source may set happened to each ticket."""
    if not keys:
        return {}
    wanted = events.c.ticket_id.in_(list(keys)) & events.c.kind.in_(field_merge.SETTABLE)
    query = select(events.c.ticket_id, events.c.kind, func.max(events.c.at)).where(wanted)
    found: dict[str, dict[Kind, datetime]] = {}
    for key, kind, at in connection.execute(query.group_by(events.c.ticket_id, events.c.kind)):
        found.setdefault(key, {})[Kind(kind)] = at
    return found


def write_plan(connection: Connection, written: Plan, moved: Mapping[str, Head]) -> None:
    """The tickets of a plan, with the version that their history reaches."""
    final = {key: row | ({"version": moved[key].version} if key in moved else {}) for key, row in written.rows.items()}
    insert_rows(connection, tickets, [final[key] for key in written.rows if key in written.created])
    changed = [final[key] for key in sorted(written.changed - written.created)]
    if changed:
        columns = [column.name for column in tickets.c if column.name not in _STAYS]
        values = {name: bindparam(f"new_{name}", type_=tickets.c[name].type) for name in columns}
        statement = update(tickets).where(tickets.c.id == bindparam("key")).values(values)
        bound = [{"key": row["id"], **{f"new_{name}": row[name] for name in columns}} for row in changed]
        connection.execute(statement, bound)
    set_versions(connection, {key: head for key, head in moved.items() if key not in written.created | written.changed})


def set_versions(connection: Connection, moved: Mapping[str, Head]) -> None:
    if moved:
        statement = update(tickets).where(tickets.c.id == bindparam("key")).values(version=bindparam("reached"))
        connection.execute(statement, [{"key": key, "reached": head.version} for key, head in sorted(moved.items())])


def append(connection: Connection, new: Sequence[Event], *, at: datetime) -> list[Row]:
    """Number, chain and keep events of known tickets; those whose id is known are left out."""
    held = known(connection, (event.ticket_id for event in new), lock=True)
    guards.all_known((event.ticket_id for event in new), held)
    recorded, moved = plan.numbered(new, heads(connection, held), known_ids(connection, new), at=at)
    set_versions(connection, moved)
    insert_rows(connection, events, recorded)
    return recorded


def save(connection: Connection, ticket: Ticket, new: Sequence[Event], *, at: datetime) -> list[Row]:
    """Write a ticket as it was decided from the version it carries, and the events of the decision."""
    before = known(connection, [ticket.id], lock=True).get(ticket.id)
    guards.may_save(ticket, before, new, known_ids(connection, new))
    assert before is not None
    recorded, moved = plan.numbered(new, heads(connection, [ticket.id]), set(), at=at)
    version = moved[ticket.id].version if recorded else ticket.version
    insert_rows(connection, events, recorded)  # first: the database lets an owner move only where a transfer stands
    written = connection.execute(
        update(tickets)
        .where(tickets.c.id == ticket.id, tickets.c.version == ticket.version)
        .where(or_(tickets.c.owner_id.is_(None), tickets.c.owner_id == before["owner_id"]))
        .values({**rows.decided(ticket), "version": version})
    )
    if written.rowcount != 1:
        raise Conflict(f"{ticket.reference} has moved on; load it again and decide again.")
    return recorded


def own(connection: Connection, firsts: Sequence[Event], *, at: datetime) -> int:
    """Give those tickets that have none their first owner; the rest stay as they are."""
    held = known(connection, (event.ticket_id for event in firsts), lock=True)
    guards.all_known((event.ticket_id for event in firsts), held)
    new = {event.ticket_id: event for event in firsts if held[event.ticket_id]["owner_id"] is None}
    append(connection, list(new.values()), at=at)
    for key, event in new.items():
        connection.execute(
            update(tickets)
            .where(tickets.c.id == key, tickets.c.owner_id.is_(None))
            .values(**guards.owned(held[key], event))
        )
    return len(new)


def numbers(connection: Connection, source: str, series: str) -> list[str]:
    """The ids of a source's tickets that begin so."""
    wanted = (tickets.c.source == source) & tickets.c.external_id.startswith(series, autoescape=True)
    return list(connection.execute(select(tickets.c.external_id).where(wanted)).scalars())


def held_by(names: Collection[str]) -> ColumnElement[bool]:
    """Whether the ticket's owner or assignee has one of these names."""
    plain = {name.casefold() for name in names}
    assigned = tickets.c.assignee_id.in_(names) | func.lower(tickets.c.assignee_id).in_(plain)
    return tickets.c.owner_id.in_(names) | assigned


def new_rejected(connection: Connection, refused: Collection[Rejected]) -> dict[str, Rejected]:
    """Rejected rows that are not kept yet, by fingerprint; the first of equal ones."""
    prints: dict[str, Rejected] = {}
    for one in refused:
        prints.setdefault(plan.fingerprint(one), one)
    column = rejected_rows.c.fingerprint
    for some in chunked(list(prints), ROWS_PER_TRANSACTION):
        for fingerprint in connection.execute(select(column).where(column.in_(some))).scalars():
            prints.pop(fingerprint, None)
    return prints


def keep_rejected(connection: Connection, refused: Collection[Rejected], *, at: datetime) -> None:
    """Keep those that are not kept yet."""
    new = new_rejected(connection, refused)
    insert_rows(connection, rejected_rows, [rows.rejected_row(one, at) for one in new.values()])


def put(connection: Connection, records: Sequence[BaseModel]) -> None:
    """Insert or replace records, a statement per kind, parents first; the last of equal keys wins."""
    per_kind: dict[type[BaseModel], dict[str, BaseModel]] = {}
    for record in parents_first(records):
        per_kind.setdefault(type(record), {})[getattr(record, mapping_of(type(record)).key)] = record
    for kind, by_key in per_kind.items():
        mapping = mapping_of(kind)
        _upsert(connection, mapping, [rows.record_row(mapping, by_key[key]) for key in sorted(by_key)])
        for field, side in mapping.lists.items():
            table = rows.table_named(side.table)
            connection.execute(delete(table).where(table.c[side.parent].in_(list(by_key))))
            new = [row for record in by_key.values() for row in rows.side_rows(mapping, field, record)]
            insert_rows(connection, table, new)


def records(connection: Connection, mapping: RecordMapping, equal: Mapping[str, Any]) -> list[BaseModel]:
    """Records of a kind whose fields equal the given values, in no order."""
    table = rows.table_named(mapping.table)
    in_columns = {name for name in equal if name in table.c and not isinstance(table.c[name].type, JSON)}
    wanted = rows.plain(table, {name: equal[name] for name in in_columns})
    found = fetch(connection, select(table).where(*(table.c[name] == value for name, value in wanted.items())))
    keys = [row[mapping.key] for row in found]
    lists = {field: _side(connection, mapping, field, keys) for field in mapping.lists}
    made = [
        rows.record(mapping, row, {field: by_key.get(row[mapping.key], []) for field, by_key in lists.items()})
        for row in found
    ]
    nested = {name: value for name, value in equal.items() if name not in in_columns}
    return [record for record in made if all(getattr(record, name) == value for name, value in nested.items())]


def decide(
    connection: Connection,
    decisions: Sequence[AllocationDecision],
    *,
    at: datetime,
    destination: outbox.Destination | None = None,
) -> int:
    """Keep decisions that differ from the ticket's last one, with their groups, events and what is to be sent of them;
    returns how many."""
    keys = sorted({decision.ticket_id for decision in decisions})
    guards.all_known(keys, _prepared_query(connection, "keys locked", keys).scalars())
    new = guards.not_repeated(decisions, _last_decisions(connection, keys))
    if new:
        made = [rows.decision_row(decision, at) for decision in new]
        insert_rows(connection, allocation_decisions, made)
        events_of_them = map(guards.allocated, new)
        append(connection, [seals.sealed_decision(*both) for both in zip(events_of_them, made, strict=True)], at=at)
        outbox.queue(connection, new, destination, at=at)
    groups = {one.ticket_id: one.group_id for one in new if one.outcome == Outcome.ALLOCATED}
    if groups:
        statement = update(tickets).where(tickets.c.id == bindparam("key")).values(group_id=bindparam("new_group"))
        connection.execute(statement, [{"key": key, "new_group": group} for key, group in groups.items()])
    return len(new)


def _last_decisions(connection: Connection, keys: list[str]) -> dict[str, tuple[str, str | None]]:
    table = allocation_decisions
    query = select(table.c.ticket_id, table.c.outcome, table.c.group_id).where(table.c.ticket_id.in_(keys))
    return {key: (outcome, group) for key, outcome, group in connection.execute(query.order_by(table.c.id))}


def _upsert(connection: Connection, mapping: RecordMapping, new: list[Row]) -> None:
    table = rows.table_named(mapping.table)
    statement = insert_into(table, connection)
    others = {column.name: statement.excluded[column.name] for column in table.c if column.name != mapping.key}
    connection.execute(statement.on_conflict_do_update(index_elements=[mapping.key], set_=others), new)


def _side(connection: Connection, mapping: RecordMapping, field: str, keys: Sequence[str]) -> dict[str, list[str]]:
    side = mapping.lists[field]
    table = rows.table_named(side.table)
    found: dict[str, list[str]] = {}
    for some in chunked(keys, ROWS_PER_TRANSACTION):
        query = select(table).where(table.c[side.parent].in_(some)).order_by(table.c.position)
        for row in fetch(connection, query):
            found.setdefault(row[side.parent], []).append(row[side.column])
    return found
