"""What if groups were staffed, or chosen, otherwise? The tickets nobody owns, given out again, and nothing recorded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl
from pydantic import ValidationError

from engine.allocation.batch import allocate as decide
from engine.allocation.policy import AllocationPolicies, AllocationPolicy, load_policy
from engine.contracts import Agent, AllocationDecision, AssignmentGroup, Outcome, Status, Ticket
from engine.shared import policy_file
from engine.shared.errors import BadInput
from engine.standings import OPEN
from pipelines.app.container import App
from pipelines.jobs.allocate import FREE, hours_to_shift, informed
from pipelines.snapshot import Snapshot
from pipelines.work_queue import with_load

LATEST = 500
ENDLESS = 10**6


class Desk(NamedTuple):
    """Open tickets that nobody owns, in the order in which they choose, and the groups as they are without them."""

    tickets: list[Ticket]
    groups: list[AssignmentGroup]


class Change(NamedTuple):
    """`groups`: a row a group with group_id, group_name, capacity, tickets and utilisation, each `_before` and
    `_after`. `moved`: a row a ticket that would go elsewhere: ticket, reference, group_before, group_after (names, or
    why nobody gets it). `nobodys`: why tickets have no group, and how many `before` and `after`. `tickets`: how many
    were given out again."""

    groups: pl.DataFrame
    moved: pl.DataFrame
    nobodys: pl.DataFrame
    tickets: int


class Agreement(NamedTuple):
    """Of the latest ended tickets with a group: how many, and of how many the policy would have chosen that group were
    all groups free."""

    tickets: int
    same: int


def desk(app: App, snapshot: Snapshot) -> Desk:
    """As of the snapshot's instant; groups that allocation gave tickets to lose them again."""
    open_now = snapshot.tickets_now.filter(pl.col("status").is_in(OPEN))
    is_free = pl.col("owner_id").is_null() & pl.col("assignee_id").is_null() & pl.col("status").is_in(FREE)
    ordered = snapshot.queue.join(open_now.filter(is_free).select("ticket"), on="ticket", how="semi",
                                  maintain_order="left")  # fmt: skip
    there = {ticket.id: ticket for ticket in app.store.tickets(ids=ordered["ticket"])}
    complexity = dict(snapshot.enrichments.select("ticket", pl.col("complexity").round(2)).iter_rows())
    tickets = [
        informed(there[key], product, complexity.get(key)).model_copy(update={"group_id": None})
        for key, product in ordered.select("ticket", "product").iter_rows()
        if key in there
    ]
    return Desk(tickets, with_load(snapshot.groups, open_now.filter(~is_free)))


def presets(app: App) -> list[str]:
    """Their names, the one in force first."""
    names = policy_file.read(app.policies.files("allocation")[-1], AllocationPolicies).presets
    return sorted(names, key=lambda name: (name != app.policies.allocation.name, name))


def preset(app: App, name: str) -> AllocationPolicy:
    """A preset of the allocation policy by name. Raises BadInput for one that is not there."""
    return load_policy(app.policies.files("allocation")[-1], name)


def weighted(policy: AllocationPolicy, weights: Mapping[str, float], *, min_score: float) -> AllocationPolicy:
    """The policy with other weights, which are divided by their sum, and another lowest score. Raises BadInput."""
    total = sum(weights.values())
    if total <= 0 or min(weights.values()) < 0:
        raise BadInput("The weights are 0 or more, and one of them is more than 0")
    parts = {name: weight / total for name, weight in weights.items()}
    other = policy.model_dump() | {
        "name": f"{policy.name}, weighed otherwise",
        "weights": parts,
        "min_score": min_score,
    }
    try:
        return AllocationPolicy.model_validate(other)
    except ValidationError as error:
        raise BadInput(policy_file.first_wrong(error)) from None


def slots_of_a_person(group: AssignmentGroup, agents: Sequence[Agent]) -> int | None:
    """How many tickets one person more or fewer is: the mean of what the active people listed in the group hold at
    most, or, of those listed in its team alone, their part of its capacity. None where nobody is listed.

    As `engine.allocation.presence.slots` counts them; `group` is as stored, with its whole capacity."""
    active = [agent for agent in agents if agent.is_active]
    if own := [agent.max_tickets for agent in active if group.group_id in agent.teams]:
        return round(sum(own) / len(own))
    people = sum(group.team_id is not None and group.team_id in agent.teams for agent in active)
    return max(1, round(group.max_bandwidth / people)) if people else None


def staffed(groups: Sequence[AssignmentGroup], capacity: Mapping[str, int]) -> list[AssignmentGroup]:
    """The groups with other capacities, by id. Raises BadInput for a group that is not there, or less than nothing."""
    if unknown := capacity.keys() - {group.group_id for group in groups}:
        raise BadInput(f"There is no group {min(unknown)}")
    if any(slots < 0 for slots in capacity.values()):
        raise BadInput("A capacity is 0 tickets or more")
    return [
        group.model_copy(update={"max_bandwidth": capacity.get(group.group_id, group.max_bandwidth)})
        for group in groups
    ]


def change(
    app: App,
    snapshot: Snapshot,
    *,
    policy: AllocationPolicy | None = None,
    capacity: Mapping[str, int] | None = None,
) -> Change:
    """Give them out as things are and under the change, and compare."""
    here = desk(app, snapshot)
    hours = hours_to_shift(app.policies.sla, here.groups, snapshot.as_of)
    others = staffed(here.groups, capacity or {})

    def given(groups: Sequence[AssignmentGroup], by: AllocationPolicy) -> list[AllocationDecision]:
        return decide(here.tickets, groups, by, snapshot.as_of, hours_to_shift=hours)

    before, after = given(here.groups, app.policies.allocation), given(others, policy or app.policies.allocation)
    return compared(here.tickets, (here.groups, before), (others, after))


def compared(
    tickets: Sequence[Ticket],
    before: tuple[Sequence[AssignmentGroup], Sequence[AllocationDecision]],
    after: tuple[Sequence[AssignmentGroup], Sequence[AllocationDecision]],
) -> Change:
    """Two ways of giving out the same tickets, in the same order."""
    sides = [_filled(*side).rename({"capacity": f"capacity_{name}", "tickets": f"tickets_{name}",
                                    "utilisation": f"utilisation_{name}"})
             for name, side in (("before", before), ("after", after))]  # fmt: skip
    groups = sides[0].join(sides[1].drop("group_name"), on="group_id", how="left", maintain_order="left")
    rows = [
        (ticket.id, ticket.reference, _where(one), _where(other))
        for ticket, one, other in zip(tickets, before[1], after[1], strict=True)
        if (one.group_id, one.outcome) != (other.group_id, other.outcome)
    ]
    schema = dict.fromkeys(("ticket", "reference", "group_before", "group_after"), pl.String())
    moved = pl.DataFrame(rows, schema=schema, orient="row")
    return Change(groups, moved, _nobodys(before[1], after[1]), len(tickets))


def _nobodys(before: Sequence[AllocationDecision], after: Sequence[AllocationDecision]) -> pl.DataFrame:
    """why, before, after: a row a reason for which a ticket has no group on either side."""
    sides = [Counter(_where(one) for one in side if one.outcome != Outcome.ALLOCATED) for side in (before, after)]
    rows = [(why, sides[0][why], sides[1][why]) for why in sorted(sides[0] | sides[1])]
    return pl.DataFrame(rows, schema={"why": pl.String(), "before": pl.Int64(), "after": pl.Int64()}, orient="row")


def flows(moved: pl.DataFrame) -> pl.DataFrame:
    """group_before, group_after, tickets: the most first."""
    return (
        moved.group_by("group_before", "group_after")
        .agg(tickets=pl.len().cast(pl.Int64))
        .sort("tickets", "group_before", "group_after", descending=[True, False, False])
    )


def agreement(app: App, snapshot: Snapshot, policy: AllocationPolicy) -> Agreement:
    """How often the policy chooses the group that the latest ended tickets were with at their end."""
    ended = snapshot.tickets_now.filter(
        pl.col("status").is_in([Status.RESOLVED, Status.CLOSED]), pl.col("group_id").is_not_null()
    )
    latest = ended.sort("created_at", "ticket").tail(LATEST)["ticket"]
    free = [group.model_copy(update={"current_load": 0, "max_bandwidth": ENDLESS}) for group in snapshot.groups]
    tickets = [ticket for ticket in app.store.tickets(ids=latest) if ticket.group_id]
    chosen = decide([ticket.model_copy(update={"group_id": None}) for ticket in tickets], free, policy, snapshot.as_of)
    same = sum(ticket.group_id == one.group_id for ticket, one in zip(tickets, chosen, strict=True))
    return Agreement(len(tickets), same)


def _filled(groups: Sequence[AssignmentGroup], decisions: Sequence[AllocationDecision]) -> pl.DataFrame:
    taken: dict[str, int] = {}
    for decision in decisions:
        if decision.outcome == Outcome.ALLOCATED and decision.group_id:
            taken[decision.group_id] = taken.get(decision.group_id, 0) + 1
    rows = [
        (group.group_id, group.name, group.max_bandwidth, group.current_load + taken.get(group.group_id, 0))
        for group in groups
    ]
    schema = {"group_id": pl.String(), "group_name": pl.String(), "capacity": pl.Int64(), "tickets": pl.Int64()}
    share = pl.when(pl.col("capacity") > 0).then(pl.col("tickets") / pl.col("capacity"))
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(utilisation=share)


def _where(decision: AllocationDecision) -> str:
    if decision.outcome == Outcome.ALLOCATED:
        return decision.group_name or str(decision.group_id)
    if decision.outcome == Outcome.NO_SKILL:
        return "no group has the skill"
    scores = any(other.composite is not None for other in decision.alternatives)
    return "waits: no group scores enough" if scores else "waits: no group is free"
