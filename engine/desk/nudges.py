"""What the desk does when a ticket lies: it nudges whom the alert matrix names, each cell once while it holds."""

from collections import Counter as Count
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl
from more_itertools import chunked, map_reduce
from pydantic import BaseModel

from engine import alert_matrix
from engine.alert_matrix import Condition, Nudge
from engine.contracts import Event, Ticket
from engine.desk.flags import Flags
from engine.desk.notification_routing import KEYS_AT_ONCE, NotificationRouting
from engine.notifications import News


class NudgeDecision(NamedTuple):
    """What one look at a ticket brought, to be kept as one decision; the ticket itself stays untouched."""

    ticket: Ticket
    raised: list[Nudge]
    records: list[BaseModel]

    @property
    def events(self) -> list[Event]:
        return [alert_matrix.raised_event(nudge) for nudge in self.raised]


class Nudges(Flags):
    """Being nudged is no update: it changes no ticket."""

    def nudge(
        self,
        tickets: pl.DataFrame,
        *,
        at: datetime,
        seconds_left: Mapping[str, float] | None = None,
        elapsed: alert_matrix.Elapsed = alert_matrix.wall_clock,
    ) -> list[Nudge]:
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
            preset=self.policies.nudges,
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
    ) -> list[Nudge]:
        tickets = self.store.tickets(ids=moved)  # before the nudges: who was faster has moved them on since
        active: dict[str, list[Nudge]] = {}
        for nudge in self.store.all(Nudge, cleared_at=None):
            active.setdefault(nudge.ticket_id, []).append(nudge)
        swept = []
        for ticket in tickets:
            found = alert_matrix.sweep(
                ticket,
                at=at,
                preset=self.policies.nudges,
                known=active.get(ticket.id, []),
                seconds_left=left.get(ticket.id),
                elapsed=elapsed,
            )
            if found.raised or found.cleared:
                swept.append((ticket, found))
        decisions = self.store.note(self._decisions(swept, left, at), at=at) if swept else []
        return [nudge for decision in decisions for nudge in decision.raised]

    def acknowledge(self, nudge_id: str, *, by: str, at: datetime) -> Nudge:
        """Say that one has seen an alert of the matrix and looks after it."""
        self.active_agent(by)
        nudge, ticket, at = self.load_with(Nudge, nudge_id, at)
        seen, events = alert_matrix.acknowledge(nudge, by=by, at=at)
        self.keep(ticket, events, seen, at=at)
        return seen

    def _decisions(
        self, swept: Sequence[tuple[Ticket, alert_matrix.Swept]], left: Mapping[str, float], at: datetime
    ) -> list[NudgeDecision]:
        routing = NotificationRouting(self.store, self.policies.notifications, at=at)
        earlier = self._earlier_nudges([ticket.id for ticket, _ in swept])
        raised = {t.id: [alert_matrix.again(one, earlier[_place(one)]) for one in found.raised] for t, found in swept}
        news = [one for ticket, _ in swept for one in _news(ticket, raised[ticket.id], routing, ticket.id in left)]
        rows = map_reduce(routing.queued(news), lambda row: row.ticket_id)
        return [
            NudgeDecision(ticket, raised[ticket.id], [*raised[ticket.id], *found.cleared, *rows.get(ticket.id, [])])
            for ticket, found in swept
        ]

    def _earlier_nudges(self, tickets: Sequence[str]) -> Count[tuple[str, str, int]]:
        """How often each of the tickets was nudged so far, by condition and level."""
        place = ["ticket_id", "condition", "level"]
        found: Count[tuple[str, str, int]] = Count()
        for some in chunked(tickets, KEYS_AT_ONCE):
            found.update(self.store.frame("alerts", place, where={"ticket_id": some}).iter_rows())
        return found


def _place(nudge: Nudge) -> tuple[str, str, int]:
    return nudge.ticket_id, nudge.condition.value, nudge.level


def _news(
    ticket: Ticket, raised: Iterable[Nudge], routing: NotificationRouting, has_clock: bool
) -> Iterator[tuple[News, list[str]]]:
    """What to tell whom: one piece of news a person, which sums up all that the ticket calls for. Of a clock that runs
    out tell the alerts of `sla/alerts.yaml`; the matrix does where no clock runs."""
    by_person: dict[str, list[Nudge]] = {}
    for nudge in sorted(raised, key=lambda nudge: (-nudge.level, nudge.condition)):
        if not (has_clock and nudge.condition == Condition.NOT_COMPLETED):
            for person in routing.recipients(nudge.recipients, ticket):
                by_person.setdefault(person, []).append(nudge)
    for person, mine in by_person.items():
        worst = {nudge.condition: nudge.level for nudge in reversed(mine)}
        parts = (f"{condition.replace('_', ' ')} (level {level})" for condition, level in sorted(worst.items()))
        payload = {"message": f"{ticket.reference} is {', '.join(parts)}"}
        kind = f"alert_level_{mine[0].level}"
        yield News(id=mine[0].id, event_type=kind, ticket_id=ticket.id, payload=payload), [person]
