"""Owner and assignee meet: the first assignee that is an agent here owns a ticket that comes from elsewhere."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime

import polars as pl
from more_itertools import chunked

from engine import ownership
from engine.contracts import Agent, Event, Kind
from engine.desk.use_case import UseCase
from engine.not_measured import undated

_AT_ONCE = 500


class FirstOwners(UseCase):
    """Later assignees move the assignee alone, and the owner stays."""

    def own_assigned(self, *, at: datetime, ticket_ids: Collection[str] | None = None) -> int:
        """Make the first assignee that is an agent here the owner of each ticket without one, whatever the load.

        Of these tickets, or of all; returns how many. The instant is the assignment's where the source tells it; where
        it does not, the ticket has no `accepted_at`, and no clock starts by it.
        """
        known = ownership.by_name(self.store.all(Agent))
        if not known:
            return 0
        waiting = self.store.frame("tickets", ["id", "created_at", "updated_at"], where={"owner_id": None})
        if ticket_ids is not None:
            waiting = waiting.filter(pl.col("id").is_in(list(ticket_ids)))
        firsts: list[Event] = []
        for rows in chunked(waiting.iter_rows(named=True), _AT_ONCE):
            firsts += self._firsts({row["id"]: row for row in rows}, known)
        return self.store.own(firsts, at=at)

    def _firsts(self, tickets: Mapping[str, Mapping[str, datetime]], known: Mapping[str, Agent]) -> list[Event]:
        columns = ["ticket_id", "version", "kind", "at", "value", "data"]
        wanted = {"ticket_id": list(tickets), "kind": [Kind.CREATED.value, Kind.ASSIGNEE.value]}
        told = self.store.frame("events", columns, where=wanted).sort("ticket_id", "at", "version")
        found: dict[str, Event] = {}
        for row in told.iter_rows(named=True):
            key, data = row["ticket_id"], json.loads(row["data"] or "{}")
            is_creation = row["kind"] == Kind.CREATED
            agent = known.get(((data.get("assignee") if is_creation else row["value"]) or "").strip().casefold())
            if agent is None or key in found:
                continue
            is_dated = not is_creation or "assignee_since" not in data
            found[key] = Event(
                id=f"{key}/accepted",
                ticket_id=key,
                kind=Kind.ACCEPTED,
                at=row["at"] if is_dated else tickets[key]["updated_at"],
                value=agent.id,
                actor=agent.id,
                reason="assigned at the source",
                data={} if is_dated else undated(tickets[key]["created_at"]),
            )
        return list(found.values())
