"""Who reads this page? Said on each page; who may not read it is told what is missing."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from dashboards import cards
from engine.shared.errors import HelmdeskError
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.sign_in import Visit, user_at

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of which one at least is set by whatever stands between a browser and this server."""


def reader(app: App, *, door: str) -> Any:
    """The user who is signed in and may read; the page ends here for anybody else. The view is logged, but for a page
    that shows one ticket, which says which: `door` is then empty."""
    if _has_provider() and not st.user.get("is_logged_in", False):
        st.info("These pages show customers' data: sign in first.")
        st.button("Sign in", type="primary", on_click=st.login)
        st.stop()
    try:
        user = user_at(app, _visit(app))
        identity.require(app, user, identity.Right.READ, doing="these pages")
    except HelmdeskError as error:
        cards.refused(error)
        if _has_provider():
            st.button("Sign out", on_click=st.logout)
        st.stop()
    with st.sidebar:
        st.text(f"Signed in as {user.name}, {' and '.join(user.roles)}")
        if _has_provider():
            st.button("Sign out", type="tertiary", on_click=st.logout)
    if door:
        identity.saw(app, user, door=door)
    return user


def may_work(app: App, user: Any, *, doing: str) -> bool:
    """Whether the user may use the desk; if not, the page says which right is missing."""
    try:
        identity.require(app, user, identity.Right.WORK, doing=doing)
    except HelmdeskError as error:
        cards.refused(error)
        return False
    return True


def _visit(app: App) -> Visit:
    header, headers = app.settings.proxy_user_header, st.context.headers
    named = headers.get_all(header) if header else []
    email = None
    if _has_provider():
        email = vouched_address(st.user.to_dict())
    return Visit(
        peer=st.context.ip_address,
        proxy_user=named[0] if len(named) == 1 else None,
        is_forwarded=any(name in headers for name in FORWARDED),
        email=email,
    )


def vouched_address(claims: Mapping[str, object]) -> str:
    """The e-mail address that a provider says it has verified; empty without its word."""
    return str(claims.get("email") or "") if claims.get("email_verified") is True else ""


def _has_provider() -> bool:
    """Whether `.streamlit/secrets.toml` names an OIDC provider."""
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False
