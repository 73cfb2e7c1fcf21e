"""What would come of a file: read by its source as ever, counted, and kept nowhere."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from engine.contracts import Delivery, Frozen, Rejected, Responses, StandardTicket, Status
from engine.plugins.files import HelmdeskFiles, MappedFiles, content_of
from engine.plugins.mapping import ROW_NUMBER, Expected, TicketMapping
from engine.plugins.ports import SourcePlugin
from engine.plugins.tables import ROW, SUFFIXES, open_table
from engine.shared.errors import BadInput
from engine.shared.policy_file import shortened
from engine.shared.tabular import lines

SHOWN: Final = 5
"""Tickets that are shown beside their rows."""
ENDED: Final = (Status.RESOLVED, Status.CLOSED)
WAITING: Final = (Status.WAITING_CUSTOMER, Status.WAITING_INTERNAL, Status.WAITING_VENDOR)
_UNKNOWN_WORD: Final = re.compile(r"column (?P<column>.+?): '(?P<word>.*?)' is not one of ", re.DOTALL)
_QUOTED: Final = re.compile(r"'.*?'|\b[\w-]*\d[\w:.-]*\b", re.DOTALL)


class Reason(Frozen):
    """Refusals for one reason; what differs between them stands in it as …"""

    reason: str
    count: int
    example: Rejected


class FirstTicket(Frozen):
    ticket: StandardTicket
    row: dict[str, Any] | None
    """Its row in the source; None if the source has no rows."""


class DryRun(Frozen):
    """What reading a file gave."""

    tickets: int = 0
    events: int = 0
    refused: int = 0
    refused_share: float = 0.0
    """Of all tickets, events and refusals."""
    reasons: tuple[Reason, ...] = ()
    unknown_words: dict[str, dict[str, int]]
    """Column: words that no table has, with their count."""
    unknown: dict[str, int]
    """What the source does not tell, and of how many tickets."""
    left_out: dict[str, int]
    """Outcome other than solved: how many tickets."""
    known: dict[str, float]
    """Field: share of the tickets that have it."""
    first_tickets: tuple[FirstTicket, ...] = ()

    def missed(self, *, max_refused: float | None, expected: Expected) -> list[str]:
        """What falls short of what was asked for, in words."""
        wrong = []
        if self.refused and not self.tickets:
            wrong.append(f"everything was refused ({self.refused:,} rows)")
        elif max_refused is not None and self.refused_share > max_refused:
            wrong.append(f"{self.refused:,} refused are {self.refused_share:.1%}, more than {max_refused:.1%}")
        if self.tickets < expected.rows:
            wrong.append(f"{self.tickets:,} tickets are fewer than the {expected.rows:,} of `expect`")
        for field, share in expected.known.items():
            if (known := self.known.get(field, 0.0)) < share:
                wrong.append(f"{field} is known of {known:.1%} of the tickets, less than the {share:.1%} of `expect`")
        return wrong


def dry_run(plugin: SourcePlugin, path: Path) -> DryRun:
    """Reads all of it. Raises BadInput as an ingest does."""
    count = _Count()
    try:
        for delivery in plugin.read(path):
            count.add(delivery)
    except OSError as error:
        raise BadInput(f"{path}: can't be read: {error.strerror or error}; try again") from error
    return count.result(_source_rows(plugin, path, [ticket.ticket_id for ticket in count.first]))


def expected_of(plugin: SourcePlugin) -> Expected:
    """What the mapping that the plugin reads by expects, if there is one."""
    mapping = getattr(plugin, "mapping", None)
    return mapping.expect if isinstance(mapping, TicketMapping) else Expected()


class _Count:
    def __init__(self) -> None:
        self.tickets, self.events = 0, 0
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, Rejected] = {}
        self.words: dict[str, Counter[str]] = {}
        self.unknown: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.first: list[StandardTicket] = []

    def add(self, delivery: Delivery) -> None:
        self.tickets += len(delivery.tickets)
        self.events += len(delivery.events)
        self.first += delivery.tickets[: SHOWN - len(self.first)]
        replied = {event.ticket_id for event in delivery.events}
        for ticket in delivery.tickets:
            self._ticket(ticket, has_history=ticket.key in replied)
        for row in delivery.rejected:
            self._refusal(row)

    def _ticket(self, ticket: StandardTicket, *, has_history: bool) -> None:
        self.known.update(field for field in ticket.model_fields_set if getattr(ticket, field) not in (None, "", ()))
        self.unknown.update(_unknown(ticket, has_history=has_history))
        if ticket.outcome not in (None, "solved"):
            self.outcomes[str(ticket.outcome)] += 1

    def _refusal(self, row: Rejected) -> None:
        kind = _QUOTED.sub("…", row.reason)
        self.reasons[kind] += 1
        self.examples.setdefault(kind, row)
        for found in _UNKNOWN_WORD.finditer(row.reason):
            self.words.setdefault(found["column"], Counter())[found["word"]] += 1

    def result(self, rows: Mapping[str, dict[str, Any]]) -> DryRun:
        refused = self.reasons.total()
        return DryRun(
            tickets=self.tickets,
            events=self.events,
            refused=refused,
            refused_share=refused / max(1, self.tickets + self.events + refused),
            reasons=tuple(Reason(reason=r, count=n, example=self.examples[r]) for r, n in self.reasons.most_common()),
            unknown_words={column: dict(words.most_common()) for column, words in self.words.items()},
            unknown=dict(self.unknown.most_common()),
            left_out=dict(self.outcomes.most_common()),
            known={field: count / self.tickets for field, count in sorted(self.known.items())},
            first_tickets=tuple(FirstTicket(ticket=t, row=rows.get(t.ticket_id)) for t in self.first),
        )


def _unknown(ticket: StandardTicket, *, has_history: bool) -> Iterator[str]:
    if ticket.responses == Responses.NONE:
        yield "first response: no column and no replies tell it"
    elif ticket.responses == Responses.COLUMN and ticket.status in ENDED and ticket.first_response_at is None:
        yield "first response: empty on an ended ticket"
    if ticket.status in ENDED and ticket.resolved_at is None and ticket.closed_at is None and not has_history:
        yield "end: an ended ticket without resolved_at or closed_at"
    if ticket.status in WAITING and not has_history:
        yield "waiting: since when is not told"
    for dropped in ticket.external_metadata.get("dropped", ()):
        yield f"left out: {_QUOTED.sub('…', shortened(dropped))}"


def _source_rows(plugin: SourcePlugin, path: Path, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """The first row of each of these tickets, where the source is a table or has a ticket a line."""
    if isinstance(plugin, HelmdeskFiles):
        return _first_of(((content.get("ticket_id"), content) for content in _own_lines(path)), ids)
    mapping = getattr(plugin, "mapping", None)
    if not isinstance(plugin, MappedFiles) or not isinstance(mapping, TicketMapping):
        return {}
    key = mapping.history.ticket if mapping.history and not mapping.tables else mapping.columns.get("ticket_id", "")
    return _first_of(((row.get(ROW if key == ROW_NUMBER else key), row) for row in _rows(path, mapping)), ids)


def _rows(path: Path, mapping: TicketMapping) -> Iterator[dict[str, Any]]:
    pattern = mapping.tables.tickets if mapping.tables else "*"
    files = sorted(path.glob(pattern)) if path.is_dir() else [path]
    for file in files:
        if file.name.casefold().endswith(SUFFIXES):
            for batch in open_table(file, **mapping.form).batches():
                yield from batch.frame.iter_rows(named=True)


def _own_lines(path: Path) -> Iterator[dict[str, Any]]:
    file = path / "tickets.jsonl" if path.is_dir() else path
    return (content_of(text) for _, text in lines(file))


def _first_of(rows: Iterable[tuple[Any, dict[str, Any]]], ids: Collection[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for key, row in rows:
        if len(found) == len(ids):
            break
        if (name := str(key).strip()) in ids:
            found.setdefault(name, {column: cell for column, cell in row.items() if column != ROW and cell is not None})
    return found
