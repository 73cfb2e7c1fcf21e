"""The alerts and nudges of a demo's past: what its rules called for at each look at the desk of then."""

from collections import defaultdict
from datetime import datetime, timedelta

import polars as pl

from engine import alert_matrix
from engine.alert_matrix import Nudge
from engine.desk.nudges import NudgeDecision
from engine.standings import OPEN, standings, tickets_as_of
from pipelines.app.container import App
from pipelines.clock_replay import replay
from pipelines.jobs.alerts import on_calendars, raise_alerts, seconds_left
from pipelines.snapshot import Snapshot

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LOOKS = (8, 12, 17)
"""Hours (UTC) of a weekday at which the clocks were evaluated; on other days at the first and the last."""
THEN = ["ticket", "status", "priority", "owner_id", "assignee_id", "updated_at"]


def ended_at() -> pl.Expr:
    """When a ticket of now ended; null for an open one."""
    return pl.when(~pl.col("status").is_in(OPEN)).then(pl.coalesce("resolved_at", "closed_at"))


def raise_of_then(app: App, snapshot: Snapshot, since: datetime) -> None:
    """Raise what each look since then would have raised, at its instant; nobody is told of it again."""
    tickets, events, end, at = snapshot.tickets_now, snapshot.events, ended_at(), since
    nudges = NudgesOfThen(app)
    while at < snapshot.as_of:
        if at.hour in (LOOKS if at.weekday() < 5 else LOOKS[::2]):
            then = tickets.filter(pl.col("created_at") <= at, end.is_null() | (end > at - DAY))
            known = events.filter(pl.col("at") <= at, pl.col("ticket").is_in(then["ticket"].implode()))
            clocks = replay(then, known, app.policies.sla, as_of=at)
            raise_alerts(app, clocks, then, as_of=at)
            stood = tickets_as_of(then, known, standings(then, known, at), at)
            nudges.look(stood, seconds_left(clocks), at)
        at += HOUR
    nudges.keep(snapshot.as_of)


class NudgesOfThen:
    """The alert matrix walked look by look; what it raised and cleared is kept in the end."""

    def __init__(self, app: App) -> None:
        self.app, self.preset = app, app.policies.desk.nudges
        self.tickets = {ticket.id: ticket for ticket in app.store.tickets()}
        self.given: dict[str, dict[str, Nudge]] = defaultdict(dict)

    def look(self, stood: pl.DataFrame, left: dict[str, float], at: datetime) -> None:
        """One look at the tickets as they stood then."""
        watched = [priority.value for priority, row in self.preset.priorities.items() if row.levels]
        due = pl.col("priority").is_in(watched) | pl.col("ticket").is_in([*self.given])
        for row in stood.filter(due).select(THEN).iter_rows(named=True):
            key = row.pop("ticket")
            found = alert_matrix.sweep(
                self.tickets[key].model_copy(update=row),
                at=at,
                preset=self.preset,
                known=self.given[key].values(),
                seconds_left=left.get(key),
                elapsed=on_calendars(self.app.policies.sla.calendars),
            )
            self.given[key] |= {nudge.id: nudge for nudge in (*found.raised, *found.cleared)}

    def keep(self, at: datetime) -> None:
        nudges = [(self.tickets[key], [*mine.values()]) for key, mine in self.given.items() if mine]
        self.app.store.note([NudgeDecision(ticket, mine, [*mine]) for ticket, mine in nudges], at=at)
