"""What triage has claimed and drafted: every classification and suggestion of every ticket, kept as history."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any, NamedTuple

import polars as pl
from more_itertools import chunked
from sqlalchemy import Connection, Engine, Row, Table, exists, func, select

from engine.shared.columns import ROWS_PER_TRANSACTION, insert_into
from engine.shared.errors import BadInput
from triage.contracts import Citation, Classification, Guess, Suggestion, TicketText
from triage.tables import classifications, metadata, suggestions, triage_tickets

TABLES = {table.name: table for table in (triage_tickets, classifications, suggestions)}


class Usage(NamedTuple):
    """What one model did for one operation. Milliseconds are the mean a ticket; cost in US dollars."""

    operation: str
    model_used: str
    calls: int
    mean_latency_ms: float
    prompt_tokens: int
    completion_tokens: int
    cost: float


class TriageStore:
    """Keeps claims beside the system of record, linked by the desk's ticket key."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_tables(self) -> None:
        """For a database of its own; in the desk's database the migrations make the same tables."""
        metadata.create_all(self._engine)

    def pending(self, tickets: pl.DataFrame) -> list[TicketText]:
        """Of these tickets (columns `TEXT`), in their order, those never classified or whose text, priority or tier
        changed since."""
        is_classified = exists().where(classifications.c.ticket_id == triage_tickets.c.ticket_id)
        with self._engine.connect() as connection:
            rows = select(triage_tickets.c.ticket_id, triage_tickets.c.content_hash).where(is_classified)
            known = dict(connection.execute(rows).tuples().all())
        return [_text(row) for row in tickets.select(TEXT).iter_rows() if known.get(row[0]) != _content_hash(*row[1:])]

    def save_classifications(
        self,
        tickets: Sequence[TicketText],
        claims: Sequence[Classification],
        *,
        at: datetime,
        within: Connection | None = None,
    ) -> int:
        """Keep the tickets' text and the claims on them; a claim whose id is known is skipped. Returns how many were
        new. At most 500 claims a transaction: an interrupted call is finished by calling again. `within` is the
        transaction of a caller who keeps more than the claims, all or nothing."""
        rows = [(claim, _classification_row(claim)) for claim in claims]
        return self._save(classifications, tickets, rows, at, within)

    def save_suggestions(
        self,
        tickets: Sequence[TicketText],
        drafts: Sequence[Suggestion],
        *,
        at: datetime,
        within: Connection | None = None,
    ) -> int:
        """The same for drafts."""
        return self._save(suggestions, tickets, [(draft, _suggestion_row(draft)) for draft in drafts], at, within)

    def _save(
        self,
        table: Table,
        tickets: Sequence[TicketText],
        claims: Sequence[tuple[Classification | Suggestion, dict[str, Any]]],
        at: datetime,
        within: Connection | None,
    ) -> int:
        texts = {ticket.ticket_id: ticket for ticket in tickets}
        missing = sorted({claim.ticket_id for claim, _ in claims} - texts.keys())
        if missing:
            raise BadInput(f"A claim on {missing[0]} came without its ticket; pass the tickets that were asked about")
        new = 0
        for batch in chunked(claims, ROWS_PER_TRANSACTION):
            with nullcontext(within) if within else self._engine.begin() as connection:
                named = {claim.ticket_id: texts[claim.ticket_id] for claim, _ in batch}
                rows = [_ticket_row(ticket, at) for ticket in named.values()]
                _upsert(connection, triage_tickets, rows, key="ticket_id", keep=("created_at",))
                before = _held(connection, table, [row["id"] for _, row in batch])
                fresh = {row["id"]: row for _, row in batch if row["id"] not in before}
                if fresh:
                    connection.execute(table.insert(), list(fresh.values()))
                new += len(fresh)
        return new

    def latest(self, ticket_ids: Sequence[str]) -> dict[str, Classification]:
        """The newest claim of each ticket that has one."""
        return {row.ticket_id: _classification(row) for row in self._newest(classifications, ticket_ids)}

    def latest_suggestions(self, ticket_ids: Sequence[str]) -> dict[str, Suggestion]:
        """The newest draft of each ticket that has one."""
        return {row.ticket_id: _suggestion(row) for row in self._newest(suggestions, ticket_ids)}

    def history(self, ticket_id: str) -> list[Classification]:
        """All claims on a ticket, oldest first."""
        statement = select(classifications).where(classifications.c.ticket_id == ticket_id)
        with self._engine.connect() as connection:
            rows = connection.execute(statement.order_by(classifications.c.created_at, classifications.c.id))
            return [_classification(row) for row in rows]

    def usage(self) -> list[Usage]:
        """Calls, latency, tokens and cost per operation and model (S5-18)."""
        found = []
        with self._engine.connect() as connection:
            for operation, table in (("classify", classifications), ("draft", suggestions)):
                sums = [func.sum(table.c[name]) for name in ("prompt_tokens", "completion_tokens", "cost")]
                statement = select(table.c.model_used, func.count(), func.avg(table.c.latency_ms), *sums)
                rows = connection.execute(statement.group_by(table.c.model_used).order_by(table.c.model_used))
                found += [
                    Usage(operation, model, calls, float(mean), int(prompt_tokens), int(completion_tokens), float(cost))
                    for model, calls, mean, prompt_tokens, completion_tokens, cost in rows
                ]
        return found

    def delete(self, ticket_id: str) -> None:
        """Forget a ticket's text with every claim and draft on it."""
        with self._engine.begin() as connection:
            for table in (suggestions, classifications, triage_tickets):
                connection.execute(table.delete().where(table.c.ticket_id == ticket_id))

    def _newest(self, table: Table, ticket_ids: Sequence[str]) -> Iterator[Row[Any]]:
        order = table.c.created_at.desc(), table.c.id.desc()
        rank = func.row_number().over(partition_by=table.c.ticket_id, order_by=order).label("rank")
        with self._engine.connect() as connection:
            for batch in chunked(list(dict.fromkeys(ticket_ids)), ROWS_PER_TRANSACTION):
                ranked = select(table, rank).where(table.c.ticket_id.in_(batch)).subquery()
                yield from connection.execute(select(ranked).where(ranked.c.rank == 1))


TEXT = ("ticket", "subject", "content", "priority", "tier", "language")
"""The columns of a ticket that triage may know."""
TEXT_FIELDS = ("ticket_id", *TEXT[1:])
"""What they are called in a `TicketText`."""


def texts_of(tickets: pl.DataFrame) -> list[TicketText]:
    """What triage may know of these tickets (columns `TEXT`)."""
    return [_text(row) for row in tickets.select(TEXT).iter_rows()]


def _text(row: Sequence[Any]) -> TicketText:
    return TicketText.model_construct(**dict(zip(TEXT_FIELDS, row, strict=True)))


def content_hash(ticket: TicketText) -> str:
    """SHA-256 of what triage was given: another hash means the claim is out of date."""
    return _content_hash(ticket.subject, ticket.content, ticket.priority, ticket.tier, ticket.language)


def _content_hash(subject: str, content: str, priority: str | None, tier: str | None, language: str | None) -> str:
    given = (
        f'{{"content": {_json(content)}, "language": {_json(language)}, "priority": {_json(priority)}, '
        f'"subject": {_json(subject)}, "tier": {_json(tier)}}}'
    )
    return hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()


def _json(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)


def _upsert(connection: Any, table: Table, rows: list[dict[str, Any]], *, key: str, keep: tuple[str, ...]) -> None:
    statement = insert_into(table, connection)
    changed = {
        name: statement.excluded[name] for name in (column.name for column in table.c) if name not in (key, *keep)
    }
    connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=changed), rows)


def _held(connection: Any, table: Table, ids: list[str]) -> set[str]:
    return set(connection.execute(select(table.c.id).where(table.c.id.in_(ids))).scalars())


def _ticket_row(ticket: TicketText, at: datetime) -> dict[str, Any]:
    row = {name: _storable(value) for name, value in ticket.model_dump().items() if value is not None}
    stamped = {"content_hash": content_hash(ticket), "created_at": at, "updated_at": at}
    absent = dict.fromkeys(("priority", "tier", "language"))
    return absent | row | stamped | {"subject": row["subject"][:500]}


def _storable(text: str) -> str:
    """PostgreSQL refuses NUL, both databases refuse lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _classification_row(claim: Classification) -> dict[str, Any]:
    runner_up = claim.runner_up
    return claim.model_dump(exclude={"runner_up"}) | {
        "runner_up": runner_up.label if runner_up else None,
        "runner_up_confidence": runner_up.confidence if runner_up else None,
    }


def _classification(row: Row[Any]) -> Classification:
    values = _fields(row, Classification.model_fields)
    label, confidence = row.runner_up, row.runner_up_confidence
    return Classification(**values | {"runner_up": Guess(label=label, confidence=confidence) if label else None})


def _suggestion_row(draft: Suggestion) -> dict[str, Any]:
    return draft.model_dump() | {
        "citations": [citation.model_dump() for citation in draft.citations],
        "macros": list(draft.macros),
    }


def _suggestion(row: Row[Any]) -> Suggestion:
    values = _fields(row, Suggestion.model_fields)
    citations = tuple(Citation(**citation) for citation in row.citations)
    return Suggestion(**values | {"citations": citations, "macros": tuple(row.macros)})


def _fields(row: Row[Any], names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name in names}
