"""Who is it? A person by name, by key or by sign-in; and what each door asks before it opens."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NewType

from engine import access
from engine.access import ApiKey, Right, User, UserRole
from engine.contracts import Agent
from engine.shared.errors import BadInput, NotAllowed, NotFound
from engine.storage.audit_log import Entry

if TYPE_CHECKING:
    from pipelines.app.container import App

__all__ = [
    "LOCAL",
    "Right",
    "Source",
    "User",
    "UserRole",
    "bearer",
    "has",
    "local_user",
    "require",
    "saw",
    "user_of",
    "users",
]

Source = NewType("Source", str)
"""A source system that delivers by webhook."""
LOCAL = "local:"
LOCAL_ROLES = (UserRole.ADMIN, UserRole.SUPERVISOR)
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_KEY = re.compile(r"hd_([0-9a-f]{12})_([0-9a-f]{64})")


def local_user(app: "App", name: str | None = None) -> User:
    """Who works on this machine: the user of this name, else of HELMDESK_USER, else whoever is signed in here, as admin
    and supervisor and never as an agent. Raises NotFound for a name that is no user's."""
    if named := name or app.settings.user:
        return user_of(app, named)
    login = _login()
    return User(id=f"{LOCAL}{login}", name=f"{login} on this machine", roles=LOCAL_ROLES)


def user_of(app: "App", user_id: str) -> User:
    """The user of this id, else what the agent's role makes of the agent; one whose agent has left is not active.
    Raises NotFound."""
    agent = next(iter(app.store.all(Agent, id=user_id)), None)
    user = next(iter(app.store.all(User, id=user_id)), None) or (access.user_of(agent) if agent else None)
    if user is None:
        raise NotFound(f"There is no user {user_id}; `helmdesk users list` shows them, `helmdesk users set` makes one.")
    return user if agent is None or agent.is_active else user.model_copy(update={"is_active": False})


def user_by_email(app: "App", email: str) -> User:
    """Who signs in with this address, whatever its case. Raises NotAllowed for nobody's and for several people's."""
    every = [user for user in users(app) if user.email and user.email.casefold() == email.casefold()]
    found = [user for user in every if user.is_active] or every
    if len(found) != 1:
        several = f" of several: {', '.join(user.id for user in found)}" if found else " of no user here"
        raise NotAllowed(f"{email} is the address{several}; an admin settles it with `helmdesk users set ID --email`.")
    return found[0]


def users(app: "App") -> list[User]:
    """Everybody who may sign in or hold a key, by id: those that were set, and agents by their role."""
    agents = {agent.id: agent for agent in app.store.all(Agent)}
    found = {key: access.user_of(agent) for key, agent in agents.items()}
    found |= {user.id: user for user in app.store.all(User)}
    gone = {key for key, agent in agents.items() if not agent.is_active}
    return [user.model_copy(update={"is_active": user.is_active and key not in gone})
            for key, user in sorted(found.items())]  # fmt: skip


def require(app: "App", user: User, right: Right, *, doing: str) -> None:
    """Raises NotAllowed with who is missing which right for what."""
    access.require(user, right, app.policies.access, doing=doing)


def has(app: "App", user: User, right: Right) -> bool:
    return access.has(user, right, app.policies.access)


def saw(app: "App", user: User, *, door: str, ticket_id: str | None = None) -> None:
    """Note that somebody saw customer data, None for a list. The same again in the same minute is one view."""
    app.view_log.add(user.id, door=door, ticket_id=ticket_id)


def set_user(
    app: "App",
    user_id: str,
    *,
    by: User,
    roles: Sequence[UserRole] = (),
    name: str | None = None,
    email: str | None = None,
    is_active: bool | None = None,
) -> User:
    """Make or change a user; what is not given stays as it is. Raises BadInput for a new one without a role."""
    require(app, by, Right.ADMINISTER, doing="setting a user")
    if not user_id.strip() or user_id.startswith(LOCAL):
        raise BadInput(f"{user_id!r} can't be a user's id: give one without {LOCAL!r}, such as the agent's")
    try:
        before = next(iter(app.store.all(User, id=user_id)), None) or user_of(app, user_id)
    except NotFound:
        if not roles:
            raise BadInput(f"{user_id} is nobody yet: say what they are with --role, one of {_words()}") from None
        before = User(id=user_id, name=name or user_id, roles=tuple(roles))
    given = {"roles": tuple(dict.fromkeys(roles)) or None, "name": name, "email": email, "is_active": is_active}
    after = before.model_copy(update={field: value for field, value in given.items() if value is not None})
    data = {"roles": list(after.roles), "is_active": after.is_active}
    app.store.put([after], entry=Entry("user_set", app.now(), after.id, by.id, data))
    return after


def create_key(
    app: "App",
    *,
    by: User,
    user_id: str | None = None,
    source: str | None = None,
    token: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """A new key of a user or a source, which is told here alone: of its 256 bits the store keeps the digest."""
    require(app, by, Right.ADMINISTER, doing="creating a key")
    if (user_id is None) == (source is None):
        raise BadInput("A key belongs to a user or to a source: give one of --user and --source")
    if source is not None and not _SOURCE.fullmatch(source):
        raise BadInput(f"{source!r} is no source: small letters, digits, - and _, such as servicenow")
    if user_id is not None and not user_of(app, user_id).is_active:
        raise NotAllowed(f"{user_id} is not active; an admin changes it with `helmdesk users set {user_id} --active`.")
    number, secret, at = token(6).hex(), token(32).hex(), app.now()
    made = ApiKey(id=number, digest=_digest(secret), user_id=user_id, source=source, created_at=at, created_by=by.id)
    data = {"user": user_id} if user_id else {"source": source}
    app.store.put([made], entry=Entry("key_created", at, made.id, by.id, data))
    return f"hd_{number}_{secret}"


def keys(app: "App") -> list[ApiKey]:
    """All keys, the oldest first."""
    return sorted(app.store.all(ApiKey), key=lambda key: (key.created_at, key.id))


def revoke_key(app: "App", key_id: str, *, by: User) -> ApiKey:
    """From now on the key opens nothing. Raises NotFound, and NotAllowed for one that was revoked before."""
    require(app, by, Right.ADMINISTER, doing="revoking a key")
    key = app.store.get(ApiKey, key_id)
    if key.revoked_at is not None:
        raise NotAllowed(f"The key {key.id} was revoked by {key.revoked_by} at {key.revoked_at:%Y-%m-%d %H:%MZ}.")
    gone = key.model_copy(update={"revoked_at": app.now(), "revoked_by": by.id})
    app.store.put([gone], entry=Entry("key_revoked", app.now(), gone.id, by.id, {}))
    return gone


def bearer(app: "App", key: str) -> User | Source:
    """Whose key it is. Raises NotAllowed for one that is unknown, revoked, or of somebody who is not active."""
    parts = _KEY.fullmatch(key)
    found = next(iter(app.store.all(ApiKey, id=parts[1])), None) if parts else None
    is_theirs = parts and found and hmac.compare_digest(found.digest, _digest(parts[2]))
    if found is None or not is_theirs or found.revoked_at is not None:
        raise NotAllowed("This key opens nothing: it is unknown or was revoked; `helmdesk keys create` makes one.")
    if found.source is not None:
        return Source(found.source)
    user = user_of(app, str(found.user_id))
    if not user.is_active:
        raise NotAllowed(f"{user.name} is not active, and neither are their keys.")
    return user


def _digest(secret: str) -> str:
    """Enough for 256 random bits, which nobody guesses."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _words() -> str:
    return ", ".join(UserRole)


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown"
