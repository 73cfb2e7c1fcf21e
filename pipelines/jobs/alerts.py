"""Tell people what the clocks say: raise warnings and breaches, nudge whose tickets lie, queue the messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from engine.contracts import Ticket
from engine.shared.errors import BadInput
from pipelines import marts
from pipelines.app.container import App

if TYPE_CHECKING:
    from engine.alert_matrix import Elapsed
    from engine.desk.matrix_alerts import Keep, Nudge
    from engine.desk.notification_routing import NotificationRouting
    from sla.alerting.alerts import AlertPolicy
    from sla.calendar.calendars import Calendar

NEWS = timedelta(days=1)
PARTS = {"owner": "tech", "team_lead": "supervisor", "manager": "group_manager"}
"""The recipients of alert rules by their name in the alert matrix."""

_TELLING = 7_341_002
_NUDGES_PER_TRANSACTION = 100  # each brings up to nine alerts and the rows of whom they tell


class Raised(NamedTuple):
    """What one pass brought: new warnings and breaches, new nudges, and messages queued for warnings and breaches."""

    alerts: int
    nudges: int
    messages: int


def raise_and_queue(app: App, clocks: pl.DataFrame, *, as_of: datetime) -> Raised:
    """The whole step; `clocks` have the schema `sla.contracts.CLOCKS`. Running again does nothing twice.

    What a pass that was cut short left untold is told by the next. A look back raises nothing: what it finds is history
    that nobody looked at in time, or was told then.
    """
    if is_look_back(app, as_of):
        return Raised(0, 0, 0)
    raised = raise_alerts(app, clocks, as_of=as_of)
    messages = queue_messages(app, as_of=as_of)
    return Raised(raised, nudge(app, clocks, as_of=as_of), messages)


def is_look_back(app: App, as_of: datetime) -> bool:
    """Whether a later instant was published, or a later alert or nudge raised or cleared, before.

    Instants that the clock has not reached yet don't count: after a look ahead people still hear of the present.
    """
    seen = pl.Series([marts.latest_as_of(app.settings.marts_folder)], dtype=pl.Datetime("us", "UTC"))
    raised = app.store.frame("sla_alerts", ["triggered_at"])
    nudged = app.store.frame("alerts", ["triggered_at", "cleared_at"])
    instants = pl.concat([seen, *raised.get_columns(), *nudged.get_columns()])
    return bool(((instants > as_of) & (instants <= app.now())).any())


def raise_alerts(app: App, clocks: pl.DataFrame, *, as_of: datetime) -> int:
    """Keep every warning and breach that was not raised before; returns how many. Two evaluators at once raise one.

    A clock that stopped more than a day ago is history, not news: loading an archive wakes nobody.
    """
    from sla.alerting.alerts import called_for, unheard

    is_news = pl.col("stopped_at").is_null() | (pl.col("stopped_at") > pl.lit(as_of - NEWS))
    called = called_for(clocks.filter(is_news), app.policies.alerts.rules, as_of)
    fresh = unheard(called, app.alert_store.known_keys(called["dedupe_key"]))
    names = {ticket.id: ticket.external_id for ticket in app.store.tickets(ids=fresh["ticket"])}
    return app.alert_store.add(fresh, external_ids=names).height


def nudge(app: App, clocks: pl.DataFrame, *, as_of: datetime) -> int:
    """Walk the alert matrix over the open tickets; returns how many nudges were new.

    Each (ticket, condition, level) is raised once while it holds. Time before due is what the resolution clock has
    left, time since creation or update is counted on the calendar of the matrix row. A look back changes none: it
    would end them, and today's people would be told again.
    """
    if is_look_back(app, as_of):
        return 0
    is_running = pl.col("is_current") & pl.col("stopped_at").is_null() & pl.col("remaining").is_not_null()
    resolution = clocks.filter((pl.col("clock").cast(pl.String) == "resolution") & is_running)
    left = dict(resolution.select(pl.col("ticket").cast(pl.String), pl.col("remaining").cast(pl.Float64)).iter_rows())
    elapsed, keep = on_calendars(app.policies.sla.calendars), many_at_once(app, at=as_of)
    return len(app.desk.raise_alerts(at=as_of, seconds_left=left, elapsed=elapsed, keep=keep))


def on_calendars(calendars: "Mapping[str, Calendar]") -> "Elapsed":
    """Seconds between two instants on a calendar of the app; without a name every second counts."""

    def elapsed(name: str | None, start: datetime, end: datetime) -> float:
        if name is None:
            return (end - start).total_seconds()
        if name not in calendars:
            raise BadInput(
                f"alert_matrix.yaml: there is no calendar {name!r}; calendars.yaml has {', '.join(calendars)}"
            )
        return calendars[name].elapsed(start, end)

    return elapsed


def many_at_once(app: App, *, at: datetime) -> "Keep":
    """Writes nudges a hundred tickets a transaction; what another sweep was faster with stays its own."""
    from engine.storage import statements
    from engine.storage.connect import writing

    def keep(nudges: "Sequence[Nudge]") -> "list[Nudge]":
        kept: list[Nudge] = []
        in_order = sorted(nudges, key=lambda nudge: nudge.ticket.id)
        for start in range(0, len(in_order), _NUDGES_PER_TRANSACTION):
            some = in_order[start : start + _NUDGES_PER_TRANSACTION]
            with writing(app.store.engine) as connection:
                now = statements.known(connection, [nudge.ticket.id for nudge in some], lock=True)
                unmoved = [nudge for nudge in some if now[nudge.ticket.id]["version"] == nudge.ticket.version]
                statements.append(connection, [event for nudge in unmoved for event in nudge.events], at=at)
                statements.put(connection, [record for nudge in unmoved for record in nudge.records])
            kept += unmoved
        return kept

    return keep


def queue_messages(app: App, *, as_of: datetime) -> int:
    """Queue what the untold alerts of the last day call for and mark them as sent, in one transaction.

    Evaluators take turns, so that each alert is told once. One that has nobody to hear of it yet, or whose rule is
    gone, stays unsent. Returns the rows that were queued.
    """
    from engine.storage import statements
    from engine.storage.connect import writing

    since, unsent = as_of - NEWS, app.alert_store.unsent
    if not unsent(since=since, until=as_of):
        return 0
    with writing(app.store.engine, lock=_TELLING) as connection:
        told, rows = _messages(app, unsent(since=since, until=as_of, within=connection), as_of=as_of)
        statements.put(connection, rows)
        app.alert_store.mark_sent(told["dedupe_key"], at=as_of, within=connection)
    return len(rows)


def _messages(app: App, alerts: Sequence[Mapping[str, Any]], *, as_of: datetime) -> tuple[pl.DataFrame, list[Any]]:
    """Who is told of which alert (schema `sla.alerting.digests.TOLD`), and the queue rows of the messages."""
    from engine.desk.notification_routing import NotificationRouting
    from engine.notifications import News
    from sla.alerting.digests import TOLD, messages

    policy = app.policies.alerts
    routing = NotificationRouting(app.store, app.desk.policies.notifications, at=as_of)
    tickets = {ticket.id: ticket for ticket in app.store.tickets(ids={alert["ticket_id"] for alert in alerts})}
    heard = [
        row for alert in alerts for row in told_of(alert, tickets[alert["ticket_id"]], policy=policy, routing=routing)
    ]
    told = pl.DataFrame(heard, schema=TOLD)
    rows = []
    for message in messages(told, policy=policy.digest):
        kind = f"sla_{message.alert_type}"
        news = News(id=message.id, event_type=kind, ticket_id=message.ticket, payload=message.payload)
        rows += routing.queued(news, [message.recipient])
    return told, rows


def told_of(
    alert: Mapping[str, Any], ticket: Ticket, *, policy: "AlertPolicy", routing: "NotificationRouting"
) -> list[dict[str, Any]]:
    """A kept alert as rows of `sla.alerting.digests.TOLD`, one per person whom its rule names."""
    rule = policy.rule_of(alert)
    if rule is None:
        return []
    named = [name.removeprefix("agent:") for name in rule.recipients if name.startswith("agent:")]
    parts = routing.recipients([PARTS[name] for name in rule.recipients if name in PARTS], ticket)
    row = {
        "dedupe_key": alert["dedupe_key"],
        "ticket": ticket.id,
        "reference": ticket.reference,
        "priority": ticket.priority.value,
        "clock": alert["sla_type"],
        "alert_type": alert["alert_type"],
        "level": alert["escalation_level"],
        "deadline": alert["deadline"],
        "remaining_seconds": alert["remaining_seconds"],
        "triggered_at": alert["triggered_at"],
        "channel": rule.channel,
    }
    return [row | {"recipient": agent} for agent in dict.fromkeys([*parts, *named])]
