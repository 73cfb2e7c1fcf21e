"""Who somebody is to the desk, and what each role may do and read."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from pydantic import Field, model_validator

from engine.contracts import Agent, Frozen, Instant, Role
from engine.shared import policy_file
from engine.shared.errors import NotAllowed


class UserRole(StrEnum):
    AGENT = "agent"
    EXPERT = "expert"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Right(StrEnum):
    """What a door asks for; the rules of the use case itself (owner, expert, limits) hold besides."""

    READ = "read"
    """Tickets, their history, clocks, suggestions: what the desk shows to this person of them."""
    READ_INTERNAL = "read_internal"
    """Internal entries of tickets that are not one's own."""
    WORK = "work"
    """Use cases of the desk, as oneself."""
    SUPERVISE = "supervise"
    """What concerns a team: rules, alerts, orphans, grant reviews, other people's queues."""
    EXPORT = "export"
    """Customer data as files."""
    ADMINISTER = "administer"
    """Users, keys, people."""
    AUDIT = "audit"
    """The audit log and who viewed what."""


class User(Frozen):
    """A person who signs in. The user of an agent has the agent's id."""

    id: str
    name: str
    email: str | None = None
    roles: tuple[UserRole, ...] = Field(min_length=1)
    is_active: bool = True


class ApiKey(Frozen):
    """A key of a user or, for webhooks, of a source; of the secret itself only the digest is kept.

    `id` is the part of the key that is no secret.
    """

    id: str
    digest: str
    user_id: str | None = None
    source: str | None = None
    created_at: Instant
    created_by: str
    revoked_at: Instant | None = None
    revoked_by: str | None = None

    @model_validator(mode="after")
    def _of_one(self) -> "ApiKey":
        if (self.user_id is None) == (self.source is None):
            raise ValueError("a key belongs to a user or to a source, one of them")
        return self


class View(Frozen):
    """Somebody saw customer data. `door` is the page, command or route, `ticket_id` None for a list."""

    id: str
    user_id: str
    at: Instant
    door: str
    ticket_id: str | None = None


class AccessPolicy(Frozen):
    """Which rights each role has; every role has a row."""

    rights: dict[UserRole, frozenset[Right]]

    @model_validator(mode="after")
    def _every_role(self) -> "AccessPolicy":
        if missing := sorted(set(UserRole) - set(self.rights)):
            raise ValueError(f"no row for {', '.join(missing)}")
        return self


_ROLES = {
    Role.AGENT: (UserRole.AGENT, UserRole.EXPERT),
    Role.TEAM_LEAD: (UserRole.SUPERVISOR, UserRole.AGENT, UserRole.EXPERT),
    Role.MANAGER: (UserRole.MANAGER, UserRole.AGENT, UserRole.EXPERT),
}


def load(path: str | Path) -> AccessPolicy:
    return policy_file.read(path, AccessPolicy)


def user_of(agent: Agent) -> User:
    """Who an agent is until somebody says otherwise: by the agent's role."""
    return User(id=agent.id, name=agent.name, email=agent.email, roles=_ROLES[agent.role], is_active=agent.is_active)


def has(user: User, right: Right, policy: AccessPolicy) -> bool:
    return user.is_active and any(right in policy.rights[role] for role in user.roles)


def require(user: User, right: Right, policy: AccessPolicy, *, doing: str) -> None:
    """Raises NotAllowed with who is missing which right for what."""
    if not has(user, right, policy):
        why = "is not active" if not user.is_active else f"as {_or(user.roles)} has no right to {right}"
        raise NotAllowed(f"{user.name} {why}, which {doing} takes; an admin gives it (`helmdesk users set`).")


def _or(roles: Iterable[UserRole]) -> str:
    return " or ".join(roles)
