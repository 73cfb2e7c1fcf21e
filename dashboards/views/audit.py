"""Who did and saw what? Acts and views by pages, a ticket's chain, and whether all stands as it was recorded."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import polars as pl
import streamlit as st

from dashboards import cards, history, paging, visit
from engine.shared.errors import HelmdeskError
from pipelines import actions
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.figures import words

PARTS = {"acts": "Who did what", "views": "Who viewed what", "history": "A ticket's history", "verify": "Verify"}
EVERYBODY = "everybody"
Names = Mapping[str, str]


def page() -> None:
    app, user, _, called = visit.arrive("audit")
    people = {one.id: one.name for one in identity.users(app)}
    names = {**called, **people}
    part = paging.chosen_part(PARTS)
    try:
        DRAWN[part](app, user, names, people)
    except HelmdeskError as error:
        cards.refused(error)


def acts(app: App, user: Any, names: Names, people: Names) -> None:
    with st.container(horizontal=True):
        of = st.selectbox("Acts", actions.acts_by_kind(), key="acts", bind="query-params", width=220)
        actor = _person("Done by", "by", people)
    leaf = paging.turned(lambda page: actions.audited_acts(app, user, of, actor=actor, page=page), "act")
    if not leaf.total:
        st.info("Nothing of this kind was done yet. Users and keys are set with `helmdesk users` and `helmdesk keys`, "
                "grants are proposed and decided on a ticket's page.")  # fmt: skip
        return
    shown = pl.DataFrame(
        {
            "when": [_when(row["at"]) for row in leaf.rows],
            "who": [history.named(row["actor"], names) for row in leaf.rows],
            "what": [_act(row, names) for row in leaf.rows],
        }
    )
    if "ticket_id" in leaf.rows[0]:
        shown = shown.with_columns(ticket=pl.Series([row["reference"] for row in leaf.rows]))
        cards.tickets_table(shown, [row["ticket_id"] for row in leaf.rows], key="opened act")
    else:
        cards.table(shown)


def _act(row: Mapping[str, Any], names: Names) -> str:
    """What was done, as the end of a sentence that begins with who did it."""
    data, subject = row["data"], history.named(row.get("subject") or "", names)
    match row["kind"]:
        case "user_set":
            active = "active" if data.get("is_active") else "not active"
            return f"set the user {subject}: {', '.join(data.get('roles', ()))}, {active}"
        case "key_created":
            whose = data.get("user") or data.get("source") or "?"
            return f"made the key {subject} of {history.named(whose, names)}"
        case "key_revoked":
            return f"revoked the key {subject}"
        case "exported":
            rows = f"{words.count(data['rows'], 'row')} of " if "rows" in data else ""
            return f"took {rows}{row['subject']} away as {data.get('format')}; filter: {data.get('filter')}"
        case "allocation" | "suggestion" | "notice" | "records":
            count = len(data.get("records", ()))
            return f"wrote {words.count(count, 'record')}" + (f" to be sent: {row['kind']}" if row["at"] else "")
    return history.event_text(SimpleNamespace(**row), names)


def views(app: App, user: Any, names: Names, people: Names) -> None:
    with st.container(horizontal=True):
        viewer = _person("Viewed by", "viewer", people)
        ticket = st.text_input("Ticket", key="seen", bind="query-params", placeholder="its reference or id", width=220)
        day = st.date_input("Day", value=None, key="day", bind="query-params", width=160)
    about = (ticket or "").strip() or None
    leaf = paging.turned(
        lambda page: actions.audited_views(app, user, viewer=viewer, ticket=about, day=day, page=page), "view"
    )
    if not leaf.total:
        st.info("Nobody viewed customer data that fits. Every page, command and route that shows some writes a view.")
        return
    shown = pl.DataFrame(
        {
            "when": [_when(row["at"]) for row in leaf.rows],
            "who": [history.named(row["user_id"], names) for row in leaf.rows],
            "where": [row["door"] for row in leaf.rows],
            "ticket": [row["reference"] or "a list" for row in leaf.rows],
        }
    )
    cards.table(shown)


def of_ticket(app: App, user: Any, names: Names, _: Names) -> None:
    name = (st.text_input("Ticket", key="chain", bind="query-params", placeholder="its reference or id") or "").strip()
    if not name:
        st.info("Name a ticket to see all that happened to it, in the order in which it was recorded.")
        return
    found = actions.audited_chain(app, user, name)
    identity.saw(app, user, door="audit", ticket_id=found.ticket.id)
    if found.broken_at is None:
        st.success(f"The chain of {words.count(len(found.history), 'event')} is whole.")
    else:
        st.error(f"The chain is broken at version {found.broken_at}: that event, or the one before it, was changed.")
    shown = pl.DataFrame(
        {
            "version": [event.version for event in found.history],
            "when": [_when(event.at) for event in found.history],
            "who": [history.named(event.actor, names) for event in found.history],
            "what": [_event(event, names) for event in found.history],
            "recorded": [_when(event.recorded_at) for event in found.history],
            "hash": [event.hash[:8] for event in found.history],
        }
    )
    column = st.column_config.Column
    cards.table(shown.reverse(), version=column(width=60), what=column(width=250), hash=column(width=80))
    st.caption(f"{found.ticket.reference}, the newest first; `hash` is how the seal of each event begins")


def _event(event: Any, names: Names) -> str:
    return history.nudges_text([event]) if event.kind == "alert" else history.event_text(event, names)


def verify(app: App, *_: Any) -> None:
    st.caption("Every ticket's chain, the log, and the records they seal, held against the last publication")
    if st.button("Verify now", type="primary", key="verify now"):
        with st.spinner("All that was recorded is walked"):
            found = actions.verify_records(app)
        st.session_state["verified"] = (app.now(), _verdict(found), found.audit.broken)
    if "verified" not in st.session_state:
        st.info("Nothing was verified since you opened these pages. `helmdesk audit verify` does the same.")
        return
    at, (is_whole, lines), broken = st.session_state["verified"]
    (st.success if is_whole else st.error)("All stands as it was recorded." if is_whole else "Not all is as recorded.")
    st.caption(f"Verified {_when(at)}")
    for line in lines:
        st.text(line)
    if broken:
        cards.table(pl.DataFrame([one._asdict() for one in broken]))


def _verdict(found: Any) -> tuple[bool, list[str]]:
    audit, last = found.audit, found.last
    lines = [
        f"{words.count(audit.tickets, 'ticket')}, {words.count(audit.events, 'event')}: "
        + (words.count(audit.found, "broken place") if audit.found else "every chain is whole"),
        f"{words.count(audit.records, 'record')} of grants, decisions, reviews, notices, users and keys agree",
    ]
    if audit.not_covered:
        old = ", ".join(f"{words.plain(name)} {count:,}" for name, count in sorted(audit.not_covered.items()))
        lines.append(f"Not covered, for no event says what they held: {old}")
    if last is None:
        lines.append("Nothing published to compare with: a chain that was written anew as a whole would not show")
    elif last.fault:
        lines.append(f"Not compared with the last publication: {last.fault}")
    else:
        lines.append(f"Compared with the publication {last.folder.name}")
    return found.is_whole, lines


def _person(label: str, key: str, people: Names) -> str | None:
    """A user, or whoever is typed in: somebody may have left, or worked at the machine itself."""
    known = {EVERYBODY: EVERYBODY, **people}
    found = st.selectbox(label, sorted(known, key=lambda one: (one != EVERYBODY, known[one].casefold())), key=key,
                         format_func=lambda one: known.get(one, one), accept_new_options=True, bind="query-params",
                         width=240)  # fmt: skip
    return None if found in (None, EVERYBODY) else found


def _when(at: Any) -> str:
    return words.instant(at, st.context.timezone)


DRAWN = {"acts": acts, "views": views, "history": of_ticket, "verify": verify}

page()
