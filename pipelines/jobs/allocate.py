"""Give the whole waiting backlog to groups at once, the most urgent first."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from engine.contracts import OPEN_STATUSES, AssignmentGroup, Outcome, Status, Ticket
from pipelines.app.container import App
from pipelines.jobs.evaluate_sla import replay
from pipelines.jobs.work_queue import scored
from pipelines.ticket_snapshot import latest_claims, ticket_mart, ticket_snapshot


class Allocated(NamedTuple):
    """Decisions by outcome; `new` counts those that differ from the ticket's last one."""

    allocated: int
    waiting: int
    no_skill: int
    new: int


def allocate(app: App, *, at: datetime) -> Allocated:
    """Decide for every open ticket that has neither owner nor group, by priority score, and record the decisions
    with what `deliver` is to send of them."""
    from engine.allocation.batch import allocate as decide

    groups = current_groups(app)
    decisions = decide(
        backlog(app, at), groups, app.policies.allocation, at, hours_to_shift=hours_to_shift(app, groups, at)
    )
    outcomes = Counter(decision.outcome for decision in decisions)
    new = app.store.record_decisions(decisions, at=app.now(), destination=app.handler)
    return Allocated(outcomes[Outcome.ALLOCATED], outcomes[Outcome.WAITING], outcomes[Outcome.NO_SKILL], new)


def backlog(app: App, at: datetime) -> list[Ticket]:
    """Open tickets with neither owner nor group, then and now, highest priority score first, with the product triage
    was sure of."""
    frame = ticket_mart(ticket_snapshot(app, at).tickets, latest_claims(app, at))
    ordered = scored(app, frame, replay(app, as_of=at), at=at)
    products = dict(ordered.select("ticket", "product").iter_rows())
    waiting = {ticket.id: ticket for ticket in app.store.tickets(statuses=OPEN_STATUSES) if _needs_a_group(ticket)}
    return [waiting[key].model_copy(update={"product": product}) for key, product in products.items() if key in waiting]


def hours_to_shift(app: App, groups: list[AssignmentGroup], at: datetime) -> dict[str, float]:
    """Wall-clock hours until each group's shift is open next; 0 within it or around the clock."""
    hours = {}
    for group in groups:
        calendar = app.policies.sla.calendars.get(group.shift or "")
        first_second_worked = calendar.deadline(at, 1) if calendar and not calendar.is_open(at) else None
        if first_second_worked is not None:
            hours[group.group_id] = ((first_second_worked - at).total_seconds() - 1) / 3600
    return hours


def _needs_a_group(ticket: Ticket) -> bool:
    return ticket.owner_id is None and ticket.group_id is None and ticket.status in {Status.NEW, Status.TRIAGE}


def current_groups(app: App) -> list[AssignmentGroup]:
    """The groups with the load they have now: what they carry elsewhere plus their open tickets in the store."""
    open_here = Counter(ticket.group_id for ticket in app.store.tickets(statuses=OPEN_STATUSES) if ticket.group_id)
    return loaded(app, open_here)


def loaded(app: App, open_here: Mapping[str, int]) -> list[AssignmentGroup]:
    """The groups with the open tickets they carry here added to those they carry elsewhere."""
    groups = app.store.all(AssignmentGroup)
    return [
        group.model_copy(update={"current_load": group.current_load + open_here.get(group.group_id, 0)})
        for group in groups
    ]
