"""Tell people what the clocks say: raise warnings and breaches, nudge whose tickets lie, queue the messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from engine.notifications import NEWS
from engine.shared.errors import BadInput
from pipelines import marts
from pipelines.app.container import App
from pipelines.work_queue import runs

if TYPE_CHECKING:
    from engine.alert_matrix import Elapsed, Nudge
    from engine.desk.notification_routing import NotificationRouting
    from engine.notifications import QueuedNotification
    from sla.alerting.alerts import AlertPolicy, RaisedAlert
    from sla.calendar.calendars import Calendar

PARTS = {"owner": "tech", "team_lead": "supervisor", "manager": "group_manager"}
"""The recipients of alert rules by their name in the alert matrix."""
_ONE_AT_A_TIME = 7_341_002


class Raised(NamedTuple):
    """What one pass brought: new warnings and breaches, new nudges, and messages queued for warnings and breaches."""

    alerts: int
    nudges: int
    messages: int


class AlertTicket(NamedTuple):
    """What an alert says of its ticket, and who has it."""

    ticket: str
    reference: str
    priority: str
    tier: str
    type: str
    status: str
    group_id: str | None
    assignee_id: str | None
    owner_id: str | None


def raise_and_queue(app: App, clocks: pl.DataFrame, tickets: pl.DataFrame, *, as_of: datetime) -> Raised:
    """The whole step, from a snapshot's clocks and its tickets of now. Running again does nothing twice.

    What a pass that was cut short left unsent is sent by the next. A look back raises nothing: what it finds is history
    that nobody looked at in time, or was told then.
    """
    if is_look_back(app, as_of):
        return Raised(0, 0, 0)
    raised = raise_alerts(app, clocks, tickets, as_of=as_of)
    messages = queue_messages(app, tickets, clocks, as_of=as_of)
    return Raised(raised, nudge(app, clocks, tickets, as_of=as_of), messages)


def is_look_back(app: App, as_of: datetime) -> bool:
    """Whether a later instant was published, a later alert or nudge raised or cleared, or a rule asked, before.

    Instants that the clock has not reached yet don't count: after a look ahead people still hear of the present.
    """
    seen = pl.Series([marts.latest_as_of(app.settings.marts_folder)], dtype=pl.Datetime("us", "UTC"))
    columns = (
        ("sla_alerts", "triggered_at"), ("alerts", "triggered_at"), ("alerts", "cleared_at"), ("rule_firings", "at"),
    )  # fmt: skip
    later = [app.store.frame(table, [name], after={name: as_of})[name] for table, name in columns]
    instants = pl.concat([seen, *later])
    return bool(((instants > as_of) & (instants <= app.now())).any())


def raise_alerts(app: App, clocks: pl.DataFrame, tickets: pl.DataFrame, *, as_of: datetime) -> int:
    """Keep every warning and breach that was not raised before; returns how many. Two evaluators at once raise one.

    A clock that stopped more than a day ago is history, not news: loading an archive wakes nobody.
    """
    from sla.alerting.alerts import called_for, new_alerts

    is_news = pl.col("stopped_at").is_null() | (pl.col("stopped_at") > pl.lit(as_of - NEWS))
    called = called_for(clocks.filter(is_news), app.policies.alerts.rules, as_of)
    fresh = new_alerts(called, app.alert_store.known_keys(called["dedupe_key"]))
    names = tickets.join(fresh.select("ticket"), on="ticket", how="semi").select("ticket", "external_id")
    return app.alert_store.add(fresh, external_ids=dict(names.iter_rows())).height


def nudge(app: App, clocks: pl.DataFrame, tickets: pl.DataFrame, *, as_of: datetime) -> int:
    """Walk the alert matrix over the open tickets; returns how many nudges were new.

    Each (ticket, condition, level) is raised once while it holds. Time before due is what the resolution clock has
    left, time since creation or update is counted on the calendar of the matrix row. A look back changes none: it
    would end them, and today's people would be told again.
    """
    if is_look_back(app, as_of):
        return 0
    left, calendars = seconds_left(clocks), on_calendars(app.policies.sla.calendars)
    raised = {one.id: one.ticket_id for one in app.desk.nudge(tickets, at=as_of, seconds_left=left, elapsed=calendars)}
    nobodys = tickets.filter(pl.all_horizontal(pl.col("group_id", "owner_id", "assignee_id").is_null()))["ticket"]
    if count := sum(map(set(nobodys).__contains__, raised.values())):
        app.log.warning("nobody hears of nudges", nudges=count, why="their tickets have no group and no owner yet")
    return len(raised)


def seconds_left(clocks: pl.DataFrame) -> dict[str, float]:
    """By ticket, what its resolution clock has left of the target, where that clock runs."""
    resolution = clocks.filter((pl.col("clock").cast(pl.String) == "resolution") & runs())
    return dict(resolution.select(pl.col("ticket").cast(pl.String), pl.col("remaining").cast(pl.Float64)).iter_rows())


def acknowledge(app: App, alert_id: str, *, by: str, at: datetime) -> "Nudge | RaisedAlert":
    """An agent has seen an alert, of a clock or of the matrix, and looks after it."""
    from sla.alerting import alerts

    alert = app.alert_store.one(alert_id)
    if alert is None:
        return app.desk.acknowledge(alert_id, by=by, at=at)
    app.desk.active_agent(by)
    _, at = app.desk.load(alert.ticket_id, at)
    with app.store.transaction() as connection:
        current = app.alert_store.one(alert_id, within=connection) or alert
        seen, events = alerts.acknowledge(current, by=by, at=at)
        app.alert_store.mark_seen(seen, within=connection)
        app.store.append(events, at=at, within=connection)
    return seen


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


def queue_messages(app: App, tickets: pl.DataFrame, clocks: pl.DataFrame | None = None, *, as_of: datetime) -> int:
    """Queue what the alerts of the last day that nobody is to hear of yet call for, in one transaction; `clocks` say
    how much of the targets is left. Returns the rows that were queued.

    Evaluators take turns, so that each alert is queued once. One that has nobody to hear of it yet, or whose rule is
    gone, waits for a later pass. Sent is an alert when a channel takes the notice that tells of it.
    """
    since, unqueued = as_of - NEWS, app.alert_store.unqueued
    if audience(app, unqueued(since=since, until=as_of), tickets, clocks, as_of=as_of).is_empty():
        return 0
    with app.store.transaction(lock=_ONE_AT_A_TIME) as connection:
        alerts = unqueued(since=since, until=as_of, within=connection)
        rows = _messages(app, audience(app, alerts, tickets, clocks, as_of=as_of), as_of=as_of)
        app.store.put([row for row, _ in rows], within=connection)
        app.alert_store.mark_queued([(key, row.id) for row, keys in rows for key in keys], within=connection)
    return len(rows)


def audience(
    app: App,
    alerts: Sequence[Mapping[str, Any]],
    tickets: pl.DataFrame,
    clocks: pl.DataFrame | None = None,
    *,
    as_of: datetime,
) -> pl.DataFrame:
    """Who is to hear of which alert: the frame `sla.alerting.digests.NOTICES`. With a channel `slack` a rule's room
    hears of it as well."""
    from engine.desk.notification_routing import NotificationRouting
    from engine.notices import ROOM
    from engine.notifications import Channel
    from sla.alerting.digests import NOTICES

    keys = pl.Series([alert["ticket_id"] for alert in alerts], dtype=pl.String).unique()
    mine = tickets.filter(pl.col("ticket").is_in(keys.implode())).select(AlertTicket._fields)
    about = {ticket.ticket: ticket for ticket in map(AlertTicket._make, mine.iter_rows())}
    routing = NotificationRouting(app.store, app.desk.policies.notifications, at=as_of)
    has_rooms, policy = Channel.SLACK in app.settings.notify_urls, app.policies.alerts
    rows = [
        row
        for alert in alerts
        if (ticket := about.get(alert["ticket_id"]))
        for row in notices_of(alert, ticket, policy=policy, routing=routing)
        if has_rooms or not row["recipient"].startswith(ROOM)
    ]
    return pl.DataFrame(rows, schema=NOTICES).with_columns(_remaining_percent(rows, clocks))


def notices_of(
    alert: Mapping[str, Any], ticket: AlertTicket, *, policy: "AlertPolicy", routing: "NotificationRouting"
) -> list[dict[str, Any]]:
    """A kept alert as rows of `sla.alerting.digests.NOTICES`, one per person or room that its rule names."""
    from engine.notices import ROOM

    rule = policy.rule_of(alert)
    if rule is None:
        return []
    named = [name.removeprefix("agent:") for name in rule.recipients if name.startswith("agent:")]
    parts = routing.recipients([PARTS[name] for name in rule.recipients if name in PARTS], ticket)
    row = {
        "dedupe_key": alert["dedupe_key"],
        "ticket": ticket.ticket,
        "reference": ticket.reference,
        "priority": ticket.priority,
        "tier": ticket.tier,
        "type": ticket.type,
        "status": ticket.status,
        "clock": alert["sla_type"],
        "alert_type": alert["alert_type"],
        "level": alert["escalation_level"],
        "deadline": alert["deadline"],
        "remaining_seconds": alert["remaining_seconds"],
        "triggered_at": alert["triggered_at"],
        "channel": rule.channel,
    }
    room = [rule.channel] if rule.channel.startswith(ROOM) else []
    return [row | {"recipient": name} for name in dict.fromkeys([*parts, *named, *room])]


def _remaining_percent(rows: Sequence[Mapping[str, Any]], clocks: pl.DataFrame | None) -> pl.Series:
    """How much of its target each row's clock has left."""
    named = pl.Series([row["ticket"] for row in rows], dtype=pl.String).unique()
    current = [] if clocks is None else clocks.filter("is_current").select(
        pl.col("ticket", "clock").cast(pl.String), "target"
    ).filter(pl.col("ticket").is_in(named.implode())).iter_rows()  # fmt: skip
    targets = {(ticket, clock): target for ticket, clock, target in current}
    found = [(row["remaining_seconds"], targets.get((row["ticket"], row["clock"]))) for row in rows]
    shares = [100 * left / target if target else None for left, target in found]
    return pl.Series("remaining_percent", shares, dtype=pl.Float64)


def _messages(
    app: App, notices: pl.DataFrame, *, as_of: datetime
) -> "list[tuple[QueuedNotification, tuple[str, ...]]]":
    """The queue rows of the messages that the notices make, each with the alerts that it tells of. A room has no
    wishes: it hears at once."""
    from engine.desk.notification_routing import NotificationRouting
    from engine.notices import ROOM
    from engine.notifications import Channel, News, QueuedNotification
    from sla.alerting.digests import messages

    routing = NotificationRouting(app.store, app.desk.policies.notifications, at=as_of)
    made = messages(notices, policy=app.policies.alerts.digest)
    alerts = {f"{one.id}/{one.recipient}": one.alerts for one in made}
    news = [
        (
            News(id=one.id, event_type=f"sla_{one.alert_type}", ticket_id=one.ticket, payload=one.payload),
            [one.recipient],
        )
        for one in made
    ]
    rows = routing.queued([one for one in news if not one[1][0].startswith(ROOM)])
    rows += [
        QueuedNotification(
            **one.model_dump(exclude={"id"}), id=f"{one.id}/{room}", agent_id=room, channel=Channel.SLACK,
            created_at=as_of, scheduled_for=as_of,
        )
        for one, [room] in news
        if room.startswith(ROOM)
    ]  # fmt: skip
    return [(row, alerts[row.id]) for row in rows]
