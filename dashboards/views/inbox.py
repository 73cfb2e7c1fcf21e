"""What am I told, where and when? One's notices, what waits and until when, and how one wants to hear of what."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st

from dashboards import acting, cards, pages, paging, visit
from engine.shared.errors import NotAllowed, NotFound
from pipelines.app.container import App
from pipelines.figures import words
from pipelines.operations import OPERATIONS, perform

PER_PAGE = 10
EVERY = "*"
TIMINGS = {
    "immediate": "at once", "hourly_digest": "hourly digest", "daily_digest": "daily digest",
}  # fmt: skip
EVENING, MORNING = time(18), time(8)


def page() -> None:
    app, user, _, names = visit.arrive("inbox")
    acting.answer(app, user, names)
    try:
        notices, waiting = _mine(app, user, "desk inbox"), _mine(app, user, "desk waiting")
    except (NotAllowed, NotFound):
        st.info(f"Notices go to agents, each to their own inbox, and {user.name} is none."
                + (" Choose one of them in the sidebar, under Work as." if app.is_demo else ""))  # fmt: skip
        return
    unread = sum(notice.read_at is None for notice in notices)
    parts = {
        "notices": f"Notices · {unread:,} unread",
        "waiting": f"Waiting · {len(waiting):,}",
        "settings": "Settings",
    }
    part = paging.chosen_part(parts)
    match part:
        case "waiting":
            to_come(app, user, waiting, names)
        case "settings":
            settings(app, user)
        case _:
            inbox(app, user, notices, unread, names)


def inbox(app: App, user: Any, notices: Sequence[Any], unread: int, names: Mapping[str, str]) -> None:
    if not notices:
        st.info("Nobody told you anything yet. Notices are written when news of your tickets are due:")
        cards.command("deliver")
        return
    if unread:
        st.button("Mark all as read", on_click=acting.act, args=(app, user, acting.Act("desk read")), key="read all")
    ordered = sorted(notices, key=lambda notice: notice.read_at is not None)
    shown = paging.part_of(ordered, "notice", size=PER_PAGE, order="unread ones first, then the newest")
    sendings = {one.key: one for one in app.outbox.standings([notice.id for notice in shown])}
    news = {one.id: _mine(app, user, "notice news", one.id) for one in shown}
    references = _references(app, [row for rows in news.values() for row in rows])
    for notice in shown:
        with st.container(border=True):
            state = "Unread" if notice.read_at is None else f"Read {_when(notice.read_at)}"
            st.text(acting.named(notice.subject, names))
            st.caption(f"{state} · {_when(notice.created_at)} · {_sent(notice, sendings.get(notice.id))}")
            if more := _more(notice):
                st.text(acting.named(more, names))
            _below(app, user, notice, news[notice.id], {**names, **references})


def _below(app: App, user: Any, notice: Any, news: Sequence[Any], names: Mapping[str, str]) -> None:
    """What one may do with a notice, and each piece of its news."""
    tickets = list(dict.fromkeys(row.ticket_id for row in news if row.ticket_id))
    read = partial(acting.act, app, user, acting.Act("desk read"), notice_ids=[notice.id])
    with st.container(horizontal=True):
        if notice.read_at is None:
            st.button("Mark as read", key=f"read {notice.id}", on_click=read)
        if len(tickets) == 1 and st.button(f"Open {names[tickets[0]]}", key=f"open {notice.id}", on_click=read):
            st.switch_page(pages.TICKET, query_params={"ticket": tickets[0]})
        if any("alerts" in row.payload for row in news) and st.button(
            "Open the alerts", key=f"alerts {notice.id}", on_click=read
        ):
            st.switch_page(pages.ALERTS)
    if len(tickets) > 1:
        rows = [row for row in news if row.ticket_id]
        with st.expander(words.count(len(news), "piece of news", "pieces of news")):
            shown = {
                "ticket": [names[row.ticket_id] for row in rows],
                "news": [_message(row, names) for row in rows],
                "when": [_when(row.created_at) for row in rows],
            }
            opened = [row.ticket_id for row in rows]
            cards.tickets_table(pl.DataFrame(shown), opened, key=f"opened {notice.id}", first=read)


def _more(notice: Any) -> str:
    """What a notice says beside its subject; the command that shows all of it is for who reads it elsewhere."""
    lines = [line for line in notice.text.strip().splitlines() if line != notice.subject]
    return "\n".join(line for line in lines if not line.startswith("All of it: helmdesk "))


def _sent(notice: Any, standing: Any) -> str:
    """Where it went, and whether the other side took it."""
    if notice.destination == "inbox":
        wished = "" if notice.channel == "in_app" else f", no address for {words.plain(notice.channel)} is known"
        return f"here{wished}"
    to = notice.destination.partition(":")[2]
    if notice.sent_at is not None:
        return f"sent by {words.plain(to)}, taken {_when(notice.sent_at)}"
    if standing is None or standing.state == "replaced":
        return f"not sent by {words.plain(to)}"
    why = f": {standing.last_error}" if standing.last_error else ""
    if standing.state == "refused":
        return f"refused by {words.plain(to)}{cards.verbatim(why) if why else ''}"
    return f"waits for {words.plain(to)} until {_when(standing.next_attempt_at)}"


def to_come(app: App, user: Any, waiting: Sequence[Any], names: Mapping[str, str]) -> None:
    """What waits, until when and why."""
    if not waiting:
        st.info("No news waits for you: what comes goes out with the next delivery.")
        return
    st.caption("News that are in no notice yet; urgent ones wait for no batch, pause or silence")
    wishes, references = _wishes(app, user), _references(app, waiting)
    silences = {one.ticket_id: one.until for one in _mine(app, user, "desk silences")}
    zone, now = _zone(app, user), app.now()
    rows = [(row, max(row.scheduled_for, silences.get(row.ticket_id, row.scheduled_for))) for row in waiting]
    shown = {
        "news": [_message(row, names) for row, _ in rows],
        "ticket": [references.get(row.ticket_id or "", "–") for row, _ in rows],
        "by": [words.plain(row.channel) for row, _ in rows],
        "until": [_when(until) if until > now else "the next delivery" for _, until in rows],
        "because": [
            _because(
                until,
                wishes.get(row.event_type) or wishes.get(EVERY),
                zone,
                is_silent=until == silences.get(row.ticket_id),
            )
            if until > now
            else "it is due"
            for row, until in rows
        ],
    }
    cards.tickets_table(pl.DataFrame(shown), [row.ticket_id or "" for row, _ in rows], key="opened waiting")


def _because(until: datetime, wish: Any, zone: ZoneInfo, *, is_silent: bool) -> str:
    if is_silent:
        return "you work on the ticket"
    if wish and wish.quiet_hours and until.astimezone(zone).time() == wish.quiet_hours.end:
        return "quiet hours"
    if wish and wish.timing != "immediate":
        return TIMINGS[wish.timing]
    return "gathered with other news"


def settings(app: App, user: Any) -> None:
    policy, wishes, zone = app.desk.policies.notifications, _wishes(app, user), _zone(app, user)
    st.subheader("What holds now")
    every = wishes.get(EVERY)
    names = {EVERY: "all other news", **policy.events}
    held = {event: wishes.get(event) or every for event in names}
    shown = {
        "news": list(names.values()),
        "set by": ["you" if event in wishes else "you, for all" if every else "the desk" for event in names],
        "by": [words.plain(wish.channel if wish else policy.default_channel) for wish in held.values()],
        "when": [TIMINGS[wish.timing if wish else "immediate"] for wish in held.values()],
        "quiet hours": [_quiet(wish.quiet_hours if wish else None) for wish in held.values()],
        "urgent": ["one channel up, at once" if event in policy.urgent else "" for event in names],
    }
    cards.table(pl.DataFrame(shown), news=st.column_config.TextColumn(width=200))
    _channels(app, policy)
    st.subheader("Change it")
    event = st.selectbox("News", list(names), format_func=names.__getitem__, key="news", bind="query-params") or EVERY
    _form(app, user, event, held[event], zone)
    _quiet_tickets(app, user, policy)


def _channels(app: App, policy: Any) -> None:
    reached = [name for name in _known_channels(app, policy) if name in app.settings.notify_urls or name == "in_app"]
    st.caption(f"Has an address here: {', '.join(map(words.plain, reached))}. What has none comes to this inbox.")


def _known_channels(app: App, policy: Any) -> list[str]:
    return list(dict.fromkeys([policy.default_channel, *policy.ladder, "in_app", "digest", *app.settings.notify_urls]))


def _form(app: App, user: Any, event: str, wish: Any, zone: ZoneInfo) -> None:
    policy = app.desk.policies.notifications
    channel, timing = (wish.channel, wish.timing) if wish else (policy.default_channel, "immediate")
    quiet, channels = wish.quiet_hours if wish else None, _known_channels(app, policy)
    channels += [] if channel in channels else [channel]
    with st.form(f"wish {event}"):
        st.selectbox(
            "Channel", channels, index=channels.index(channel), format_func=words.plain, key=f"channel {event}"
        )
        st.selectbox("When", list(TIMINGS), index=list(TIMINGS).index(timing), format_func=TIMINGS.__getitem__,
                     key=f"timing {event}")  # fmt: skip
        st.toggle("Quiet hours", value=quiet is not None, key=f"quiet {event}")
        with st.container(horizontal=True):
            st.time_input(f"From ({zone.key})", quiet.start if quiet else EVENING, key=f"from {event}", width=180)
            st.time_input("To", quiet.end if quiet else MORNING, key=f"to {event}", width=180)
        st.checkbox("Urgent news come through", value=quiet.urgent_comes_through if quiet else True,
                    key=f"urgent {event}")  # fmt: skip
        st.form_submit_button("Save", type="primary", on_click=_prefer, args=(app, user, event))


def _prefer(app: App, user: Any, event: str) -> None:
    form = {
        name: st.session_state[f"{name} {event}"] for name in ("channel", "timing", "quiet", "from", "to", "urgent")
    }
    hours: dict[str, Any] = {"no_quiet_hours": True}
    if form["quiet"]:
        hours = {"quiet_from": form["from"], "quiet_to": form["to"], "urgent_comes_through": form["urgent"]}
    act = acting.Act("desk prefer")
    acting.act(app, user, act, event_type=event, channel=form["channel"], timing=form["timing"], **hours)


def _quiet_tickets(app: App, user: Any, policy: Any) -> None:
    st.subheader("Tickets I work on")
    st.caption(
        f"No news of such a ticket for {policy.silence_minutes} minutes, but for urgent ones; they come after it"
    )
    silences = _mine(app, user, "desk silences")
    if silences:
        references = _references(app, silences)
        shown = {
            "ticket": [references[one.ticket_id] for one in silences],
            "until": [_when(one.until) for one in silences],
        }
        cards.tickets_table(pl.DataFrame(shown), [one.ticket_id for one in silences], key="opened silence")
    with st.form("working on", clear_on_submit=True):
        st.text_input("Ticket", key="silenced", placeholder="its reference or id")
        st.form_submit_button("Keep it quiet", on_click=_silence, args=(app, user))


def _silence(app: App, user: Any) -> None:
    acting.act(app, user, acting.Act("ticket working-on", st.session_state["silenced"].strip()))


def _mine(app: App, user: Any, operation: str, key: str | None = None) -> Any:
    return perform(app, OPERATIONS[operation], user=user, key=key)


def _wishes(app: App, user: Any) -> dict[str, Any]:
    return {wish.event_type: wish for wish in _mine(app, user, "desk preferences")}


def _zone(app: App, user: Any) -> ZoneInfo:
    return ZoneInfo(app.desk.agent(user.id).timezone)


def _references(app: App, rows: Sequence[Any]) -> dict[str, str]:
    """What the tickets that these are about are called."""
    keys = {row.ticket_id for row in rows if row.ticket_id}
    return dict(app.store.frame("tickets", ["id", "reference"], where={"id": keys}).iter_rows()) if keys else {}


def _message(row: Any, names: Mapping[str, str]) -> str:
    return acting.named(str(row.payload.get("message") or words.plain(row.event_type)), names)


def _quiet(hours: Any) -> str:
    if hours is None:
        return "none"
    through = "" if hours.urgent_comes_through else ", urgent news too"
    return f"{hours.start:%H:%M} to {hours.end:%H:%M}{through}"


def _when(at: Any) -> str:
    return words.instant(at, st.context.timezone)


page()
