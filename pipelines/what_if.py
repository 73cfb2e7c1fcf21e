"""What a page may ask of other promises, hours, goals, people and weights: worked out, and nothing is written."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from engine.allocation.policy import FACTORS
from engine.contracts import Agent, AssignmentGroup
from engine.shared.policy_file import text_of
from pipelines.app.container import App
from pipelines.figures.selection import Selection
from pipelines.jobs import what_if, what_if_goals
from pipelines.jobs.what_if import Agreement, Change, flows
from pipelines.jobs.what_if_edits import HOURS, Cell, Hours, Target
from pipelines.jobs.what_if_goals import shares
from pipelines.jobs.what_if_promises import (
    Otherwise,
    Replay,
    calendars_in_use,
    editable,
    hours_of,
    lists,
    moves,
    replay,
    text_of_list,
)
from pipelines.marts import MartReader
from pipelines.snapshot import Snapshot

__all__ = [
    "FACTORS", "HOURS", "Agreement", "Cell", "Change", "Hours", "Otherwise", "Replay", "Target", "Weighed",
    "agreement", "allocated", "calendars_in_use", "editable", "flows", "goals", "hours_of", "lists", "moves", "preset",
    "presets", "promises", "shares", "staff", "text_of", "text_of_list",
]  # fmt: skip


class Weighed(NamedTuple):
    """A preset of the allocation policy, with other weights and lowest score where `weights` says so."""

    preset: str
    weights: tuple[tuple[str, float], ...] = ()
    min_score: float = 0.0


class Seats(NamedTuple):
    """A group's name, the tickets it can hold, and how many of them a person is; None where nobody is listed."""

    name: str
    capacity: int
    a_person: int | None


def promises(reader: MartReader, app: App, other: Otherwise, chosen: Selection) -> Replay:
    """A selection's tickets under the promises in force and under others. Raises BadInput for a text that can't be
    used."""
    return replay(app, reader, other, chosen)


def goals(
    reader: MartReader, app: App, chosen: Selection, dimension: str, wanted: Mapping[str, float], *, with_higher: bool
) -> pl.DataFrame:
    """Which values of a dimension are under target, and which would be (`what_if_goals.judged`)."""
    before = app.policies.goals.attainment
    after = what_if_goals.wanted(before, wanted, with_higher=with_higher)
    return what_if_goals.under_target(reader, chosen, dimension, before, after)


def presets(app: App) -> list[str]:
    """The presets of the allocation policy, the one in force first."""
    return what_if.presets(app)


def preset(app: App, name: str) -> Any:
    """One of them."""
    return what_if.preset(app, name)


def staff(app: App) -> dict[str, Seats]:
    """The groups as stored, by id, in the order of their names."""
    agents = app.store.all(Agent)
    groups = sorted(app.store.all(AssignmentGroup), key=lambda group: (group.name, group.group_id))
    return {
        group.group_id: Seats(group.name, group.max_bandwidth, what_if.slots_of_a_person(group, agents))
        for group in groups
    }


def allocated(
    reader: MartReader, app: App, *, weighed: Weighed | None = None, seats: Mapping[str, int] | None = None
) -> Change:
    """The open tickets that nobody owns, given out as of the publication as things are and under a change: other
    weights, or so many more or fewer `seats` by group."""
    snapshot = Snapshot(app, reader.publication.as_of)
    there = {group.group_id: group.max_bandwidth for group in snapshot.groups}
    capacity = {group: max(there.get(group, 0) + more, 0) for group, more in (seats or {}).items()}
    return what_if.change(app, snapshot, policy=_policy(app, weighed) if weighed else None, capacity=capacity)


def agreement(reader: MartReader, app: App, weighed: Weighed | None = None) -> Agreement:
    """How often the policy in force, or another, chooses the group that ended tickets were with."""
    policy = _policy(app, weighed) if weighed else app.policies.allocation
    return what_if.agreement(app, Snapshot(app, reader.publication.as_of), policy)


def _policy(app: App, weighed: Weighed) -> Any:
    found = what_if.preset(app, weighed.preset)
    return what_if.weighted(found, dict(weighed.weights), min_score=weighed.min_score) if weighed.weights else found
