"""The SLA engine's words: clocks, states, and the frames it reads and returns."""

from enum import StrEnum

import polars as pl


class Clock(StrEnum):
    """A promise that is measured. Optional are `next_response`, the update cadence (from an answer to the next), and
    `next_reply` (from the customer's first message not answered yet to the answer)."""

    FIRST_RESPONSE = "first_response"
    RESOLUTION = "resolution"
    NEXT_RESPONSE = "next_response"
    NEXT_REPLY = "next_reply"


UNKNOWN = {
    Clock.FIRST_RESPONSE: "first_response_unknown",
    Clock.RESOLUTION: "resolution_unknown",
    Clock.NEXT_RESPONSE: "replies_unknown",
    Clock.NEXT_REPLY: "replies_unknown",
}
"""The column of `TICKETS` that says from when on a clock's course is not known."""


class State(StrEnum):
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    MET = "met"
    NOT_MEASURED = "not_measured"
    NO_TARGET = "no_target"
    NO_CLOCK = "no_clock"


UTC_INSTANT = pl.Datetime("us", "UTC")

TICKETS = pl.Schema(
    {
        "id": pl.String(),  # any type will do; it comes back as `ticket`
        "created_at": UTC_INSTANT,
        "priority": pl.String(),  # null reads as medium
        "tier": pl.String(),  # null reads as standard
        "type": pl.String(),  # null reads as incident
        "team": pl.String(),
        "channel": pl.String(),
        "status": pl.String(),  # at creation; null reads as open
        # From when on the source does not tell what these clocks did; null: it tells all.
        "first_response_unknown": UTC_INSTANT,
        "resolution_unknown": UTC_INSTANT,
        "replies_unknown": UTC_INSTANT,  # next_response and next_reply
    }
)
"""What is evaluated: one row a ticket. `team`, `channel`, `status` and what is unknown may be missing.

A window is not measured where, as of an instant at or after the unknown one, it is not stopped by then or starts no
earlier. It has a target, policy, calendar and start, and no other figures, no stop and no pause.
"""

EVENTS = pl.Schema(
    {
        "ticket": pl.String(),
        "ts": UTC_INSTANT,
        # status | response | priority | tier | type | pause | resume | accepted | customer_message | team | channel |
        # due (a promised end of this ticket alone, as ISO 8601 with an offset; without a value: none any more)
        "kind": pl.String(),
        "value": pl.String(),
        "id": pl.String(),  # optional: an event delivered twice counts once
        "seq": pl.Int64(),  # optional: order within one second
    }
)
"""What happened to the tickets, in any order. Unknown kinds, null `ts` and unknown tickets are ignored."""

CLOCKS = pl.Schema(
    {
        "ticket": pl.String(),
        "clock": pl.Enum([c.value for c in Clock]),
        "window": pl.Int32(),  # 1 for the first; a reopen opens the next
        "is_current": pl.Boolean(),  # the last window of its clock
        "state": pl.Enum([s.value for s in State]),
        "target": pl.Int64(),  # business seconds
        "elapsed": pl.Int64(),  # business seconds counted against the target
        "paused": pl.Int64(),  # business seconds not counted
        "remaining": pl.Int64(),  # target - elapsed, signed
        "due_at": UTC_INSTANT,
        "window_start": UTC_INSTANT,
        "stopped_at": UTC_INSTANT,
        "is_paused": pl.Boolean(),
        "policy": pl.String(),  # name of the policy that matched
        "calendar": pl.String(),
    }
)
"""One row per ticket × clock × window, as of one instant; sorted by nothing in particular."""
