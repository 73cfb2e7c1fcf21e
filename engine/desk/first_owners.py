"""Owner and assignee meet: the first assignee that is an agent here owns a ticket that comes from elsewhere."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from more_itertools import chunked

from engine.contracts import Agent, Event, Kind
from engine.not_measured import undated
from engine.ownership import by_name
from engine.storage.ports import Store

_AT_ONCE = 500


def own_assigned(store: Store, *, at: datetime, ticket_ids: Collection[str] | None = None) -> int:
    """Make the first assignee that is an agent here the owner of each ticket without one, whatever the load.

    Of these tickets, or of all; returns how many. Later assignees move the assignee alone. The instant is the
    assignment's where the source tells it; where not, the ticket has no `accepted_at` and no clock starts by it.
    """
    known = by_name(store.all(Agent))
    if not known:
        return 0
    keys = store.frame("tickets", ["id"], where={"owner_id": None})["id"] if ticket_ids is None else ticket_ids
    return sum(store.own(list(_firsts(store, some, known)), at=at) for some in chunked(keys, _AT_ONCE))


def _firsts(store: Store, keys: Collection[str], known: Mapping[str, Agent]) -> Iterator[Event]:
    columns = ["id", "created_at", "updated_at"]
    ownerless = store.frame("tickets", columns, where={"id": keys, "owner_id": None})
    tickets = {row["id"]: row for row in ownerless.iter_rows(named=True)}
    wanted = {"ticket_id": list(tickets), "kind": [Kind.CREATED.value, Kind.ASSIGNEE.value]}
    history = store.frame("events", ["ticket_id", "version", "kind", "at", "value", "data"], where=wanted)
    for row in history.sort("ticket_id", "at", "version").iter_rows(named=True):
        data = json.loads(row["data"] or "{}")
        name = data.get("assignee") if row["kind"] == Kind.CREATED else row["value"]
        agent = known.get((name or "").strip().casefold())
        if agent is not None and row["ticket_id"] in tickets:
            yield _accepted(tickets.pop(row["ticket_id"]), agent, row["at"] if "assignee_since" not in data else None)


def _accepted(ticket: Mapping[str, Any], agent: Agent, at: datetime | None) -> Event:
    return Event(
        id=f"{ticket['id']}/accepted",
        ticket_id=ticket["id"],
        kind=Kind.ACCEPTED,
        at=at or ticket["updated_at"],
        value=agent.id,
        actor=agent.id,
        reason="assigned at the source",
        data={} if at else undated(ticket["created_at"]),
    )
