"""What can't be measured of a ticket, because its source does not tell when something happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import polars as pl

from engine.contracts import OPEN_STATUSES, Event, Kind, Responses, SlaEffect, Status, Unknown

FIRST_RESPONSE, RESOLUTION, REPLIES = "first_response", "resolution", "replies"
NEXT_CLOCKS = ("next_response", "next_reply")
"""Clocks, as a ticket's `unknown` names them; `replies` are those that run from one message to the next."""


class Why(StrEnum):
    """Why a clock is not measured; of a wait it is the status itself (`waiting_customer`)."""

    NO_RESPONSES = "no_responses"
    EMPTY_RESPONSE = "empty_response"
    NO_END = "no_end"
    REOPENED = "reopened"


def in_words(why: str) -> str:
    """The reason as a sentence's end."""
    if why.startswith("waiting_"):
        return f"{why.replace('_', ' ')}, since when is not told"
    return _WORDS[Why(why)]


_WORDS = {
    Why.NO_RESPONSES: "its source tells no answers: map first_response_at, or bring its comments",
    Why.EMPTY_RESPONSE: "it ended with an empty first_response_at",
    Why.NO_END: "it ended at an unknown instant: map resolved_at or closed_at",
    Why.REOPENED: "it was reopened, when is not told",
}


def undated(after: datetime) -> dict[str, str]:
    """The data of a status or acceptance whose instant the source does not tell: it is later than `after`, and no
    later than the event's own."""
    return {"undated_after": after.isoformat()}


def is_undated(event: Event) -> bool:
    return event.kind in {Kind.STATUS, Kind.ACCEPTED} and "undated_after" in event.data


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
    is_end_dated = any(e.value in ENDED and not is_undated(e) for e in history if e.kind == Kind.STATUS)
    if RESOLUTION in found and found[RESOLUTION].why == Why.NO_END and is_end_dated:
        del found[RESOLUTION]
    moves = [event for event in history if event.kind == Kind.STATUS and is_undated(event)]
    for event in moves:
        if RESOLUTION not in found and (why := _why(event, is_end_dated=is_end_dated)):
            found[RESOLUTION] = Unknown(since=datetime.fromisoformat(event.data["undated_after"]), why=why)
    if responses != Responses.REPLIES:
        found[REPLIES] = Unknown(since=created_at, why=Why.NO_RESPONSES)
    if first_response_at is None:
        if responses == Responses.NONE:
            found[FIRST_RESPONSE] = Unknown(since=created_at, why=Why.NO_RESPONSES)
        elif responses == Responses.COLUMN and has_ended:
            found[FIRST_RESPONSE] = Unknown(since=created_at, why=Why.EMPTY_RESPONSE)
        elif RESOLUTION in found and found[RESOLUTION].why == Why.NO_END:
            found[FIRST_RESPONSE] = found[RESOLUTION]
    return {name: each.model_dump(mode="json") for name, each in sorted(found.items())} or None


def why_unknown() -> pl.Expr:
    """Why a clock is not measured, by `state`, `clock` and its ticket's `unknown` (JSON text); null where it is."""
    clock = pl.col("clock").cast(pl.String)
    words = pl.coalesce(
        pl.when(clock.is_in(of) if isinstance(of, tuple) else clock == of).then(
            pl.col("unknown").str.json_path_match(f"$.{name}.why")
        )
        for name, of in {FIRST_RESPONSE: FIRST_RESPONSE, RESOLUTION: RESOLUTION, REPLIES: NEXT_CLOCKS}.items()
    )
    return pl.when(pl.col("state").cast(pl.String) == "not_measured").then(words)


ENDED = frozenset(set(Status) - OPEN_STATUSES)


def _why(event: Event, *, is_end_dated: bool) -> str | None:
    """What an undated move leaves unknown of the resolution."""
    match event.sla_effect:
        case SlaEffect.STOP:
            return None if is_end_dated else Why.NO_END
        case SlaEffect.REOPEN:
            return Why.REOPENED
    return event.value if event.value and event.value.startswith("waiting_") else None
