"""A reminder brings a ticket back to an agent at the right moment, once or again and again."""

import calendar
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import NamedTuple

import polars as pl
from pydantic import Field

from engine.contracts import OPEN_STATUSES, Event, Frozen, Instant, Kind, Status, Ticket
from engine.notifications import NEWS
from engine.shared import policy_file
from engine.shared.errors import NotAllowed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UPDATED = pl.Datetime("us", "UTC")


class ReminderType(StrEnum):
    FOLLOW_UP = "follow_up"
    CHECK_IN = "check_in"
    CUSTOM = "custom"
    SLA_WARNING = "sla_warning"


class ReminderStatus(StrEnum):
    PENDING = "pending"
    TRIGGERED = "triggered"
    SNOOZED = "snoozed"
    COMPLETED = "completed"


WAITING = (ReminderStatus.PENDING, ReminderStatus.SNOOZED)
"""Those that still ring."""


class Frequency(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


LONGEST_DAYS = {Frequency.DAILY: 1, Frequency.WEEKLY: 7, Frequency.MONTHLY: 31}


class Recurring(Frozen):
    """Every `interval` days, weeks or months, up to and including `end_date`."""

    frequency: Frequency
    interval: int = Field(default=1, ge=1, le=1_000)
    end_date: Instant | None = None


class Reminder(Frozen):
    """`trigger_at` is the instant that was planned; a snooze moves only `snooze_until`."""

    id: str
    ticket_id: str
    agent_id: str
    type: ReminderType = ReminderType.CUSTOM
    trigger_at: Instant
    message: str
    status: ReminderStatus = ReminderStatus.PENDING
    snooze_until: Instant | None = None
    recurring: Recurring | None = None
    created_at: Instant

    @property
    def due_at(self) -> datetime:
        return self.snooze_until or self.trigger_at


class ReminderPolicy(Frozen):
    """When the desk reminds by itself; 0 switches one off. Of clocks that run out and help that nobody gives tell
    alerts and rules."""

    no_customer_reply_days: float = Field(default=3, ge=0)
    stale_days: float = Field(default=5, ge=0)


class DueList(Frozen):
    overdue: tuple[Reminder, ...]
    upcoming: tuple[Reminder, ...]


def load(path: str | Path) -> ReminderPolicy:
    return policy_file.read(path, ReminderPolicy)


def due_list(
    reminders: Iterable[Reminder], *, agent_id: str, at: datetime, ahead: timedelta = timedelta(hours=24)
) -> DueList:
    """An agent's open reminders, soonest first: those whose instant has come, and those of the time ahead."""
    mine = [r for r in reminders if r.agent_id == agent_id and r.status != ReminderStatus.COMPLETED]
    mine.sort(key=lambda r: (r.due_at, r.id))
    return DueList(
        overdue=tuple(r for r in mine if r.due_at <= at),
        upcoming=tuple(r for r in mine if at < r.due_at <= at + ahead),
    )


def created_event(reminder: Reminder) -> Event:
    """The reminder as history, from when it was set."""
    return _event(reminder, "system" if "/auto/" in reminder.id else reminder.agent_id, reminder.created_at)


def trigger(reminder: Reminder, *, at: datetime) -> tuple[Reminder, list[Event]]:
    """Its instant has come: the agent is told. Only once until it is snoozed."""
    if reminder.status not in WAITING or reminder.due_at > at:
        raise NotAllowed(f"Reminder {reminder.id} is {reminder.status} and due at {reminder.due_at:%Y-%m-%d %H:%M}Z.")
    return _changed(reminder, {"status": ReminderStatus.TRIGGERED}, "system", at)


def snooze(reminder: Reminder, *, minutes: int, by: str, at: datetime) -> tuple[Reminder, list[Event]]:
    _guard(reminder, by)
    if minutes < 1:
        raise NotAllowed(f"Reminder {reminder.id} can be snoozed for a minute or more, not {minutes}.")
    until = at + timedelta(minutes=minutes)
    return _changed(reminder, {"status": ReminderStatus.SNOOZED, "snooze_until": until}, by, at)


def complete(reminder: Reminder, *, by: str, at: datetime) -> tuple[Reminder, list[Event]]:
    """Done. A recurring one is set for its next turn after now, until its end date."""
    _guard(reminder, by)
    following = next_turn(reminder, after=at)
    if following is None:
        return _changed(reminder, {"status": ReminderStatus.COMPLETED, "snooze_until": None}, by, at)
    again = {"status": ReminderStatus.PENDING, "trigger_at": following, "snooze_until": None}
    return _changed(reminder, again, by, at)


def next_turn(reminder: Reminder, *, after: datetime) -> datetime | None:
    """The next planned instant after this one and after now; missed turns are skipped. None if it does not recur, or
    not before the year 10000."""
    rule, start = reminder.recurring, reminder.trigger_at
    if rule is None:
        return None
    missed = max(after - start, timedelta()).days // (LONGEST_DAYS[rule.frequency] * rule.interval)
    try:
        turn = next(turn for step in count(missed) if (turn := _turn(start, rule, step)) > max(after, start))
    except (OverflowError, ValueError):
        return None
    return None if rule.end_date is not None and turn > rule.end_date else turn


def automatic(ticket: Ticket, *, at: datetime, policy: ReminderPolicy) -> list[Reminder]:
    """The reminders a ticket calls for by itself (seed S1-45), for its owner; none without one or once it is done.

    Ids name the situation, so that asking again gives the same reminders and the store keeps them once. What has been
    so for more than a day longer is history, and wakes nobody when it is first seen.
    """
    if ticket.owner_id is None or not ticket.is_open:
        return []
    idle = at - ticket.updated_at
    return [
        _automatic(ticket, one, at)
        for one in _occasions(policy)
        if (one.status is None or ticket.status == one.status) and one.after <= idle <= one.after + NEWS
    ]


def _automatic(ticket: Ticket, one: "_Occasion", at: datetime) -> Reminder:
    return Reminder(
        id=f"{ticket.id}/auto/{one.name}/{(ticket.updated_at - EPOCH) // timedelta(microseconds=1)}",
        ticket_id=ticket.id,
        agent_id=str(ticket.owner_id),
        type=one.type,
        trigger_at=at,
        message=f"{ticket.reference} {one.message}.",
        created_at=at,
    )


def of_client(ticket: Ticket, *, at: datetime) -> Reminder:
    """For the owner of a ticket whose customer is to be reminded; once for each wait."""
    return _automatic(ticket, _Occasion("client", ReminderType.FOLLOW_UP, "waits for the customer: remind them"), at)


def called_for(tickets: pl.DataFrame, *, at: datetime, policy: ReminderPolicy) -> pl.DataFrame:
    """The ids (`id`) of what `automatic` gives, by `ticket`, for a whole store at once; a property test holds the two
    equal. `tickets` has ticket, status, owner_id, updated_at."""
    mine = tickets.filter(pl.col("status").is_in(sorted(OPEN_STATUSES)) & pl.col("owner_id").is_not_null())
    idle = pl.lit(at, UPDATED) - pl.col("updated_at")
    since = pl.col("updated_at").dt.timestamp("us")
    found = [
        mine.filter(
            idle.is_between(one.after, one.after + NEWS),
            pl.lit(value=True) if one.status is None else pl.col("status") == one.status.value,
        ).select("ticket", id=pl.format("{}/auto/" + one.name + "/{}", "ticket", since))
        for one in _occasions(policy)
    ]
    return pl.concat([pl.DataFrame(schema={"ticket": pl.String(), "id": pl.String()}), *found])


def due_expr(at: datetime) -> pl.Expr:
    """Whether the instant of a reminder has come, on rows of the store."""
    return pl.coalesce("snooze_until", "trigger_at") <= pl.lit(at, UPDATED)


class _Occasion(NamedTuple):
    """What the desk reminds of: untouched for so long, in a status."""

    name: str
    type: ReminderType
    message: str
    after: timedelta = timedelta()
    status: Status | None = None


def _occasions(policy: ReminderPolicy) -> list[_Occasion]:
    silent, stale = timedelta(days=policy.no_customer_reply_days), timedelta(days=policy.stale_days)
    waiting = Status.WAITING_CUSTOMER
    every = [
        _Occasion("no_reply", ReminderType.FOLLOW_UP, "has had no answer from the customer", silent, waiting),
        _Occasion("stale", ReminderType.CHECK_IN, "has not been touched for days", stale),
    ]
    return [one for one in every if one.after > timedelta()]


def _guard(reminder: Reminder, by: str) -> None:
    if by != reminder.agent_id or reminder.status == ReminderStatus.COMPLETED:
        raise NotAllowed(
            f"Reminder {reminder.id} is {reminder.agent_id}'s and {reminder.status}; {by} can't change it."
        )


def _turn(start: datetime, rule: Recurring, step: int) -> datetime:
    ahead = step * rule.interval
    match rule.frequency:
        case Frequency.DAILY:
            return start + timedelta(days=ahead)
        case Frequency.WEEKLY:
            return start + timedelta(weeks=ahead)
        case Frequency.MONTHLY:
            years, month = divmod(start.month - 1 + ahead, 12)
            year = start.year + years
            day = min(start.day, calendar.monthrange(year, month + 1)[1])
            return start.replace(year=year, month=month + 1, day=day)


def _changed(reminder: Reminder, changes: dict[str, object], by: str, at: datetime) -> tuple[Reminder, list[Event]]:
    changed = reminder.model_copy(update=changes)
    return changed, [_event(changed, by, at)]


def _event(reminder: Reminder, by: str, at: datetime) -> Event:
    data = {"status": reminder.status.value, "due_at": reminder.due_at.isoformat()}
    return Event(ticket_id=reminder.ticket_id, kind=Kind.REMINDER, at=at, value=reminder.id, actor=by, data=data)
