"""Marking special cases, and what a mark sets in motion."""

from datetime import datetime, timedelta

import polars as pl
from pydantic import BaseModel

from engine import envelopes, flags, notifications, timeline
from engine.contracts import Ticket
from engine.desk.use_case import UseCase, key_of, not_blank
from engine.flags import FlagType
from engine.shared.errors import NotAllowed


class Flags(UseCase):
    """Flags are set by people or found by the desk; each sets in motion what the policy says."""

    def add_flag(self, ticket_id: str, *, type: FlagType, by: str, reason: str, at: datetime) -> flags.CaseFlag:
        """Flag a ticket and set in motion what the flag calls for: notices, a higher priority, a legal envelope.

        Its owner may, an expert of an active envelope, its team and a lead.
        """
        self.load_concerning(ticket_id, by, at)
        not_blank("reason", reason)
        return self._flag(ticket_id, type=type, by=by, reason=reason, at=at)

    def _flag(self, ticket_id: str, *, type: FlagType, by: str, reason: str, at: datetime) -> flags.CaseFlag:
        ticket, at = self.load(ticket_id, at)
        key, present = key_of(ticket, "flag"), self.flags_of(ticket)
        flagged = flags.add(
            ticket, key=key, type=type, by=by, reason=reason, at=at, policy=self.policies.flags, present=present
        )
        records: list[BaseModel] = [flagged.flag, *self._news(flagged, at)]
        changed, events = flagged.ticket, list(flagged.events)
        if flagged.effect.envelope_team and ticket.is_open:
            opened = envelopes.open_for(
                changed,
                key=key_of(ticket, "envelope"),
                by=by,
                reason=f"flag {type}: {reason}",
                at=at,
                policy=self.policies.envelopes,
                preset=self.policies.lifecycle,
                team_id=flagged.effect.envelope_team,
                automatic=True,
            )
            changed, events = opened.ticket, [*events, *opened.events]
            records.append(opened.envelope)
        self.keep(changed, events, *records, at=at)
        return flagged.flag

    def clear_flag(self, ticket_id: str, *, type: FlagType, by: str, at: datetime) -> flags.CaseFlag:
        """Take a flag off a ticket, as who may set one; what it set in motion stays."""
        ticket, at = self.load_concerning(ticket_id, by, at)
        flag = next((flag for flag in self.flags_of(ticket) if flag.type == type and flag.is_active), None)
        if flag is None:
            raise NotAllowed(f"{ticket.reference} has no flag {type} to take off.")
        cleared = flags.clear(ticket, flag, by=by, at=at)
        self.keep(cleared.ticket, cleared.events, cleared.flag, at=at)
        return cleared.flag

    def flag_repeat_contact(self, ticket_id: str, *, at: datetime) -> flags.CaseFlag | None:
        """Flag a ticket whose requester came back too often about one issue; None if there is nothing to flag."""
        ticket = self.store.ticket(ticket_id)
        present = flags.active(self.flags_of(ticket))
        if ticket.requester_id is None or FlagType.REPEAT_CONTACT in present or not ticket.is_open:
            return None
        limits = self.policies.flags.repeat_contact
        entries = self.store.all(timeline.TimelineEntry, ticket_id=ticket.id)
        theirs = self._same_issue(ticket, ticket.requester_id, limits)
        if not flags.is_repeat_contact(ticket, of_requester=theirs, entries=entries, policy=limits):
            return None
        reason = f"{limits.contacts} contacts or more in {limits.within_days} days"
        return self._flag(ticket.id, type=FlagType.REPEAT_CONTACT, by="system", reason=reason, at=at)

    def _same_issue(self, ticket: Ticket, requester: str, limits: flags.RepeatContact) -> list[Ticket]:
        """The newest of the tickets before that would make this one a repeat contact, as many as it takes: a machine
        that writes a thousand is not read a thousand times."""
        issue = {"product": [ticket.product]} if ticket.product is not None else {"category": [ticket.category]}
        known = self.store.frame("tickets", ["id", "created_at"], where={"requester_id": [requester], **issue})
        days = timedelta(days=limits.within_days)
        near = known.filter(pl.col("created_at").is_between(ticket.created_at - days, ticket.created_at))
        others = near.filter(pl.col("id") != ticket.id).sort("created_at", "id", descending=True)
        return self.store.tickets(ids=others["id"].head(limits.contacts).to_list())

    def _news(self, flagged: flags.Flagged, at: datetime) -> list[notifications.QueuedNotification]:
        names = flagged.effect.notify
        if not names:
            return []
        payload = {
            "message": f"{flagged.ticket.reference} was flagged {flagged.flag.type}: {flagged.flag.reason}",
            "suggests": list(flagged.effect.suggests),
        }
        news = notifications.News(
            id=flagged.flag.id, event_type="flagged", ticket_id=flagged.ticket.id, payload=payload
        )
        return self.queued(news, self.recipients(names, flagged.ticket), at=at)
