"""Send what waits for systems and people outside; each row goes with its own key until the other side has it."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.contracts import Frozen
from engine.plugins.ports import NOTES, Refused, TryLater
from engine.shared.errors import NotAllowed, NotFound, Unavailable
from engine.storage.outbox import NOTICES, Breaker, Outgoing, Unsent
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.notices import mark_sent, post_due

IN_A_ROW, NOTICES_IN_A_ROW = 3, 5
"""So many rows that fail one after the other show that the other side has trouble, not the rows: it rests, then one row
tries."""

REST = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


class Parcels(Frozen):
    """So many rows of the outbox: decisions and suggestions for systems, and notices for people."""

    decisions: int
    notices: int


class Delivered(NamedTuple):
    """What became of the rows that were tried: decisions first, of which `replaced` ones failed while a newer one took
    their place; then notices, with those that the inbox took."""

    sent: int
    delayed: int
    refused: int
    replaced: int
    notices_sent: int = 0
    notices_delayed: int = 0
    notices_refused: int = 0
    notices_in_inbox: int = 0


def deliver(app: App, *, at: datetime, only: Collection[str] | None = None) -> Delivered:
    """Write the notices that are due, and send every row whose time has come, to every destination in use or `only`
    some, without notices. A row that fails waits twice as long as before, from a minute to an hour, or as long as the
    other side asks; what it refuses waits for a person, and what nobody would send is told of in the log. Raises Busy
    if another deliverer is at it."""
    with alone(app, "deliver"):
        for line in orphans_in_words(app):
            app.log.warning("decisions left behind", reason=line)
        counts: Counter[str] = Counter()
        if only is None:
            counts["notices_in_inbox"] = post_due(app, at=at)
        for destination in app.destinations if only is None else only:
            counts += _send_due(app, destination, at)
        return Delivered(*(counts[name] for name in Delivered._fields))


def orphans_in_words(app: App) -> list[str]:
    """What waits for a destination that is not in use, so that nobody sends it: a line each, with the way out."""
    return list(orphans(app).values())


def orphans(app: App) -> dict[str, str]:
    """By destination that is not in use, what waits for it, with the way out."""
    return {
        there.destination: f"{there.waiting + there.refused:,} unsent for {there.destination}, which is "
        f"{_not_in_use(app, there)}, or give them up with `helmdesk deliver --drop {there.destination}`"
        for there in app.outbox.unsent()
        if there.destination not in app.destinations
    }


def _not_in_use(app: App, there: Unsent) -> str:
    if there.destination.startswith(NOTICES):
        return "a channel without an address: give it one in HELMDESK_NOTIFY_URLS again"
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
    """One row after the other, until the destination has to rest; after a rest a first row tries alone."""
    counts: Counter[str] = Counter()
    last, outbox, send = 0, app.outbox, app.destinations[destination]
    is_notice = destination.startswith(NOTICES)
    what = "notice" if is_notice else "suggestion" if destination.endswith(NOTES) else "decision"
    prefix, most = ("notices_", NOTICES_IN_A_ROW) if is_notice else ("", IN_A_ROW)
    failures, rests_until = outbox.breaker(destination)
    while (rests_until is None or rests_until <= at) and (row := outbox.next_due(destination, at=at, after=last)):
        last, rests_until, before = row.id, None, failures
        try:
            send(row.payload, key=row.key)
        except Refused as refusal:
            failures = 0
            counts[prefix + ("refused" if outbox.refuse(row.id, why=str(refusal)) else "replaced")] += 1
            app.log.warning(f"{what} refused", key=row.key, reason=str(refusal))
        except Unavailable as trouble:
            failures += 1
            pause = trouble.after if isinstance(trouble, TryLater) else None
            until = at + (pause or wait_after(row.attempts))
            counts[prefix + ("delayed" if outbox.delay(row.id, until=until, why=str(trouble)) else "replaced")] += 1
            app.log.warning(f"{what} delayed", key=row.key, reason=str(trouble))
            if pause:
                outbox.hold(destination, until=until)
            rests_until = at + pause if pause else at + REST if failures >= most else None
        else:
            failures = 0
            _mark_sent(app, row, at)
            counts[f"{prefix}sent"] += 1
        if failures or before:
            outbox.keep_breaker(destination, Breaker(failures, rests_until))
    return counts


def _mark_sent(app: App, row: Outgoing, at: datetime) -> None:
    with app.store.transaction() as connection:
        app.outbox.sent(row.id, at=at, within=connection)
        if row.destination.startswith(NOTICES):
            mark_sent(app, row.key, at=at, within=connection)


def wait_after(attempts: int) -> timedelta:
    """How long a row rests after its next failure: 1, 2, 4 … minutes, an hour at most."""
    return min(timedelta(minutes=2 ** min(attempts, 10)), LONGEST_WAIT)
