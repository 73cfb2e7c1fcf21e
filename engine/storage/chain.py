"""The chain of one ticket's events, written fast: the same hashes as `contracts.seal`, for a backlog at once."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from engine.contracts import GENESIS, Event
from engine.storage.text import clean, jsonable

_text: Callable[[str], str] = json.encoder.encode_basestring
_data: Callable[[Any], str] = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
).encode


class Head(NamedTuple):
    """The last link of a ticket's chain."""

    version: int = 0
    hash: str = GENESIS


def portable(event: Event) -> Event:
    """The event as any database gives it back; must be what is sealed."""
    changes: dict[str, Any] = {}
    if event.data and (data := jsonable(event.data)) != event.data:
        changes["data"] = data
    for name in ("value", "actor", "reason"):
        said = getattr(event, name)
        if said is not None and (kept := clean(said)) != said:
            changes[name] = kept
    return event.model_copy(update=changes) if changes else event


def link(events: Iterable[Event], *, head: Head, recorded_at: datetime) -> tuple[list[dict[str, Any]], Head]:
    """Rows of the events table for a ticket's new events in their order, and the new head.

    `recorded_at` is in UTC and the events are portable. Each hash is the one that `contracts.seal` gives.
    """
    version, last = head
    recorded, rows = recorded_at.isoformat(), []
    for event in events:
        version += 1
        name = event.id or f"{event.ticket_id}#{version}"
        kind, effect = event.kind.value, event.sla_effect.value
        canonical = (
            f'{{"actor":{_text(event.actor)},"at":"{event.at.isoformat()}","data":{_json(event.data)},'
            f'"id":{_text(name)},"kind":"{kind}","reason":{_or_null(event.reason)},"recorded_at":"{recorded}",'
            f'"sla_effect":"{effect}","ticket_id":{_text(event.ticket_id)},"value":{_or_null(event.value)},'
            f'"version":{version}}}'
        )
        last = hashlib.sha256((last + canonical).encode()).hexdigest()
        rows.append(
            {
                "id": name,
                "ticket_id": event.ticket_id,
                "version": version,
                "kind": kind,
                "at": event.at,
                "value": event.value,
                "actor": event.actor,
                "reason": event.reason,
                "sla_effect": effect,
                "data": event.data,
                "recorded_at": recorded_at,
                "hash": last,
            }
        )
    return rows, Head(version, last)


def _or_null(value: str | None) -> str:
    return "null" if value is None else _text(value)


def _json(data: dict[str, Any]) -> str:
    return _data(data) if data else "{}"
