"""The chain of one ticket's events, written fast: the same hashes as `contracts.seal`, for a backlog at once."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from engine.contracts import GENESIS, Event, Kind, SlaEffect
from engine.storage.text import clean, is_json, is_text, jsonable

_text: Callable[[str], str] = json.encoder.encode_basestring
_data: Callable[[Any], str] = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
).encode

_KINDS = {kind: kind.value for kind in Kind}
_EFFECTS = {effect: effect.value for effect in SlaEffect}


class Head(NamedTuple):
    """The last link of a ticket's chain."""

    version: int = 0
    hash: str = GENESIS


def portable(event: Event) -> Event:
    """The event as any database gives it back; must be what is sealed."""
    if (not event.data or is_json(event.data)) and is_text(f"{event.value}{event.actor}{event.reason}"):
        return event
    changes: dict[str, Any] = {"data": jsonable(event.data)}
    for name in ("value", "actor", "reason"):
        text = getattr(event, name)
        changes[name] = None if text is None else clean(text)
    return event.model_copy(update=changes)


def link(events: Iterable[Event], *, head: Head, recorded_at: datetime) -> tuple[list[dict[str, Any]], Head]:
    """Rows of the events table for a ticket's new events in their order, and the new head.

    `recorded_at` is in UTC and the events are portable. Each hash is the one that `contracts.seal` gives.
    """
    version, last = head
    recorded, rows = f',"recorded_at":"{recorded_at.isoformat()}","sla_effect":"', []
    for event in events:
        version += 1
        key, at, value, actor, reason, data = (
            event.ticket_id, event.at, event.value, event.actor, event.reason, event.data)  # fmt: skip
        name = event.id or f"{key}#{version}"
        kind, effect = _KINDS[event.kind], _EFFECTS[event.sla_effect]
        canonical = (
            f'{last}{{"actor":{_text(actor)},"at":"{at.isoformat()}","data":{_data(data) if data else "{}"},'
            f'"id":{_text(name)},"kind":"{kind}","reason":{"null" if reason is None else _text(reason)}{recorded}'
            f'{effect}","ticket_id":{_text(key)},"value":{"null" if value is None else _text(value)},'
            f'"version":{version}}}'
        )
        last = sha256(canonical.encode()).hexdigest()
        rows.append(
            {
                "id": name,
                "ticket_id": key,
                "version": version,
                "kind": kind,
                "at": at,
                "value": value,
                "actor": actor,
                "reason": reason,
                "sla_effect": effect,
                "data": data,
                "recorded_at": recorded_at,
                "hash": last,
            }
        )
    return rows, Head(version, last)
