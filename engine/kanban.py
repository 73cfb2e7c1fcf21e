"""A board shows the queue in columns; moving a card is a change of the ticket and follows its rules."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import polars as pl
from pydantic import Field

from engine import lifecycle, ownership
from engine.contracts import (
    OPEN_STATUSES,
    Agent,
    AssignmentGroup,
    Event,
    Frozen,
    Kind,
    Priority,
    Status,
    Ticket,
)
from engine.shared.errors import BadInput, NotAllowed

Word = TypeVar("Word", bound=StrEnum)


class ColumnField(StrEnum):
    STATUS = "status"
    PRIORITY = "priority"
    TEAM = "team"
    AGENT = "agent"


class SortBy(StrEnum):
    PRIORITY_SCORE = "priority_score"
    CREATED_AT = "created_at"
    SLA_BREACH = "sla_breach"


class WipMode(StrEnum):
    SOFT = "soft"
    HARD = "hard"


class KanbanView(Frozen):
    """A saved board; without `owner_id` it is a team's. A soft limit warns, a hard one refuses.

    `filters` name ticket fields with the value, or a list of values, that they must have.
    """

    id: str
    name: str
    owner_id: str | None = None
    team_id: str | None = None
    column_field: ColumnField = ColumnField.STATUS
    swimlane_field: ColumnField | None = None
    filters: dict[str, Any] = Field(default_factory=dict)
    wip_limits: dict[str, int] = Field(default_factory=dict)
    wip_mode: WipMode = WipMode.SOFT
    sort_by: SortBy = SortBy.PRIORITY_SCORE


NONE = "none"
"""The column of tickets without team or agent."""


COLUMN_OF = {
    ColumnField.STATUS: "status",
    ColumnField.PRIORITY: "priority",
    ColumnField.TEAM: "group_id",
    ColumnField.AGENT: "owner_id",
}
"""The field of a ticket that says in which column it is."""


class Card(Frozen):
    """What a card shows of a ticket; `seconds_left` in business time, None where nothing is promised."""

    id: str
    reference: str
    subject: str
    status: Status
    priority: Priority
    vip: bool = False
    owner_id: str | None = None
    group_id: str | None = None
    version: int
    score: float | None = None
    seconds_left: float | None = None
    is_paused: bool | None = None
    sla_state: str | None = None


class Column(Frozen):
    """The first cards in order, and how many there are in all; `lanes` has the same by swimlane, if there are any."""

    name: str
    count: int
    cards: tuple[Card, ...]
    limit: int | None = None
    lanes: dict[str, tuple[Card, ...]] = Field(default_factory=dict)

    @property
    def is_over_limit(self) -> bool:
        return self.limit is not None and self.count > self.limit


class Board(Frozen):
    view: KanbanView
    columns: tuple[Column, ...]


class Moved(Frozen):
    """A moved card; `warning` says so if the column is now over its soft limit."""

    ticket: Ticket
    warning: str | None = None


def board(
    view: KanbanView, rows: pl.DataFrame, *, preset: lifecycle.Preset | None = None, most: int | None = None
) -> Board:
    """The tickets that fit the view's filters, in columns of at most so many cards. Every column of a closed list is
    shown, empty ones too. `rows` have the fields of a card, `created_at`, and the fields of the view."""
    shown = fits(view, rows).sort(*_ORDER[view.sort_by], nulls_last=True)
    shown = shown.with_columns(column=pl.col(COLUMN_OF[view.column_field]).fill_null(NONE))
    by_name = {str(name): cards for (name,), cards in shown.group_by("column", maintain_order=True)}
    names = _columns(view.column_field, sorted(by_name), preset)
    return Board(
        view=view, columns=tuple(_column(view, name, by_name.get(name, shown.clear()), most) for name in names)
    )


def usual_views(agent: Agent | None, groups: Iterable[AssignmentGroup] = ()) -> tuple[KanbanView, ...]:
    """Views that need no saving: of an agent one's tickets and those of one's groups, of anybody all of them."""
    found = [KanbanView(id="all", name="All tickets"), KanbanView(id="priority", name="By priority",
                                                                  column_field=ColumnField.PRIORITY)]  # fmt: skip
    if agent is None:
        return tuple(found)
    own = [group.group_id for group in groups if group.team_id in agent.teams]
    mine = KanbanView(id="mine", name="My tickets", owner_id=agent.id, filters={"owner_id": agent.id})
    ours = KanbanView(id="groups", name="My groups", owner_id=agent.id, filters={"group_id": own})
    return (mine, *([ours] if own else []), *found)


def is_for(view: KanbanView, agent: Agent) -> bool:
    """Whether a view is the agent's own or that of a team the agent is in."""
    return view.owner_id == agent.id if view.owner_id else view.team_id in agent.teams


def check_filters(view: KanbanView) -> None:
    """Raises BadInput for a filter on a field that tickets don't have."""
    if unknown := sorted(set(view.filters) - set(Ticket.model_fields)):
        raise BadInput(f"View {view.name!r} filters on {', '.join(unknown)}, which no ticket has.")


def fits(view: KanbanView, rows: pl.DataFrame) -> pl.DataFrame:
    """Those of the rows that belong on the board. Raises BadInput as `check_filters`."""
    check_filters(view)
    for name, wanted in view.filters.items():
        values = [str(one).lower() if isinstance(one, bool) else str(one) for one in _listed(wanted)]
        rows = rows.filter(pl.col(name).cast(pl.String).is_in(values))
    return rows


def statuses(view: KanbanView) -> tuple[str, ...]:
    """Which statuses the view reads: those it filters on, else the open ones."""
    return tuple(map(str, _listed(view.filters["status"]))) if "status" in view.filters else tuple(OPEN_STATUSES)


def move_card(
    view: KanbanView,
    ticket: Ticket,
    *,
    to: str,
    by: str,
    at: datetime,
    preset: lifecycle.Preset,
    cards_there: int,
    reason: str | None = None,
) -> tuple[Moved, list[Event]]:
    """Move a card as its owner; `cards_there` are the cards the target column has now.

    A status must be a way the lifecycle has, a priority takes a reason, a team is the group that takes it, and an agent
    never changes by a move.
    """
    if to == column_of(ticket, view.column_field):
        return Moved(ticket=ticket), []
    warning = _check_limit(view, to, cards_there)
    ownership.guard(ticket, by=by, doing="move its card")
    moved, events = _change(ticket, view.column_field, to, by=by, at=at, preset=preset, reason=reason)
    return Moved(ticket=moved, warning=warning), events


def column_of(ticket: Ticket, field: ColumnField) -> str:
    return getattr(ticket, COLUMN_OF[field]) or NONE


def _change(
    ticket: Ticket,
    field: ColumnField,
    to: str,
    *,
    by: str,
    at: datetime,
    preset: lifecycle.Preset,
    reason: str | None,
) -> lifecycle.Change:
    match field:
        case ColumnField.STATUS:
            return lifecycle.move(ticket, to=_one_of(Status, to), by=by, at=at, preset=preset, reason=reason)
        case ColumnField.PRIORITY:
            if not reason or not reason.strip():
                raise BadInput(f"{ticket.reference} takes another priority with a reason: say why.")
            return lifecycle.reprioritise(ticket, to=_one_of(Priority, to), by=by, at=at, reason=reason)
        case ColumnField.TEAM:
            group = None if to == NONE else to
            event = Event(ticket_id=ticket.id, kind=Kind.GROUP, at=at, value=group, actor=by, reason=reason)
            return ticket.model_copy(update={"group_id": group, "updated_at": at}), [event]
        case ColumnField.AGENT:
            raise NotAllowed(f"{ticket.reference} stays with {ticket.owner_id}; open an envelope to get help.")


def _check_limit(view: KanbanView, to: str, cards_there: int) -> str | None:
    limit = view.wip_limits.get(to)
    if limit is None or cards_there < limit:
        return None
    full = f"{to} has {cards_there} card{'' if cards_there == 1 else 's'} of at most {limit}"
    if view.wip_mode == WipMode.HARD:
        raise NotAllowed(f"{full}; finish one there first.")
    return f"{full}; one more makes it {cards_there + 1}."


def _listed(wanted: Any) -> list[Any]:
    return list(wanted) if isinstance(wanted, list | tuple) else [wanted]


def _column(view: KanbanView, name: str, rows: pl.DataFrame, most: int | None) -> Column:
    first = rows if most is None else rows.head(most)
    cards = tuple(Card(**row) for row in first.select(*Card.model_fields).iter_rows(named=True))
    lanes: dict[str, tuple[Card, ...]] = {}
    if view.swimlane_field:
        lane_of = [lane or NONE for lane in first[COLUMN_OF[view.swimlane_field]]]
        lanes = {
            lane: tuple(card for card, of in zip(cards, lane_of, strict=True) if of == lane)
            for lane in sorted(set(lane_of))
        }
    return Column(name=name, count=rows.height, cards=cards, limit=view.wip_limits.get(name), lanes=lanes)


def _columns(field: ColumnField, found: list[str], preset: lifecycle.Preset | None) -> list[str]:
    match field:
        case ColumnField.STATUS:
            known: list[str] = [status for status in Status if preset is None or preset.knows(status)]
            return [*known, *(status for status in Status if status not in known and status in found)]
        case ColumnField.PRIORITY:
            return list(Priority)
        case _:
            return found


_OLDEST = (pl.col("created_at"), pl.col("id"))
_ORDER: Mapping[SortBy, tuple[pl.Expr, ...]] = {
    SortBy.PRIORITY_SCORE: (-pl.col("score"), *_OLDEST),
    SortBy.SLA_BREACH: (pl.col("seconds_left"), *_OLDEST),
    SortBy.CREATED_AT: _OLDEST,
}


def _one_of(kind: type[Word], name: str) -> Word:
    if name not in list(kind):
        raise BadInput(f"There is no column {name!r}; there are {', '.join(kind)}.")
    return kind(name)
