"""What bad input comes to: one table, the same through both engines, and nothing stops the batch."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.app.container import open_app
from pipelines.app.settings import shipped_data
from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.clocks.evaluate import evaluate_all
from sla.policy.calendar_files import parse_all
from sla.policy.parser import parse
from tests.sla.timelines import CALENDARS, at, resolution, story

CALENDARS_TOO = {**CALENDARS, **parse_all({"never": {"weekly": {}}})}
POLICIES = [
    {"name": "critical", "priority": "critical", "resolution": "1 hour", "first_response": 0},
    {"name": "never", "team": "moon", "calendar": "never", "first_response": 60, "resolution": 60},
    {"name": "low", "priority": "low", "calendar": "office", "first_response": 3_600, "resolution": 14_400},
    {"name": "medium", "priority": "medium", "calendar": "office", "first_response": 3_600, "resolution": 14_400},
]
AS_OF = at("Tue 12:00")
SOUND = {"id": 9, "created_at": at("Tue 09:00"), "priority": "low"}
UNDISTURBED = ("on_track", 3 * 3_600)
"""The sound ticket beside each bad one: three of its four hours are used."""


class Bad(NamedTuple):
    """A ticket and events that are not as they should be; then state, elapsed seconds and due_at by clock."""

    ticket: dict[str, Any]
    events: str
    response: tuple[str, int | None, datetime | None]
    resolution: tuple[str, int | None, datetime | None]


NO_CLOCK, NO_TARGET = ("no_clock", None, None), ("no_target", None, None)
LATE = ("breached", 10_800, at("Tue 10:00"))
RUNS = ("on_track", 10_800, at("Tue 13:00"))
TABLE = {
    "created_at is missing": Bad({"created_at": None}, "Tue 10:00 response", NO_CLOCK, NO_CLOCK),
    "created_at is after as_of": Bad({"created_at": at("Wed 09:00")}, "", NO_CLOCK, NO_CLOCK),
    "created_at is before 1900": Bad({"created_at": at("Tue 09:00").replace(year=1850)}, "", NO_CLOCK, NO_CLOCK),
    "resolved before it was created": Bad(
        {}, "Mon 10:00 status resolved", ("met", 0, at("Tue 10:00")), ("met", 0, at("Tue 13:00"))
    ),
    "reopened before it was resolved": Bad(
        {},
        "Tue 11:00 status resolved\nTue 10:00 status in_progress",
        ("breached", 7_200, at("Tue 10:00")),
        ("met", 7_200, at("Tue 13:00")),
    ),
    "events in the wrong order": Bad(
        {},
        "Tue 11:00 status in_progress\nTue 10:00 status waiting_customer\nTue 09:30 response",
        ("met", 1_800, at("Tue 10:00")),
        ("on_track", 7_200, at("Tue 14:00")),
    ),
    "an event after as_of": Bad({}, "Tue 13:00 status resolved", LATE, RUNS),
    "an event without an instant": Bad({}, "null", LATE, RUNS),
    "an event without a value": Bad({}, "Tue 10:00 status", LATE, RUNS),
    "an agreed end that can't be read": Bad({}, "Tue 09:30 due 2024-01-16T10:00", LATE, RUNS),
    "an unknown kind of event": Bad({}, "Tue 10:00 sneezed loudly", LATE, RUNS),
    "an unknown status": Bad({}, "Tue 10:00 status dreaming", LATE, RUNS),
    "an event of a ticket that isn't there": Bad({}, "other", LATE, RUNS),
    "a ticket given twice": Bad({"twice": True}, "", LATE, RUNS),
    "an unknown priority": Bad({"priority": "urgent"}, "", NO_TARGET, NO_TARGET),
    "no policy matches": Bad({"priority": "high"}, "", NO_TARGET, NO_TARGET),
    "priority, tier and type are missing": Bad({"priority": None, "tier": None, "type": None}, "", LATE, RUNS),
    "a calendar that never opens": Bad({"team": "moon"}, "", ("on_track", 0, None), ("on_track", 0, None)),
    "a target of zero": Bad(
        {"priority": "critical"},
        "",
        ("breached", 10_800, at("Tue 09:00")),
        ("breached", 10_800, at("Tue 10:00")),
    ),
    "a target of zero, answered at once": Bad(
        {"priority": "critical"},
        "Tue 09:00 response",
        ("met", 0, at("Tue 09:00")),
        ("breached", 10_800, at("Tue 10:00")),
    ),
}


def events_of(text: str) -> list[dict[str, Any]]:
    if text == "null":
        return [{"ticket": 1, "ts": None, "kind": "status", "value": "resolved"}]
    if text == "other":
        return [{"ticket": 5, "ts": at("Tue 10:00"), "kind": "status", "value": "resolved"}]
    return story(text)


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("engine", ["reference", "batch"])
def test_bad_input_has_its_result_and_stops_nothing(name: str, engine: str) -> None:
    bad = TABLE[name]
    ticket = {"id": 1, "created_at": at("Tue 09:00"), "priority": "low", **bad.ticket}
    again = [{**ticket, "created_at": at("Mon 09:00")}] if ticket.pop("twice", False) else []
    tickets, events = [ticket, *again, SOUND], events_of(bad.events)
    if engine == "reference":
        rows = evaluate_all(tickets, events, parse(POLICIES), CALENDARS_TOO, AS_OF)
    else:
        ticket_frame, event_frame = frames(tickets, events)
        rows = batch.evaluate(ticket_frame, event_frame, POLICIES, CALENDARS_TOO, AS_OF).to_dicts()
    found = {(r["ticket"], r["clock"]): (r["state"], r["elapsed"], r["due_at"]) for r in rows}
    assert len(rows) == 4
    assert (found[1, "first_response"], found[1, "resolution"]) == (bad.response, bad.resolution)
    assert found[9, "resolution"][:2] == UNDISTURBED


def test_target_of_zero_is_at_risk_in_its_own_second() -> None:
    states = [
        resolution([{"resolution": 0}], as_of=as_of)["state"]
        for as_of in ("Tue 09:00:00", "Tue 09:00:01", "Tue 09:00:02")
    ]
    assert states == ["at_risk", "breached", "breached"]


def test_each_result_is_written_down_for_people() -> None:
    told = (shipped_data() / "sla" / "README.md").read_text(encoding="utf-8")
    assert [name for name in TABLE if f"| {name} |" not in told] == []


def test_row_that_contradicts_itself_is_rejected_with_its_reason_at_the_door(tmp_path: Path) -> None:
    good = (shipped_data() / "tickets" / "tickets.jsonl").read_text(encoding="utf-8").splitlines()[0]
    bad = json.loads(good) | {"ticket_id": "bad-1", "created_at": "yesterday"}
    path = tmp_path / "tickets.jsonl"
    path.write_text(f"{good}\n{json.dumps(bad)}\n", encoding="utf-8")
    with open_app(home=tmp_path / "home") as app:
        deliveries = list(app.source("helmdesk").read(path))
    assert sum(len(delivery.tickets) for delivery in deliveries) == 1
    rejected = [each for delivery in deliveries for each in delivery.rejected]
    assert len(rejected) == 1
    assert "created_at" in rejected[0].reason
