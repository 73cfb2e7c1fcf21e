"""Give the whole waiting backlog to groups at once, the most urgent first."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from engine.contracts import AssignmentGroup, Outcome, RecordedEvent, Status, Ticket
from engine.standings import OPEN
from pipelines.app.container import App
from pipelines.app.policies import SlaRules
from pipelines.clock_replay import replay
from pipelines.snapshot import EVENT_COLUMNS, Snapshot
from pipelines.work_queue import with_load

FREE = (Status.NEW, Status.TRIAGE)
"""The statuses in which a ticket without an owner may be given to a group."""


class Allocated(NamedTuple):
    """The snapshot with the groups that tickets got, and decisions by outcome; `new` counts those that differ from the
    ticket's last one."""

    snapshot: Snapshot
    allocated: int
    waiting: int
    no_skill: int
    new: int

    def counts(self) -> Mapping[str, int]:
        return {name: getattr(self, name) for name in self._fields if name != "snapshot"}


def allocate(app: App, snapshot: Snapshot) -> Allocated:
    """Decide for every open ticket that has neither owner nor group, by priority score, and record the decisions
    with what `deliver` is to send of them."""
    from engine.allocation.batch import allocate as decide

    groups, at = current_groups(snapshot), snapshot.as_of
    waiting = backlog(app, snapshot)
    hours = hours_to_shift(app.policies.sla, groups, at)
    decisions = decide(waiting, groups, app.policies.allocation, at, hours_to_shift=hours)
    outcomes = Counter(decision.outcome for decision in decisions)
    new = app.store.record_decisions(decisions, at=app.now(), destination=app.handler)
    return Allocated(
        snapshot=with_decisions(snapshot, new, app.policies.sla),
        allocated=outcomes[Outcome.ALLOCATED],
        waiting=outcomes[Outcome.WAITING],
        no_skill=outcomes[Outcome.NO_SKILL],
        new=len(new),
    )


def backlog(app: App, snapshot: Snapshot) -> list[Ticket]:
    """Open tickets with neither owner nor group, then and now, highest priority score first, with the product triage
    was sure of and, where the source gives none, the complexity that enriching found."""
    now = snapshot.tickets_now
    free = now.filter(pl.col("owner_id").is_null(), pl.col("group_id").is_null(), pl.col("status").is_in(FREE))
    ordered = snapshot.queue.join(free.select("ticket"), on="ticket", how="semi", maintain_order="left")
    complexity = dict(snapshot.enrichments.select("ticket", pl.col("complexity").round(2)).iter_rows())
    there = {ticket.id: ticket for ticket in app.store.tickets(ids=ordered["ticket"]) if _needs_a_group(ticket)}
    return [
        _informed(there[ticket], product, complexity.get(ticket))
        for ticket, product in ordered.select("ticket", "product").iter_rows()
        if ticket in there
    ]


def _needs_a_group(ticket: Ticket) -> bool:
    return ticket.owner_id is None and ticket.group_id is None and ticket.status in FREE


def _informed(ticket: Ticket, product: str | None, complexity: float | None) -> Ticket:
    from engine.allocation.factors import stated_complexity

    known = {} if complexity is None or stated_complexity(ticket) is not None else {"estimated_complexity": complexity}
    return ticket.model_copy(update={"product": product, "external_metadata": ticket.external_metadata | known})


def hours_to_shift(rules: SlaRules, groups: Sequence[AssignmentGroup], at: datetime) -> dict[str, float]:
    """Wall-clock hours until each group's shift is open next; 0 within it or around the clock."""
    hours = {}
    for group in groups:
        calendar = rules.calendars.get(group.shift or "")
        first_second_worked = calendar.deadline(at, 1) if calendar and not calendar.is_open(at) else None
        if first_second_worked is not None:
            hours[group.group_id] = ((first_second_worked - at).total_seconds() - 1) / 3600
    return hours


def current_groups(snapshot: Snapshot) -> list[AssignmentGroup]:
    """The groups with the load they have now: what they carry elsewhere plus their open tickets in the store."""
    return with_load(snapshot.groups, snapshot.tickets_now.filter(pl.col("status").is_in(OPEN)))


def with_decisions(snapshot: Snapshot, made: Sequence[RecordedEvent], rules: SlaRules) -> Snapshot:
    """The snapshot after these decisions: the groups and events of their tickets, and, where a promise depends on the
    team, the clocks of those that got one."""
    if not made:
        return snapshot
    rows = pl.DataFrame([_event_row(event) for event in made], schema=EVENT_COLUMNS, orient="row")
    events = rows.rename({"ticket_id": "ticket"})
    got = rows.drop_nulls("value").select(ticket="ticket_id", group_id="value")
    after = snapshot.read_again("decisions").with_parts(
        events=pl.concat([snapshot.events, events.select(_as(snapshot.events))]),
        tickets_now=snapshot.tickets_now.update(got, on="ticket"),
    )
    return after.with_parts(clocks=_clocks_of_teams(snapshot.clocks, after, got["ticket"], rules))


def _clocks_of_teams(clocks: pl.DataFrame, after: Snapshot, changed: pl.Series, rules: SlaRules) -> pl.DataFrame:
    """The clocks, those of the changed tickets evaluated again where some promise depends on the team."""
    if changed.is_empty() or not rules.policies.dims_named()["team"]:
        return clocks
    mine = pl.col("ticket").is_in(changed.implode())
    fresh = replay(after.tickets_now.filter(mine), after.events.filter(mine), rules, as_of=after.as_of)
    return pl.concat([clocks.filter(~mine), fresh])


def _event_row(event: RecordedEvent) -> list[Any]:
    values = [getattr(event, name) for name in EVENT_COLUMNS]
    return [json.dumps(value) if isinstance(value, dict) else value for value in values]


def _as(frame: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col(name).cast(dtype) for name, dtype in frame.schema.items()]
