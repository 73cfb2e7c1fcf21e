"""Who sits before a page: by the provider that signed them in, by the header of a trusted proxy, or on this machine."""

from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from engine.access import User
from engine.shared.errors import NotAllowed, NotFound
from pipelines.app import identity

if TYPE_CHECKING:
    from pipelines.app.container import App

LOOPBACK = "127.0.0.1"


class Visit(NamedTuple):
    """What is known of a browser's connection.

    `peer` is the address at the other end of the connection itself, None for this machine's own; `proxy_user` what the
    configured header holds; `is_forwarded` whether any header says that a proxy stands between; `email` the address
    that a provider vouches for.
    """

    peer: str | None = None
    proxy_user: str | None = None
    is_forwarded: bool = False
    email: str | None = None


def user_at(app: "App", visit: Visit, *, work_as: str | None = None) -> User:
    """`work_as` counts where `may_work_as` holds. Raises NotAllowed for a visit that says nobody, or somebody who is no
    user here or is not active."""
    if visit.email is not None:
        user = identity.user_by_email(app, visit.email)
    elif app.settings.proxy_user_header:
        user = _by_proxy(app, visit)
    elif not _is_local(visit):
        raise NotAllowed(
            "Nobody is signed in: without a sign-in these pages are for this machine alone. Set up OIDC in "
            ".streamlit/secrets.toml or HELMDESK_PROXY_USER_HEADER; docs/operate.md says how."
        )
    else:
        user = identity.local_user(app, work_as if may_work_as(app, visit) else None)
    if not user.is_active:
        raise NotAllowed(f"{user.name} is not active here; an admin changes it with `helmdesk users set {user.id}`.")
    return user


def may_work_as(app: "App", visit: Visit) -> bool:
    """Whether whoever sits at this machine may be anybody: on a home of the demo, whose people are made up."""
    return app.is_demo and visit.email is None and not app.settings.proxy_user_header and _is_local(visit)


def _by_proxy(app: "App", visit: Visit) -> User:
    header, peer = app.settings.proxy_user_header, visit.peer or LOOPBACK
    if not any(ip_address(peer) in network for network in app.settings.proxy_networks):
        raise NotAllowed(f"{header} counts only from the proxies in HELMDESK_PROXY_PEERS, and {peer} is none of them.")
    name = (visit.proxy_user or "").strip()
    if not name:
        raise NotAllowed(f"The proxy named nobody: it must set {header} for each request, and drop it from outside.")
    try:
        return identity.user_by_email(app, name) if "@" in name else identity.user_of(app, name)
    except NotFound as error:
        raise NotAllowed(f"{header} names {name}, and: {error}") from None


def _is_local(visit: Visit) -> bool:
    return not visit.is_forwarded and _is_loopback(visit.peer)


def _is_loopback(peer: str | None) -> bool:
    try:
        return peer is None or ip_address(peer).is_loopback
    except ValueError:
        return False
