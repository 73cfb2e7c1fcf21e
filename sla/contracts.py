"""The SLA engine's words: clocks, states, and the frames it reads and returns."""

from enum import StrEnum

import polars as pl


class Clock(StrEnum):
    """A promise that is measured. `next_response` is the optional update cadence."""

    FIRST_RESPONSE = "first_response"
    RESOLUTION = "resolution"
    NEXT_RESPONSE = "next_response"


class State(StrEnum):
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    MET = "met"
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
    }
)
"""What is evaluated: one row a ticket. `team`, `channel` and `status` may be missing."""

EVENTS = pl.Schema(
    {
        "ticket": pl.String(),
        "ts": UTC_INSTANT,
        "kind": pl.String(),  # status | response | priority | tier | type | pause | resume | accepted
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
