"""The sample as files: tickets and events as JSON lines, the truth as CSV, and a note on what it is."""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from engine.contracts import Event, Kind
from pipelines.samples.generate import SOURCE, Sample, as_of

BROKEN: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "no ticket_id",
        {"title": "VPN client shows no connection", "created_at": "2026-07-21T08:12:00Z", "drop": "ticket_id"},
    ),
    (
        "unknown priority",
        {"title": "Proxy denies our supplier", "created_at": "2026-07-30T13:40:05Z", "priority": "urgent!!"},
    ),
    ("created_at without a time zone", {"title": "Quarantined drawing", "created_at": "2026-08-11 09:15:00"}),
    (
        "resolved before it was created",
        {
            "title": "Rule import failed",
            "status": "resolved",
            "created_at": "2026-08-25T10:00:00Z",
            "updated_at": "2026-08-25T10:30:00Z",
            "resolved_at": "2026-08-24T10:30:00Z",
        },
    ),
    (
        "a line cut off in the middle",
        {"title": "Agents silent after imaging", "created_at": "2026-09-09T07:55:00Z", "cut": 60},
    ),
    ("unknown tier", {"title": "Question on seats", "created_at": "2026-09-22T15:05:30Z", "tier": "platinum"}),
)
"""What is wrong, and the line: rows such as every export has, so that the rejected ones can be seen."""

STRAY = ("INC-2026-99998", "INC-2026-99999")
"""Tickets that only the events know."""


def write_sample(folder: Path, sample: Sample, *, seed: int, start: date, days: int) -> None:
    """tickets.jsonl, events.jsonl, labels.csv and sample.yaml; the same sample gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    tickets = [_line(ticket) for ticket in sample.tickets]
    for number, (_, content) in enumerate(BROKEN, start=1):
        tickets.insert(number * len(tickets) // (len(BROKEN) + 1), _broken(number, content))
    strays = [_stray(sample, key, place) for place, key in enumerate(STRAY, start=1)]
    events = [_line(event) for event in sorted([*sample.events, *strays], key=lambda event: (event.at, _order(event)))]
    _write(folder / "tickets.jsonl", "\n".join(tickets) + "\n")
    _write(folder / "events.jsonl", "\n".join(events) + "\n")
    _write(folder / "labels.csv", _labels(sample))
    _write(folder / "sample.yaml", _note(sample, seed=seed, start=start, days=days))


def _line(record: BaseModel) -> str:
    """A record as compact JSON without what is unset or as by default."""
    return _json(record.model_dump(mode="json", exclude_none=True, exclude_defaults=True))


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _broken(number: int, content: dict[str, Any]) -> str:
    given = dict(content)
    dropped, cut = given.pop("drop", None), given.pop("cut", None)
    row = {"ticket_id": f"INC-2026-9000{number}", "source": SOURCE, **given, "channel": "portal"}
    return _json({key: value for key, value in row.items() if key != dropped})[:cut]


def _stray(sample: Sample, external_id: str, place: int) -> Event:
    at = sample.events[len(sample.events) * place // (len(STRAY) + 1)].at
    key = f"{SOURCE}:{external_id}"
    return Event(id=f"{key}/1", ticket_id=key, kind=Kind.STATUS, at=at, value="in_progress")


def _order(event: Event) -> tuple[str, int]:
    key, _, number = (event.id or "").rpartition("/")
    return key, int(number)


def _labels(sample: Sample) -> str:
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(sample.labels[0]._fields if sample.labels else ())
    table.writerows(sample.labels)
    return text.getvalue()


def _note(sample: Sample, *, seed: int, start: date, days: int) -> str:
    import yaml

    note = {
        "description": "Synthetic data: every ticket, person, company and address in it is invented.",
        "renew": f"python -m pipelines.samples --tickets {len(sample.tickets)} --seed {seed} --start {start} "
        f"--days {days} --out data/tickets",
        "source": SOURCE,
        "seed": seed,
        "start": start.isoformat(),
        "days": days,
        "as_of": as_of(start, days).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tickets": len(sample.tickets),
        "events": len(sample.events),
        "by_status": _counts(ticket.status.value for ticket in sample.tickets),
        "by_priority": _counts(ticket.priority.value for ticket in sample.tickets),
        "by_language": _counts(ticket.language or "unknown" for ticket in sample.tickets),
        "duplicates": sum(label.duplicate_of is not None for label in sample.labels),
        "off_topic": sum(label.topic == "off_topic" for label in sample.labels),
        "broken_lines_in_tickets": [reason for reason, _ in BROKEN],
        "events_of_unknown_tickets": list(STRAY),
        "labels": "labels.csv is what the generator knows to be true, for measuring only; no ticket carries it.",
    }
    return yaml.safe_dump(note, sort_keys=False, allow_unicode=True, width=120)


def _counts(values: Iterable[str]) -> dict[str, int]:
    found: Sequence[str] = list(values)
    return {value: found.count(value) for value in sorted(set(found))}


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
