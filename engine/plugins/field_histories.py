"""A file with one row per changed field tells whole tickets; beside the tickets' own file, how they came to be so.

A ticket alone is created at its first row, in the values that have nothing before them at that instant. A history in
which a value is not the one that the row before left has rows missing, and tells nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from engine.contracts import Delivery, Rejected
from engine.plugins import ticket_rows
from engine.plugins.cells import FIELD, UPDATED
from engine.plugins.mapping import ENUMS, HISTORY_FIELDS, TicketMapping
from engine.plugins.ports import chunks
from engine.plugins.tables import ROW, Batch, Faulty
from engine.plugins.ticket_history import Change, Unreadable, meaning, with_changes
from engine.plugins.updates import held_back

KEY = f"{FIELD}ticket_id"


class Changes(NamedTuple):
    """By ticket, in the order of the file; a change from an empty cell has None before it."""

    of: dict[str, list[Change]]
    first: dict[str, datetime]
    """The instant of a ticket's first row, whatever it changed."""
    rows: dict[str, int]
    refused: list[Rejected]


def changes(batches: Iterable[Batch], mapping: TicketMapping, origin: str) -> Changes:
    history, found = mapping.history, Changes({}, {}, {}, [])
    if history is None:
        return found
    for batch in batches:
        good, refused = ticket_rows.dated(batch.frame, mapping, ticket=history.ticket, at=history.at, origin=origin)
        found.refused.extend([*refused, *(ticket_rows.refused(mapping, origin, fault) for fault in batch.faulty)])
        for row in good.iter_rows(named=True):
            try:
                change = _change(row, mapping)
            except Unreadable as error:
                found.refused.append(
                    ticket_rows.refused(mapping, origin, Faulty(row[ROW], str(error), ticket_rows.content_of(row)))
                )
                continue
            key, at = row[KEY], row[UPDATED]
            found.rows[key] = found.rows.get(key, 0) + 1
            found.first[key] = min(at, found.first.get(key, at))
            if change:
                found.of.setdefault(key, []).append(change)
    return found


def _change(row: Mapping[str, Any], mapping: TicketMapping) -> Change | None:
    """None for a field that has no history here. Raises Unreadable for a word that the mapping does not list."""
    history = mapping.history
    if history is None:
        return None
    word = (row[history.field] or "").strip().lower()
    field = history.fields.get(word, word)
    if field not in HISTORY_FIELDS:
        return None
    before = row[history.before] if history.before else None
    after = meaning(field, row[history.after], mapping)
    known = None if before is None else meaning(field, before.strip(), mapping)
    return Change(row[UPDATED].isoformat(), row[UPDATED], field, known, after, row[history.by] if history.by else None)


def joined(found: Iterable[Change], created_at: datetime, mapping: TicketMapping) -> list[Change] | str:
    """Each change with what was before it, oldest first; or where rows are missing."""
    last: dict[str, Change] = {}
    whole: list[Change] = []
    for change in sorted(found, key=lambda change: change.at):
        before, field = change.before, change.field
        has_before = mapping.history is not None and mapping.history.before is not None
        if not has_before and field in last:
            before = last[field].after
        elif before is None and field not in last and change.at <= created_at:
            before = change.after
        elif before is None and field in ENUMS:
            before = meaning(field, None, mapping)
        if field in ENUMS and field in last and last[field].after != before:
            left, at = last[field].after, change.at.strftime("%Y-%m-%d %H:%M:%S")
            return f"{field} was left as {left} and at {at} is {before}: a row is missing"
        number = sum(each.id.partition("#")[0] == change.id and each.field == field for each in whole)
        last[field] = change._replace(before=before, id=f"{change.id}#{number}" if number else change.id)
        whole.append(last[field])
    return whole


def deliveries(batches: Iterable[Batch], mapping: TicketMapping, origin: str) -> Iterator[Delivery]:
    """Whole tickets, of a history that stands alone."""
    found = changes(batches, mapping, origin)
    column = mapping.history.ticket if mapping.history else ""
    rejected, held = held_back(found.refused, column, found.rows)
    tickets: list[Delivery] = []
    for key, first in found.first.items():
        if key not in held:
            made = _whole_ticket(key, first, found.of.get(key, []), mapping)
            if isinstance(made, str):
                rejected.append(
                    ticket_rows.refused(
                        mapping, origin, Faulty(None, f"ticket {key} is held back: {made}", {column: key})
                    )
                )
            else:
                tickets.append(made)
    for part, refused in chunks(tickets, rejected):
        yield Delivery(
            tickets=tuple(ticket for each in part for ticket in each.tickets),
            events=tuple(event for each in part for event in each.events),
            rejected=refused,
        )


def _whole_ticket(key: str, first: datetime, found: list[Change], mapping: TicketMapping) -> Delivery | str:
    whole = joined(found, first, mapping)
    if isinstance(whole, str):
        return whole
    values = {change.field: change.after for change in whole}
    last = max((change.at for change in whole), default=first)
    ticket = ticket_rows.ticket_of({"ticket_id": key, "created_at": first, "updated_at": last, **values}, mapping, {})
    return ticket if isinstance(ticket, str) else with_changes(ticket, whole, mapping)
