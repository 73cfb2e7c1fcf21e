"""A small publication written by hand: a frame holds only the cells a test speaks of, the rest are null."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from engine.contracts import Agent, Delivery, Event, Kind, Priority, StandardTicket, Team, Tier
from pipelines.app.container import open_app
from pipelines.marts import MartReader, publish
from pipelines.marts.registry import MARTS

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday
DAY_BEFORE = NOON - timedelta(days=1)
HOSTILE = (
    "<script>alert(1)</script> [click](https://evil.example/x) ![p](https://evil.example/p.png) :material/home: $x$"
)
Rows = Sequence[Mapping[str, Any]]


def frame(mart: str, rows: Rows) -> pl.DataFrame:
    schema = MARTS[mart].schema
    columns = {name: [row.get(name) for row in rows] for name in schema}
    return pl.DataFrame(columns, schema=schema)


def published(home: Path, at: datetime = NOON, **marts: Rows) -> MartReader:
    """Publish the given rows as all marts of a home, and read them."""
    publish({mart: frame(mart, marts.get(mart, ())) for mart in MARTS}, home / "marts", as_of=NOON, at=at)
    return MartReader(home / "marts")


def clock(ticket: str, clock: str, state: str, *, due_hours: float | None = None, **cells: Any) -> dict[str, Any]:
    running = state in ("on_track", "at_risk")
    start = cells.pop("window_start", NOON - timedelta(days=3))
    return {
        "ticket": f"demo:{ticket}", "reference": ticket, "clock": clock, "window": 1, "is_current": True,
        "state": state, "target": 14400, "elapsed": 3600, "paused": 0, "remaining": 10800, "is_paused": False,
        "due_at": None if due_hours is None else NOON + timedelta(hours=due_hours), "window_start": start,
        "stopped_at": None if running else NOON - timedelta(hours=1),
        "week": (start - timedelta(days=start.weekday())).date(), "priority": "medium", "tier": "standard",
        "type": "incident", "group_id": "g-1", "source": "demo", "counts": True,
    } | cells  # fmt: skip


def queued(ticket: str, section: str, score: float, *, due_hours: float | None = None, **cells: Any) -> dict[str, Any]:
    return {
        "ticket": f"demo:{ticket}", "reference": ticket, "subject": f"Subject of {ticket}", "status": "in_progress",
        "priority": "medium", "tier": "standard", "vip": False, "score": score, "section": section,
        "next_clock": "resolution", "next_due_at": None if due_hours is None else NOON + timedelta(hours=due_hours),
        "product": "ZTNA", "confidence": 0.91, "needs_review": False, "group_id": "g-1", "group_name": "Network",
        "owner_id": "ana", "has_suggestion": True, "created_at": NOON - timedelta(days=1),
    } | cells  # fmt: skip


def ticket(reference: str, **cells: Any) -> dict[str, Any]:
    return {
        "ticket": f"demo:{reference}", "reference": reference, "source": "demo", "subject": f"Subject of {reference}",
        "type": "incident", "status": "in_progress", "priority": "medium", "tier": "standard", "vip": False,
        "escalated": False, "group_id": "g-1", "created_at": NOON - timedelta(days=1),
        "updated_at": NOON - timedelta(hours=2), "is_open": True,
    } | cells  # fmt: skip


LOAD = ({"group_id": "g-1", "group_name": "Network"}, {"group_id": "g-2", "group_name": "Data"})


def small_desk(home: Path) -> MartReader:
    """Three tickets: one breaks soon, one is late and hostile, one is solved. A copy of what was published once."""
    shutil.copytree(Path(_small_desk().name) / "marts", home / "marts", dirs_exist_ok=True)
    return MartReader(home / "marts")


@cache
def _small_desk() -> "TemporaryDirectory[str]":
    folder = TemporaryDirectory()
    _publish_small_desk(Path(folder.name)).close()
    return folder


def _publish_small_desk(home: Path) -> MartReader:
    return published(
        home,
        tickets=[
            ticket("INC-1", priority="high", tier="enterprise"),
            ticket("INC-2", subject=HOSTILE, group_id="g-2"),
            ticket("INC-3", status="closed", is_open=False),
        ],
        sla_clocks=[
            clock("INC-1", "first_response", "met", priority="high", tier="enterprise"),
            clock("INC-1", "resolution", "at_risk", due_hours=1.5, priority="high", tier="enterprise"),
            clock("INC-2", "first_response", "breached", group_id="g-2"),
            clock("INC-2", "resolution", "on_track", due_hours=5, group_id="g-2"),
            clock("INC-3", "first_response", "met"),
            clock("INC-3", "resolution", "met", window_start=NOON - timedelta(days=40)),
        ],
        work_queue=[
            queued("INC-1", "needs_attention", 210.0, due_hours=1.5, priority="high"),
            queued("INC-2", "needs_attention", 80.0, due_hours=-3, subject=HOSTILE, group_id="g-2", group_name="Data"),
        ],
        classifications=[
            {
                "ticket": "demo:INC-1", "product": "ZTNA", "urgency": "high", "confidence": 0.91, "needs_review": False,
                "runner_up": "SWG", "runner_up_confidence": 0.05, "reasoning": "nearest to: connector offline",
                "model_used": "local", "created_at": NOON,
            },
            {
                "ticket": "demo:INC-2", "product": "DLP", "urgency": "low", "confidence": 0.4, "needs_review": True,
                "reasoning": f"words in common: {HOSTILE}", "model_used": "local", "created_at": NOON,
            },
        ],
        allocations=[
            {
                "ticket": "demo:INC-1", "reference": "INC-1", "decided_at": NOON, "outcome": "allocated",
                "group_id": "g-1", "group_name": "Network", "composite": 0.8, "availability": 0.9, "bandwidth": 0.7,
                "velocity": 0.8, "performance": 0.9, "proximity": 0.4, "cultural_fit": 0.8, "timezone": 1.0,
                "rationale": "Network: the shortest wait", "policy": "hld-v2",
                "runners_up": '[{"group_name": "Data", "composite": 0.71}]',
                "excluded": '[{"reason": "full", "groups": 7, "names": ["Front desk", "Night watch"]}]',
            }
        ],
        suggestions=[
            {
                "ticket": "demo:INC-1", "text": "Restart the connector [1].", "grounded": True, "citations": "[]",
                "macros": '["auth-sso-login-loop"]', "model_used": "extractive", "created_at": NOON,
            }
        ],
        group_load=LOAD,
        confidence=[
            {"lower": 0.4, "upper": 0.5, "tickets": 1, "needs_review": 1},
            {"lower": 0.9, "upper": 1.0, "tickets": 3, "needs_review": 0},
        ],
        alerts=[
            {
                "ticket": "demo:INC-2", "reference": "INC-2", "clock": "first_response", "alert_type": "breach",
                "level": 3, "state": "breached", "triggered_at": NOON - timedelta(days=60), "deadline": NOON,
                "remaining_seconds": -60.0,
            }
        ],
        rejected=[{"source": "csv", "origin": "a.csv", "row": 3, "reason": f"no ticket_id: {HOSTILE}"}],
    )  # fmt: skip


def looking_back_desk(home: Path) -> MartReader:
    """Ana broke two promises to Acme, one kept clock is nobody's; two months of alerts and days."""
    mine = {"agent_id": "ana", "agent_because": "resolved", "company_id": "acme"}
    month = NOON.date().replace(day=1)
    return published(
        home,
        tickets=[ticket("INC-1"), ticket("INC-2"), ticket("INC-3")],
        sla_clocks=[
            clock("INC-1", "resolution", "breached", elapsed=21_600, is_current=False, **mine),
            clock("INC-1", "resolution", "on_track", due_hours=4, window=2),
            clock("INC-2", "resolution", "breached", elapsed=18_000, **mine),
            clock("INC-3", "resolution", "met"),
        ],
        breach_reasons=[
            {
                "ticket": "demo:INC-1", "reference": "INC-1", "clock": "resolution", "window": 1, "over_by": 7_200,
                "reason": "waiting_internally", "seconds_to_pick_up": 60, "seconds_waiting_internal": 14_400,
                "seconds_in_work": 7_200,
            },
            {
                "ticket": "demo:INC-2", "reference": "INC-2", "clock": "resolution", "window": 1, "over_by": 3_600,
                "reason": "never_picked_up", "seconds_to_pick_up": 18_000, "seconds_waiting_internal": 18_000,
                "seconds_in_work": 0,
            },
        ],
        credited_breaches=[
            {
                "ticket": f"demo:{reference}", "reference": reference, "clock": "resolution", "window": 1,
                "company_id": "acme", "month": month, "priority": "high", "times_target": 1.5,
                "credit_percent": percent, "is_final": True, "preset": "graded",
            }
            for reference, percent in (("INC-1", 20.0), ("INC-2", 10.0))
        ],
        sla_credits=[
            {
                "company_id": "acme", "month": month, "breaches": 2, "still_running": 0, "summed_percent": 30.0,
                "credit_percent": 25.0, "is_capped": True, "preset": "graded",
            }
        ],
        time_in_state=[
            {
                "status": status, "dimension": "all", "value": "all", "tickets": 3, "visits": 3,
                "total_seconds": 10_800, "mean_seconds": 3_600.0, "median_seconds": 3_600.0, "on_calendar": 3,
                "total_business_seconds": 5_400, "mean_business_seconds": 1_800.0, "median_business_seconds": 1_800.0,
            }
            for status in ("in_progress", "closed")
        ],
        names=[
            {"dimension": "agent_id", "value": "ana", "name": "Ana Lima"},
            {"dimension": "company_id", "value": "acme", "name": "Acme"},
        ],
        alerts=[
            {
                "ticket": "demo:INC-1", "reference": "INC-1", "clock": "resolution", "alert_type": kind, "level": level,
                "state": "breached", "triggered_at": NOON - timedelta(days=days), "deadline": NOON,
                "remaining_seconds": -60.0,
            }
            for kind, level, days in (("warning", 2, 1), ("breach", 3, 1), ("breach", 3, 40))
        ],
        volume=[
            {
                "day": NOON.date() - timedelta(days=days), "created": created, "resolved": resolved, "reopened": 0,
                "left_out": 0, "open_at_end": left,
            }
            for days, created, resolved, left in ((100, 5, 0, 5), (2, 4, 1, 8), (1, 3, 2, 9))
        ],
        group_load=[
            {
                "group_id": key, "group_name": name, "status": "ACTIVE", "capacity": 10, "load_before": load,
                "allocated": 0, "load_after": load, "utilisation": load / 10,
            }
            for key, name, load in (("g-2", "Data", 5), ("g-1", "Network", 12))
        ],
    )  # fmt: skip


def stored_desk(home: Path) -> None:
    """The tickets of the small desk and two agents, in the system of record of the same home."""
    tickets = (
        StandardTicket(
            ticket_id="INC-1", source="demo", ticket_number="INC-1", title="Subject of INC-1", created_at=DAY_BEFORE,
            description="The connector shows as offline.", priority=Priority.HIGH, tier=Tier.ENTERPRISE,
        ),
        StandardTicket(
            ticket_id="INC-2", source="demo", ticket_number="INC-2", title=HOSTILE, description=HOSTILE,
            created_at=DAY_BEFORE, requester=HOSTILE,
        ),
    )  # fmt: skip
    note = Event(ticket_id="demo:INC-2", kind=Kind.MESSAGE, at=NOON, actor=HOSTILE, data={"text": HOSTILE}, id="m-1")
    agents = [
        Agent(id="ana", email="ana@example.com", name="Ana", teams=("network",)),
        Agent(id="ben", email="ben@example.com", name="Ben", teams=("network",), max_tickets=0),
    ]
    with open_app(home=home) as parts:
        parts.store.put([Team(id="network", name="Network"), *agents])
        parts.store.ingest(Delivery(tickets=tickets), at=NOON)
        parts.store.append([note], at=NOON)
