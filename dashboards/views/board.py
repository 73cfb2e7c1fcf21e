"""Where does the work stand? Tickets as cards in columns; a move is an act of the desk, dragged or by buttons."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards import acting, board_cards, cards, pages, visit
from pipelines import actions
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.identity import User
from pipelines.figures import words
from pipelines.operations import OPERATIONS, perform

MOST = 25  # cards that a column shows
CARDS, WARNING, WITHOUT_REASON = "board cards", "warning of the board", "move without a reason"
Names = Mapping[str, str]


def page() -> None:
    app, user, _, names = visit.begin("board")
    acting.answer(app, user, names)
    if warning := st.session_state.pop(WARNING, None):
        st.warning(cards.verbatim(acting.by_names(app, warning, acting.Act("view move"), names)))
    view = chosen(app, user)
    now = app.now()
    board = actions.board_of(app, view, at=now, most=MOST)
    tickets = sum(column.count for column in board.columns)
    if not tickets:
        st.info("No open ticket fits this view. Tickets get an owner on their page, or by `helmdesk ticket accept`.")
    can_move = acting.may(app, user, "view move")
    if pending := st.session_state.get(WITHOUT_REASON):
        ask_why(app, user, view.id, pending)
    drawn = board_cards.board_cards(
        [column_of(column, view, names) for column in board.columns],
        key=CARDS,
        can_move=can_move,
        on_move=lambda: dropped(app, user, view),
    )
    if drawn.opened:
        st.switch_page(pages.TICKET, query_params={"ticket": str(drawn.opened)})
    if drawn.more:
        st.switch_page(pages.QUEUE, query_params=in_queue(app, user, view=view, column=str(drawn.more), names=names))
    st.caption(
        f"{words.count(tickets, 'ticket')} as of {words.instant(now, st.context.timezone)}. Arrow keys go from card to "
        "card, Enter or a double click opens one, Alt with left or right moves it."
    )
    if can_move:
        move_by_buttons(app, user, board, names)
        keep_view(app, user)


def chosen(app: App, user: User) -> Any:
    """The view of the address, else the first: views by their names, with the team where a name stands twice."""
    views = actions.board_views(app, user)
    seen: dict[str, Any] = {}
    for view in views:
        name = view.name if view.name not in seen else f"{view.name} of {view.team_id or view.owner_id}"
        seen[name] = view
    name = st.selectbox("View", list(seen), key="view", bind="query-params", width=280)
    return seen[name]


def column_of(column: Any, view: Any, names: Names) -> dict[str, Any]:
    """A column as the component draws it."""
    limit = f" of {column.limit:,}, {view.wip_mode}" if column.limit is not None else ""
    hidden = column.count - len(column.cards)
    lanes = column.lanes or {"": column.cards}
    return {
        "name": column.name,
        "title": title(column.name, view.column_field, names),
        "count": column.count,
        "note": f"{column.count:,}{limit}",
        "is_over": column.is_over_limit,
        "more": f"and {hidden:,} more" if hidden else "",
        "lanes": [
            {
                "title": title(lane, view.swimlane_field, names) if lane else "",
                "cards": [card_of(card, view, names) for card in members],
            }
            for lane, members in lanes.items()
        ],
    }


def in_queue(app: App, user: User, *, view: Any, column: str, names: Names) -> dict[str, str]:
    """How the queue's address names the tickets of a column."""
    may_see_all = identity.has(app, user, identity.Right.SUPERVISE) and view.id != "mine"
    whose = {"whose": "Everybody"} if may_see_all else {}
    match view.column_field:
        case "status" | "priority":
            return {"view": view.name, view.column_field: words.plain(column), **whose}
        case "team" if column != "none":
            return {"view": view.name, "group": names.get(column, column), **whose}
        case "agent" if column != "none":
            return {"view": view.name, "whose": names.get(column, column)}
    return {"view": view.name, **whose}


def title(name: str, field: str | None, names: Names) -> str:
    if name == "none":
        return "No group" if field == "team" else "No owner"
    return names.get(name, name) if field in ("team", "agent") else words.plain(name).capitalize()


def card_of(card: Any, view: Any, names: Names) -> dict[str, Any]:
    owner = names.get(card.owner_id, card.owner_id) if card.owner_id else "no owner"
    other = card.priority if view.column_field != "priority" else words.plain(card.status)
    left = "" if card.seconds_left is None else "paused" if card.is_paused else words.left(card.seconds_left)
    return {
        "id": card.id,
        "reference": card.reference,
        "subject": card.subject or "–",
        "facts": " · ".join([other, *(["VIP"] if card.vip else []), owner]),
        "left": left,
        "state": card.sla_state or "",
        "seen": card.version,
    }


def dropped(app: App, user: User, view: Any) -> None:
    """What to do with a card that was let go over another column."""
    moved = st.session_state[CARDS].moved
    if not moved:
        return
    wanted: dict[str, Any] = {"ticket": str(moved["ticket"]), "to": str(moved["to"]), "seen": int(moved["seen"])}
    if view.column_field == "priority":
        st.session_state[WITHOUT_REASON] = wanted
        return
    move(app, user, view.id, **wanted)


def move(app: App, user: User, view_id: str, *, ticket: str, to: str, seen: int, reason: str | None = None) -> None:
    """Have the desk move it; a soft limit's warning is shown in the next drawing."""
    wanted = {"ticket": ticket, "to": to, "reason": reason}

    def step() -> None:
        moved: Any = perform(app, OPERATIONS["view move"], user=user, key=view_id, arguments=wanted)
        st.session_state[WARNING] = moved.warning

    acting.attempt(app, user, acting.Act("view move", view_id, ticket, seen), step, **wanted)


def ask_why(app: App, user: User, view_id: str, pending: dict[str, Any]) -> None:
    """A card that was dropped on another priority waits in its column until somebody says why."""
    with st.form("why", width=520):
        st.text(f"{app.store.ticket(pending['ticket']).reference} becomes {pending['to']}: why?")
        st.text_input("Reason", key="reason of the drop", max_chars=2_000)
        with st.container(horizontal=True):
            st.form_submit_button(
                "Move it", type="primary", on_click=moved_with_reason, args=(app, user, view_id, pending)
            )
            st.form_submit_button("Leave it", on_click=lambda: st.session_state.pop(WITHOUT_REASON))


def moved_with_reason(app: App, user: User, view_id: str, pending: dict[str, Any]) -> None:
    st.session_state.pop(WITHOUT_REASON, None)
    move(app, user, view_id, **pending, reason=st.session_state["reason of the drop"])


def move_by_buttons(app: App, user: User, board: Any, names: Names) -> None:
    """The same move without dragging."""
    shown = {card.id: (card, column.name) for column in board.columns for card in column.cards}
    if not shown:
        return
    titles = {column.name: title(column.name, board.view.column_field, names) for column in board.columns}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ticket = st.selectbox(
            "Card",
            list(shown),
            format_func=lambda key: f"{shown[key][0].reference} · {shown[key][0].subject}",
            key="card to move",
            width=460,
        )
        targets = [name for name in titles if name != shown[ticket][1]]
        st.selectbox("Move to", targets, format_func=titles.__getitem__, key="column to move to", width=160)
        st.text_input("Reason", key="reason of the move", max_chars=2_000, width=200)
        seen = {key: card.version for key, (card, _) in shown.items()}
        st.button("Move", key="move", on_click=moved_by_button, args=(app, user, board.view.id, seen))


def moved_by_button(app: App, user: User, view_id: str, seen: Mapping[str, int]) -> None:
    """What is chosen and written at the instant of the click counts."""
    state = st.session_state
    ticket, to, reason = state["card to move"], state["column to move to"], state["reason of the move"] or None
    move(app, user, view_id, ticket=ticket, to=to, seen=seen[ticket], reason=reason)


def keep_view(app: App, user: User) -> None:
    with st.expander("Keep a view of one's own"):
        st.caption(
            "Filters and limits, one a line: `priority=high`, `in_progress=5`. A soft limit warns, a hard refuses."
        )
        acting.form(app, user, acting.Act("view save"), "Keep the view")


page()
