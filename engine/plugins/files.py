"""Tickets from files: anyone's tables by a mapping file, and the desk's own tickets.jsonl and events.jsonl."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from more_itertools import chunked
from pydantic import ValidationError
from pydantic_core import from_json

from engine.contracts import Delivery, Event, Rejected, StandardTicket
from engine.plugins import field_histories, related_files, ticket_rows, updates
from engine.plugins.mapping import ROW_NUMBER, TicketMapping
from engine.plugins.ports import CHUNK, chunks, not_unicode, out_of_order, storable
from engine.plugins.tables import SUFFIXES, Batch, Faulty, Table, flat, frame_of, open_table
from engine.shared.errors import BadInput
from engine.shared.policy_file import all_wrong
from engine.shared.tabular import lines, readable


class Line(NamedTuple):
    number: int
    text: str


class MappedFiles:
    """Tables of any form, or a folder of such, by one mapping."""

    def __init__(self, name: str, *, mapping: TicketMapping) -> None:
        self.name, self.mapping = name, mapping

    def read(self, path: Path) -> Iterator[Delivery]:
        if self.mapping.tables:
            return related_files.deliveries(path, self.mapping)
        tables = [(part, open_table(part, **self.mapping.form)) for part in _parts(path)]
        for part, table in tables:
            self._check(table, part, is_one=len(tables) == 1)
        read = self._changes if self.mapping.history else self._histories if self.mapping.updates else self._tickets
        return (delivery for part, table in tables for delivery in read(table.batches(), part.name))

    def _check(self, table: Table, part: Path, *, is_one: bool) -> None:
        if history := self.mapping.history:
            named = (history.ticket, history.field, history.before, history.after, history.at, history.by)
            return ticket_rows.check_named([name for name in named if name], table.columns, part, key="history")
        if self.mapping.columns["ticket_id"] == ROW_NUMBER and not is_one:
            raise BadInput(f"{part}: row numbers are ids of one file alone; give the files one by one, as own sources")
        if table.columns:
            ticket_rows.check_columns(self.mapping, table.columns, part)
        return None

    def parse(self, payload: Mapping[str, Any]) -> Delivery:
        """One record as JSON: nested keys are columns joined by dots. A log of updates has no webhook: BadInput."""
        if self.mapping.updates or "ticket_id" not in self.mapping.columns:
            raise BadInput(f"{self.name}: this mapping reads event logs; give a source that reads single tickets")
        return one_record(payload, self.mapping, f"{self.name} webhook")

    def _changes(self, batches: Iterator[Batch], origin: str) -> Iterator[Delivery]:
        return field_histories.deliveries(batches, self.mapping, origin)

    def _tickets(self, batches: Iterator[Batch], origin: str) -> Iterator[Delivery]:
        seen: dict[str, int] = {}
        for batch in batches:
            good, refused = ticket_rows.typed(batch.frame, self.mapping, origin)
            refused += [ticket_rows.refused(self.mapping, origin, fault) for fault in batch.faulty]
            fresh, again = ticket_rows.once(good, seen, self.mapping, origin)
            tickets, odd = ticket_rows.tickets(fresh, self.mapping, origin)
            yield Delivery(tickets=tuple(tickets), rejected=tuple(_by_row([*refused, *again, *odd])))

    def _histories(self, batches: Iterator[Batch], origin: str) -> Iterator[Delivery]:
        read = list(batches)
        if not read:
            return
        good, refused = ticket_rows.typed(pl.concat([batch.frame for batch in read]), self.mapping, origin)
        refused += [ticket_rows.refused(self.mapping, origin, fault) for batch in read for fault in batch.faulty]
        histories, rejected = updates.histories(good, refused, self.mapping, origin)
        for part, some in chunks(histories, _by_row(rejected)):
            yield Delivery(
                tickets=tuple(each.ticket for each in part),
                events=tuple(event for each in part for event in each.events),
                rejected=some,
            )


def one_record(record: Mapping[str, Any], mapping: TicketMapping, origin: str) -> Delivery:
    """A single ticket from a JSON object; a column that it lacks is a null."""
    if reason := not_unicode(record):
        return Delivery(rejected=(ticket_rows.refused(mapping, origin, Faulty(1, reason, dict(record))),))
    row = flat(record)
    good, refused = ticket_rows.typed(frame_of([(1, row)], list(row)), mapping, origin)
    tickets, odd = ticket_rows.tickets(good, mapping, origin)
    return Delivery(tickets=tuple(tickets), rejected=(*refused, *odd))


TICKET_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
"""What the desk's own files are called."""


class HelmdeskFiles:
    """A folder with `tickets.jsonl` (a StandardTicket a line) and perhaps `events.jsonl` (an Event a line), or such a
    tickets file alone. An event without an id gets one from its content, so that reading again brings nothing new.
    """

    def __init__(self, name: str = "helmdesk") -> None:
        self.name = name

    def read(self, path: Path) -> Iterator[Delivery]:
        tickets_file = path / "tickets.jsonl" if path.is_dir() else path
        if tickets_file.name in {"events.jsonl", "events.jsonl.gz"}:
            raise BadInput(f"{path}: these are events; give the folder, so that tickets.jsonl is read with them")
        if not tickets_file.name.casefold().endswith(TICKET_LINES):
            raise BadInput(
                f"{path}: the source {self.name} reads *{', *'.join(TICKET_LINES)}, a ticket a line, or a folder with "
                "tickets.jsonl; for any other file name its --source or a --mapping"
            )
        events_file = tickets_file.with_name(tickets_file.name.replace("tickets.jsonl", "events.jsonl"))
        ticket_lines = numbered_lines(tickets_file)
        has_events = events_file != tickets_file and events_file.exists()
        event_lines = numbered_lines(events_file, may_be_empty=True) if has_events else []
        return self._deliveries(ticket_lines, tickets_file.name, event_lines, events_file.name)

    def parse(self, payload: Mapping[str, Any]) -> Delivery:
        """A StandardTicket as JSON."""
        made = standard_ticket(json.dumps(payload, default=str))
        if isinstance(made, str):
            return Delivery(rejected=(self._refused("webhook", None, made, dict(payload)),))
        return Delivery(tickets=(made,))

    def _deliveries(
        self, ticket_lines: list[Line], tickets_name: str, event_lines: list[Line], events_name: str
    ) -> Iterator[Delivery]:
        """Lines wait as text and become models a delivery at a time: 1.6 million events are ten times their file."""
        stories: dict[str | None, list[Line]] = {}
        for line in event_lines:
            stories.setdefault(_ticket_of(line.text), []).append(line)
        event_lines.clear()
        first: dict[str, int] = {}
        for some in chunked(ticket_lines, CHUNK):
            tickets, refused = self._tickets(some, tickets_name, first)
            histories = {ticket.key: stories.pop(ticket.key, []) for ticket in tickets}
            events, odd = self._events(chain.from_iterable(histories.values()), events_name, first)
            for part, rejected in chunks(tickets, [*refused, *odd]):
                yield Delivery(tickets=tuple(part), events=tuple(events) if part else (), rejected=rejected)
        _, odd = self._events(sorted(chain.from_iterable(stories.values())), events_name, first)
        for _, rejected in chunks((), odd):
            yield Delivery(rejected=rejected)

    def _tickets(
        self, lines: list[Line], origin: str, first: dict[str, int]
    ) -> tuple[list[StandardTicket], list[Rejected]]:
        """`first` collects the line in which each ticket stands."""
        tickets: list[StandardTicket] = []
        refused = []
        for number, line in lines:
            made = standard_ticket(line)
            if isinstance(made, StandardTicket) and made.key in first:
                made = f"ticket_id: {made.key} was already in line {first[made.key]}"
            if isinstance(made, str):
                refused.append(self._refused(origin, number, made, content_of(line)))
            else:
                tickets.append(made)
                first[made.key] = number
        return tickets, refused

    def _events(self, lines: Iterable[Line], origin: str, known: Collection[str]) -> tuple[list[Event], list[Rejected]]:
        events: list[Event] = []
        refused = []
        for number, line in lines:
            made = _event(line)
            if isinstance(made, Event) and made.ticket_id not in known:
                made = f"ticket_id: there is no ticket {made.ticket_id!r} in this delivery"
            if isinstance(made, str):
                refused.append(self._refused(origin, number, made, content_of(line)))
            else:
                events.append(made)
        return events, _by_row(refused)

    def _refused(self, origin: str, row: int | None, reason: str, content: dict[str, Any]) -> Rejected:
        return Rejected(source=self.name, origin=origin, row=row, reason=reason, content=storable(content))


def standard_ticket(line: str) -> StandardTicket | str:
    """The ticket in a line of JSON, or why there is none."""
    if reason := _unstorable(line):
        return reason
    try:
        ticket = StandardTicket.model_validate_json(line)
    except ValidationError as error:
        return all_wrong(error)
    except OverflowError:
        return "an instant is outside the years 1 to 9999 in UTC"
    return out_of_order(ticket) or ticket


def _ticket_of(line: str) -> str | None:
    """The ticket that an event's line names."""
    try:
        content = from_json(line)
    except ValueError:
        return None
    key = content.get("ticket_id") if isinstance(content, dict) else None
    return key if isinstance(key, str) else None


def _event(line: str) -> Event | str:
    if reason := _unstorable(line):
        return reason
    try:
        event = Event.model_validate_json(line)
    except ValidationError as error:
        return all_wrong(error)
    except OverflowError:
        return "an instant is outside the years 1 to 9999 in UTC"
    if event.id is not None:
        return event
    return event.model_copy(update={"id": f"{event.ticket_id}/{_digest(event)}"})


def _digest(event: Event) -> str:
    content = json.dumps(event.model_dump(mode="json", exclude={"id"}), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:20]


def _unstorable(line: str) -> str | None:
    """What no database keeps: NUL in text, numbers that are none."""
    if "\x00" in line or "\\u0000" in line:
        return "the text has a NUL character"
    if "NaN" in line or "Infinity" in line:
        try:
            json.loads(line, parse_constant=_no_number)
        except ArithmeticError as error:
            return str(error)
        except (ValueError, RecursionError):
            return None
    return None


def _no_number(word: str) -> None:
    raise ArithmeticError(f"{word} is not a JSON number")


def content_of(line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {"line": line}
    return content if isinstance(content, dict) else {"line": line}


def numbered_lines(path: Path, *, may_be_empty: bool = False) -> list[Line]:
    """Numbered lines that are not blank. Raises BadInput if the file can't be read to its end, or has nothing in it."""
    with readable(path):
        if path.is_dir() or (path.stat().st_size == 0 and not may_be_empty):
            raise BadInput(f"{path}: {'a folder, not a file' if path.is_dir() else 'the file is empty'}")
    return [Line(*numbered) for numbered in lines(path)]


def _parts(path: Path) -> list[Path]:
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise BadInput(f"{path.name[:80]}…: no such file ({error.strerror}); give a shorter path") from None
    if not is_folder:
        return [path]
    parts = sorted(part for part in path.iterdir() if part.name.casefold().endswith(SUFFIXES))
    if not parts:
        raise BadInput(f"{path}: the folder has no file named *{', *'.join(SUFFIXES)}")
    return parts


def _by_row(rejected: list[Rejected]) -> list[Rejected]:
    return sorted(rejected, key=lambda each: each.row or 0)
