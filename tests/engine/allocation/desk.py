"""Groups and tickets for the allocation tests."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.allocation.policy import AllocationPolicy, load_policy
from engine.contracts import AssignmentGroup, GroupMetrics, Location, Ticket

POLICY_FILE = Path(__file__).resolve().parents[3] / "data/policies/allocation.yaml"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEW_YORK = Location(lat=40.7128, lng=-74.0060, timezone="America/New_York")
CHICAGO = Location(lat=41.8781, lng=-87.6298, timezone="America/Chicago")


def policy(preset: str | None = None, **changes: Any) -> AllocationPolicy:
    chosen = load_policy(POLICY_FILE, preset)
    return AllocationPolicy.model_validate({**chosen.model_dump(), **changes})


def group(key: str, *, free: int = 10, slots: int = 10, hours: float = 24.0, **given: Any) -> AssignmentGroup:
    metrics = GroupMetrics(avg_resolution_time_hours=hours, sla_compliance_rate=0.96, quality_score=0.89)
    values = {"name": key.title(), "max_bandwidth": slots, "current_load": slots - free, "metrics": metrics, **given}
    return AssignmentGroup(group_id=key, **values)


def ticket(key: str = "T-1", **given: Any) -> Ticket:
    values = {"created_at": NOON, "updated_at": NOON, "source": "test", "external_id": key, "reference": key, **given}
    return Ticket(id=key, **values)
