"""A small desk for the tests: who works there, a ticket, and instants by weekday."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from engine.contracts import Absence, Agent, Delivery, EmpowermentConfig, Role, StandardTicket, Team, Ticket
from engine.desk import Desk, Policies, read_policies
from engine.standings import standings, tickets_as_of
from engine.storage.ports import Store

POLICIES = Path(__file__).resolve().parents[2] / "data" / "policies"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Monday, 9:00 UTC."""

ANA = Agent(id="ana", email="ana@desk.example", name="Ana", teams=("cloud",))
BEN = Agent(id="ben", email="ben@desk.example", name="Ben", teams=("cloud", "network"), max_tickets=1)
CLEO = Agent(id="cleo", email="cleo@desk.example", name="Cleo", role=Role.TEAM_LEAD, teams=("cloud",))
DIRK = Agent(id="dirk", email="dirk@desk.example", name="Dirk", role=Role.MANAGER, teams=("cloud", "network"))
EVA = Agent(id="eva", email="eva@desk.example", name="Eva", teams=("network",), is_active=False)
FIN = Agent(id="fin", email="fin@desk.example", name="Fin", teams=("network",), empowerment_limit=Decimal(50))
AGENTS = (ANA, BEN, CLEO, DIRK, EVA, FIN)
TEAMS = (
    Team(id="cloud", name="Cloud", supervisor_id="cleo", manager_id="dirk"),
    Team(id="network", name="Network", manager_id="dirk"),
    Team(id="legal", name="Legal", manager_id="dirk"),
)
LIMITS = EmpowermentConfig(team_id="cloud")


def later(hours: float = 0, *, days: float = 0, minutes: float = 0) -> datetime:
    """That long after Monday morning."""
    return MONDAY + timedelta(days=days, hours=hours, minutes=minutes)


def on_leave(agent: Agent, days: float, *, since: float = 0) -> Agent:
    """The agent, away for so many days since so many days before Monday."""
    away = Absence(starts_at=later(days=-since), ends_at=later(days=days - since))
    return agent.model_copy(update={"absences": (away,)})


def a_ticket(**changes: Any) -> Ticket:
    fields = {
        "id": "web:1",
        "source": "web",
        "external_id": "1",
        "reference": "INC-1",
        "created_at": MONDAY,
        "updated_at": MONDAY,
    }
    return Ticket(**{**fields, **changes})


def owned(**changes: Any) -> Ticket:
    """Ana's ticket, under way."""
    facts = {"owner_id": "ana", "accepted_by": "ana", "accepted_at": MONDAY, "status": "in_progress"}
    return a_ticket(**{**facts, **changes})


def delivered(number: int = 1, **changes: Any) -> StandardTicket:
    fields = {"ticket_id": str(number), "source": "web", "ticket_number": f"INC-{number}", "created_at": MONDAY}
    return StandardTicket(**{**fields, **changes})


def a_desk(store: Store, *tickets: StandardTicket, **presets: str) -> Desk:
    store.put([*TEAMS, *AGENTS, LIMITS, EmpowermentConfig(team_id="network")])
    store.ingest(Delivery(tickets=tickets or (delivered(),)), at=MONDAY)
    return Desk(store, policies_in(POLICIES, **presets))


def policies_in(folder: Path, **presets: str) -> Policies:
    """The desk's policies of a folder, with presets by name."""
    names = ("lifecycle", "ownership", "envelopes", "flags", "empowerment", "calibration", "priority", "alert_matrix")
    return read_policies(
        *(folder / f"{name}.yaml" for name in (*names, "reminders", "notifications", "rules", "access")),
        *(folder / f"{name}.yaml" for name in ("cases", "escalations")),
        **presets,
    )


def tables(store: Store) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The store's tickets and events, the key of a ticket named as everywhere."""
    events = store.frame("events").drop("id").rename({"ticket_id": "ticket"})
    return store.frame("tickets").rename({"id": "ticket"}), events


def stood(store: Store, at: datetime) -> pl.DataFrame:
    """The store's tickets as they stood."""
    return tickets_as_of(*tables(store), standings(*tables(store), at), at)
