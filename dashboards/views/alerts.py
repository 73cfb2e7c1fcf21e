"""What fired, and what is at risk next? Alerts by ticket as they are now, to be acknowledged; the picture by day."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl
import streamlit as st

from dashboards import acting, cards, opening, pages, paging, visit
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.figures import charts, reports, words
from pipelines.live_alerts import OVER, SEEN, WAITS, live_alerts
from pipelines.live_queue import LiveQueue, live_queue
from pipelines.marts import MartReader

WINDOWS = {"last 7 days": 7, "last 28 days": 28, "all history": None}
KINDS = {"sla": "clocks", "nudge": "alert matrix"}
STATES = {WAITS: "not acknowledged", SEEN: "acknowledged", OVER: "over"}
RECENT = timedelta(days=28)
PER_PAGE = 8
NEXT = 15
Names = Mapping[str, str]


def page() -> None:
    app, user, reader, names = visit.begin("alerts")
    acting.answer(app, user, names)
    now = app.now()
    part = paging.chosen_part({"list": "Alerts", "days": "By day", "next": "At risk next"})
    if part == "days":
        window = st.selectbox("Window", list(WINDOWS), index=1, key="window", bind="query-params", width=220)
        cards.speaks_of(reader.publication, now, f"alerts of the {window}" if WINDOWS[window] else window)
        by_day(reader, window)
        return
    queue = live_queue(app, at=now)
    st.caption(f"As of now, {words.instant(now, st.context.timezone)}; time left is business time")
    if part == "next":
        at_risk_next(queue, names)
    else:
        alerts(app, user, queue, names)


def alerts(app: App, user: Any, queue: LiveQueue, names: Names) -> None:
    found = live_alerts(app, queue, since=queue.as_of - RECENT)
    if found.is_empty():
        st.info("No alert holds, and none was raised in 28 days. Alerts are raised while clocks are evaluated:")
        cards.command("cycle")
        return
    waiting(found.filter(pl.col("state") == WAITS))
    chosen = filtered(found.join(queue.rows.select("ticket", "group_id"), on="ticket"), names)
    if chosen.is_empty():
        st.info("No alert fits these filters.")
        return
    worst = chosen.group_by("ticket").agg(pl.col("level").max(), pl.col("left").min(), pl.len())
    ordered = worst.sort("level", "left", "ticket", descending=[True, False, False], nulls_last=True)
    shown = paging.part_of(ordered["ticket"].to_list(), "ticket", size=PER_PAGE, order="the highest level first")
    tickets = {row["ticket"]: row for row in queue.rows.filter(pl.col("ticket").is_in(shown)).iter_rows(named=True)}
    mine = chosen.filter(pl.col("ticket").is_in(shown)).sort("level", "triggered_at", "alert", descending=True)
    by_ticket = mine.partition_by("ticket", as_dict=True)
    can_act = identity.has(app, user, identity.Right.WORK)
    for ticket in shown:
        of_ticket(app, user if can_act else None, tickets[ticket], by_ticket[(ticket,)], names)


def waiting(found: pl.DataFrame) -> None:
    """How many alerts wait for somebody, by what they are; each number opens its list."""
    counted = found.group_by("kind", "level").len().sort("kind", "level", descending=True)
    st.caption(f"{words.count(found.height, 'alert')} of {words.count(found['ticket'].n_unique(), 'ticket')} "
               "hold and nobody has acknowledged them")  # fmt: skip
    with st.container(horizontal=True):
        for kind, level, count in counted.iter_rows():
            label = f"{KINDS[kind].capitalize()}, level {level} · {count:,}"
            st.button(label, key=f"count {kind} {level}", on_click=_narrow, args=(kind, level))


def _narrow(kind: str, level: int) -> None:
    st.session_state.update({"kind": [kind], "level": [level], "group": [], "state": [WAITS]})
    st.session_state.pop(paging.KEY, None)


def filtered(found: pl.DataFrame, names: Names) -> pl.DataFrame:
    """Those that the reader wants to see: nothing chosen is everything, but for what is over."""
    groups = sorted(found["group_id"].drop_nulls().unique(), key=lambda group: names.get(group, group))
    columns = st.columns([4, 3, 4, 8])
    chosen = {
        "kind": _choice(columns[0], "Of", "kind", list(KINDS), KINDS),
        "level": _choice(columns[1], "Level", "level", sorted(found["level"].unique()), {}),
        "group_id": _choice(columns[2], "Group", "group", groups, names),
        "state": _choice(columns[3], "State", "state", list(STATES), STATES, default=[WAITS, SEEN]),
    }
    return found.filter([pl.col(column).is_in(values) for column, values in chosen.items() if values])


def _choice(place: Any, label: str, key: str, options: list[Any], labels: Mapping[Any, str], **more: Any) -> list[Any]:
    found: list[Any] = place.multiselect(label, options, format_func=lambda one: str(labels.get(one, one)), key=key,
                                         bind="query-params", placeholder="all", **more)  # fmt: skip
    return found


def of_ticket(app: App, user: Any, ticket: Mapping[str, Any], found: pl.DataFrame, names: Names) -> None:
    """One ticket with its alerts, the highest level first; without a user nothing can be done."""
    left = words.left(ticket["seconds_left"]) if ticket["seconds_left"] is not None else "nothing runs out"
    who = ticket["owner_id"] or ticket["assignee_id"]
    about = (
        names.get(ticket["group_id"], ticket["group_id"]) or "no group", names.get(who, who) or "nobody's",
        ticket["priority"], ticket["tier"], left,
    )  # fmt: skip
    alike = found.group_by("about", "alert_type", "state", "acknowledged_by", maintain_order=True).agg(
        pl.col("level").unique().sort(), pl.col("triggered_at", "acknowledged_at").min()
    )
    with st.container(border=True):
        st.text(f"{ticket['reference']} · {ticket['subject']}")
        st.text("\n".join([" · ".join(about), *(_line(row, names) for row in alike.iter_rows(named=True))]))
        with st.container(horizontal=True):
            if st.button("Open", key=f"open {ticket['ticket']}"):
                st.switch_page(pages.TICKET, query_params={"ticket": ticket["ticket"]})
            unseen = found.filter(pl.col("state") == WAITS)["alert"].to_list()
            if unseen and user is not None:
                label = "Acknowledge" if len(unseen) == 1 else f"Acknowledge all {len(unseen)}"
                st.button(label, key=f"see {ticket['ticket']}", on_click=acting.acknowledge,
                          args=(app, user, ticket["ticket"], ticket["version"], unseen))  # fmt: skip


def _line(row: Mapping[str, Any], names: Names) -> str:
    """Alerts of one thing in a line: which, at which levels, since when, and who looks after it."""
    zone, levels = st.context.timezone, row["level"]
    clock = words.CLOCKS.get(row["about"])
    what = f"{clock}, {row['alert_type']}" if clock else words.plain(row["about"]).capitalize()
    level = f"level {levels[0]}" if len(levels) == 1 else f"levels {', '.join(map(str, levels))}"
    state = STATES[row["state"]]
    if row["acknowledged_by"] is not None:
        who = names.get(row["acknowledged_by"], row["acknowledged_by"])
        over = "over, " if row["state"] == OVER else ""
        state = f"{over}acknowledged by {who}, {words.instant(row['acknowledged_at'], zone)}"
    return f"{what}, {level}, since {words.instant(row['triggered_at'], zone)}: {state}"


def by_day(reader: MartReader, window: str) -> None:
    """How many fired by day and level, as published."""
    found = opening.ask(reports.alerts_by_day, reader, days=WINDOWS[window])
    if found.is_empty():
        st.info("No alert was raised in this window. Alerts are raised while clocks are evaluated:")
        cards.command("cycle")
        return
    by_kind = found.group_by("alert_type", "level").agg(pl.col("alerts").sum()).sort("level", "alert_type")
    with st.container(horizontal=True):
        for row in by_kind.iter_rows(named=True):
            label = f"{words.plain(row['alert_type']).capitalize()}, level {row['level']}"
            st.metric(label, f"{row['alerts']:,}", border=True, width=160)
    days = charted_days(found["day"].to_list(), reader.publication.as_of.date(), WINDOWS[window])
    zone = reader.publication.time_zone
    cards.chart(charts.alert_bars, found, f"Alerts by day and level, {window}", days, zone=zone)


def charted_days(fired: list[date], today: date, window: int | None) -> tuple[date, date]:
    """The first and last day of the picture: the whole window of so many days, or two weeks, if not more."""
    return min(*fired, today - timedelta(days=(window or 14) - 1)), max(*fired, today)


def at_risk_next(queue: LiveQueue, names: Names) -> None:
    """The open promises that are kept so far, the next to break first."""
    ahead = queue.rows.filter(pl.col("seconds_left") > 0, ~pl.col("is_paused"))
    if ahead.is_empty():
        st.info("No running clock has a deadline ahead.")
        return
    found = ahead.sort("next_due_at", "ticket").head(NEXT)
    st.caption(f"The next {found.height:,} of {words.count(ahead.height, 'ticket')} whose next promise still holds")
    shown = found.select(
        "reference",
        "subject",
        left=pl.col("seconds_left").map_elements(words.left, return_dtype=pl.String),
        due=pl.col("next_due_at").map_elements(
            lambda at: words.instant(at, st.context.timezone), return_dtype=pl.String
        ),
        clock=pl.col("next_clock").cast(pl.String).replace(words.CLOCKS),
        priority="priority",
        group=pl.col("group_id").replace(dict(names)),
    )
    cards.tickets_table(shown, found["ticket"].to_list(), key="opened next", subject=_WIDE)


_WIDE = st.column_config.TextColumn(width=300)

page()
