"""What could not be taken in, was not sent or failed? Each with the reason, and the way to mend it."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards import acting, cards, pages, paging, visit
from pipelines import actions
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.figures import words

PARTS = {
    "rejected": "Not taken in", "sending": "Not sent", "receipts": "Webhooks", "stages": "Runs", "rules": "Rules",
    "policies": "Policies", "parts": "Index, models, parts",
}  # fmt: skip
NOTHING = {
    "rejected": "Every row that was delivered was taken in.",
    "sending": "Nothing was refused, failed or left behind on its way to systems and people.",
    "receipts": "Every payload that was posted was taken in.",
    "stages": "No run that is on record failed.",
    "rules": "Every rule of the desk can act.",
    "policies": "Every policy file is in force as it is.",
    "parts": "Every part works.",
}
EXAMINED = "parts examined"


def page() -> None:
    app, user, _, names = visit.arrive("failed")
    acting.answer(app, user, names)
    looks = actions.look_for_failures(app)
    counts = {name: look.total if look.fault is None else None for name, look in looks.items()} | {"parts": _damaged()}
    verdict(counts)
    labels = {name: f"{label} · {_shown(counts[name])}" for name, label in PARTS.items()}
    part = paging.chosen_part(labels, default=_worst(counts))
    if part == "parts":
        parts(app)
        return
    look = looks[part]
    if look.fault:
        st.warning(f"This could not be looked at: {cards.verbatim(look.fault)}")
    elif not look.failures:
        st.success(NOTHING[part])
    if part == "sending" and any(one.key for one in look.failures) and _may_mend(app, user):
        st.button("Send all again", on_click=acting.act, args=(app, user, acting.Act("parcel retry", "all")))
    for number, failure in enumerate(look.failures):
        drawn(app, user, failure, number)
    if part == "stages":
        runs(app)
    if len(look.failures) < look.total and part == "sending":
        st.caption(f"The first {len(look.failures):,} of {look.total:,}")


def verdict(counts: dict[str, int | None]) -> None:
    """That nothing failed is said only where all was looked at."""
    found = [f"{words.plain(PARTS[name]).lower()} {count:,}" for name, count in counts.items() if count]
    unseen = [PARTS[name].lower() for name, count in counts.items() if count is None]
    not_seen = f" Not looked at: {'; '.join(unseen)}." if unseen else ""
    if found:
        st.warning(f"To be mended: {', '.join(found)}.{not_seen}")
    elif unseen:
        st.info(f"Nothing failed in what was looked at.{not_seen}")
    else:
        st.success("Nothing failed: all parts were looked at.")


def drawn(app: App, user: Any, failure: Any, number: int) -> None:
    with st.container(border=True):
        times = f"{failure.alike:,} times, " if failure.alike > 1 else ""
        last = f"last {words.instant(failure.last, st.context.timezone)}" if failure.last else ""
        st.text(failure.what)
        if times or last:
            st.caption(f"{times}{last}".strip(", "))
        st.error(cards.verbatim(failure.why))
        st.text(failure.mend)
        if failure.command:
            st.code(failure.command, language=None, wrap_lines=True)
        with st.container(horizontal=True):
            if failure.ticket and st.button("Open ticket", key=f"open {number}"):
                st.switch_page(pages.TICKET, query_params={"ticket": failure.ticket})
            if failure.key and _may_mend(app, user):
                act = acting.Act("parcel retry", failure.key, seen=failure.tries)
                st.button("Send again", key=f"again {failure.key}", on_click=acting.act, args=(app, user, act))
            if failure.destination and _may_mend(app, user):
                act = acting.Act("destination drop", failure.destination)
                st.button("Give up all of it", key=f"drop {number}", on_click=acting.act, args=(app, user, act))


def runs(app: App) -> None:
    found = app.last_runs.every()
    if not found:
        cards.command("cycle")
        return
    st.caption("The last run of each stage and job that came to an end")
    zone = st.context.timezone
    shown = pl.DataFrame(
        {
            "work": [one.work for one in found],
            "last run": [words.instant(one.ended_at, zone) for one in found],
            "took": [f"{one.took.total_seconds():,.1f} s" for one in found],
            "failed because": [one.error or "–" for one in found],
            "last success": [words.instant(one.succeeded_at, zone) for one in found],
        }
    )
    cards.table(shown, right=["took"])


def parts(app: App) -> None:
    st.caption("Store, index, models and what else is in use, each tried once; `helmdesk doctor` does the same")
    if st.button("Look now", type="primary", key="look now"):
        with st.spinner("Each part is tried"):
            st.session_state[EXAMINED] = (app.now(), actions.examine(app))
        st.rerun()
    if EXAMINED not in st.session_state:
        st.info("Not looked at since you opened these pages: it takes some seconds.")
        return
    at, findings = st.session_state[EXAMINED]
    st.caption(f"Looked at {words.instant(at, st.context.timezone)}")
    broken = [one for one in findings if not one.works]
    if not broken:
        st.success(NOTHING["parts"])
    for one in broken:
        with st.container(border=True):
            st.text(one.part)
            st.error(cards.verbatim(one.note))
    cards.table(pl.DataFrame([(one.part, "works" if one.works else "FAILS", one.in_use, one.note) for one in findings],
                             schema=["part", "state", "in use", "note"], orient="row"))  # fmt: skip


def _damaged() -> int | None:
    """How many parts did not work when they were last tried; None if they were not."""
    if EXAMINED not in st.session_state:
        return None
    return sum(not one.works for one in st.session_state[EXAMINED][1])


def _worst(counts: dict[str, int | None]) -> str:
    return next((name for name, count in counts.items() if count), "rejected")


def _shown(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _may_mend(app: App, user: Any) -> bool:
    return identity.has(app, user, identity.Right.SUPERVISE)


page()
