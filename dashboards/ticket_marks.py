"""What marks a ticket: flags, alerts, reminders, and what was granted."""

from typing import Any

import streamlit as st

from dashboards.ticket_view import TicketView, zone
from pipelines.figures import words


def grants(view: TicketView) -> None:
    st.subheader("What was granted?")
    found = view.of("Resolution")
    if not found:
        st.text("Nothing was granted.")
    for grant in found:
        with st.container(border=True):
            _grant(view, grant)
    for survey in view.of("Survey"):
        nps = "" if survey.nps is None else f", would recommend us: {survey.nps} of 10"
        complaint = ", a complaint" if survey.is_complaint else ""
        st.text(f"The customer's survey: {survey.csat} of 5{nps}{complaint}")
        if survey.comment:
            st.text(survey.comment)
    if view.is_mine:
        view.offer("grant propose", "Propose a grant", view.ticket.id)


def _grant(view: TicketView, grant: Any) -> None:
    amount = f" of {grant.amount:,.2f} {grant.currency}" if grant.amount else ""
    state = {"not_required": "granted", "pending": "waits for approval"}.get(
        grant.approval_status, grant.approval_status
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            state, color="green" if grant.is_granted else "orange" if grant.approval_status == "pending" else "gray"
        )
        st.text(f"{words.plain(grant.type).capitalize()}{amount}, by {view.name(grant.agent_id)}")
        st.caption(words.instant(grant.created_at, zone()))
    st.text(_because(grant))
    takes = {"agent": "the agent alone", "team_lead": "a team lead or a manager", "manager": "a manager"}[grant.tier]
    decided = f"; {grant.approval_status} by {view.name(grant.approved_by)}" if grant.approved_by else ""
    review = grant.calibration_status
    reviewed = "" if review == "not_required" else f" · review {words.plain(review)}"
    st.caption(f"Tier {words.plain(grant.tier)}: it takes {takes}{decided}{reviewed}")
    if grant.approval_status == "pending" and grant.agent_id != view.user.id:
        with st.container(horizontal=True):
            view.offer("grant approve", "Approve", grant.id, given={"is_approved": True, "reason": None}, is_first=True)
            view.offer("grant approve", "Refuse", grant.id, given={"is_approved": False})


def _because(grant: Any) -> str:
    wrong = f"{words.plain(grant.what_went_wrong)} {grant.what_went_wrong_text}".strip()
    entitled = f"{words.plain(grant.why_eligible)} {grant.why_eligible_text}".strip()
    return f"What went wrong: {wrong}. Why eligible: {entitled}."


def marks(view: TicketView) -> None:
    _flags(view)
    _alerts(view)
    _reminders(view)


def _flags(view: TicketView) -> None:
    st.subheader("Flags")
    flags = view.of("CaseFlag")
    if not flags:
        st.text("No flag.")
    for flag in sorted(flags, key=lambda one: (not one.is_active, one.created_at)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(words.plain(flag.type), color="red" if flag.is_active else "gray")
            cleared = "" if flag.is_active else f", taken off by {view.name(flag.cleared_by)}"
            st.text(f"{view.name(flag.added_by)}: {flag.reason}{cleared}")
            if flag.is_active:
                view.offer("ticket unflag", "Take it off", given={"type": str(flag.type)})
    view.offer("ticket flag", "Flag it")


def _alerts(view: TicketView) -> None:
    st.subheader("Alerts")
    fired = view.app.store.frame("sla_alerts", where={"ticket_id": {view.ticket.id}}).sort("triggered_at", "sla_type")
    nudges = sorted(view.of("Nudge"), key=lambda one: one.triggered_at, reverse=True)
    if fired.is_empty() and not nudges:
        st.text("No alert.")
    for row in fired.iter_rows(named=True):
        clock = words.CLOCKS.get(row["sla_type"], row["sla_type"])
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"{clock}, {words.plain(row['alert_type'])}, level {row['escalation_level']}")
            seen = f" · acknowledged by {view.name(row['acknowledged_by'])}" if row["acknowledged_by"] else ""
            st.caption(f"{words.instant(row['triggered_at'], zone())}{seen}")
            if not row["acknowledged_by"]:
                view.offer("alert acknowledge", "Acknowledge", row["id"])
    for nudge in nudges:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge("holds" if nudge.is_active else "over", color="orange" if nudge.is_active else "gray")
            st.text(f"{words.plain(nudge.condition)}, level {nudge.level}")
            seen = f" · acknowledged by {view.name(nudge.acknowledged_by)}" if nudge.acknowledged_by else ""
            st.caption(f"{words.instant(nudge.triggered_at, zone())}{seen}")
            if nudge.is_active and not nudge.acknowledged_by:
                view.offer("alert acknowledge", "Acknowledge", nudge.id)


def _reminders(view: TicketView) -> None:
    st.subheader("My reminders")
    mine = [one for one in view.of("Reminder") if one.status != "completed"]
    if not mine:
        st.text("None.")
    for reminder in sorted(mine, key=lambda one: one.due_at):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(reminder.message)
            st.caption(f"{words.instant(reminder.due_at, zone())} · {words.due(reminder.due_at, view.app.now())}")
            view.offer("reminder complete", "Done", reminder.id)
            view.offer("reminder snooze", "Snooze", reminder.id)
    view.offer("ticket remind", "Remind me")
