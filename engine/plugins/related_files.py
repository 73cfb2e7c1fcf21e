"""A folder of files that belong together: the tickets, what changed in them, what was written to them, and by whom."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import polars as pl

from engine.contracts import Delivery, Rejected, StandardTicket
from engine.plugins import ticket_rows
from engine.plugins.comment_files import KEY, Comments, Person, comments, people
from engine.plugins.field_histories import Changes, changes, joined
from engine.plugins.mapping import TicketMapping
from engine.plugins.ports import chunks
from engine.plugins.tables import SUFFIXES, Batch, Faulty, Table, open_table
from engine.plugins.ticket_history import with_changes, with_messages
from engine.plugins.updates import held_back
from engine.shared.errors import BadInput


def deliveries(folder: Path, mapping: TicketMapping) -> Iterator[Delivery]:
    """Tickets with their changes and messages. A ticket of which a row in any file was refused is held back. Raises
    BadInput, before the first delivery, if a file is missing or has not the columns."""
    tables = mapping.tables
    if tables is None or not folder.is_dir():
        raise BadInput(f"{folder}: this mapping reads several files together; give the folder that they lie in")
    opened = {name: _opened(folder, pattern, mapping) for name, pattern in tables.model_dump().items() if pattern}
    for name, parts in opened.items():
        for origin, table in parts:
            if name == "tickets":
                ticket_rows.check_columns(mapping, table.columns, origin)
            else:
                ticket_rows.check_named(_named(getattr(mapping, name)), table.columns, origin, key=name)
    return _deliveries(opened, mapping)


def _deliveries(opened: Mapping[str, list[tuple[str, Table]]], mapping: TicketMapping) -> Iterator[Delivery]:
    users = people(_batches(opened, "users"), mapping.users, mapping) if mapping.users else {}
    changed = changes(_batches(opened, "history"), mapping, _origin(opened, "history"))
    written = comments(_batches(opened, "comments"), users, mapping, _origin(opened, "comments"))
    rejected, held = _held_back(changed, written, mapping)
    seen: dict[str, int] = {}
    for origin, table in opened["tickets"]:
        for batch in table.batches():
            good, refused = ticket_rows.typed(_by_name(batch.frame, users, mapping), mapping, origin)
            refused += [ticket_rows.refused(mapping, origin, fault) for fault in batch.faulty]
            fresh, again = ticket_rows.once(good, seen, mapping, origin)
            tickets, odd = ticket_rows.tickets(fresh.filter(~pl.col(KEY).is_in(list(held))), mapping, origin)
            made = [_with_all(ticket, changed, written, mapping) for ticket in tickets]
            yield Delivery(
                tickets=tuple(ticket for each in made for ticket in each.tickets),
                events=tuple(event for each in made for event in each.events),
                rejected=(*refused, *again, *odd, *(row for each in made for row in each.rejected)),
            )
    rejected += _strangers(changed, written, {*seen, *held}, mapping)
    for _, some in chunks((), rejected):
        yield Delivery(rejected=some)


def _strangers(changed: Changes, written: Comments, known: Collection[str], mapping: TicketMapping) -> list[Rejected]:
    rows = Counter(changed.rows) + Counter(written.rows)
    return [
        _refused(f"there is no ticket {key!r} among the tickets; {count} rows of it are left out", key, mapping)
        for key, count in rows.items()
        if key not in known
    ]


def _refused(reason: str, key: str, mapping: TicketMapping) -> Rejected:
    return ticket_rows.refused(mapping, "related files", Faulty(None, reason, {"ticket": key}))


def _with_all(ticket: StandardTicket, changed: Changes, written: Comments, mapping: TicketMapping) -> Delivery:
    """A history with rows missing is none: then the ticket's dates tell what they can, and it says so."""
    whole = joined(changed.of.get(ticket.ticket_id, ()), ticket.created_at, mapping)
    if isinstance(whole, str):
        metadata = ticket.external_metadata | {"history_left_out": whole}
        ticket, whole = ticket.model_copy(update={"external_metadata": metadata}), []
    made = with_changes(ticket, whole, mapping) if whole else Delivery(tickets=(ticket,))
    if not mapping.comments:
        return made
    mine = written.of.get(ticket.ticket_id, [])
    by_others = [each.message.by for each in mine if not each.is_role_known and each.message.by != ticket.requester]
    if by_others:
        why = f"{by_others[0]!r}, who wrote to it, is neither its requester nor among the users with a role"
        return Delivery(
            rejected=(_refused(f"ticket {ticket.ticket_id} is held back: {why}", ticket.ticket_id, mapping),)
        )
    talk = with_messages(made.tickets[0], (each.message for each in mine))
    return Delivery(tickets=talk.tickets, events=tuple(sorted([*made.events, *talk.events], key=lambda e: e.at)))


def _held_back(changed: Changes, written: Comments, mapping: TicketMapping) -> tuple[list[Rejected], set[str]]:
    rejected: list[Rejected] = []
    held: set[str] = set()
    for part, found in ((mapping.history, changed), (mapping.comments, written)):
        if part is not None:
            made, keys = held_back(found.refused, part.ticket, found.rows)
            rejected, held = [*rejected, *made], held | keys
    return rejected, held


def _by_name(frame: pl.DataFrame, users: Mapping[str, Person], mapping: TicketMapping) -> pl.DataFrame:
    """With the names of requester and assignee in place of their ids."""
    names = {who: person.name for who, person in users.items() if person.name != who}
    columns = {mapping.columns[field] for field in ("requester", "assignee") if field in mapping.columns}
    if not names:
        return frame
    return frame.with_columns(pl.col(c).str.strip_chars().replace(names) for c in columns if c in frame.columns)


def _batches(opened: Mapping[str, list[tuple[str, Table]]], name: str) -> Iterator[Batch]:
    return (batch for _, table in opened.get(name, ()) for batch in table.batches())


def _origin(opened: Mapping[str, list[tuple[str, Table]]], name: str) -> str:
    return ", ".join(origin for origin, _ in opened.get(name, ()))


def _opened(folder: Path, pattern: str, mapping: TicketMapping) -> list[tuple[str, Table]]:
    names = sorted(path for path in folder.iterdir() if fnmatch(path.name.casefold(), pattern.casefold()))
    if not names:
        raise BadInput(f"{folder}: has no file named {pattern}, which the mapping names under `tables`")
    if odd := next((path for path in names if not path.name.casefold().endswith(SUFFIXES)), None):
        raise BadInput(f"{odd}: not a table that can be read; expected a file named *{', *'.join(SUFFIXES)}")
    return [(path.name, open_table(path, **mapping.form)) for path in names]


def _named(part: Any) -> list[str]:
    return [column for name, column in part.model_dump().items() if isinstance(column, str) and name != "fields"]
