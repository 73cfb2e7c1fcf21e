"""A small desk at work, in store and marts alike: a ticket in each part of the queue, a lead, two agents, a clock."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.contracts import (
    Agent,
    AssignmentGroup,
    Company,
    Delivery,
    Priority,
    Role,
    StandardTicket,
    Status,
    Team,
    Tier,
)
from engine.contracts.people import Contact
from pipelines.app.container import open_app
from pipelines.jobs.evaluate_sla import evaluate_sla
from pipelines.jobs.publish import publish
from pipelines.snapshot import Snapshot
from tests.dashboards.marts_by_hand import HOSTILE

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
"""A Wednesday; the calendars of the desk are open."""
FORMULA = '=HYPERLINK("https://evil.example")'
HOUR = timedelta(hours=1)
WORKING = {"ana": "Ana Lima", "ben": "Ben Ito"}


def ticket(number: int, hours_ago: float, **changes: Any) -> StandardTicket:
    return StandardTicket(**{
        "source": "demo", "ticket_id": f"INC-{number}", "ticket_number": f"INC-{number}", "title": f"Case {number}",
        "requester": "ct-1", "company": "co-1", "priority": Priority.MEDIUM, "group": "g-1",
        "created_at": NOW - hours_ago * HOUR,
    } | changes)  # fmt: skip


def busy_desk(home: Path) -> None:
    """Late: INC-1 (g-1) and INC-2 (g-2, VIP tier), answered: INC-3, waiting: INC-4, in work: INC-5 (Ana's), nobody's:
    INC-6 (g-1) and INC-7 (g-2)."""
    shutil.copytree(Path(_made().name), home, dirs_exist_ok=True)
    clock = {"began_at": NOW.isoformat(), "at": NOW.isoformat(), "set_at": datetime.now(UTC).isoformat(), "store": ""}
    (home / "clock.json").write_text(json.dumps(clock), encoding="utf-8")


@cache
def _made() -> "TemporaryDirectory[str]":
    folder = TemporaryDirectory()
    with open_app(home=Path(folder.name)) as app:
        agents = [Agent(id=key, email=f"{key}@example.com", name=name, teams=("net",)) for key, name in WORKING.items()]
        lead = Agent(id="cleo", email="cleo@example.com", name="Cleo Roy", role=Role.TEAM_LEAD, teams=("net",))
        groups = [
            AssignmentGroup(group_id="g-1", name="Network", max_bandwidth=4, team_id="net"),
            AssignmentGroup(group_id="g-2", name="Data", max_bandwidth=40, team_id="dat"),
        ]
        teams = [Team(id="net", name="Net"), Team(id="dat", name="Dat")]
        customer = [
            Company(id="co-1", name="Acme"),
            Contact(id="ct-1", email="x@acme.example", name="Xu", company_id="co-1"),
        ]
        app.store.put([*teams, *agents, lead, *groups, *customer])
        tickets = [
            ticket(1, 200, title=HOSTILE), ticket(2, 190, group="g-2", tier=Tier.ENTERPRISE, title=FORMULA),
            ticket(3, 1.5),
            ticket(4, 1.5), ticket(5, 1.5), ticket(6, 0.1, priority=Priority.LOW), ticket(7, 0.1, group="g-2"),
        ]  # fmt: skip
        app.store.ingest(Delivery(tickets=tuple(tickets)), at=NOW - HOUR)
        for number in (3, 4, 5):
            app.desk.accept(f"demo:INC-{number}", by="ana", at=NOW - HOUR)
            app.desk.reply(f"demo:INC-{number}", by="ana", text="Which browser?", at=NOW - HOUR)
        app.desk.receive("demo:INC-3", text="Firefox.", at=NOW - HOUR / 2)
        app.desk.change_status("demo:INC-4", to=Status.WAITING_CUSTOMER, by="ana", at=NOW - HOUR / 2)
        evaluate_sla(app, Snapshot(app, NOW))
        publish(app, Snapshot(app, NOW))
    return folder
