"""What should I do next? My open tickets in the parts that divide them, and the chosen one beside the list."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboards import (
    acting,
    cards,
    forms,
    opening,
    paging,
    queue_parts,
    ticket_aside,
    visit,
)
from dashboards.queue_parts import PARTS, Whose
from dashboards.ticket_view import view_of
from engine.shared.spreadsheet_text import defused
from pipelines import actions
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.figures import words
from pipelines.live_queue import Holder, LiveQueue, holder, live_queue

ROWS = 10
SHOWN = "shown"  # names the chosen ticket in the address, by its reference
OWN = {"mine": "Mine", "groups": "My groups"}
ALL, NOBODY = "all", "nobody"
Names = Mapping[str, str]


def page() -> None:
    app, user, reader, names = visit.begin("queue")
    acting.answer(app, user, names)
    queue = live_queue(app, at=app.now())
    rows = filtered(app, user, queue.rows, names)
    sizes = queue_parts.sizes(rows)
    fullest = next((name for name, size in sizes.items() if size), None)
    part = paging.chosen_part({name: f"{label} · {sizes[name]:,}" for name, label in PARTS.items()}, fullest)
    found = rows.filter(queue_parts.part() == part)
    st.caption(
        f"As of {words.instant(queue.as_of, st.context.timezone)}, clocks in business time · "
        f"{words.count(found.height, 'ticket')}, the highest score first, those that came since the last cycle behind"
    )
    if found.is_empty():
        st.info("No ticket of this part fits. Other parts have their numbers above; filters and whose are at the top.")
        return
    place = chosen_place(found, part)
    left, right = st.columns([13, 8], gap="medium")
    with left:
        listed(found, place)
    with right, st.container(border=True):
        aside(app, user, reader, found.row(place, named=True), queue)


def filtered(app: App, user: Any, rows: pl.DataFrame, names: Names) -> pl.DataFrame:
    """What the reader wants to see of the open tickets; all choices stand in the address, by their names."""
    own = holder(app, user.id)
    by_name = sorted(rows["group_id"].drop_nulls().unique(), key=lambda group: names.get(group, group))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = whose_tickets(app, user, own)
        view = chosen_view(app, user, own)
        text = st.text_input(
            "Words", key="words", bind="query-params", placeholder="in reference or subject", width=190
        )
        chosen = fields(by_name, sorted(rows["status"].unique()), names)
        if own and acting.may(app, user, "view save"):
            keep(app, user, {queue_parts.FIELDS[name]: value for name, value in chosen.items() if value})
    found = queue_parts.chosen(rows, whose, chosen, text)
    if view is None:
        return found
    try:
        return actions.in_view(app, view, found)
    except opening.HelmdeskError as error:
        cards.refused(error)
        return found


def fields(groups: list[str], statuses: list[str], names: Names) -> dict[str, str | None]:
    """One value a field, or any."""
    keys = [key for key in queue_parts.FIELDS if st.session_state.get(key) or st.query_params.get(key)]
    with st.popover(f"Filters ({len(keys)})" if keys else "Filters"):
        return {
            "group": _choice("Group", "group", groups, names),
            "priority": _choice("Priority", "priority", list(words.RANKS)),
            "tier": _choice("Tier", "tier", list(words.TIERS)),
            "status": _choice("Status", "status", statuses),
        }


def whose_tickets(app: App, user: Any, own: Holder | None) -> Whose:
    """One's own and one's groups'; a colleague's or everybody's with the right to supervise."""
    options: dict[str, str] = dict(OWN) if own else {}
    if identity.has(app, user, identity.Right.SUPERVISE):
        options |= {ALL: "Everybody", NOBODY: "Nobody"} | {
            key: name for key, name in forms.agents(app).items() if key != user.id
        }
    if not options:
        st.caption("Nobody's tickets are yours: you are no agent, and don't supervise.")
        return Whose((), ())
    whose = st.selectbox("Whose", list(options), format_func=options.__getitem__, key="whose", bind="query-params",
                         width=150)  # fmt: skip
    match whose:
        case "all":
            return Whose()
        case "nobody":
            return Whose(names=())
        case "groups":
            return Whose(None, own.groups if own else ())
        case "mine" if own:
            return Whose(own.names, own.groups)
    found = holder(app, whose)
    return Whose(found.names if found else (), ())


def chosen_view(app: App, user: Any, own: Holder | None) -> Any:
    """The kept view that was chosen: its filters narrow the queue as they do the board."""
    views = {view.id: view for view in app.desk.views(by=user.id)} if own else {}
    if not views:
        return None
    chosen = st.selectbox("View", list(views), None, format_func=lambda key: views[key].name, key="view", width=140,
                          bind="query-params", placeholder="none")  # fmt: skip
    return views[chosen] if chosen else None


def keep(app: App, user: Any, filters: dict[str, str]) -> None:
    with st.popover("Keep as a view", disabled=not filters, help="Group, priority, tier and status are kept"):
        name = st.text_input("Name", key="name of the view", max_chars=60)
        st.button("Keep", key="keep the view", type="primary", on_click=acting.act,
                  args=(app, user, acting.Act("view save")), kwargs={"name": name, "filters": filters})  # fmt: skip


def _choice(label: str, key: str, options: list[str], names: Names | None = None) -> str | None:
    shown = names or {}
    return st.selectbox(label, options, None, format_func=lambda one: shown.get(one, words.plain(one)), key=key,
                        bind="query-params", placeholder="all")  # fmt: skip


def chosen_place(found: pl.DataFrame, part: str) -> int:
    """Where the chosen ticket stands; if it left this part, the one that came into its place."""
    references = found["reference"].to_list()
    wanted = st.query_params.get(SHOWN)
    before = int(st.session_state.get(f"place in {part}", 0))
    place = references.index(wanted) if wanted in references else min(before, len(references) - 1)
    st.session_state[f"place in {part}"] = place
    if wanted != references[place]:
        st.query_params[SHOWN] = references[place]
    return place


def listed(found: pl.DataFrame, place: int) -> None:
    """The page of the list on which the chosen ticket stands; another is chosen by a click or a key."""
    references, first = found["reference"].to_list(), place // ROWS * ROWS
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Next", key="next", shortcut="j", on_click=_step, args=(1, references))
        st.button("Previous", key="previous", shortcut="k", on_click=_step, args=(-1, references))
        if len(references) > ROWS:
            st.button("Page on", key="page on", on_click=_step, args=(ROWS, references))
            st.button("Page back", key="page back", on_click=_step, args=(-ROWS, references))
        st.caption(f"{place + 1:,} of {len(references):,}")
    page = found.slice(first, ROWS)
    shown = page.select(
        "reference",
        left=pl.col("seconds_left").map_elements(words.left, return_dtype=pl.String),
        subject="subject",
        priority=pl.concat_str("priority", pl.when("vip").then(pl.lit(", VIP")).otherwise(pl.lit(""))),
    )
    column, key = st.column_config, f"list at {references[place]}"
    st.dataframe(
        defused(shown),
        hide_index=True,
        height="content",
        row_height=cards.TWO_LINES,
        key=key,
        on_select=lambda: _click(key, references[first : first + ROWS]),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [place - first]}},
        column_config={
            "reference": column.TextColumn(width=112),
            "left": column.TextColumn(width=78, help="of the promise that is nearest, in business time"),
            "subject": column.TextColumn(width=274),
            "priority": column.TextColumn(width=70),
        },
    )


def _step(steps: int, references: list[str]) -> None:
    """From wherever the reader is by now, within the list."""
    now = st.query_params.get(SHOWN)
    place = references.index(now) if now in references else 0
    st.query_params[SHOWN] = references[min(max(place + steps, 0), len(references) - 1)]


def _click(key: str, references: list[str]) -> None:
    if rows := st.session_state[key]["selection"]["rows"]:
        st.query_params[SHOWN] = references[rows[0]]


def aside(app: App, user: Any, reader: Any, row: Mapping[str, Any], queue: LiveQueue) -> None:
    try:
        ticket = app.desk.read_ticket(row["ticket"], reader=user)
    except opening.HelmdeskError as error:
        cards.refused(error)
        return
    identity.saw(app, user, door="queue", ticket_id=ticket.id)
    ticket_aside.show(view_of(app, user, ticket, reader), queue.clocks.filter(pl.col("ticket") == ticket.id))


page()
