"""What is promised on a ticket and how it went: each clock as of now, drawn over time, with the reason of a breach."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

import altair as alt
import polars as pl
import streamlit as st

from dashboards import cards, opening
from dashboards.ticket_view import TicketView, zone
from pipelines import actions
from pipelines.figures import palette, queries, words

BADGES: dict[str, Literal["green", "blue", "orange", "red"]] = {
    "met": "green",
    "on_track": "blue",
    "at_risk": "orange",
    "breached": "red",
}
OVER = "beyond the target"
COLOURS = {
    "counted": palette.BLUE, OVER: palette.VERMILLION, "paused": palette.ORANGE, "stopped": palette.PURPLE,
    "out of hours": "#8a949b",
}  # fmt: skip


def ledgers(view: TicketView) -> list[Any]:
    """Each promised clock as of now, from the history as it is now; a policy that can't be used is said instead."""
    try:
        return actions.explain(view.app, view.ticket.id, as_of=view.app.now())
    except opening.HelmdeskError as error:
        cards.refused(error)
        return []


def name_of(ledger: Any) -> str:
    return words.CLOCKS[ledger.clock.value] + (f", window {ledger.window}" if ledger.window > 1 else "")


def strip(view: TicketView) -> None:
    """The clocks of the present window in a line: how each stands, and what is left, counted down while it runs."""
    st.fragment(_strip, run_every=words.TICK if view.ticket.is_open else None)(view)


def _strip(view: TicketView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for ledger in ledgers(view):
            if ledger.row["is_current"]:
                with st.container(horizontal=True, vertical_alignment="center", width="content"):
                    _standing(ledger, view.app.now())


def _standing(ledger: Any, now: datetime) -> None:
    st.text(name_of(ledger))
    st.badge(words.STATES[ledger.row["state"]], color=BADGES.get(ledger.row["state"], "gray"))
    if facts := owed(ledger.row, now):
        st.caption(" · ".join(facts))


def owed(clock: Mapping[str, Any], now: datetime) -> list[str]:
    """What is left of a clock and when it falls due."""
    if clock["elapsed"] is None:
        return []
    runs = clock["stopped_at"] is None and clock["due_at"] is not None
    counts = runs and clock["remaining"] > 0 and not clock["is_paused"]
    return [
        f"{words.countdown(clock['remaining'])} left" if counts else words.left(clock["remaining"]),
        *(["paused now"] if clock["is_paused"] else []),
        *([words.due(clock["due_at"], now, clock["remaining"])] if runs else []),
    ]


def show(view: TicketView) -> None:
    if not (found := ledgers(view)):
        st.text("Nothing is promised on this ticket.")
        return
    now = view.app.now()
    st.caption(f"As of {words.instant(now, zone())}, in business time.")
    measured = [ledger for ledger in found if ledger.entries]
    if measured:
        st.altair_chart(picture(measured, now), alt="The clocks of this ticket over time")
    published = view.published("breach_reasons", "clock").iter_rows(named=True)
    reasons = {(row["clock"], row["window"]): row for row in published}
    for ledger in found:
        with st.container(border=True, gap="xsmall"):
            _clock(ledger, now, reasons.get((ledger.clock.value, ledger.window)))
    _waits(view)


def _clock(ledger: Any, now: datetime, reason: Mapping[str, Any] | None) -> None:
    clock = ledger.row
    with st.container(horizontal=True, vertical_alignment="center"):
        _standing(ledger, now)
    if ledger.not_measured:
        st.text(ledger.not_measured)
        return
    used = min(1.0, clock["elapsed"] / clock["target"]) if clock["target"] else 1.0
    st.progress(used, f"{words.worked(clock['elapsed'])} of {words.worked(clock['target'])} used")
    if clock["state"] == "breached":
        st.text(breach(reason))
    paused = f"{words.worked(clock['paused'])} paused" if clock["paused"] else "never paused"
    st.caption(f"{paused} · policy {words.plain(clock['policy'])}, calendar {words.plain(clock['calendar'])}")
    cards.ledger(f"How {name_of(ledger).lower()} adds up", ledger)


def breach(reason: Mapping[str, Any] | None) -> str:
    """Why a promise was broken, in a sentence."""
    if reason is None:
        return "Why it was broken is worked out with the next cycle."
    over = f"over by {words.worked(reason['over_by'])} when this was published"
    match reason["reason"]:
        case "never_picked_up" if reason["picked_up_at"] is None:
            return f"Nobody picked it up: {over}."
        case "never_picked_up":
            return f"It was picked up too late, after {words.worked(reason['seconds_to_pick_up'])}: {over}."
        case "waiting_internally":
            return f"It waited on our side for {words.worked(reason['seconds_waiting_internal'])}: {over}."
    return f"The work took longer than promised, {words.worked(reason['seconds_in_work'])}: {over}."


def picture(found: Iterable[Any], now: datetime) -> Any:
    """A lane a clock: what was counted within and beyond the target, paused and out of hours; marks where the target
    was used up or falls due, and now."""
    lanes = list(found)
    rows = [{"clock": name_of(ledger), **part} for ledger in lanes for part in parts(ledger)]
    ends = [(name_of(one), one.used_up_at, one.row["due_at"]) for one in lanes]
    marks = [
        {"clock": lane, "at": used_up or due, "what": "target used up" if used_up else "due"}
        for lane, used_up, due in ends
        if used_up or due
    ]
    order = [name_of(ledger) for ledger in lanes]
    lane = alt.Y("clock:N", sort=order, title=None, axis=alt.Axis(labelLimit=160))
    shown = list(dict.fromkeys(row["what"] for row in rows))
    scale = alt.Scale(domain=shown, range=[COLOURS[what] for what in shown])
    moment = "%a %d %b, %H:%M"
    bars = (
        alt.Chart(pl.DataFrame(rows))
        .mark_bar(height=16)
        .encode(
            x=alt.X("start:T", title=None, axis=alt.Axis(labelOverlap=True, labelSeparation=12)),
            x2="end:T",
            y=lane,
            color=alt.Color("what:N", title=None, scale=scale, legend=alt.Legend(orient="top", columns=2)),
            opacity=alt.when(alt.datum.what == "out of hours").then(alt.value(0.35)).otherwise(alt.value(1)),
            tooltip=["clock:N", "what:N", alt.Tooltip("start:T", format=moment), alt.Tooltip("end:T", format=moment)],
        )
    )
    schema: dict[str, Any] = {"clock": pl.String, "at": pl.Datetime("us", "UTC"), "what": pl.String}
    ticks = (
        alt.Chart(pl.DataFrame(marks, schema))
        .mark_tick(thickness=3, size=28, color=palette.VERMILLION)
        .encode(x="at:T", y=lane, tooltip=["what:N", alt.Tooltip("at:T", format=moment)])
    )
    present = alt.Chart(pl.DataFrame({"at": [now]})).mark_rule(color=palette.GREY, strokeDash=[4, 3])
    is_running = any(ledger.row["stopped_at"] is None for ledger in lanes)
    layers = [bars, ticks, *([present.encode(x="at:T")] if is_running else [])]
    return alt.layer(*layers).properties(height=alt.Step(40), width="container")


def parts(ledger: Any) -> list[dict[str, Any]]:
    """The stretches of a clock: start, end, what; counting is cut where the target was used up, days are not."""
    used_up = ledger.used_up_at
    found: list[dict[str, Any]] = []
    for entry in ledger.entries:
        cuts = [entry.start, *([used_up] if used_up and entry.start < used_up < entry.end else []), entry.end]
        for start, end in pairwise(cuts):
            is_over = entry.kind == "counted" and used_up is not None and start >= used_up
            what = OVER if is_over else words.plain(entry.kind)
            if found and found[-1]["what"] == what and found[-1]["end"] == start:
                found[-1]["end"] = end
            else:
                found.append({"start": start, "end": end, "what": what})
    return found


def _waits(view: TicketView) -> None:
    """How long the customer waited for answers, where messages are told."""
    replies = opening.ask(queries.waits_of, view.reader, view.ticket.id)
    if replies is None:
        return
    longest = f"longest wait {words.span(replies['longest_wait_seconds'])}, round the clock"
    since = replies["waits_since"]
    now = [] if since is None else [f"waits since {words.instant(since, zone())}"]
    summary = f"the customer asked {words.count(replies['questions'], 'time')}, answered {replies['answered']:,}"
    st.caption(" · ".join([summary, longest, *now]))
