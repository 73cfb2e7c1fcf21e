"""What the desk does when a ticket lies: it nudges whom the alert matrix names, each cell once while it holds."""

from collections import Counter as Count
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl
from more_itertools import chunked
from pydantic import BaseModel

from engine import alert_matrix
from engine.alert_matrix import Alert
from engine.contracts import Event, Ticket
from engine.desk.flags import Flags
from engine.desk.notification_routing import KEYS_AT_ONCE, NotificationRouting
from engine.notifications import News


class Nudge(NamedTuple):
    """What one look at a ticket brought, to be kept as one decision; the ticket itself stays untouched."""

    ticket: Ticket
    raised: list[Alert]
    records: list[BaseModel]

    @property
    def events(self) -> list[Event]:
        return [alert_matrix.raised_event(alert) for alert in self.raised]


class MatrixAlerts(Flags):
    """Being nudged is no update: it changes no ticket."""

    def raise_alerts(
        self,
        tickets: pl.DataFrame,
        *,
        at: datetime,
        seconds_left: Mapping[str, float] | None = None,
        elapsed: alert_matrix.Elapsed = alert_matrix.wall_clock,
    ) -> list[Alert]:
        """Walk the alert matrix over the tickets: raise what is due, clear what has ended, tell whom it names.

        `tickets` are rows of the store with their key as `ticket`; `seconds_left` and `elapsed` come from the SLA
        clocks and calendars. What changed is decided again on the ticket as the store has it; one that moves on
        meanwhile is left to the next sweep.
        """
        left = seconds_left or {}
        moved = alert_matrix.to_sweep(
            tickets,
            self._active_cells(),
            at=at,
            preset=self.policies.alerts,
            seconds_left=pl.DataFrame(
                {"ticket": list(left), "seconds_left": list(left.values())},
                schema={"ticket": pl.String, "seconds_left": pl.Float64},
            ),
            elapsed=elapsed,
        )
        return self._sweep(moved, at, left, elapsed) if moved else []

    def _active_cells(self) -> pl.DataFrame:
        columns = ["ticket_id", "condition", "level"]
        return self.store.frame("alerts", columns, where={"cleared_at": None}).rename({"ticket_id": "ticket"})

    def _sweep(
        self, moved: Sequence[str], at: datetime, left: Mapping[str, float], elapsed: alert_matrix.Elapsed
    ) -> list[Alert]:
        active: dict[str, list[Alert]] = {}
        for alert in self.store.all(Alert, cleared_at=None):
            active.setdefault(alert.ticket_id, []).append(alert)
        swept = []
        for ticket in self.store.tickets(ids=moved):
            found = alert_matrix.sweep(
                ticket,
                at=at,
                preset=self.policies.alerts,
                known=active.get(ticket.id, []),
                seconds_left=left.get(ticket.id),
                elapsed=elapsed,
            )
            if found.raised or found.cleared:
                swept.append((ticket, found))
        nudges = self.store.note(self._nudges(swept, at), at=at) if swept else []
        return [alert for nudge in nudges for alert in nudge.raised]

    def acknowledge(self, alert_id: str, *, by: str, at: datetime) -> Alert:
        alert, ticket, at = self.load_with(Alert, alert_id, at)
        seen, events = alert_matrix.acknowledge(alert, by=by, at=at)
        self.keep(ticket, events, seen, at=at)
        return seen

    def _nudges(self, swept: Sequence[tuple[Ticket, alert_matrix.Swept]], at: datetime) -> list[Nudge]:
        routing = NotificationRouting(self.store, self.policies.notifications, at=at)
        earlier = self._earlier_alerts([ticket.id for ticket, _ in swept])
        raised = {t.id: [alert_matrix.again(one, earlier[_place(one)]) for one in found.raised] for t, found in swept}
        rows: dict[str | None, list[BaseModel]] = {}
        for row in routing.queued([news for ticket, _ in swept for news in _news(ticket, raised[ticket.id], routing)]):
            rows.setdefault(row.ticket_id, []).append(row)
        return [
            Nudge(ticket, raised[ticket.id], [*raised[ticket.id], *found.cleared, *rows.get(ticket.id, [])])
            for ticket, found in swept
        ]

    def _earlier_alerts(self, tickets: Sequence[str]) -> Count[tuple[str, str, int]]:
        """How often each of the tickets was nudged so far, by condition and level."""
        place = ["ticket_id", "condition", "level"]
        found: Count[tuple[str, str, int]] = Count()
        for some in chunked(tickets, KEYS_AT_ONCE):
            found.update(self.store.frame("alerts", place, where={"ticket_id": some}).iter_rows())
        return found


def _place(alert: Alert) -> tuple[str, str, int]:
    return alert.ticket_id, alert.condition.value, alert.level


def _news(
    ticket: Ticket, raised: Iterable[Alert], routing: NotificationRouting
) -> Iterator[tuple[News, Sequence[str]]]:
    """What to tell whom, the highest level first: who hears of several at once hears of that one."""
    for alert in sorted(raised, key=lambda alert: -alert.level):
        message = f"{ticket.reference} is {alert.condition.replace('_', ' ')} (level {alert.level})"
        kind = f"alert_level_{alert.level}"
        news = News(id=alert.id, event_type=kind, ticket_id=ticket.id, payload={"message": message})
        yield news, routing.recipients(alert.recipients, ticket)
