"""Timelines for people: weekday-named instants of the week of 15 January 2024 in, clocks of both engines out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.clocks.evaluate import evaluate
from sla.policy.calendar_files import parse_all
from sla.policy.parser import parse

MONDAY = datetime(2024, 1, 15, tzinfo=UTC)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CALENDARS = parse_all(
    {
        "office": {"tz": "UTC", "weekly": {d.lower(): [["09:00", "17:00"]] for d in DAYS[:5]}},
        "long": {"tz": "UTC", "weekly": {d.lower(): [["07:00", "19:00"]] for d in DAYS[:5]}},
    }
)


def at(text: str) -> datetime:
    """ "Tue 09:30" or "Tue 09:30:17", with +7 for the week after."""
    day, clock = text.split()
    week = 7 if day.endswith("+7") else 0
    hours, minutes, seconds = (int(part) for part in (clock + ":00").split(":")[:3])
    days = DAYS.index(day.removesuffix("+7")) + week
    return MONDAY + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def story(text: str) -> list[dict[str, Any]]:
    """One event a line: "Tue 10:00 status resolved"."""
    events = []
    for line in text.strip().splitlines():
        day, clock, kind, *value = line.split(maxsplit=3)
        events.append({"ticket": 1, "ts": at(f"{day} {clock}"), "kind": kind, "value": value[0] if value else None})
    return events


def run(
    policies: Any, events: str = "", *, as_of: str, created: str = "Tue 09:00", **ticket: Any
) -> dict[tuple[str, int], dict[str, Any]]:
    """Rows by (clock, window), after making sure that both engines agree."""
    tickets = [{"id": 1, "created_at": at(created), **ticket}]
    rows = evaluate(tickets[0], story(events), parse(policies), CALENDARS, at(as_of))
    found = batch.evaluate(*frames(tickets, story(events)), policies, CALENDARS, at(as_of)).to_dicts()
    order = [(row["clock"], row["window"]) for row in rows]
    assert sorted(found, key=lambda row: order.index((row["clock"], row["window"]))) == rows
    return {(row["clock"], row["window"]): row for row in rows}


def resolution(policies: Any, events: str = "", *, as_of: str, window: int = 1, **ticket: Any) -> dict[str, Any]:
    return run(policies, events, as_of=as_of, **ticket)["resolution", window]
