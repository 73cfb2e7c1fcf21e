"""Send what waits for the handler's system; each row goes with its own key until the other side has it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.plugins.ports import Refused, TryLater
from engine.shared.errors import NotAllowed, NotFound, Unavailable
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


def deliver(app: App, *, at: datetime) -> Delivered:
    """Send every row whose time has come. A row that fails waits twice as long as before, from a minute to an hour, or
    as long as the other side asks; what it refuses waits for a person, and what nobody would send is told of in the
    log. Raises Busy if another deliverer is at it."""
    with alone(app, "deliver"):
        for line in orphans_in_words(app):
            app.log.warning("decisions left behind", reason=line)
        return _send_due(app, at)


def orphans_in_words(app: App) -> list[str]:
    """What waits for a handler that is not the one in use, so that nobody sends it: a line each, with the way out."""
    return [
        f"{there.waiting + there.refused:,} unsent for {there.destination}, which is not the handler in use "
        f"({app.handler.name}): set HELMDESK_HANDLER={there.destination} again, "
        f"or give them up with `helmdesk deliver --drop {there.destination}`"
        for there in app.outbox.unsent()
        if there.destination != app.handler.name
    ]


def drop(app: App, destination: str) -> int:
    """Give up what waits for a handler that was left; returns how many decisions. Raises NotAllowed for the one in use,
    NotFound where nothing waits."""
    if destination == app.handler.name:
        raise NotAllowed(f"{destination} is the handler in use: its decisions are sent, not dropped")
    if not (dropped := app.outbox.drop(destination)):
        raise NotFound(f"Nothing waits for {destination}; `helmdesk deliver --refused` lists what nobody sends")
    return dropped


def _send_due(app: App, at: datetime) -> Delivered:
    counts: Counter[str] = Counter()
    failed, last, handler, outbox = 0, 0, app.handler, app.outbox
    while failed < IN_A_ROW and (row := outbox.next_due(handler.name, at=at, after=last)):
        last = row.id
        try:
            handler.send(row.payload, key=row.key)
        except Refused as refusal:
            failed = 0
            counts["refused" if outbox.refuse(row.id, why=str(refusal)) else "replaced"] += 1
            app.log.warning("decision refused", key=row.key, reason=str(refusal))
        except Unavailable as trouble:
            failed += 1
            pause = trouble.after if isinstance(trouble, TryLater) else None
            until = at + (pause or wait_after(row.attempts))
            counts["delayed" if outbox.delay(row.id, until=until, why=str(trouble)) else "replaced"] += 1
            app.log.warning("decision delayed", key=row.key, reason=str(trouble))
            if pause:
                outbox.hold(handler.name, until=until)
        else:
            failed = 0
            outbox.sent(row.id, at=at)
            counts["sent"] += 1
    return Delivered(*(counts[name] for name in Delivered._fields))


def wait_after(attempts: int) -> timedelta:
    """How long a row rests after its next failure: 1, 2, 4 … minutes, an hour at most."""
    return min(timedelta(minutes=2 ** min(attempts, 10)), LONGEST_WAIT)
