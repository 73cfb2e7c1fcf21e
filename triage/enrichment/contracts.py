"""What is known of a case before it is enriched, and what enriching adds: values to read, never orders to act on."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from engine.contracts import Frozen, Instant
from triage.contracts import Share, TicketText


class CaseFacts(Frozen):
    """A ticket's text with the facts that enriching needs; `sla_state` is the worst state of its running clocks."""

    ticket: TicketText
    requester: str | None = None
    company: str | None = None
    product: str | None = None
    created_at: Instant
    resolved_at: Instant | None = None
    messages: Annotated[int, Field(ge=0)] = 0
    reopened: Annotated[int, Field(ge=0)] = 0
    sla_state: str | None = None

    @property
    def ticket_id(self) -> str:
        return self.ticket.ticket_id


class Part(Frozen):
    """One reason for complexity: how much of it there is, the share of its full amount, what that adds to the sum."""

    name: str
    amount: Annotated[float, Field(ge=0)]
    share: Share
    adds: Share


class Enrichment(Frozen):
    """What a ticket's text and facts tell beside its product.

    `sentiment` is a weak signal in [-1, 1] from listed phrases; nothing is ordered by it. `suggested_priority` is None
    where the rules agree with the ticket's own priority, which a person changes and nothing else does (seed S4-13).
    """

    ticket_id: str
    language: str | None
    language_confidence: Share | None
    complexity: Share
    complexity_parts: tuple[Part, ...]
    error_codes: tuple[str, ...]
    sentiment: Annotated[float, Field(ge=-1, le=1)] | None
    sentiment_phrases: tuple[str, ...]
    urgency: str
    urgency_reasons: tuple[str, ...]
    suggested_priority: str | None
    created_at: Instant


class Relation(StrEnum):
    DUPLICATE = "duplicate"
    """The same matter told twice: by somebody else, or the same mail sent again."""
    REPEAT_CONTACT = "repeat_contact"
    """The same customer comes back after the earlier ticket was resolved."""
    FOLLOW_UP = "follow_up"
    """The same requester writes about the same product while the earlier ticket is open."""


class Related(Frozen):
    """A candidate for a person to judge: an earlier ticket that `ticket_id` may belong to, and why.

    `similarity` is the Jaccard similarity of the two texts' shingles.
    """

    ticket_id: str
    other_id: str
    kind: Relation
    similarity: Share
    reason: str
