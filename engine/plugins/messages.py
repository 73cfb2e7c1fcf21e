"""A file of a system's own messages, one JSON object a line or a list of them in a document, means what the same
messages mean to its webhook."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.contracts import Delivery, Event, Rejected, StandardTicket
from engine.plugins.files import Line, MappedFiles, content_of, numbered_lines, one_record
from engine.plugins.json_documents import document_records
from engine.plugins.ports import CHUNK, not_unicode
from engine.plugins.tables import Faulty
from engine.plugins.ticket_history import Unreadable
from engine.plugins.ticket_rows import refused
from engine.shared.errors import BadInput
from engine.shared.policy_file import all_wrong


class Messages(MappedFiles):
    """JSON goes through `parse`; other tables are read by the mapping alone."""

    def read(self, path: Path) -> Iterator[Delivery]:
        name = path.name.casefold()
        if path.is_file() and name.endswith((".json", ".json.gz")):
            listed = document_records(path, self.mapping.records, encoding=self.mapping.encoding)
            return self._deliveries([Line(*numbered) for numbered in enumerate(map(json.dumps, listed), 1)], path.name)
        if path.is_dir() or not name.endswith((".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")):
            return super().read(path)
        return self._deliveries(numbered_lines(path), path.name)

    def with_records(
        self, record: Mapping[str, Any], given: Mapping[str, Any], history: Callable[[StandardTicket], Delivery]
    ) -> Delivery:
        """A record's ticket with the history in what was `given` around it, which is refused whole if it is not as the
        vendor writes it."""
        if (reason := not_unicode(given)) is None:
            delivery = one_record(record, self.mapping, f"{self.name} webhook")
            if not delivery.tickets:
                return delivery
            try:
                return history(delivery.tickets[0])
            except ValidationError as error:
                reason = all_wrong(error)
            except Unreadable as error:
                reason = str(error)
            except (AttributeError, KeyError, TypeError) as error:
                reason = f"history: not as {self.name} writes it ({error!r})"
        return Delivery(rejected=(refused(self.mapping, f"{self.name} webhook", Faulty(1, reason, dict(given))),))

    def _deliveries(self, lines: list[Line], origin: str) -> Iterator[Delivery]:
        first: dict[str, int] = {}
        tickets: list[StandardTicket] = []
        events: list[Event] = []
        rejected: list[Rejected] = []
        for number, line in lines:
            delivery = self._of_line(number, line, origin)
            fresh = [t for t in delivery.tickets if first.setdefault(t.key, number) == number]
            keys = {ticket.key for ticket in fresh}
            for again in (t for t in delivery.tickets if t.key not in keys):
                reason = f"{again.key} was already in line {first[again.key]}"
                rejected.append(refused(self.mapping, origin, Faulty(number, reason, content_of(line))))
            tickets += fresh
            events += [event for event in delivery.events if event.ticket_id in keys]
            rejected += [each.model_copy(update={"origin": origin, "row": number}) for each in delivery.rejected]
            if len(tickets) >= CHUNK or len(rejected) >= CHUNK:
                yield Delivery(tickets=tuple(tickets), events=tuple(events), rejected=tuple(rejected))
                tickets, events, rejected = [], [], []
        if tickets or rejected:
            yield Delivery(tickets=tuple(tickets), events=tuple(events), rejected=tuple(rejected))

    def _of_line(self, number: int, line: str, origin: str) -> Delivery:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        try:
            if isinstance(message, dict):
                return self.parse(message)
            reason = "the line is not one JSON object"
        except BadInput as error:
            reason = str(error)
        return Delivery(rejected=(refused(self.mapping, origin, Faulty(number, reason, content_of(line))),))
