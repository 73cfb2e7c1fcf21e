"""The people and groups of a desk: customers who ask, agents who answer, groups that take the load."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, model_validator

from engine.contracts.base import Frozen, Instant

Share = Annotated[float, Field(ge=0, le=1, strict=True)]


class Tier(StrEnum):
    """Contract tier: chooses the SLA policy and its multiplier. Being a VIP is another axis."""

    ENTERPRISE = "enterprise"
    BUSINESS = "business"
    STANDARD = "standard"
    FREE = "free"


class Location(Frozen):
    """Where somebody is; degrees north and east (WGS 84), IANA time zone."""

    lat: Annotated[float, Field(ge=-90, le=90, strict=True)] | None = None
    lng: Annotated[float, Field(ge=-180, le=180, strict=True)] | None = None
    timezone: str | None = None
    name: str | None = None


class Company(Frozen):
    """A customer organisation: contract, region, what it is entitled to and, if it is known, what it pays a year."""

    id: str
    name: str
    tier: Tier = Tier.STANDARD
    segment: str | None = None
    region: str | None = None
    data_residency: str | None = None
    billing_status: str = "current"
    entitlements: tuple[str, ...] = ()
    annual_revenue_eur: Annotated[Decimal, Field(ge=0)] | None = None
    default_policy: str | None = None


class Contact(Frozen):
    """A person who asks."""

    id: str
    email: str
    name: str
    company_id: str | None = None
    tier: Tier = Tier.STANDARD
    vip: bool = False
    language: str = "en"
    timezone: str | None = None
    hubspot_id: str | None = None


class Role(StrEnum):
    AGENT = "agent"
    TEAM_LEAD = "team_lead"
    MANAGER = "manager"


class AbsenceKind(StrEnum):
    HOLIDAY = "holiday"
    SICK = "sick"
    TRAINING = "training"
    OTHER = "other"


class Absence(Frozen):
    """When somebody is not there: from the first of two instants, and there again at the second."""

    starts_at: Instant = Field(validation_alias=AliasChoices("from", "starts_at"))
    ends_at: Instant = Field(validation_alias=AliasChoices("to", "ends_at"))
    kind: AbsenceKind = AbsenceKind.OTHER

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError(f"it ends at {self.ends_at.isoformat()}, which is not after it starts")
        return self


class Agent(Frozen):
    """A person who answers. `empowerment_limit` is in the team's currency.

    `shift` names the business calendar of the person's working hours; None is any hour. An absence told in days lasts
    from the first day's beginning to the last day's end in the person's time zone.
    """

    id: str
    email: str
    name: str
    role: Role = Role.AGENT
    teams: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    certifications: tuple[str, ...] = ()
    max_tickets: Annotated[int, Field(ge=0)] = 25
    empowerment_limit: Decimal = Decimal(100)
    timezone: str = "UTC"
    is_active: bool = True
    shift: str | None = None
    absences: tuple[Absence, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _days_as_instants(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("absences"), list | tuple):
            return given
        zone = str(given.get("timezone") or "UTC")
        return {**given, "absences": [_dated(absence, zone) for absence in given["absences"]]}

    def is_away(self, at: datetime) -> bool:
        return any(absence.starts_at <= at < absence.ends_at for absence in self.absences)


def _dated(absence: Any, zone: str) -> Any:
    """Days as instants; whatever is no day is left to be checked."""
    if not isinstance(absence, Mapping):
        return absence
    names = {"from": 0, "starts_at": 0, "to": 1, "ends_at": 1}
    return {name: _midnight(value, zone, names[name]) if name in names else value for name, value in absence.items()}


def _midnight(value: Any, zone: str, days_later: int) -> Any:
    try:
        day = date.fromisoformat(value.strip()) if isinstance(value, str) else value
        if not isinstance(day, date) or isinstance(day, datetime):
            return value
        return datetime.combine(day + timedelta(days=days_later), time(), ZoneInfo(zone))
    except (ValueError, KeyError, OSError, OverflowError):
        return value


class Team(Frozen):
    """A team and who leads it."""

    id: str
    name: str
    supervisor_id: str | None = None
    manager_id: str | None = None


class EmpowermentConfig(Frozen):
    """What a team may grant without asking: up to `tier1_limit` an agent, up to `tier2_limit` a team lead."""

    team_id: str
    tier1_limit: Decimal = Decimal(100)
    tier2_limit: Decimal = Decimal(500)
    tier3_requires: tuple[str, ...] = ("approval", "calibration")
    currency: str = "EUR"


class GroupStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"


class GroupMetrics(Frozen):
    """What a group has shown so far; the defaults hold until there is data (seed S3-R15)."""

    avg_resolution_time_hours: Annotated[float, Field(ge=0)] = 24.0
    sla_compliance_rate: Share = 0.95
    quality_score: Share = 0.80
    cultural_competencies: tuple[str, ...] = ()


class AssignmentGroup(Frozen):
    """A group that can take tickets. `max_bandwidth` and `current_load` are tickets open at once.

    `shift` names the business calendar the group works by; None is around the clock.
    Competencies are languages and certifications only.
    """

    group_id: str
    name: str
    location: Location = Location()
    capabilities: tuple[str, ...] = ()
    status: GroupStatus = GroupStatus.ACTIVE
    max_bandwidth: Annotated[int, Field(ge=0)]
    current_load: Annotated[int, Field(ge=0)] = 0
    metrics: GroupMetrics = GroupMetrics()
    languages: tuple[str, ...] = ("en",)
    certifications: tuple[str, ...] = ()
    shift: str | None = None
    team_id: str | None = None
    is_vendor: bool = False
