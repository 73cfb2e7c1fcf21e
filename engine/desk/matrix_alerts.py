"""What the desk does when a ticket lies: it nudges whom the alert matrix names, each cell once while it holds."""

from collections import Counter as Count
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

import polars as pl
from pydantic import BaseModel

from engine import alert_matrix
from engine.alert_matrix import Alert
from engine.contracts import OPEN_STATUSES, Event, Ticket
from engine.desk.flags import Flags
from engine.desk.notification_routing import NotificationRouting
from engine.notifications import News, QueuedNotification
from engine.shared.errors import Conflict


class Nudge(NamedTuple):
    """What one look at a ticket brought, to be kept as one decision; the ticket itself stays untouched."""

    ticket: Ticket
    raised: list[Alert]
    records: list[BaseModel]

    @property
    def events(self) -> list[Event]:
        return [alert_matrix.raised_event(alert) for alert in self.raised]


Keep: TypeAlias = Callable[[Sequence[Nudge]], list[Nudge]]
"""Writes nudges and returns those that were kept; one whose ticket has moved on since is left to the next sweep."""


class MatrixAlerts(Flags):
    """Being nudged is no update: it changes no ticket."""

    def raise_alerts(
        self,
        *,
        at: datetime,
        seconds_left: Mapping[str, float] | None = None,
        elapsed: alert_matrix.Elapsed = alert_matrix.wall_clock,
        keep: Keep | None = None,
    ) -> list[Alert]:
        """Walk the alert matrix over every open ticket: raise what is due, clear what has ended, tell whom it names.

        `seconds_left` and `elapsed` come from the SLA clocks and calendars. Each ticket is a transaction of its own,
        unless `keep` writes many at once.
        """
        left = seconds_left or {}
        active: dict[str, list[Alert]] = {}
        for alert in self.store.all(Alert, cleared_at=None):
            active.setdefault(alert.ticket_id, []).append(alert)
        open_tickets = self.store.tickets(statuses=OPEN_STATUSES)
        done = self.store.tickets(ids=set(active) - {ticket.id for ticket in open_tickets})
        preset, swept = self.policies.alerts, []
        for ticket in [*open_tickets, *done]:
            known, remaining = active.get(ticket.id, []), left.get(ticket.id)
            found = alert_matrix.sweep(
                ticket, at=at, preset=preset, known=known, seconds_left=remaining, elapsed=elapsed
            )
            if found.raised or found.cleared:
                swept.append((ticket, found))
        kept = (keep or self._one_by_one(at))(self._nudges(swept, at)) if swept else []
        return [alert for nudge in kept for alert in nudge.raised]

    def acknowledge(self, alert_id: str, *, by: str, at: datetime) -> Alert:
        alert, ticket, at = self.load_with(Alert, alert_id, at)
        seen, events = alert_matrix.acknowledge(alert, by=by, at=at)
        self.keep(ticket, events, seen, at=at)
        return seen

    def _one_by_one(self, at: datetime) -> Keep:
        return lambda nudges: [n for n in nudges if self._try(n.ticket, n.events, *n.records, at=at)]

    def _nudges(self, swept: Iterable[tuple[Ticket, alert_matrix.Swept]], at: datetime) -> list[Nudge]:
        routing = NotificationRouting(self.store, self.policies.notifications, at=at)
        earlier, nudges = self._earlier_alerts(), []
        for ticket, (found, cleared) in swept:
            raised = [alert_matrix.again(alert, earlier[_place(alert)]) for alert in found]
            told = _told(ticket, raised, routing)
            nudges.append(Nudge(ticket, raised, [*raised, *cleared, *told]))
        return nudges

    def _earlier_alerts(self) -> Count[tuple[str, str, int]]:
        """How often each ticket was nudged so far, by condition and level."""
        place = ["ticket_id", "condition", "level"]
        counted = self.store.frame("alerts", place).group_by(place).agg(pl.len())
        return Count({(ticket, condition, level): count for ticket, condition, level, count in counted.iter_rows()})

    def _try(self, ticket: Ticket, events: list[Event], *records: BaseModel, at: datetime) -> bool:
        """Keep it unless somebody was faster with this ticket: then the next sweep looks again."""
        try:
            self.keep(ticket, events, *records, at=at)
        except Conflict:
            return False
        return True


def _place(alert: Alert) -> tuple[str, str, int]:
    return alert.ticket_id, alert.condition.value, alert.level


def _told(ticket: Ticket, raised: Iterable[Alert], routing: NotificationRouting) -> list[QueuedNotification]:
    """Who is told of several levels at once hears of the highest."""
    told: list[QueuedNotification] = []
    for alert in sorted(raised, key=lambda alert: -alert.level):
        message = f"{ticket.reference} is {alert.condition.replace('_', ' ')} (level {alert.level})"
        kind = f"alert_level_{alert.level}"
        news = News(id=alert.id, event_type=kind, ticket_id=ticket.id, payload={"message": message})
        told += routing.queued(news, routing.recipients(alert.recipients, ticket))
    return told
