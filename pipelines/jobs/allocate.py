"""Give the whole waiting backlog to groups at once, the most urgent first."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from engine.contracts import AllocationDecision, AssignmentGroup, Outcome, Status, Ticket
from engine.shared.errors import NotAllowed
from engine.standings import OPEN
from pipelines.app.container import App
from pipelines.app.policies import SlaRules
from pipelines.jobs.handler_groups import bring_handler_groups
from pipelines.snapshot import Snapshot
from pipelines.work_queue import with_load

FREE = (Status.NEW, Status.TRIAGE)
"""The statuses in which a ticket without an owner may be given to a group."""


class Allocated(NamedTuple):
    """Decisions by outcome; `new` counts those that differ from the ticket's last one."""

    allocated: int
    waiting: int
    no_skill: int
    new: int


def allocate(app: App, snapshot: Snapshot) -> Allocated:
    """Decide for every open ticket that has neither owner nor group, by priority score, and record the decisions
    with what `deliver` is to send of them. Groups are first brought in from the handler's system, if it is one."""
    from engine.allocation.batch import allocate as decide

    if bring_handler_groups(app, snapshot, at=app.now()):
        snapshot = snapshot.read_again("groups")
    groups, at = current_groups(snapshot), snapshot.as_of
    hours = hours_to_shift(app.policies.sla, groups, at)
    decisions = decide(backlog(app, snapshot), groups, app.policies.allocation, at, hours_to_shift=hours)
    outcomes = Counter(decision.outcome for decision in decisions)
    new = app.store.record_decisions(decisions, at=app.now(), destination=app.handler)
    return Allocated(outcomes[Outcome.ALLOCATED], outcomes[Outcome.WAITING], outcomes[Outcome.NO_SKILL], new)


def allocate_one(app: App, name: str, *, at: datetime) -> AllocationDecision:
    """Decide for one waiting ticket with the loads as they are now, and record it like `allocate`.

    `name` is its key, reference or external id. Raises NotFound, and NotAllowed for a ticket that nobody is to be
    chosen for. Decisions are made one at a time: the caller holds the lock `allocate`.
    """
    from engine.allocation.batch import allocate as decide

    ticket = app.store.ticket(name)
    if not _needs_a_group(ticket):
        raise NotAllowed(
            f"{ticket.reference} is {ticket.status}, its owner {ticket.owner_id or 'nobody'}, its group "
            f"{ticket.group_id or 'none'}: only a {' or '.join(FREE)} ticket without owner and group is given to one"
        )
    here = app.store.frame("tickets", ["group_id"], where={"status": OPEN})
    groups = with_load(Snapshot(app, at).groups, here)
    hours = hours_to_shift(app.policies.sla, groups, at)
    claim = app.triage.store.latest([ticket.id]).get(ticket.id)
    product = ticket.product or (claim.product if claim and not claim.needs_review else None)
    found = app.store.frame("enrichments", ["complexity"], where={"ticket_id": [ticket.id]})["complexity"].round(2)
    known = informed(ticket, product, found[0] if len(found) else None)
    decision = decide([known], groups, app.policies.allocation, at, hours_to_shift=hours)[0]
    app.store.record_decisions([decision], at=app.now(), destination=app.handler)
    return decision


def backlog(app: App, snapshot: Snapshot) -> list[Ticket]:
    """Open tickets with neither owner nor group, then and now, highest priority score first, with the product triage
    was sure of and, where the source gives none, the complexity that enriching found."""
    now = snapshot.tickets_now
    free = now.filter(pl.col("owner_id").is_null(), pl.col("group_id").is_null(), pl.col("status").is_in(FREE))
    ordered = snapshot.queue.join(free.select("ticket"), on="ticket", how="semi", maintain_order="left")
    complexity = dict(snapshot.enrichments.select("ticket", pl.col("complexity").round(2)).iter_rows())
    there = {ticket.id: ticket for ticket in app.store.tickets(ids=ordered["ticket"]) if _needs_a_group(ticket)}
    return [
        informed(there[ticket], product, complexity.get(ticket))
        for ticket, product in ordered.select("ticket", "product").iter_rows()
        if ticket in there
    ]


def _needs_a_group(ticket: Ticket) -> bool:
    return ticket.owner_id is None and ticket.group_id is None and ticket.status in FREE


def informed(ticket: Ticket, product: str | None, complexity: float | None) -> Ticket:
    """The ticket as a choice of groups needs it: its product, and a complexity where the source gives none."""
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
