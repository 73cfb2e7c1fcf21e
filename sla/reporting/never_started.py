"""Resolution clocks that wait for an acceptance nobody tells of, while the time they promise is used up."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from sla.calendar.calendars import Calendar
from sla.clocks.batch.evaluate import evaluate
from sla.contracts import Clock, State
from sla.policy.model import Policies, Policy, Target, Version


def never_started(
    clocks: pl.DataFrame,
    tickets: pl.DataFrame,
    events: pl.DataFrame,
    *,
    policies: Policies,
    calendars: Mapping[str, Calendar],
    as_of: datetime,
) -> pl.Series:
    """The ids of tickets whose resolution has no clock, and would be late had it started with their creation.

    `clocks` are those of `tickets` and `events` (frames of `sla.contracts`) under these policies as of then.
    """
    waits = (pl.col("clock").cast(pl.String) == Clock.RESOLUTION.value) & (
        pl.col("state").cast(pl.String) == State.NO_CLOCK.value
    )
    ids = clocks.filter(waits)["ticket"]
    known = tickets.filter(pl.col("id").is_in(ids.implode()))
    if known.is_empty():
        return ids.clear()
    own = events.filter(pl.col("ticket").is_in(ids.implode()))
    found = evaluate(known, own, _from_creation(policies), calendars, as_of)
    is_resolution = pl.col("clock").cast(pl.String) == Clock.RESOLUTION.value
    late = is_resolution & pl.col("is_current") & (pl.col("state").cast(pl.String) == State.BREACHED.value)
    return found.filter(late)["ticket"]


def sentence(tickets: int, policies: Policies) -> str:
    """What to tell of so many; empty for none."""
    if not tickets:
        return ""
    whose = "1 ticket is older than its" if tickets == 1 else f"{tickets:,} tickets are older than their"
    return (
        f"{whose} resolution target, and the clock never started: policy {policies.name} starts it with the "
        "acceptance, which no source tells"
    )


def _from_creation(policies: Policies) -> Policies:
    return policies.model_copy(update={"versions": tuple(_version(version) for version in policies.versions)})


def _version(version: Version) -> Version:
    return version.model_copy(update={"policies": tuple(_policy(policy) for policy in version.policies)})


def _policy(policy: Policy) -> Policy:
    targets = {clock: _started(target) for clock, target in policy.targets.items()}
    return policy.model_copy(update={"targets": targets})


def _started(target: Target) -> Target:
    return target.model_copy(update={"terms": target.terms.model_copy(update={"start_event": "created"})})
