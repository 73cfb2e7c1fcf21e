"""When one ticket's clock ran: its windows from start to stop, and the stretches in which nothing happened."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sla.contracts import Clock
from sla.policy.model import Dims, Terms


class Moment(NamedTuple):
    """Something that moves clocks, to the whole second."""

    at: datetime
    kind: str
    value: str | None = None


class Standing(NamedTuple):
    """How the ticket stands from a moment on. `hold` is the reason of an approved pause, None without one;
    `awaits_reply` that the customer wrote after a response and waits for an answer; `due_at` an end agreed for this
    ticket alone."""

    status: str
    hold: str | None
    dims: Dims
    responded: bool = False
    awaits_reply: bool = False
    due_at: datetime | None = None


class Phase(NamedTuple):
    """A stretch in which nothing happened. A stop that was reopened without a new window is idle."""

    start: datetime
    end: datetime
    status: str
    hold: str | None
    idle: bool = False


@dataclass
class Window:
    """A clock from its start to its stop. `phases` cover it without gaps; `at_end` is how it stood when it last ran."""

    start: datetime
    at_start: Standing
    at_end: Standing
    phases: list[Phase] = field(default_factory=list)
    stopped_at: datetime | None = None


def promised_once(
    points: list[tuple[Moment, Standing]], ends: list[datetime], terms: Terms, *, reopens: bool
) -> list[Window]:
    """First response and resolution: one window from the start to the stop, and for a resolution one per reopening."""
    windows: list[Window] = []
    begun, runs = terms.start_event == "created", False
    for (moment, now), end in zip(points, ends, strict=True):
        first = not windows and (begun or moment.kind == "accepted")
        if not windows and not first:
            continue
        stopped = now.status in terms.stop_states or (now.responded and not reopens)
        if first or (reopens and not runs and not stopped and terms.reopen == "new_window"):
            windows.append(Window(moment.at, now, now))
            runs = not stopped
        window = windows[-1]
        if stopped:
            window.stopped_at = moment.at if runs or first else window.stopped_at
            runs = False
        elif runs or reopens:
            if not runs and window.stopped_at is not None:
                window.phases.append(Phase(window.stopped_at, moment.at, now.status, None, idle=True))
                window.stopped_at = None
            window.phases.append(Phase(moment.at, end, now.status, now.hold))
            window.at_end, runs = now, True
    return windows


def between_answers(
    clock: Clock, points: list[tuple[Moment, Standing]], ends: list[datetime], terms: Terms
) -> list[Window]:
    """Next response: a window from every response, next reply: from the customer's first message since one, each to the
    next response or stop. What still waits for one at a reopening waits from then on."""
    windows: list[Window] = []
    runs = False
    for (moment, now), end in zip(points, ends, strict=True):
        waits = now.awaits_reply if clock == Clock.NEXT_REPLY else now.responded
        active = waits and now.status not in terms.stop_states
        if runs and (not active or moment.kind == "response"):
            windows[-1].stopped_at, runs = moment.at, False
        if active and not runs:
            windows.append(Window(moment.at, now, now))
        if active:
            windows[-1].phases.append(Phase(moment.at, end, now.status, now.hold))
            windows[-1].at_end = now
        runs = active
    return windows
