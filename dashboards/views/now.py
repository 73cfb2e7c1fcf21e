"""Are we keeping up, and what breaks next? The verdict, and what calls for somebody now, with the way to act on it."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import polars as pl
import streamlit as st

from dashboards import acting, cards, forms, opening, pages, queue_parts, visit
from pipelines.app.container import App
from pipelines.figures import verdict, words
from pipelines.live_alerts import WAITS, live_alerts
from pipelines.live_queue import LiveQueue, live_queue
from pipelines.snapshot import Snapshot
from pipelines.work_queue import with_load

LINES, NEXT = 5, 7
WIDTH, WIDE = 400, 560  # pixels of a line's text; what can be done stands beside it where there is room
ASSIGNING = "assigning"
Row = dict[str, Any]


class Now(NamedTuple):
    """What the page works with; `unseen`: the alerts of a ticket that hold and nobody has acknowledged; `led`: whether
    the user may assign what a group has, as far as it was asked."""

    app: App
    user: Any
    names: Mapping[str, str]
    queue: LiveQueue
    unseen: Mapping[str, list[str]]
    led: dict[str | None, bool]


def page() -> None:
    app, user, reader, names = visit.begin("now")
    acting.answer(app, user, names)
    now = look(app, user, names)
    stands = verdict.standing(now.queue.rows)
    worst = cards.verbatim(str(name(now, stands.worst))) if stands.worst else None
    week = opening.ask(verdict.settled_week, reader)
    target = app.policies.goals.attainment.target(week.decided) if week else None
    st.subheader(verdict.in_words(week, target, stands, worst))
    numbers(stands, now)
    breaking(app, user, names)
    left, right = st.columns(2, gap="large")
    with left:
        late(now)
    with right:
        unassigned(now, stands.unassigned)
        full(now)


def look(app: App, user: Any, names: Mapping[str, str]) -> Now:
    queue = live_queue(app, at=app.now())
    alerts = live_alerts(app, queue, since=queue.as_of).filter(pl.col("state") == WAITS)
    unseen = dict(alerts.group_by("ticket").agg("alert").iter_rows())
    return Now(app, user, names, queue, unseen, {})


def name(now: Now, key: str | None) -> str | None:
    return None if key is None else now.names.get(key, key)


def to_queue(label: str, key: str, **query: str) -> None:
    """A button that opens the tickets behind a number in the queue."""
    if st.button(label, key=key):
        st.switch_page(pages.QUEUE, query_params={"whose": "Everybody"} | query)


def numbers(stands: verdict.Standing, now: Now) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        to_queue(f"{stands.late:,} late", "all late", part="late")
        to_queue(f"{stands.at_risk:,} at risk", "all at risk", part="risk")
        to_queue(f"{stands.unassigned:,} unassigned", "all unassigned", whose="Nobody")
        if stands.worst:
            to_queue("Late of the worst group", "late of worst", part="late", group=str(name(now, stands.worst)))
        st.caption(f"As of {words.instant(now.queue.as_of, st.context.timezone)}")


@st.fragment(run_every=words.TICK)
def breaking(app: App, user: Any, names: Mapping[str, str]) -> None:
    """The clocks that run out next, counted down without the rest of the page."""
    if acting.ANSWER in st.session_state:
        st.rerun()
    now = look(app, user, names)
    st.subheader("About to break")
    state = pl.col("state").cast(pl.String)
    runs = ~pl.col("is_paused") & state.is_in(["on_track", "at_risk"]) & pl.col("due_at").is_not_null()
    found = (
        now.queue.clocks.filter(runs)
        .sort("remaining", "due_at", "ticket")
        .unique("ticket", keep="first", maintain_order=True)
    )
    rows = found.head(NEXT).join(now.queue.rows, on="ticket", maintain_order="left")
    st.caption(f"The {words.count(rows.height, 'ticket')} with the least business time left, counted down")
    for row in rows.iter_rows(named=True):
        line(now, row, f"{words.countdown(row['remaining'])} {words.CLOCKS[row['clock']].lower()}", "next", width=WIDE)
    if rows.is_empty():
        st.text("No running clock has a deadline ahead.")


def late(now: Now) -> None:
    st.subheader("Late, the most valuable first")
    st.caption("By contract tier, then VIP, then what the customer pays a year, then the longest late")
    found = by_value(now.queue.rows.filter(pl.col("sla_state") == "breached"), revenue(now.app))
    lines(now, found.head(LINES), lambda row: words.left(row["seconds_left"]), "late", "Nothing is late.")


def by_value(rows: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """The rows by tier, VIP, `annual_revenue_eur` of `paid` (by company_id; unknown behind), and time left."""
    tiers = pl.col("tier").replace_strict(dict(zip(words.TIERS, range(4), strict=True)), default=len(words.TIERS))
    return rows.join(paid, on="company_id", how="left").sort(
        tiers, ~pl.col("vip"), -pl.col("annual_revenue_eur").cast(pl.Float64), "seconds_left", "ticket", nulls_last=True
    )


def revenue(app: App) -> pl.DataFrame:
    return app.store.frame("companies", ["id", "annual_revenue_eur"]).rename({"id": "company_id"})


def unassigned(now: Now, size: int) -> None:
    st.subheader(f"Nobody's: {size:,}")
    found = now.queue.rows.filter(queue_parts.is_nobodys())
    lines(now, found.head(LINES), _score, "nobody", "Every open ticket has an owner or somebody it is assigned to.")


def _score(row: Row) -> str:
    return "came since" if row["score"] is None else f"score {row['score']:,.0f}"


def full(now: Now) -> None:
    st.subheader("Fullest groups")
    held = now.queue.rows
    late_in = dict(held.filter(pl.col("sla_state") == "breached").group_by("group_id").len().iter_rows())
    groups = [
        one
        for one in with_load(Snapshot(now.app, now.queue.as_of).groups, held)
        if one.max_bandwidth or one.current_load
    ]
    share = {one.group_id: one.current_load / one.max_bandwidth if one.max_bandwidth else math.inf for one in groups}
    over = sum(one > 1 for one in share.values())
    st.caption(f"More than their people who are there can take: {over:,} of {words.count(len(groups), 'group')}")
    for group in sorted(groups, key=lambda one: share[one.group_id], reverse=True)[:LINES]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            color: Literal["red", "green"] = "red" if share[group.group_id] > 1 else "green"
            st.badge("no room" if not group.max_bandwidth else f"{share[group.group_id]:.0%}", color=color)
            st.text(f"{group.name}: {group.current_load:,} of {group.max_bandwidth:,}, "
                    f"{late_in.get(group.group_id, 0):,} late")  # fmt: skip
            to_queue("Show", f"group {group.group_id}", group=str(name(now, group.group_id)))


def lines(now: Now, rows: pl.DataFrame, what: Any, place: str, empty: str) -> None:
    if rows.is_empty():
        st.text(empty)
    for row in rows.iter_rows(named=True):
        line(now, row, what(row), place)


def line(now: Now, row: Row, what: str, place: str, *, width: int = WIDTH) -> None:
    """One ticket: what presses, who has it, and what can be done from here."""
    ticket, act = row["ticket"], acting.Act("ticket assign", row["ticket"], row["ticket"], row["version"])
    who = name(now, row["owner_id"] or row["assignee_id"]) or "nobody"
    marks = [words.plain(row["priority"]), words.plain(row["tier"]), *(["VIP"] if row["vip"] else [])]
    about = (", ".join(marks), name(now, row["group_id"]) or "no group", who)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.text(f"{what} · {row['reference']} {row['subject']}\n{' · '.join(about)}", width=width)
            if st.button("Open", type="tertiary", key=f"{place} open {ticket}"):
                st.switch_page(pages.TICKET, query_params={"ticket": row["reference"]})
            if (unseen := now.unseen.get(ticket)) and acting.may(now.app, now.user, "alert acknowledge"):
                st.button(
                    "Acknowledge",
                    type="tertiary",
                    key=f"{place} see {ticket}",
                    on_click=acting.acknowledge,
                    args=(now.app, now.user, ticket, row["version"], unseen),
                )
            if row["owner_id"] is None and may_assign(now, row):
                st.button(
                    "Assign", type="tertiary", key=f"{place} assign {ticket}", on_click=_assign, args=((place, ticket),)
                )
        if st.session_state.get(ASSIGNING) == (place, ticket) and row["owner_id"] is None:
            acting.form(now.app, now.user, act, "Assign", choices=choices(now))


def may_assign(now: Now, row: Row) -> bool:
    """Nobody owns the ticket, so that its group alone says whose it is: the desk is asked once a group."""
    if row["group_id"] not in now.led:
        may = acting.may(now.app, now.user, "ticket assign")
        now.led[row["group_id"]] = may and now.app.desk.leads(row["ticket"], reader=now.user.id)
    return now.led[row["group_id"]]


def choices(now: Now) -> dict[str, Mapping[str, str]]:
    groups: Iterable[str] = now.app.store.frame("assignment_groups", ["group_id"])["group_id"]
    return {"to": forms.agents(now.app), "group": {group: str(name(now, group)) for group in groups}}


def _assign(wanted: tuple[str, str]) -> None:
    st.session_state[ASSIGNING] = None if st.session_state.get(ASSIGNING) == wanted else wanted


page()
