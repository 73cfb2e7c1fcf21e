"""When one ticket's clock ran: its windows from start to stop, and the stretches in which nothing happened."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sla.policy.model import Dims, Terms


class Moment(NamedTuple):
    """Something that moves clocks, to the whole second."""

    at: datetime
    kind: str
    value: str | None = None


class Standing(NamedTuple):
    """How the ticket stands from a moment on. `hold` is the reason of an approved pause, None without one."""

    status: str
    hold: str | None
    dims: Dims
    responded: bool


class Phase(NamedTuple):
    """A stretch in which nothing happened. A stop that was reopened without a new window is idle."""

    start: datetime
    end: datetime
    status: str
    hold: str | None
    idle: bool = False


@dataclass
class Window:
    """A clock from its start to its stop. `phases` cover it without gaps."""

    start: datetime
    dims_at_start: Dims
    dims_at_end: Dims
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
            windows.append(Window(moment.at, now.dims, now.dims))
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
            window.dims_at_end, runs = now.dims, True
    return windows


def cadence(points: list[tuple[Moment, Standing]], ends: list[datetime], terms: Terms) -> list[Window]:
    """Next response: a window from every response, or reopening after one, to the next response or stop."""
    windows: list[Window] = []
    runs = False
    for (moment, now), end in zip(points, ends, strict=True):
        active = now.responded and now.status not in terms.stop_states
        if runs and (not active or moment.kind == "response"):
            windows[-1].stopped_at, runs = moment.at, False
        if active and not runs:
            windows.append(Window(moment.at, now.dims, now.dims))
        if active:
            windows[-1].phases.append(Phase(moment.at, end, now.status, now.hold))
            windows[-1].dims_at_end = now.dims
        runs = active
    return windows
