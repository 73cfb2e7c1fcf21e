"""Send what waits for systems outside; each row goes with its own key until the other side has it."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.plugins.ports import NOTES, Refused, TryLater
from engine.shared.errors import NotAllowed, NotFound, Unavailable
from engine.storage.outbox import Unsent
from pipelines.app.container import App
from pipelines.app.locks import alone

IN_A_ROW = 3
"""So many rows that fail one after the other show that the system has trouble, not the rows: the rest waits."""

LONGEST_WAIT = timedelta(hours=1)


class Delivered(NamedTuple):
    """What became of the rows that were tried; `replaced` ones failed while a newer decision took their place."""

    sent: int
    delayed: int
    refused: int
    replaced: int


def deliver(app: App, *, at: datetime, only: Collection[str] | None = None) -> Delivered:
    """Send every row whose time has come, to every destination in use or `only` some. A row that fails waits twice as
    long as before, from a minute to an hour, or as long as the other side asks; what it refuses waits for a person, and
    what nobody would send is told of in the log. Raises Busy if another deliverer is at it."""
    with alone(app, "deliver"):
        for line in orphans_in_words(app):
            app.log.warning("decisions left behind", reason=line)
        counts: Counter[str] = Counter()
        for destination in app.destinations if only is None else only:
            counts += _send_due(app, destination, at)
        return Delivered(*(counts[name] for name in Delivered._fields))


def orphans_in_words(app: App) -> list[str]:
    """What waits for a destination that is not in use, so that nobody sends it: a line each, with the way out."""
    return [
        f"{there.waiting + there.refused:,} unsent for {there.destination}, which is {_not_in_use(app, there)}, "
        f"or give them up with `helmdesk deliver --drop {there.destination}`"
        for there in app.outbox.unsent()
        if there.destination not in app.destinations
    ]


def _not_in_use(app: App, there: Unsent) -> str:
    if there.destination.endswith(NOTES):
        name = there.destination.removesuffix(NOTES).upper()
        return f"not in use: set HELMDESK_PUSH_SUGGESTIONS=true and HELMDESK_{name}_URL again"
    return f"not the handler in use ({app.handler.name}): set HELMDESK_HANDLER={there.destination} again"


def drop(app: App, destination: str) -> int:
    """Give up what waits for a destination that was left; returns how many rows. Raises NotAllowed for one in use,
    NotFound where nothing waits."""
    if destination in app.destinations:
        raise NotAllowed(f"{destination} is in use: what waits for it is sent, not dropped")
    if not (dropped := app.outbox.drop(destination)):
        raise NotFound(f"Nothing waits for {destination}; `helmdesk deliver --refused` lists what nobody sends")
    return dropped


def _send_due(app: App, destination: str, at: datetime) -> Counter[str]:
    counts: Counter[str] = Counter()
    failed, last, outbox, send = 0, 0, app.outbox, app.destinations[destination]
    what = "suggestion" if destination.endswith(NOTES) else "decision"
    while failed < IN_A_ROW and (row := outbox.next_due(destination, at=at, after=last)):
        last = row.id
        try:
            send(row.payload, key=row.key)
        except Refused as refusal:
            failed = 0
            counts["refused" if outbox.refuse(row.id, why=str(refusal)) else "replaced"] += 1
            app.log.warning(f"{what} refused", key=row.key, reason=str(refusal))
        except Unavailable as trouble:
            failed += 1
            pause = trouble.after if isinstance(trouble, TryLater) else None
            until = at + (pause or wait_after(row.attempts))
            counts["delayed" if outbox.delay(row.id, until=until, why=str(trouble)) else "replaced"] += 1
            app.log.warning(f"{what} delayed", key=row.key, reason=str(trouble))
            if pause:
                outbox.hold(destination, until=until)
        else:
            failed = 0
            outbox.sent(row.id, at=at)
            counts["sent"] += 1
    return counts


def wait_after(attempts: int) -> timedelta:
    """How long a row rests after its next failure: 1, 2, 4 … minutes, an hour at most."""
    return min(timedelta(minutes=2 ** min(attempts, 10)), LONGEST_WAIT)
