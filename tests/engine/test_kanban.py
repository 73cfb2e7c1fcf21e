"""A board shows the queue; moving a card follows the ticket's rules."""

from typing import Any

import polars as pl
import pytest

from engine import kanban, lifecycle
from engine.contracts import AssignmentGroup, Event, Kind, Status, Ticket
from engine.kanban import KanbanView
from engine.shared.errors import BadInput, NotAllowed
from tests.engine.people import ANA, POLICIES, a_ticket, later, owned

LIFECYCLES = lifecycle.load(POLICIES / "lifecycle.yaml")


def view(**changes: Any) -> KanbanView:
    return KanbanView(**{"id": "v", "name": "Mine", **changes})


def move(
    ticket: Any, to: str, *, by: str = "ana", cards: int = 0, reason: str = "", **changes: Any
) -> tuple[kanban.Moved, list[Event]]:
    shown = view(**changes)
    there: dict[str, Any] = {"preset": LIFECYCLES.preset(), "cards_there": cards, "reason": reason}
    return kanban.move_card(shown, ticket, to=to, by=by, at=later(1), **there)


def board_of(shown: KanbanView, tickets: list[Ticket], **options: Any) -> kanban.Board:
    """The board of these tickets as rows; `scores` and `seconds_left` by ticket."""
    scores, left = options.pop("scores", {}), options.pop("seconds_left", {})
    fields = [name for name in kanban.Card.model_fields if name in Ticket.model_fields]
    rows = [
        {name: getattr(one, name) for name in {*fields, "created_at", *set(shown.filters) & set(Ticket.model_fields)}}
        | {"score": scores.get(one.id), "seconds_left": left.get(one.id), "is_paused": None, "sla_state": None}
        for one in tickets
    ]
    return kanban.board(shown, pl.DataFrame(rows), **options)


def columns(board: kanban.Board) -> dict[str, list[str]]:
    return {column.name: [card.id for card in column.cards] for column in board.columns}


def test_status_board_shows_empty_columns_too() -> None:
    found = columns(board_of(view(), [owned()], preset=LIFECYCLES.preset("companyos")))
    expected = {status: [] for status in ("new", "triage", "waiting_customer", "resolved", "closed")}
    assert found == {**expected, "in_progress": ["web:1"]}


def test_no_card_is_lost_in_a_status_the_preset_lacks() -> None:
    found = columns(board_of(view(), [a_ticket(status="waiting_vendor")], preset=LIFECYCLES.preset("companyos")))
    assert found["waiting_vendor"] == ["web:1"]


def test_agent_and_team_boards_have_a_column_for_nobody() -> None:
    tickets = [owned(id="a"), a_ticket(id="b", group_id="grp")]
    assert columns(board_of(view(column_field="agent"), tickets)) == {"ana": ["a"], "none": ["b"]}
    assert columns(board_of(view(column_field="team"), tickets)) == {"none": ["a"], "grp": ["b"]}


@pytest.mark.parametrize(
    ("sort_by", "order"),
    [("priority_score", ["b", "a", "c"]), ("created_at", ["c", "a", "b"]), ("sla_breach", ["a", "b", "c"])],
)
def test_cards_are_sorted_as_the_view_says(sort_by: str, order: list[str]) -> None:
    tickets = [a_ticket(id="a"), a_ticket(id="b", created_at=later(1)), a_ticket(id="c", created_at=later(-1))]
    scores, left = {"a": 40.0, "b": 70.0}, {"a": -5.0, "b": 60.0}
    board = board_of(view(sort_by=sort_by), tickets, scores=scores, seconds_left=left)
    assert columns(board)["new"] == order


def test_swimlanes_split_a_column() -> None:
    tickets = [owned(id="a"), owned(id="b", priority="high")]
    [column] = board_of(view(column_field="agent", swimlane_field="priority"), tickets).columns
    assert {lane: [card.id for card in cards] for lane, cards in column.lanes.items()} == {
        "high": ["b"],
        "medium": ["a"],
    }


def test_filters_choose_tickets_by_their_fields() -> None:
    tickets = [owned(id="a"), owned(id="b", priority="high"), owned(id="c", tier="free")]
    shown = view(filters={"priority": ["medium", "low"], "tier": "standard", "vip": False})
    assert columns(board_of(shown, tickets))["in_progress"] == ["a"]
    with pytest.raises(BadInput, match="filters on colour, which no ticket has"):
        board_of(view(filters={"colour": "red"}), tickets)


def test_a_large_column_shows_the_first_and_counts_all() -> None:
    [found] = [c for c in board_of(view(), [owned(id=f"{n:02}") for n in range(30)], most=5).columns if c.count]
    assert (found.count, [card.id for card in found.cards]) == (30, ["00", "01", "02", "03", "04"])


def test_the_limit_looks_at_all_cards_not_at_the_shown() -> None:
    shown = board_of(view(wip_limits={"in_progress": 3}), [owned(id=str(n)) for n in range(4)], most=2)
    assert [column.is_over_limit for column in shown.columns if column.limit] == [True]


def test_agents_have_views_without_saving_any() -> None:
    ours = AssignmentGroup(group_id="g-1", name="Cloud", team_id="cloud", max_bandwidth=9)
    found = kanban.usual_views(
        ANA, [ours, AssignmentGroup(group_id="g-2", name="Net", team_id="network", max_bandwidth=9)]
    )
    assert [shown.name for shown in found] == ["My tickets", "My groups", "All tickets", "By priority"]
    assert (found[0].filters, found[1].filters) == ({"owner_id": "ana"}, {"group_id": ["g-1"]})
    assert [shown.name for shown in kanban.usual_views(None)] == ["All tickets", "By priority"]


def test_over_the_limit_shows() -> None:
    board = board_of(view(wip_limits={"in_progress": 1}), [owned(id="a"), owned(id="b")])
    assert [column.name for column in board.columns if column.is_over_limit] == ["in_progress"]


def test_moving_a_card_is_a_move_of_the_ticket() -> None:
    moved, events = move(owned(), "waiting_customer")
    assert (moved.ticket.status, events[0].sla_effect, moved.warning) == (Status.WAITING_CUSTOMER, "pause", None)


def test_moving_to_where_it_is_changes_nothing() -> None:
    assert move(owned(), "in_progress")[1] == []


@pytest.mark.parametrize(
    ("ticket", "to", "by", "said"),
    [
        (owned(), "new", "ana", "can't become new"),
        (owned(), "resolved", "ben", "only the owner may move its card"),
        (a_ticket(), "in_progress", "ana", "accept it first"),
        (owned(), "resolved", "ana", "resolve it with a summary"),
        (owned(), "waiting_vendor", "ana", "ask the vendor by an envelope"),
        (owned(status="closed"), "in_progress", "ana", "reopen it with a reason"),
    ],
)
def test_moves_follow_lifecycle_and_ownership(ticket: Any, to: str, by: str, said: str) -> None:
    with pytest.raises(NotAllowed, match=said):
        move(ticket, to, by=by)


def test_unknown_column_is_named() -> None:
    with pytest.raises(BadInput, match="no column 'done'"):
        move(owned(), "done")


def test_soft_limit_warns_and_hard_refuses() -> None:
    limits = {"wip_limits": {"waiting_customer": 2}}
    assert move(owned(), "waiting_customer", cards=1, **limits)[0].warning is None
    assert "one more makes it 3" in (move(owned(), "waiting_customer", cards=2, **limits)[0].warning or "")
    with pytest.raises(NotAllowed, match="2 cards of at most 2; finish one there first"):
        move(owned(), "waiting_customer", cards=2, wip_mode="hard", **limits)


def test_priority_and_team_columns_change_priority_and_group() -> None:
    raised, events = move(owned(), "high", column_field="priority", reason="all down")
    assert (raised.ticket.priority, events[0].sla_effect) == ("high", "rebase")
    handed, events = move(owned(), "grp", column_field="team")
    assert (handed.ticket.group_id, events[0].kind, handed.ticket.owner_id) == ("grp", Kind.GROUP, "ana")
    with pytest.raises(BadInput, match="with a reason: say why"):
        move(owned(), "high", column_field="priority", reason=" ")


def test_agent_column_never_moves_the_owner() -> None:
    with pytest.raises(NotAllowed, match="stays with ana; open an envelope"):
        move(owned(), "ben", column_field="agent")
