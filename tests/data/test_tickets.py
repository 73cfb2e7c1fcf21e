"""The shipped sample is what its note says, can be made again byte for byte, and keeps a desk busy."""

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from pydantic import ValidationError

from engine.contracts import CLOCK_KINDS, OPEN_STATUSES, Event, GroupStatus, Kind, StandardTicket, Status
from pipelines.app.people_files import load_people
from pipelines.samples.__main__ import main

DATA = Path(__file__).resolve().parents[2] / "data"
NOTE = yaml.safe_load((DATA / "tickets" / "sample.yaml").read_text(encoding="utf-8"))
LINES = (DATA / "tickets" / "tickets.jsonl").read_text(encoding="utf-8").splitlines()


def read(line: str) -> StandardTicket | None:
    try:
        ticket = StandardTicket.model_validate_json(line)
    except ValidationError:
        return None
    return None if ticket.resolved_at and ticket.resolved_at < ticket.created_at else ticket


@pytest.fixture(scope="module")
def tickets() -> list[StandardTicket]:
    return [ticket for ticket in map(read, LINES) if ticket]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    text = (DATA / "tickets" / "events.jsonl").read_text(encoding="utf-8")
    return [Event.model_validate_json(line) for line in text.splitlines()]


def test_generator_writes_exactly_this(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = NOTE["renew"].split()[3:]
    command[command.index("--out") + 1] = str(tmp_path)
    assert main([*command, "--people", str(DATA / "people")]) == 0
    assert "1500 tickets" in capsys.readouterr().out
    for path in sorted((DATA / "tickets").iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), f"{path.name}: renew it with `{NOTE['renew']}`"


def test_files_stay_small() -> None:
    assert (DATA / "tickets" / "tickets.jsonl").stat().st_size < 2_500_000
    assert (DATA / "tickets" / "events.jsonl").stat().st_size < 2_800_000


def test_note_counts_what_is_there(tickets: list[StandardTicket], events: list[Event]) -> None:
    assert NOTE["tickets"] == len(tickets) == 1500
    assert NOTE["events"] == len(events) - len(NOTE["events_of_unknown_tickets"])
    assert NOTE["by_status"] == dict(Counter(ticket.status.value for ticket in tickets))
    assert "Synthetic" in NOTE["description"]


def test_broken_lines_are_those_of_the_note() -> None:
    broken = [line for line in LINES if read(line) is None]
    assert len(broken) == len(NOTE["broken_lines_in_tickets"]) == 6
    assert sum(not line.endswith("}") for line in broken) == 1


def test_stray_events_are_those_of_the_note(tickets: list[StandardTicket], events: list[Event]) -> None:
    unknown = {event.ticket_id for event in events} - {ticket.key for ticket in tickets}
    assert unknown == {f"northlight:{name}" for name in NOTE["events_of_unknown_tickets"]}


def test_every_ticket_has_its_creation(tickets: list[StandardTicket], events: list[Event]) -> None:
    created = {event.ticket_id: event for event in events if event.kind is Kind.CREATED}
    assert all(created[ticket.key].at == ticket.created_at for ticket in tickets)
    assert all(set(event.data) == {"status", "priority", "tier", "type"} for event in created.values())


def test_nobody_owns_a_ticket_yet(events: list[Event]) -> None:
    assert not [event for event in events if event.kind in (Kind.ACCEPTED, Kind.TRANSFERRED)]


def test_labels_are_of_these_tickets(tickets: list[StandardTicket]) -> None:
    with (DATA / "tickets" / "labels.csv").open(encoding="utf-8", newline="") as file:
        labels = list(csv.DictReader(file))
    assert [label["external_id"] for label in labels] == [ticket.ticket_id for ticket in tickets]
    assert list(labels[0]) == ["external_id", "product", "topic", "urgency", "duplicate_of"]
    assert {label["duplicate_of"] for label in labels} - {""} <= {ticket.ticket_id for ticket in tickets}


def test_labels_are_in_the_taxonomy() -> None:
    taxonomy = (DATA / "taxonomies" / "products.yaml").read_text(encoding="utf-8")
    with (DATA / "tickets" / "labels.csv").open(encoding="utf-8", newline="") as file:
        products = {label["product"] for label in csv.DictReader(file)}
    assert all(product in taxonomy for product in products)


def test_no_truth_is_delivered_with_the_ticket() -> None:
    keys = {key for line in LINES if line.endswith("}") for key in json.loads(line)}
    assert not keys & {"product", "topic", "urgency", "duplicate_of", "tags", "external_metadata"}


def test_some_tickets_must_wait_for_a_group(tickets: list[StandardTicket]) -> None:
    held = Counter(ticket.group for ticket in tickets if ticket.status in OPEN_STATUSES and ticket.group)
    groups = load_people(DATA / "people").groups
    free = {g.group_id: g.max_bandwidth - held[g.group_id] for g in groups if g.status is GroupStatus.ACTIVE}
    assert min(free.values()) >= 0
    assert 0 < sum(free.values()) < sum(ticket.status is Status.NEW for ticket in tickets)


def test_promises_are_broken_at_a_believable_rate(tickets: list[StandardTicket], events: list[Event]) -> None:
    from sla.clocks.batch.evaluate import evaluate
    from sla.policy.calendar_files import load as load_calendars
    from sla.policy.parser import load as load_policies

    created = {event.ticket_id: event.data for event in events if event.kind is Kind.CREATED}
    rows = [{"id": t.key, "created_at": t.created_at, **created[t.key]} for t in tickets]
    moves = [
        {"ticket": e.ticket_id, "ts": e.at, "kind": e.kind.value, "value": e.value, "id": e.id}
        for e in events
        if e.kind in CLOCK_KINDS
    ]
    utc = pl.Datetime("us", "UTC")
    clocks = evaluate(
        pl.DataFrame(rows).with_columns(pl.col("created_at").cast(utc)),
        pl.DataFrame(moves, infer_schema_length=None).with_columns(pl.col("ts").cast(utc)),
        load_policies(DATA / "policies" / "sla" / "default.yaml"),
        load_calendars(DATA / "policies" / "calendars.yaml"),
        datetime.fromisoformat(NOTE["as_of"]),
    ).filter(pl.col("is_current"))
    for clock in ("first_response", "resolution"):
        states = clocks.filter(pl.col("clock").cast(pl.String) == clock)["state"].cast(pl.String)
        assert 0.08 < (states == "breached").mean() < 0.2


def test_sample_ends_when_the_note_says() -> None:
    assert datetime.fromisoformat(NOTE["as_of"]) == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert (date.fromisoformat(NOTE["start"]), NOTE["days"]) == (date(2026, 7, 3), 90)
