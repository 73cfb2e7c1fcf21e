"""Who reads this page? Said on each page; who may not read it is told what is missing."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from dashboards import cards, pages
from engine.shared.errors import HelmdeskError
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.identity import User, UserRole
from pipelines.app.sign_in import Visit, may_work_as, user_at
from pipelines.figures import words

AS = "as"
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of which one at least is set by whatever stands between a browser and this server."""


def visitor(app: App) -> User | None:
    """Who is signed in; None if nobody is who may be here, which each page then says."""
    if _has_provider() and not st.user.get("is_logged_in", False):
        return None
    work_as(app)
    try:
        return _user(app)
    except HelmdeskError:
        return None


def work_as(app: App) -> None:
    """On a demo, whoever sits at this machine chooses whose desk to see: each role can be tried."""
    if not may_work_as(app, _visit(app)):
        return
    agents = {user.id: user for user in identity.users(app) if user.is_active}
    by_role = sorted(agents.values(), key=lambda user: (list(UserRole).index(user.roles[0]), user.name))
    names = {"": "Yourself"} | {user.id: f"{user.name}, {user.roles[0]}" for user in by_role}
    st.sidebar.selectbox("Work as", list(names), format_func=names.__getitem__, key=AS, bind="query-params")
    st.sidebar.caption("A demo: its people are made up, and you can be any of them.")


def reader(app: App, page: pages.Page, *, is_logged: bool) -> User:
    """The user who is signed in and may read the page; it ends here for anybody else."""
    if _has_provider() and not st.user.get("is_logged_in", False):
        st.info("These pages show customers' data: sign in first.")
        st.button("Sign in", type="primary", on_click=st.login)
        st.stop()
    try:
        user = _user(app)
        identity.require(app, user, identity.Right.READ, doing="these pages")
        identity.require(app, user, page.right, doing=f"the page {page.title}")
    except HelmdeskError as error:
        cards.refused(error)
        if _has_provider():
            st.button("Sign out", on_click=st.logout)
        st.stop()
    with st.sidebar:
        st.text(f"Signed in as {user.name}, {words.listed(user.roles)}")
        if in_words := app.time_in_words:
            st.caption(in_words)
        if _has_provider():
            st.button("Sign out", type="tertiary", on_click=st.logout)
    if is_logged:
        identity.saw(app, user, door=page.url)
    return user


def may_work(app: App, user: Any, *, doing: str) -> bool:
    """Whether the user may use the desk; if not, the page says which right is missing."""
    try:
        identity.require(app, user, identity.Right.WORK, doing=doing)
    except HelmdeskError as error:
        cards.refused(error)
        return False
    return True


def _user(app: App) -> User:
    return user_at(app, _visit(app), work_as=st.session_state.get(AS))


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
