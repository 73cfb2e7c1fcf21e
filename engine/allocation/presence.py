"""Who is there: a group's slots at an instant, by the people it has."""

from collections.abc import Collection, Sequence
from datetime import datetime

from engine.contracts import Agent, AssignmentGroup


def with_who_is_there(
    groups: Sequence[AssignmentGroup], agents: Sequence[Agent], at: datetime, *, open_shifts: Collection[str]
) -> list[AssignmentGroup]:
    """The groups with the slots that the people make who are there; `open_shifts` are the calendars open at `at`."""
    return [
        group.model_copy(update={"max_bandwidth": slots(group, agents, at, open_shifts=open_shifts)})
        for group in groups
    ]


def slots(group: AssignmentGroup, agents: Sequence[Agent], at: datetime, *, open_shifts: Collection[str]) -> int:
    """How many tickets a group can hold now.

    Of people listed in the group itself (its id is one of their teams) the sum of the maxima of those who are there.
    A team may serve several groups: of people listed in its team alone, that share of `max_bandwidth` (rounded down)
    which those who are there have in the sum of all maxima. Without listed people `max_bandwidth`.
    """
    active = [agent for agent in agents if agent.is_active]
    own = [agent for agent in active if group.group_id in agent.teams]
    people = own or [agent for agent in active if group.team_id is not None and group.team_id in agent.teams]
    whole = sum(agent.max_tickets for agent in people)
    if whole == 0:
        return group.max_bandwidth
    there = sum(agent.max_tickets for agent in people if is_there(agent, at, open_shifts=open_shifts))
    return there if own else group.max_bandwidth * there // whole


def is_there(agent: Agent, at: datetime, *, open_shifts: Collection[str]) -> bool:
    """Neither away nor outside the person's working hours."""
    return not agent.is_away(at) and (agent.shift is None or agent.shift in open_shifts)
