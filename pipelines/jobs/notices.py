"""News that are due become notices, one to a person and destination, written with what waits in the outbox."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.contracts import Agent
from engine.notices import INBOX, ROOM, Notice, notice_of
from engine.notifications import Channel, QueuedNotification, Silence, due_batches
from engine.storage.outbox import NOTICES, Parcel
from pipelines.app.container import App


def post_due(app: App, *, at: datetime) -> int:
    """Write the notices of what is due; returns how many the inbox took. The others wait in the outbox from now on.

    All in one transaction: a kill leaves the news due, and nothing of them goes twice.
    """
    store, policy = app.store, app.desk.policies.notifications
    waiting = store.all(QueuedNotification, sent_at=None, notice_id=None)
    if not any(row.scheduled_for <= at for row in waiting):
        return 0
    batches = due_batches(
        waiting,
        at=at,
        urgent=policy.urgent,
        silences=store.all(Silence),
        destination=lambda row: destination_of(app, row),
    )
    notices = [notice_of(batch, destination=destination_of(app, batch[0]), at=at, policy=policy) for batch in batches]
    agents = {agent.id: agent for agent in store.all(Agent)}
    leaving = [notice for notice in notices if notice.destination != INBOX]
    in_notices = [
        row.model_copy(update={"notice_id": notice.id})
        for batch, notice in zip(batches, notices, strict=True)
        for row in batch
    ]
    with store.transaction() as connection:
        store.put([*notices, *in_notices], within=connection)
        app.outbox.queue_notices([_parcel(one, agents) for one in leaving], at=at, within=connection)
        for notice in notices:
            if notice.destination == INBOX:
                mark_sent(app, notice.id, at=at, within=connection)
    return len(notices) - len(leaving)


def mark_sent(app: App, notice_id: str, *, at: datetime, within: Any) -> None:
    """Its destination took a notice: so it is sent, and with it the news and the SLA alerts that it tells of; `within`
    is a transaction of the store."""
    app.outbox.notice_sent(notice_id, at=at, within=within)
    app.alert_store.mark_sent(notice_id, at=at, within=within)


def destination_of(app: App, row: QueuedNotification) -> str:
    """Its channel; without an address, for urgent news the next lower one of the ladder with one, else the inbox."""
    policy, urls = app.desk.policies.notifications, app.settings.notify_urls
    channels = [Channel.SLACK.value if row.agent_id.startswith(ROOM) else row.channel]
    if row.event_type in policy.urgent and row.channel in policy.ladder:
        channels += reversed(policy.ladder[: policy.ladder.index(row.channel)])
    reached = (channel for channel in channels if channel in urls and channel != Channel.IN_APP)
    return next((f"{NOTICES}{channel}" for channel in reached), INBOX)


def _parcel(notice: Notice, agents: Mapping[str, Agent]) -> Parcel:
    agent = agents.get(notice.agent_id)
    return parcel_of(notice, *((agent.name, agent.email) if agent else (notice.agent_id, "")))


def parcel_of(notice: Notice, name: str, email: str, **more: object) -> Parcel:
    """What is sent of a notice to somebody; `more` is what its channel may show beside title and message."""
    payload = {
        "channel": notice.destination.removeprefix(NOTICES),
        "to": {"id": notice.agent_id, "name": name, "email": email},
        "title": notice.subject,
        "message": notice.text,
        "news": notice.news,
        "created_at": notice.created_at.isoformat(),
        **more,
    }
    return Parcel(notice.destination, None, notice.id, payload)
