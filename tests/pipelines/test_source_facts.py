"""What a source does not tell is told as not known: shared cases, and one rule for first and repeated deliveries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.contracts import Delivery, Event, Kind, Responses, StandardTicket
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs.alerts import raise_alerts
from pipelines.jobs.ingest import ingest
from pipelines.marts.registry import MARTS
from pipelines.snapshot import Snapshot

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATE = datetime(2026, 3, 20, 12, tzinfo=UTC)
FACTS = Path(__file__).resolve().parents[3] / "shared" / "cases" / "facts"

shared = pytest.mark.skipif(not FACTS.is_dir(), reason="../shared/cases is not there")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_app(home=tmp_path) as opened:
        yield opened


def taken(app: App, name: str, *, source: str, mapping: str | None = None, as_of: datetime = LATE) -> Snapshot:
    ingest(app, FACTS / name, source=source, mapping=FACTS / mapping if mapping else None, at=as_of)
    return Snapshot(app, as_of)


def states(snapshot: Snapshot, clock: str) -> dict[str, list[str]]:
    """By the source's own key of a ticket, the state of each window."""
    own = snapshot.ticket_clocks.filter(pl.col("clock").cast(pl.String) == clock).sort("ticket", "window")
    found: dict[str, list[str]] = {}
    for ticket, state in own.select("ticket", pl.col("state").cast(pl.String)).iter_rows():
        found.setdefault(ticket.partition(":")[2], []).append(state)
    return found


@shared
def test_a_source_without_replies_has_no_first_response(app: App) -> None:
    snapshot = taken(app, "zendesk.csv", source="zendesk-csv")
    assert states(snapshot, "first_response") == {key: ["not_measured"] for key in "123457"}
    attainment = MARTS["attainment"].frame(snapshot).filter(dimension="all", clock="first_response")
    assert attainment.select("clocks", "met", "breached", "not_measured").rows() == [(0, 0, 0, 4)]
    assert raise_alerts(app, snapshot.clocks.filter(clock="first_response"), snapshot.tickets_now, as_of=LATE) == 0


@shared
def test_what_was_solved_stays_met_and_what_is_not_told_is_not_measured(app: App) -> None:
    snapshot = taken(app, "zendesk.csv", source="zendesk-csv")
    found = states(snapshot, "resolution")
    assert found["1"] == ["met", "not_measured"]
    assert (found["4"], found["5"], found["7"]) == (["met"], ["breached"], ["not_measured"])


@shared
def test_deleted_and_merged_tickets_count_nowhere(app: App) -> None:
    snapshot = taken(app, "zendesk.csv", source="zendesk-csv")
    volume = MARTS["volume"].frame(snapshot)
    assert (volume["resolved"].sum(), volume["left_out"].sum()) == (3, 2)
    left_out = MARTS["source_outcomes"].frame(snapshot).filter(~pl.col("counts_in_attainment"))
    assert left_out.select("outcome", "tickets").rows() == [("deleted", 1), ("merged", 1)]
    counted = {"zendesk:2", "zendesk:3"} & set(MARTS["breach_reasons"].frame(snapshot)["ticket"])
    assert not counted
    assert MARTS["reopens"].frame(snapshot).filter(dimension="all")["resolved"].to_list() == [3]
    assert not {"zendesk:2", "zendesk:3"} & set(MARTS["credited_breaches"].frame(snapshot)["ticket"])


@shared
def test_closed_without_an_instant_is_closed_and_out_of_attainment(app: App) -> None:
    snapshot = taken(app, "closed_no_time.csv", source="mini", mapping="closed_no_time.yaml")
    assert states(snapshot, "resolution")["1"] == states(snapshot, "resolution")["2"] == ["not_measured"]
    assert snapshot.tickets.sort("ticket")["status"].to_list() == ["closed", "closed", "in_progress"]
    coverage = MARTS["source_coverage"].frame(snapshot).filter(field="resolution")
    assert coverage.select("unknown", "why").rows() == [(2, "no_end")]


@shared
def test_a_published_day_stays_whenever_it_is_published(app: App) -> None:
    for name in ("tickets", "events"):
        target = app.settings.home / f"{name}.jsonl"
        lines = (FACTS / "reopened.jsonl").read_text().splitlines()
        target.write_text("\n".join(lines[:1] if name == "tickets" else lines[1:]) + "\n")
    ingest(app, app.settings.home / "tickets.jsonl", source="helmdesk", at=LATE)
    late = MARTS["volume"].frame(Snapshot(app, LATE))
    assert dict(late.select(pl.col("day").dt.day(), "resolved").iter_rows()) == {1: 0, 2: 1, 3: 0, 4: 0, 5: 1}
    assert dict(late.select(pl.col("day").dt.day(), "open_at_end").iter_rows()) == {1: 1, 2: 0, 3: 0, 4: 1, 5: 0}
    early = MARTS["volume"].frame(Snapshot(app, datetime(2026, 3, 3, 12, tzinfo=UTC)))
    assert early.rows() == late.head(early.height).rows()


@shared
def test_a_note_and_an_automation_are_no_response(tmp_path: Path) -> None:
    policy = "name: four\npolicies:\n  - {name: all, first_response: 4 hours, resolution: 40 hours}\n"
    with open_app(home=tmp_path / "home", data=data_with(tmp_path, policy), sla_policy="own") as app:
        snapshot = taken(app, "jira_comments.jsonl", source="jira")
        assert states(snapshot, "first_response") == {"J-1": ["breached"], "J-2": ["breached"]}
        answered = snapshot.tickets["first_response_at"].to_list()
        assert answered == [datetime(2026, 3, 2, 15, tzinfo=UTC)] * 2


@shared
@pytest.mark.parametrize(("at", "state", "policy"), [((11, 30), "breached", "a"), ((12, 30), "on_track", "b")])
def test_a_ticket_is_judged_by_the_team_of_that_instant(
    tmp_path: Path, at: tuple[int, int], state: str, policy: str
) -> None:
    own = data_with(tmp_path, (FACTS / "team" / "policy.yaml").read_text())
    as_of = datetime(2026, 3, 2, *at, tzinfo=UTC)
    with open_app(home=tmp_path / "home", data=own, sla_policy="own") as app:
        ingest(app, FACTS / "team", source="helmdesk", at=LATE)
        clock = Snapshot(app, as_of).clocks.filter(clock="resolution")
        assert clock.select(pl.col("state").cast(pl.String), pl.col("policy").cast(pl.String)).rows() == [
            (state, policy)
        ]
        assert clock["window_start"].to_list() == [MONDAY]


def test_a_ticket_is_judged_by_the_channel_of_that_instant(tmp_path: Path) -> None:
    policy = (
        "name: own\npolicies:\n  - {name: phone, match: {channel: phone}, resolution: 1 hours}\n"
        "  - {name: rest, resolution: 100 hours}\n"
    )
    with open_app(home=tmp_path / "home", data=data_with(tmp_path, policy), sla_policy="own") as app:
        app.store.ingest(delivered(channel="phone"), at=MONDAY)
        app.store.ingest(delivered(channel="mail", updated_at=MONDAY + 2 * HOUR), at=MONDAY + 2 * HOUR)
        assert resolution(app, MONDAY + 1.5 * HOUR)[0][0] == "breached"
        assert resolution(app, MONDAY + 3 * HOUR)[0][0] == "on_track"


@shared
def test_days_are_those_of_berlin(tmp_path: Path) -> None:
    with open_app(home=tmp_path, time_zone="Europe/Berlin") as app:
        snapshot = taken(
            app, "berlin.csv", source="berlin", mapping="berlin.yaml", as_of=datetime(2026, 6, 10, tzinfo=UTC)
        )
        created = MARTS["volume"].frame(snapshot).filter(pl.col("created") > 0).select("day", "created")
        assert [(f"{day}", count) for day, count in created.iter_rows()] == [("2026-05-31", 1), ("2026-06-01", 2)]
        weeks = snapshot.ticket_clocks.select("ticket", "week").unique().sort("ticket")["week"]
        assert [str(week) for week in weeks] == ["2026-06-01", "2026-06-01", "2026-05-25"]
        reasons = " ".join(snapshot.rejected["reason"])
        assert snapshot.rejected.height == 2
        assert "06/01/2026" in reasons


def data_with(folder: Path, policy: str) -> Path:
    """A data folder like the shipped one with an SLA policy of its own, called `own`."""
    from shutil import copytree

    data = folder / "data"
    copytree(shipped_data(), data)
    (data / "policies" / "sla" / "own.yaml").write_text(policy)
    return data


def delivered(**fields: Any) -> Delivery:
    made = {"ticket_id": "1", "source": "web", "created_at": MONDAY, "updated_at": MONDAY}
    return Delivery(tickets=(StandardTicket.model_validate(made | fields),))


def resolution(app: App, as_of: datetime = LATE) -> list[tuple[str, str | None]]:
    rows = Snapshot(app, as_of).ticket_clocks.filter(pl.col("clock").cast(pl.String) == "resolution").sort("window")
    return rows.select(pl.col("state").cast(pl.String), "why").rows()


@pytest.mark.parametrize("first", [True, False])
def test_an_end_at_an_unknown_instant_is_not_measured_however_often_it_came(app: App, first: bool) -> None:
    if not first:
        app.store.ingest(delivered(), at=MONDAY)
    app.store.ingest(delivered(status="closed", updated_at=MONDAY + 2 * HOUR), at=LATE)
    assert resolution(app) == [("not_measured", "no_end")]
    ticket = app.store.ticket("web:1")
    assert (ticket.status, ticket.resolved_at, ticket.closed_at) == ("closed", None, None)


def test_an_end_that_is_told_later_is_measured(app: App) -> None:
    app.store.ingest(delivered(status="closed", updated_at=MONDAY + 2 * HOUR), at=LATE - HOUR)
    assert resolution(app) == [("not_measured", "no_end")]
    app.store.ingest(delivered(status="closed", closed_at=MONDAY + HOUR, updated_at=LATE), at=LATE)
    assert resolution(app) == [("met", None)]
    assert Snapshot(app, LATE).clocks.filter(clock="resolution")["stopped_at"].to_list() == [MONDAY + HOUR]


def test_a_wait_without_a_beginning_is_not_measured_until_before_it_was_delivered(app: App) -> None:
    app.store.ingest(delivered(status="in_progress"), at=MONDAY)
    waits = delivered(status="waiting_customer", updated_at=MONDAY + 3 * HOUR)
    app.store.ingest(waits, at=MONDAY + 3 * HOUR)
    assert resolution(app, MONDAY - HOUR) == []
    assert resolution(app) == [("not_measured", "waiting_customer")]
    done = delivered(status="resolved", resolved_at=MONDAY + 5 * HOUR, updated_at=MONDAY + 5 * HOUR)
    app.store.ingest(done, at=LATE)
    assert resolution(app) == [("not_measured", "waiting_customer")]


@pytest.mark.parametrize(
    ("responses", "ended", "state"),
    [
        (Responses.COLUMN, False, "breached"),
        (Responses.COLUMN, True, "not_measured"),
        (Responses.NONE, False, "not_measured"),
        (Responses.REPLIES, True, "met"),
    ],
)
def test_first_response_by_what_the_source_tells(app: App, responses: Responses, ended: bool, state: str) -> None:
    end = {"status": "resolved", "resolved_at": MONDAY + HOUR / 2} if ended else {"status": "in_progress"}
    app.store.ingest(delivered(responses=responses, **end), at=LATE)
    assert states(Snapshot(app, LATE), "first_response") == {"1": [state]}


def test_an_agreed_end_is_judged_by_its_instant(app: App) -> None:
    agreed = {"agreed_due_at": MONDAY + 100 * HOUR, "priority": "critical"}
    app.store.ingest(delivered(**agreed), at=MONDAY)
    assert resolution(app, MONDAY + 99 * HOUR)[0][0] in {"on_track", "at_risk"}
    assert resolution(app, MONDAY + 100 * HOUR + timedelta(seconds=1)) == [("breached", None)]
    moved = delivered(agreed_due_at=MONDAY + 200 * HOUR, priority="critical", updated_at=MONDAY + 90 * HOUR)
    app.store.ingest(moved, at=MONDAY + 90 * HOUR)
    assert resolution(app, MONDAY + 150 * HOUR)[0][0] == "on_track"


def test_the_longest_wait_is_from_the_first_unanswered_message(app: App) -> None:
    talk = [(0, "customer_message"), (0.5, "customer_message"), (2, "response"), (4, "customer_message")]
    events = [Event(ticket_id="web:1", kind=Kind(kind), at=MONDAY + hours * HOUR) for hours, kind in talk]
    delivery = delivered().model_copy(update={"events": tuple(events)})
    app.store.ingest(delivery, at=LATE)
    found = MARTS["replies"].frame(Snapshot(app, MONDAY + 5 * HOUR)).row(0, named=True)
    assert (found["questions"], found["answered"], found["longest_wait_seconds"]) == (2, 1, 7200)
    assert (found["mean_wait_seconds"], found["waits_since"]) == (7200, MONDAY + 4 * HOUR)


def test_the_sources_own_verdict_stands_beside_ours(app: App) -> None:
    verdict = {"resolution": "breached", "first_response_due_at": MONDAY + 1000 * HOUR}
    done = {"status": "resolved", "resolved_at": MONDAY + HOUR / 2, "first_response_at": MONDAY + HOUR / 4}
    app.store.ingest(delivered(source_verdict=verdict, **done), at=LATE)
    found = MARTS["source_verdicts"].frame(Snapshot(app, LATE)).sort("clock")
    rows = found.select("clock", "theirs", "ours", "agrees").rows()
    assert rows == [("first_response", "met", "met", True), ("resolution", "breached", "met", False)]


def test_of_what_the_source_judges_not_nothing_is_compared(app: App) -> None:
    done = {"status": "resolved", "resolved_at": MONDAY + HOUR / 2}
    app.store.ingest(delivered(source_verdict={"resolution": "met"}, **done), at=LATE)
    assert MARTS["source_verdicts"].frame(Snapshot(app, LATE))["clock"].to_list() == ["resolution"]


@pytest.mark.parametrize(
    ("subject", "headers", "is_machine"),
    [
        ("Automatic reply: your ticket", {}, True),
        ("RE: automatic reply settings are broken", {}, False),
        ("Printer", {"Auto-Submitted": "auto-replied"}, True),
        ("Printer", {"auto-submitted": "auto-generated; owner=x"}, True),
        ("Printer", {"Auto-Submitted": "no"}, False),
        ("Abwesenheitsnotiz: Urlaub", {}, True),
    ],
)
def test_machine_mail_is_proposed_and_stays(app: App, subject: str, headers: dict[str, str], is_machine: bool) -> None:
    app.store.ingest(delivered(title=subject, external_metadata=headers), at=LATE)
    found = MARTS["tickets"].frame(Snapshot(app, LATE))
    assert found.select("is_machine_mail", "outcome").rows() == [(is_machine, None)]
