"""The generator gives the same believable queue for a seed, whoever runs it."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from engine.contracts import OPEN_STATUSES, Kind, Status
from engine.lifecycle import load, replay
from pipelines.app.people_files import People, load_people
from pipelines.samples.arrivals import STORM, storm_day
from pipelines.samples.generate import Sample, as_of, generate

ROOT = Path(__file__).resolve().parents[3]
START, DAYS = date(2026, 7, 3), 90


@pytest.fixture(scope="module")
def people() -> People:
    return load_people(ROOT / "data" / "people")


@pytest.fixture(scope="module")
def sample(people: People) -> Sample:
    return generate(1200, seed=11, start=START, days=DAYS, people=people)


def share(sample: Sample, *wanted: str, field: str) -> float:
    return sum(getattr(ticket, field) in wanted for ticket in sample.tickets) / len(sample.tickets)


def test_same_seed_same_sample(people: People) -> None:
    first, second = (generate(60, seed=5, start=START, days=DAYS, people=people) for _ in range(2))
    assert first == second


def test_another_seed_another_sample(people: People) -> None:
    first, second = (generate(60, seed=seed, start=START, days=DAYS, people=people) for seed in (5, 6))
    assert first.tickets != second.tickets


def test_other_processes_write_the_same_bytes(tmp_path: Path) -> None:
    for name, hash_seed in (("one", "1"), ("two", "2")):
        command = [
            sys.executable,
            "-m",
            "pipelines.samples",
            "--tickets",
            "40",
            "--seed",
            "3",
            "--out",
            tmp_path / name,
        ]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env={"PYTHONHASHSEED": hash_seed})
    files = {path.name for path in (tmp_path / "one").iterdir()}
    assert files == {"tickets.jsonl", "events.jsonl", "labels.csv", "sample.yaml"}
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files)


@pytest.mark.parametrize("tickets", [0, 1, 2, 3, 17])
@pytest.mark.parametrize("days", [1, 2, 7])
def test_small_samples_are_whole(people: People, tickets: int, days: int) -> None:
    sample = generate(tickets, seed=1, start=START, days=days, people=people)
    assert len(sample.tickets) == len(sample.labels) == tickets
    assert {event.ticket_id for event in sample.events} == {ticket.key for ticket in sample.tickets}


def test_replaying_the_events_gives_the_ticket(sample: Sample) -> None:
    histories: dict[str, list] = {ticket.key: [] for ticket in sample.tickets}
    for event in sample.events:
        histories[event.ticket_id].append(event)
    for ticket in sample.tickets:
        first, *rest = histories[ticket.key]
        assert (first.kind, first.at) == (Kind.CREATED, ticket.created_at)
        state = replay(first.data, rest)
        told = {name: getattr(state, name) for name in ("status", "priority", "tier", "type")}
        told |= {name: getattr(state, name) for name in ("first_response_at", "resolved_at", "closed_at")}
        assert told == {name: getattr(ticket, name) for name in told}
        assert ticket.updated_at == max(event.at for event in histories[ticket.key])
        last = {event.kind: event.value for event in rest}
        assert (ticket.group, ticket.assignee) == (last.get(Kind.GROUP), last.get(Kind.ASSIGNEE))


def test_every_move_is_one_the_desk_allows(sample: Sample) -> None:
    preset = load(ROOT / "data" / "policies" / "lifecycle.yaml").preset("canonical")
    status: dict[str, Status] = {}
    for event in sample.events:
        if event.kind is Kind.STATUS:
            assert preset.allows(status.get(event.ticket_id, Status.NEW), Status(event.value or ""))
            status[event.ticket_id] = Status(event.value or "")


def test_events_are_in_order_and_not_in_the_future(sample: Sample) -> None:
    for before, after in pairwise(sample.events):
        assert after.ticket_id != before.ticket_id or before.at <= after.at
    assert max(event.at for event in sample.events) <= as_of(START, DAYS)
    assert len({event.id for event in sample.events}) == len(sample.events)


def test_tickets_come_within_the_period_oldest_first(sample: Sample) -> None:
    created = [ticket.created_at for ticket in sample.tickets]
    assert created == sorted(created)
    first = datetime(2026, 7, 3, tzinfo=UTC)
    assert first <= created[0]
    assert created[-1] < first + timedelta(days=DAYS)


def test_weekends_are_quiet(sample: Sample) -> None:
    days = Counter(ticket.created_at.weekday() for ticket in sample.tickets)
    assert days[5] + days[6] < 0.12 * len(sample.tickets)


def topics(sample: Sample, day: date) -> list[str]:
    both = zip(sample.tickets, sample.labels, strict=True)
    return [label.topic for ticket, label in both if ticket.created_at.date() == day]


def test_storm_day_has_its_topic(sample: Sample) -> None:
    on_the_day = topics(sample, START + timedelta(days=storm_day(START, DAYS)))
    assert on_the_day.count(STORM.topic) > len(on_the_day) / 2


def test_last_day_is_as_busy_as_other_weekdays(sample: Sample) -> None:
    weekdays = [day for n in range(1, 22) if (day := START + timedelta(days=DAYS - n)).weekday() < 5]
    last, *before = (len(topics(sample, day)) for day in weekdays)
    assert min(before) <= last <= max(before)


def test_backlog_has_no_cliff_at_its_end(sample: Sample) -> None:
    mornings = [as_of(START, DAYS) - timedelta(days=ago) for ago in range(15)]
    last, *before = (later - earlier for later, earlier in pairwise(waiting(sample, at) for at in mornings))
    assert last <= max(before)


def waiting(sample: Sample, at: datetime) -> int:
    """The tickets open at an instant."""
    moves = (event for event in sample.events if event.kind in (Kind.CREATED, Kind.STATUS) and event.at <= at)
    status = {event.ticket_id: event.value or "new" for event in moves}
    return sum(value in OPEN_STATUSES for value in status.values())


@pytest.mark.parametrize(
    ("field", "wanted", "low", "high"),
    [
        ("priority", ["critical"], 0.03, 0.08),
        ("priority", ["high"], 0.15, 0.25),
        ("priority", ["medium"], 0.42, 0.56),
        ("priority", ["low"], 0.2, 0.34),
        ("status", ["new"], 0.05, 0.08),
        ("status", ["resolved", "closed"], 0.78, 0.86),
        ("language", ["en"], 0.7, 0.9),
        ("vip", [True], 0.01, 0.2),
        ("type", ["incident"], 0.7, 0.92),
    ],
)
def test_shares_are_those_of_a_desk(sample: Sample, field: str, wanted: list[str], low: float, high: float) -> None:
    assert low <= share(sample, *wanted, field=field) <= high


def test_every_kind_of_ticket_occurs(sample: Sample) -> None:
    seen = {name: {getattr(ticket, name) for ticket in sample.tickets} for name in ("type", "tier", "channel")}
    assert [len(values) for values in seen.values()] == [4, 4, 5]
    assert {ticket.language for ticket in sample.tickets} == {"en", "de", "fr", "es"}


def test_new_tickets_wait_for_everything(sample: Sample) -> None:
    waiting = [ticket for ticket in sample.tickets if ticket.status is Status.NEW]
    assert not [t for t in waiting if t.group or t.assignee or t.first_response_at or t.updated_at != t.created_at]


def test_people_of_the_tickets_exist(sample: Sample, people: People) -> None:
    companies = {company.id: company.tier for company in people.companies}
    assert {t.requester for t in sample.tickets} <= {contact.id for contact in people.contacts}
    assert {t.assignee for t in sample.tickets} - {None} <= {agent.id for agent in people.agents if agent.is_active}
    assert {t.group for t in sample.tickets} - {None} <= {g.group_id for g in people.groups if g.status == "active"}
    assert all(ticket.tier == companies[ticket.company or ""] for ticket in sample.tickets)


def test_some_are_reopened_and_some_noise_is_dismissed(sample: Sample) -> None:
    reopened = {event.ticket_id for event in sample.events if event.sla_effect == "reopen"}
    assert 0.03 < len(reopened) / len(sample.tickets) < 0.08
    assert any(event.reason == "not a support request" for event in sample.events)
