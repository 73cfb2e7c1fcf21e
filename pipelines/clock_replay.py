"""Every SLA clock of a backlog as of one instant, on this machine's threads or on a Dask cluster."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

import polars as pl

from engine.contracts import CLOCK_KINDS, Kind
from engine.not_measured import FIRST_RESPONSE, REPLIES, RESOLUTION
from engine.standings import standings
from pipelines.compute import over_partitions, partitioned, parts_for

if TYPE_CHECKING:
    from engine.storage.ports import Store
    from pipelines.app.policies import SlaRules
    from sla.calendar.calendars import Calendar
    from sla.policy.model import Policies

DASK_PARTS = 8
AS_CREATED = {
    "id": "ticket",
    "created_at": "created_at",
    "priority": "created_priority",
    "tier": "created_tier",
    "type": "created_type",
    "team": "group_id",
    "channel": "channel",
    "status": "created_status",
}
"""What the SLA engine calls a ticket's values at creation, and where a snapshot has them."""
AS_RECORDED = {"ticket": "ticket", "ts": "at", "kind": "kind", "value": "value", "seq": "version"}
"""The same for events."""
NAMING = {
    "team": (Kind.GROUP, Kind.ALLOCATED),
    "channel": (Kind.CHANNEL,),
    "next_reply": (Kind.CUSTOMER_MESSAGE,),
}
"""Dimensions and clocks that most policies don't know, and the events that only they rest on."""
UNKNOWN_OF = (FIRST_RESPONSE, RESOLUTION, REPLIES)
"""The keys of a ticket's `unknown`."""


class Promising(Protocol):
    """Something with SLA policies."""

    @property
    def policies(self) -> "Policies": ...


def replay(
    tickets: pl.DataFrame, events: pl.DataFrame, rules: "SlaRules", *, as_of: datetime, dask_address: str = ""
) -> pl.DataFrame:
    """Every clock of every ticket (schema `sla.contracts.CLOCKS`), from a snapshot's tickets and events.

    A large backlog is cut into partitions for this machine's threads, or for Dask where an address is set.
    """
    born, moves = clock_inputs(tickets, events, rules)
    parts = max(parts_for(born.height), DASK_PARTS if dask_address else 1)
    cut = zip(partitioned(born, "id", parts), partitioned(moves, "ticket", parts), strict=True)
    work = partial(evaluated, policies=rules.policies, calendars=rules.calendars, as_of=as_of)
    return over_partitions(work, list(cut), dask_address=dask_address)


def clock_inputs(tickets: pl.DataFrame, events: pl.DataFrame, *rules: "Promising") -> tuple[pl.DataFrame, pl.DataFrame]:
    """All that the clocks of these tickets rest on: their values at creation, what their sources don't tell, and the
    events that move clocks; team and channel of then where some promise of the rules depends on them."""
    needs = _needs(rules)
    columns = {name: column for name, column in AS_CREATED.items() if name not in NAMING}
    born = tickets.select(**columns, **_unknown(tickets))
    if "team" in needs:
        first = standings(tickets, events.filter(_is_of(Kind.CREATED, *NAMING["team"])), None).filter(place=0)
        born = born.join(first.select(id="ticket", team="group_id"), on="id", how="left", maintain_order="left")
    if "channel" in needs:
        moved = events.filter(_is_of(*NAMING["channel"])).sort("at", "version").unique("ticket", keep="first")
        was = moved.select(id="ticket", moved=True, was=pl.col("data").str.json_path_match("$.from"))
        known = tickets.select(id="ticket", now="channel").join(was, on="id", how="left", maintain_order="left")
        born = born.hstack(known.select(channel=pl.when("moved").then("was").otherwise("now")))
    return born, _dated(clock_events(events, needs), tickets)


def _dated(moves: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    """Without acceptances whose instant is not known, which start no clock: their tickets have no `accepted_at`."""
    is_acceptance = pl.col("kind") == Kind.ACCEPTED
    acceptances = moves.filter(is_acceptance)
    if acceptances.is_empty():
        return moves
    dated = acceptances.join(tickets.drop_nulls("accepted_at"), on="ticket", how="semi")
    return pl.concat([moves.filter(~is_acceptance), dated])


def _unknown(tickets: pl.DataFrame) -> dict[str, pl.Expr]:
    """From when on a source does not tell clocks, by column of `sla.contracts.TICKETS`; nothing where all tell all."""
    if tickets["unknown"].null_count() == tickets.height:
        return {}
    since = {name: pl.col("unknown").str.json_path_match(f"$.{name}.since") for name in UNKNOWN_OF}
    return {f"{name}_unknown": at.str.to_datetime("%+", time_unit="us", time_zone="UTC") for name, at in since.items()}


def _needs(rules: Iterable["Promising"]) -> set[str]:
    """What else than the usual some rules depend on: names of `NAMING`."""
    apart = {name for each in rules for name, words in each.policies.dims_named().items() if words}
    return (apart | {clock.value for each in rules for clock in each.policies.clocks}) & set(NAMING)


def _kinds(needs: Iterable[str]) -> list[Kind]:
    return [*CLOCK_KINDS.difference(*NAMING.values()), *(kind for name in needs for kind in NAMING[name])]


def _is_of(*kinds: Kind) -> pl.Expr:
    return pl.col("kind").is_in(pl.Series(kinds, dtype=pl.String).implode())


def clock_events(events: pl.DataFrame, needs: Collection[str] = ()) -> pl.DataFrame:
    """The events that move clocks (schema `sla.contracts.EVENTS` without `id`: the store keeps each once), in no
    particular order: `seq` is theirs. A decision to wait (`allocated` without a value) leaves the team as it is."""
    moves = events.filter(_is_of(*_kinds(needs))).select(**AS_RECORDED)
    if "team" not in needs:
        return moves
    is_decision = pl.col("kind") == Kind.ALLOCATED
    teams = {kind.value: "team" for kind in NAMING["team"]}
    return moves.filter(~is_decision | pl.col("value").is_not_null()).with_columns(pl.col("kind").replace(teams))


def read_tickets(store: "Store", *, ticket: str | None = None, also: Collection[str] = ()) -> pl.DataFrame:
    """What a replay needs of all tickets, or of the one with this key, as a snapshot has it; `also` names columns more.

    A replay alone reads these in place of a whole snapshot.
    """
    columns = dict.fromkeys([*AS_CREATED.values(), "assignee_id", "accepted_at", "unknown", *also])
    names = ["id" if name == "ticket" else name for name in columns]
    return store.frame("tickets", names, where=None if ticket is None else {"id": [ticket]}).rename({"id": "ticket"})


def read_events(store: "Store", *rules: "Promising", ticket: str | None = None) -> pl.DataFrame:
    """The events that move clocks under these rules, the same way."""
    needs = _needs(rules)
    wanted = {"kind": [*_kinds(needs), *([Kind.CREATED] if needs else [])]}
    names = ["ticket_id" if name == "ticket" else name for name in AS_RECORDED.values()]
    where = wanted if ticket is None else wanted | {"ticket_id": [ticket]}
    return store.frame("events", [*names, "data", *(["actor"] if needs else [])], where=where).rename(
        {"ticket_id": "ticket"}
    )


def evaluated(
    part: tuple[pl.DataFrame, pl.DataFrame],
    *,
    policies: "Policies",
    calendars: "Mapping[str, Calendar]",
    as_of: datetime,
) -> pl.DataFrame:
    """One partition's clocks (schema `sla.contracts.CLOCKS`)."""
    from sla.clocks.batch.evaluate import evaluate

    return evaluate(*part, policies, calendars, as_of)
