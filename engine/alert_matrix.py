"""Who is nudged when a ticket lies: three conditions by three levels, once each."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol

import polars as pl
from pydantic import Field, model_validator

from engine.contracts import OPEN_STATUSES, Event, Frozen, Instant, Kind, Priority, Status, Team, Ticket
from engine.notifications import NEWS
from engine.shared import policy_file
from engine.shared.errors import NotAllowed


class Condition(StrEnum):
    NOT_ASSIGNED = "not_assigned"
    NOT_UPDATED = "not_updated"
    NOT_COMPLETED = "not_completed"


class Recipient(StrEnum):
    TECH = "tech"
    SUPERVISOR = "supervisor"
    GROUP_MANAGER = "group_manager"


class Nudge(Frozen):
    """A nudge that was raised. Its id is `ticket/condition/level/n`: the n-th time this ticket got so far.

    It is active until the condition ends; acknowledging says who has seen it.
    """

    id: str
    ticket_id: str
    condition: Condition
    level: int
    recipients: tuple[Recipient, ...]
    triggered_at: Instant
    acknowledged_by: str | None = None
    acknowledged_at: Instant | None = None
    cleared_at: Instant | None = None

    @property
    def is_active(self) -> bool:
        return self.cleared_at is None


Level = Annotated[int, Field(ge=1, le=3)]
Elapsed = Callable[[str | None, datetime, datetime], float]
"""Seconds between two instants on a named calendar; None is around the clock."""


class Trigger(Frozen):
    """Minutes after creation or the last update, or before the due instant; and who hears of it."""

    minutes: float = Field(ge=0)
    to: tuple[Recipient, ...] = Field(min_length=1)


class Row(Frozen):
    due_minutes: float = Field(gt=0)
    client_reminder_minutes: float = Field(gt=0)
    calendar: str | None = None
    levels: dict[Level, dict[Condition, Trigger]] = Field(default_factory=dict)


class Preset(Frozen):
    """`quiet_statuses`: while the customer has the ball nobody is nudged for not updating or not completing."""

    source: str
    quiet_statuses: frozenset[Status] = frozenset({Status.WAITING_CUSTOMER})
    priorities: dict[Priority, Row]

    @model_validator(mode="after")
    def _every_priority(self) -> "Preset":
        if missing := sorted(set(Priority) - set(self.priorities)):
            raise ValueError(f"no row for {', '.join(missing)}")
        return self


CELLS = pl.Schema({"ticket": pl.String(), "condition": pl.String(), "level": pl.Int64()})
"""One row a cell of the matrix that holds, or is active, for a ticket."""


class MatrixPolicy(Frozen):
    presets: dict[str, Preset]

    def preset(self, name: str = "canonical") -> Preset:
        return policy_file.named(self.presets, name, what="alert preset")


class Placed(Protocol):
    """Who has a ticket."""

    @property
    def group_id(self) -> str | None: ...
    @property
    def owner_id(self) -> str | None: ...
    @property
    def assignee_id(self) -> str | None: ...


class Swept(NamedTuple):
    """What one look at a ticket brought: new nudges, and old ones whose condition has ended."""

    raised: list[Nudge]
    cleared: list[Nudge]


def load(path: str | Path) -> MatrixPolicy:
    return policy_file.read(path, MatrixPolicy)


def wall_clock(calendar: str | None, start: datetime, end: datetime) -> float:
    """Every second counts, whatever the calendar."""
    del calendar
    return (end - start).total_seconds()


def sweep(
    ticket: Ticket,
    *,
    at: datetime,
    preset: Preset,
    known: Iterable[Nudge] = (),
    seconds_left: float | None = None,
    elapsed: Elapsed = wall_clock,
) -> Swept:
    """Raise what is due and not active yet, clear what has ended. Sweeping twice raises nothing twice.

    `seconds_left` is the resolution clock's; without one the row's own `due_minutes` count from creation.
    """
    mine = [nudge for nudge in known if nudge.ticket_id == ticket.id]
    active = {(nudge.condition, nudge.level): nudge for nudge in mine if nudge.is_active}
    holding = _holding(ticket, at, preset, seconds_left, elapsed)
    raised = [
        _nudge(ticket, place, trigger, at=at, mine=mine) for place, trigger in holding.items() if place not in active
    ]
    cleared = [nudge.model_copy(update={"cleared_at": at}) for place, nudge in active.items() if place not in holding]
    return Swept(raised, cleared)


def to_sweep(
    tickets: pl.DataFrame,
    active: pl.DataFrame,
    *,
    at: datetime,
    preset: Preset,
    seconds_left: pl.DataFrame,
    elapsed: Elapsed = wall_clock,
) -> list[str]:
    """The tickets for which a sweep would raise or clear something: whose cells that hold are not those active.

    `tickets` has ticket, status, priority, owner_id, assignee_id, created_at, updated_at; `active` ticket, condition,
    level; `seconds_left` ticket, seconds_left. `sweep` is the rule; this asks it of a whole backlog at once.
    """
    is_open = pl.col("status").is_in(sorted(OPEN_STATUSES))
    cells = pl.concat(
        [
            _cells(_timed(mine, row, at, seconds_left, elapsed), row, preset)
            for priority, row in preset.priorities.items()
            if row.levels and not (mine := tickets.filter(is_open & (pl.col("priority") == priority))).is_empty()
        ]
        or [pl.DataFrame(schema=CELLS)]
    )
    now = active.select(pl.col(name).cast(dtype) for name, dtype in CELLS.items())
    ours = now.join(tickets.select("ticket"), on="ticket", how="semi")
    moved = [cells.join(now, on=list(CELLS), how="anti"), ours.join(cells, on=list(CELLS), how="anti")]
    return pl.concat(moved)["ticket"].unique().sort().to_list()


def _timed(tickets: pl.DataFrame, row: Row, at: datetime, seconds_left: pl.DataFrame, elapsed: Elapsed) -> pl.DataFrame:
    """The tickets with the seconds of their age, since their last update (`idle`) and until they are due (`left`)."""
    timed = tickets.with_columns(
        _seconds_since(tickets[name], row.calendar, at, elapsed).alias(column)
        for name, column in (("created_at", "age"), ("updated_at", "idle"))
    )
    due = pl.coalesce("seconds_left", row.due_minutes * 60 - pl.col("age"))
    return timed.join(seconds_left, on="ticket", how="left").with_columns(left=due)


def _cells(timed: pl.DataFrame, row: Row, preset: Preset) -> pl.DataFrame:
    """The cells of one row of the matrix that hold for these open tickets: the frame `CELLS`."""
    is_quiet = pl.col("status").is_in(sorted(preset.quiet_statuses))
    nobody = pl.col("owner_id").is_null() & pl.col("assignee_id").is_null()
    holds: dict[Condition, Callable[[float], pl.Expr]] = {
        Condition.NOT_ASSIGNED: lambda seconds: nobody & (pl.col("age") >= seconds),
        Condition.NOT_UPDATED: lambda seconds: ~is_quiet & (pl.col("idle") >= seconds),
        Condition.NOT_COMPLETED: lambda seconds: ~is_quiet & (pl.col("left") <= seconds),
    }
    found = [
        timed.filter(holds[condition](trigger.minutes * 60)).select(
            "ticket", condition=pl.lit(condition.value), level=pl.lit(level, pl.Int64)
        )
        for level, triggers in row.levels.items()
        for condition, trigger in triggers.items()
    ]
    return pl.concat([pl.DataFrame(schema=CELLS), *found])


def _seconds_since(since: pl.Series, calendar: str | None, at: datetime, elapsed: Elapsed) -> pl.Series:
    if calendar is None:
        return (pl.Series([at], dtype=since.dtype) - since).dt.total_microseconds() / 1_000_000
    return pl.Series([elapsed(calendar, start, at) for start in since], dtype=pl.Float64)


def again(nudge: Nudge, earlier: int) -> Nudge:
    """A new nudge with the number it has, given how many of its ticket, condition and level there were before."""
    return nudge.model_copy(update={"id": f"{_cell(nudge.ticket_id, nudge.condition, nudge.level)}/{earlier + 1}"})


def acknowledge(nudge: Nudge, *, by: str, at: datetime) -> tuple[Nudge, list[Event]]:
    """Somebody has seen it. Once."""
    if nudge.acknowledged_by is not None:
        raise NotAllowed(f"Nudge {nudge.id} was acknowledged by {nudge.acknowledged_by} already.")
    seen = nudge.model_copy(update={"acknowledged_by": by, "acknowledged_at": at})
    return seen, [Event(ticket_id=nudge.ticket_id, kind=Kind.ACKNOWLEDGED, at=at, value=nudge.id, actor=by)]


def raised_event(nudge: Nudge) -> Event:
    """The nudge as history; its id makes writing it twice harmless."""
    data = {"condition": nudge.condition.value, "level": nudge.level, "recipients": list(nudge.recipients)}
    return Event(
        ticket_id=nudge.ticket_id, kind=Kind.ALERT, at=nudge.triggered_at, value=nudge.id, data=data, id=nudge.id
    )


def people(recipients: Iterable[Recipient], *, ticket: Placed, team: Team | None) -> list[str]:
    """Agent ids to tell, each once. Who is missing is stood in for by the next one up; nobody at all gives none."""
    manager = team.manager_id if team else None
    supervisor = (team.supervisor_id if team else None) or manager
    tech = ticket.owner_id or ticket.assignee_id or supervisor
    found = {Recipient.TECH: tech, Recipient.SUPERVISOR: supervisor, Recipient.GROUP_MANAGER: manager or supervisor}
    return list(dict.fromkeys(agent for recipient in recipients if (agent := found[recipient])))


def clients_to_remind(
    tickets: pl.DataFrame, *, at: datetime, preset: Preset, elapsed: Elapsed = wall_clock
) -> list[str]:
    """The tickets whose customer is to be reminded by their owner (seed S2-R01): it is waited for, and nothing has
    moved for the minutes of the row. Where that was so a day ago it is history.

    `tickets` has ticket, status, priority, owner_id, updated_at.
    """
    waiting = tickets.filter((pl.col("status") == Status.WAITING_CUSTOMER.value) & pl.col("owner_id").is_not_null())
    found: list[str] = []
    for priority, row in preset.priorities.items():
        mine, seconds = waiting.filter(pl.col("priority") == priority.value), row.client_reminder_minutes * 60
        yesterday = mine.select(pl.col("updated_at").clip(upper_bound=at - NEWS))
        now = _seconds_since(mine["updated_at"], row.calendar, at, elapsed) >= seconds
        then = _seconds_since(yesterday.to_series(), row.calendar, at - NEWS, elapsed) >= seconds
        found.extend(mine.filter(now & ~then)["ticket"])
    return found


def _holding(
    ticket: Ticket, at: datetime, preset: Preset, seconds_left: float | None, elapsed: Elapsed
) -> dict[tuple[Condition, int], Trigger]:
    """The cells of the matrix that hold now. Resolved and closed tickets hold none, nor do rows without levels."""
    row = preset.priorities[ticket.priority]
    if not ticket.is_open or not row.levels:
        return {}
    age = elapsed(row.calendar, ticket.created_at, at)
    is_quiet = ticket.status in preset.quiet_statuses
    nobody = ticket.owner_id is None and ticket.assignee_id is None
    idle = None if is_quiet else elapsed(row.calendar, ticket.updated_at, at)
    left = seconds_left if seconds_left is not None else row.due_minutes * 60 - age
    holds: dict[Condition, Callable[[float], bool]] = {
        Condition.NOT_ASSIGNED: lambda seconds: nobody and age >= seconds,
        Condition.NOT_UPDATED: lambda seconds: idle is not None and idle >= seconds,
        Condition.NOT_COMPLETED: lambda seconds: not is_quiet and left <= seconds,
    }
    return {
        (condition, level): trigger
        for level, triggers in sorted(row.levels.items())
        for condition, trigger in triggers.items()
        if holds[condition](trigger.minutes * 60)
    }


def _nudge(ticket: Ticket, place: tuple[Condition, int], trigger: Trigger, *, at: datetime, mine: list[Nudge]) -> Nudge:
    condition, level = place
    times = 1 + sum((nudge.condition, nudge.level) == place for nudge in mine)
    return Nudge(
        id=f"{_cell(ticket.id, condition, level)}/{times}",
        ticket_id=ticket.id,
        condition=condition,
        level=level,
        recipients=trigger.to,
        triggered_at=at,
    )


def _cell(ticket_id: str, condition: Condition, level: int) -> str:
    return f"{ticket_id}/{condition}/{level}"
