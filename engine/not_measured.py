"""What can't be measured of a ticket, because its source does not tell when something happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.contracts import OPEN_STATUSES, Event, Kind, Responses, SlaEffect, Status, Unknown

FIRST_RESPONSE, RESOLUTION, REPLIES = "first_response", "resolution", "replies"
"""Clocks, as a ticket's `unknown` names them; `replies` are those that run from one message to the next."""


class Why(StrEnum):
    """Why a clock is not measured; of a wait it is the status itself (`waiting_customer`)."""

    NO_RESPONSES = "no_responses"
    EMPTY_RESPONSE = "empty_response"
    NO_END = "no_end"
    REOPENED = "reopened"


def untold(after: datetime) -> dict[str, str]:
    """The data of a status event whose instant the source does not tell: it is later than `after`, and no later than
    the event's own."""
    return {"untold_after": after.isoformat()}


def is_untold(event: Event) -> bool:
    return event.kind == Kind.STATUS and "untold_after" in event.data


def unknown_clocks(
    before: Mapping[str, Any] | None,
    history: Sequence[Event],
    *,
    responses: Responses,
    created_at: datetime,
    first_response_at: datetime | None,
    has_ended: bool,
) -> dict[str, Any] | None:
    """What a ticket's `unknown` is after a delivery that brought this history, as JSON.

    `before` is what it was. An end that is told later is known from then on; a wait or a reopening that began at an
    unknown instant stays unknown. `has_ended` says whether the ticket is, or ever was, resolved or closed.
    """
    found = {name: Unknown.model_validate(known) for name, known in (before or {}).items() if name == RESOLUTION}
    is_end_told = any(e.value in ENDED and not is_untold(e) for e in history if e.kind == Kind.STATUS)
    if RESOLUTION in found and found[RESOLUTION].why == Why.NO_END and is_end_told:
        del found[RESOLUTION]
    moves = [event for event in history if is_untold(event)]
    for event in moves:
        if RESOLUTION not in found and (why := _why(event, is_end_told=is_end_told)):
            found[RESOLUTION] = Unknown(since=datetime.fromisoformat(event.data["untold_after"]), why=why)
    if responses != Responses.REPLIES:
        found[REPLIES] = Unknown(since=created_at, why=Why.NO_RESPONSES)
    if first_response_at is None:
        if responses == Responses.UNTOLD:
            found[FIRST_RESPONSE] = Unknown(since=created_at, why=Why.NO_RESPONSES)
        elif responses == Responses.COLUMN and has_ended:
            found[FIRST_RESPONSE] = Unknown(since=created_at, why=Why.EMPTY_RESPONSE)
        elif RESOLUTION in found and found[RESOLUTION].why == Why.NO_END:
            found[FIRST_RESPONSE] = found[RESOLUTION]
    return {name: each.model_dump(mode="json") for name, each in sorted(found.items())} or None


ENDED = frozenset(set(Status) - OPEN_STATUSES)


def _why(event: Event, *, is_end_told: bool) -> str | None:
    """What an untold move leaves unknown of the resolution."""
    match event.sla_effect:
        case SlaEffect.STOP:
            return None if is_end_told else Why.NO_END
        case SlaEffect.REOPEN:
            return Why.REOPENED
    return event.value if event.value and event.value.startswith("waiting_") else None
