"""What the desk does by itself: it asks the rules about what is new, reminds, closes, and marks who came back."""

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from engine.contracts import Status
from engine.notifications import NEWS
from engine.shared.errors import Conflict, NotAllowed
from engine.standings import OPEN
from pipelines.app.container import App
from pipelines.jobs.alerts import is_look_back, on_calendars, queue_messages
from pipelines.snapshot import Snapshot

if TYPE_CHECKING:
    from engine.rules import Fact


class SweepCounts(NamedTuple):
    """How often a rule acted, reminders that were set and that rang, tickets closed and marked as repeat contacts, and
    messages of alerts that nobody could hear of before the ticket had a group."""

    rules: int = 0
    reminders: int = 0
    rung: int = 0
    closed: int = 0
    marked: int = 0
    messages: int = 0


def sweep(app: App, snapshot: Snapshot) -> SweepCounts:
    """Everything once, by the fact's key: sweeping again does nothing again. A look back changes nothing."""
    from engine import reminders

    at = snapshot.as_of
    if is_look_back(app, at):
        return SweepCounts()
    for rule, why in app.desk.rules_that_never_act().items():
        app.log.warning("rule skipped", rule=rule, reason=why)
    seen = _seen(app)
    arrived = _arrived(snapshot, seen)
    marked = _repeat_contacts(app, snapshot, arrived)
    facts = [*_created(arrived), *_flagged(app, snapshot), *_waiting(app)]
    fired = app.desk.apply_rules(facts, at=at, destination=app.handler)
    called = reminders.called_for(snapshot.tickets_now, at=at, policy=app.desk.policies.reminders)
    new = called.join(app.store.frame("reminders", ["id"]), on="id", how="anti")
    set_now = app.desk.set_reminders(new["ticket"].unique(), at=at) if new.height else []
    late = app.desk.remind_of_updates(at=at)
    calendars = on_calendars(app.policies.sla.calendars)
    waited = app.desk.remind_of_clients(snapshot.tickets_now, at=at, elapsed=calendars)
    rung = app.desk.ring_reminders(at=at)
    closed = app.desk.close_resolved(_closable(app, snapshot, seen), at=at)
    messages = queue_messages(app, snapshot.tickets_now, snapshot.clocks, as_of=at)
    return SweepCounts(len(fired), len(set_now) + len(late) + len(waited), len(rung), len(closed), marked, messages)


def _seen(app: App) -> pl.DataFrame:
    """The tickets about whose creation the rules were asked."""
    return app.store.frame("rule_firings", ["ticket_id"], where={"event": ["ticket.created"]})


def _arrived(snapshot: Snapshot, seen: pl.DataFrame) -> pl.DataFrame:
    """Tickets at first sight, with `is_news`; of those that are no news the open ones."""
    made = snapshot.tickets_now.filter(pl.col("created_at") <= snapshot.as_of).with_columns(
        is_news=pl.col("created_at") > pl.lit(snapshot.as_of - NEWS)
    )
    return made.filter(pl.col("is_news") | pl.col("status").is_in(OPEN)).join(
        seen, left_on="ticket", right_on="ticket_id", how="anti"
    )


def _created(arrived: pl.DataFrame) -> "list[Fact]":
    from engine.rules import Fact, Trigger

    rows = arrived.sort("created_at", "ticket").select("ticket", "is_news").iter_rows()
    return [Fact(Trigger.TICKET_CREATED, ticket, is_news=is_news) for ticket, is_news in rows]


def _flagged(app: App, snapshot: Snapshot) -> "list[Fact]":
    """Flags in force that the rules were not asked about."""
    from engine.flags import CaseFlag
    from engine.rules import Fact, Trigger

    event = Trigger.TICKET_FLAGGED
    flags = app.store.frame("case_flags", ["id", "created_at"], where={"cleared_at": None})
    known = app.store.frame("rule_firings", ["id"], where={"event": [event.value]})
    fresh = flags.filter(pl.col("created_at") <= snapshot.as_of).with_columns(
        key=pl.format(f"{event.value}/{{}}", "id")
    )
    found = [app.store.get(CaseFlag, key) for key in fresh.join(known, left_on="key", right_on="id", how="anti")["id"]]
    return [Fact(event, one.ticket_id, one, is_news=one.created_at > snapshot.as_of - NEWS) for one in found]


def _waiting(app: App) -> "list[Fact]":
    """Open envelopes, whose age may have passed a limit."""
    from engine.envelopes import Envelope, EnvelopeStatus
    from engine.rules import Fact, Trigger

    is_open = (EnvelopeStatus.PENDING, EnvelopeStatus.ACTIVE)
    found = [one for status in is_open for one in app.store.all(Envelope, status=status)]
    return [Fact(Trigger.AGE_EXCEEDED, one.ticket_id, one) for one in found]


def _repeat_contacts(app: App, snapshot: Snapshot, arrived: pl.DataFrame) -> int:
    """Mark those whose requester came back too often about one issue; returns how many. What came before is history."""
    from engine.flags import came_back

    news, limits = arrived.filter("is_news"), app.desk.policies.flags.repeat_contact
    marked = 0
    for ticket in came_back(snapshot.tickets_now, news, policy=limits) if news.height else []:
        try:
            marked += app.desk.flag_repeat_contact(ticket, at=snapshot.as_of) is not None
        except (Conflict, NotAllowed) as reason:
            app.log.warning("repeat contact not marked", ticket=ticket, reason=str(reason))
    return marked


def _closable(app: App, snapshot: Snapshot, seen: pl.DataFrame) -> pl.Series:
    """Tickets resolved for long enough, of those that the desk saw before they were: an archive is not closed."""
    days = app.desk.policies.lifecycle.auto_close_days or 0
    limit = pl.lit(snapshot.as_of - timedelta(days=days))
    due = (pl.col("status") == Status.RESOLVED.value) & (pl.col("resolved_at") <= limit)
    found = snapshot.tickets_now.filter(due).join(seen, left_on="ticket", right_on="ticket_id", how="semi")
    return found["ticket"]
