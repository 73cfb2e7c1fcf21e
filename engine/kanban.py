"""A board shows the queue in columns; moving a card is a change of the ticket and follows its rules."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import Field

from engine import lifecycle, ownership
from engine.contracts import Agent, Event, Frozen, Kind, Priority, Status, Ticket
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


class Column(Frozen):
    """Cards in order; `lanes` gives the same cards by swimlane, if the view has one."""

    name: str
    cards: tuple[Ticket, ...]
    limit: int | None = None
    lanes: dict[str, tuple[Ticket, ...]] = Field(default_factory=dict)

    @property
    def is_over_limit(self) -> bool:
        return self.limit is not None and len(self.cards) > self.limit


class Board(Frozen):
    view: KanbanView
    columns: tuple[Column, ...]


class Moved(Frozen):
    """A moved card; `warning` says so if the column is now over its soft limit."""

    ticket: Ticket
    warning: str | None = None


def board(
    view: KanbanView,
    tickets: Iterable[Ticket],
    *,
    scores: Mapping[str, float] | None = None,
    seconds_left: Mapping[str, float] | None = None,
    preset: lifecycle.Preset | None = None,
) -> Board:
    """The tickets that fit the view's filters, in columns. Every column of a closed list is shown, empty ones too."""
    shown = [ticket for ticket in tickets if fits(view, ticket)]
    shown.sort(key=_order(view.sort_by, scores or {}, seconds_left or {}))
    names = _columns(view.column_field, shown, preset)
    return Board(view=view, columns=tuple(_column(view, name, shown) for name in names))


def is_for(view: KanbanView, agent: Agent) -> bool:
    """Whether a view is the agent's own or that of a team the agent is in."""
    return view.owner_id == agent.id if view.owner_id else view.team_id in agent.teams


def check_filters(view: KanbanView) -> None:
    """Raises BadInput for a filter on a field that tickets don't have."""
    if unknown := sorted(set(view.filters) - set(Ticket.model_fields)):
        raise BadInput(f"View {view.name!r} filters on {', '.join(unknown)}, which no ticket has.")


def fits(view: KanbanView, ticket: Ticket) -> bool:
    """Whether a ticket belongs on the board. Raises BadInput as `check_filters`."""
    check_filters(view)
    return all(
        getattr(ticket, name) in (wanted if isinstance(wanted, list | tuple) else [wanted])
        for name, wanted in view.filters.items()
    )


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
    match field:
        case ColumnField.STATUS:
            return ticket.status
        case ColumnField.PRIORITY:
            return ticket.priority
        case ColumnField.TEAM:
            return ticket.group_id or NONE
        case ColumnField.AGENT:
            return ticket.owner_id or NONE


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
    full = f"{to} has {cards_there} cards of at most {limit}"
    if view.wip_mode == WipMode.HARD:
        raise NotAllowed(f"{full}; finish one there first.")
    return f"{full}; one more makes it {cards_there + 1}."


def _column(view: KanbanView, name: str, shown: list[Ticket]) -> Column:
    cards = [ticket for ticket in shown if column_of(ticket, view.column_field) == name]
    lanes: dict[str, tuple[Ticket, ...]] = {}
    if view.swimlane_field:
        field = view.swimlane_field
        names = sorted({column_of(card, field) for card in cards})
        lanes = {lane: tuple(card for card in cards if column_of(card, field) == lane) for lane in names}
    return Column(name=name, cards=tuple(cards), limit=view.wip_limits.get(name), lanes=lanes)


def _columns(field: ColumnField, shown: list[Ticket], preset: lifecycle.Preset | None) -> list[str]:
    match field:
        case ColumnField.STATUS:
            known = [status for status in Status if preset is None or preset.knows(status)]
            return [*known, *(s for s in Status if s not in known and any(t.status == s for t in shown))]
        case ColumnField.PRIORITY:
            return list(Priority)
        case _:
            return sorted({column_of(ticket, field) for ticket in shown})


def _order(
    by: SortBy, scores: Mapping[str, float], seconds_left: Mapping[str, float]
) -> Callable[[Ticket], tuple[float, datetime, str]]:
    ranks: dict[SortBy, Callable[[Ticket], float]] = {
        SortBy.PRIORITY_SCORE: lambda ticket: -scores.get(ticket.id, 0.0),
        SortBy.SLA_BREACH: lambda ticket: seconds_left.get(ticket.id, float("inf")),
        SortBy.CREATED_AT: lambda _: 0.0,
    }
    return lambda ticket: (ranks[by](ticket), ticket.created_at, ticket.id)


def _one_of(kind: type[Word], name: str) -> Word:
    if name not in list(kind):
        raise BadInput(f"There is no column {name!r}; there are {', '.join(kind)}.")
    return kind(name)
