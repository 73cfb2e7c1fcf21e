"""Alerts that were raised, kept beside the tickets: each key once, whoever raises it first."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import polars as pl
from more_itertools import chunked
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    select,
    update,
)

from engine.shared.columns import ROWS_PER_TRANSACTION, UtcInstant, insert_into
from engine.shared.errors import Conflict
from sla.alerting.alerts import RaisedAlert

metadata = MetaData()

tickets = Table("tickets", metadata, Column("id", Text, primary_key=True), info={"owned_by": "engine"})
"""The desk's own table; only its key is known here."""

notification_queue = Table(
    "notification_queue",
    metadata,
    Column("id", Text, primary_key=True),
    Column("notice_id", Text),
    info={"owned_by": "engine"},
)
"""The desk's own table of news; of it the notice that each went into is known here."""

sla_alerts = Table(
    "sla_alerts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("ticket_id", Text, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False),
    Column("ticket_external_id", Text, nullable=False),
    Column("sla_type", String(50), nullable=False),
    Column("alert_type", String(50), nullable=False),
    Column("triggered_at", UtcInstant, nullable=False),
    Column("deadline", UtcInstant),
    Column("remaining_seconds", Float, nullable=False),
    Column("state", String(50), nullable=False),
    Column("escalation_level", Integer, nullable=False),
    Column("notification_sent", Boolean, nullable=False, default=False),
    Column("notification_sent_at", UtcInstant),
    Column("dedupe_key", String(500), nullable=False),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", UtcInstant),
    UniqueConstraint("dedupe_key", name="uq_sla_alerts_dedupe_key"),
    Index("ix_sla_alerts_state", "state"),
    Index("ix_sla_alerts_ticket_id", "ticket_id"),
    Index("ix_sla_alerts_triggered_at", "triggered_at"),
)

sla_alert_notices = Table(
    "sla_alert_notices",
    metadata,
    Column("alert_id", String(64), ForeignKey("sla_alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("queue_id", Text, primary_key=True),
    Index("ix_sla_alert_notices_queue_id", "queue_id"),
)
"""Which row of the notification queue tells of which alert."""


class AlertStore:
    """The `sla_alerts` table of the desk's database; the desk's migrations create it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def known_keys(self, among: Iterable[str]) -> set[str]:
        """Those of the dedupe keys under which an alert was raised."""
        query, known = select(sla_alerts.c.dedupe_key), set[str]()
        with self._engine.connect() as connection:
            for batch in chunked(sorted(set(among)), ROWS_PER_TRANSACTION):
                known |= set(connection.execute(query.where(sla_alerts.c.dedupe_key.in_(batch))).scalars())
        return known

    def add(self, alerts: pl.DataFrame, *, external_ids: Mapping[str, str] | None = None) -> pl.DataFrame:
        """Keep alerts (schema `alerts.ALERTS`); returns those that were new.

        Two evaluators that raise the same alert at once leave one row, and only one of them gets it back. At most 500
        a transaction: an interrupted call is finished by calling again. `external_ids` names tickets as their source
        does; the key stands for a ticket it doesn't have.
        """
        fresh: list[str] = []
        names = external_ids or {}
        # In one order, so that two evaluators never wait for each other in a circle.
        for batch in chunked(alerts.sort("dedupe_key").to_dicts(), ROWS_PER_TRANSACTION):
            with self._writing() as connection:
                fresh += _insert(connection, [_row(alert, names) for alert in batch])
        return alerts.filter(pl.col("dedupe_key").is_in(pl.Series(fresh, dtype=pl.String).implode()))

    def one(self, alert_id: str, *, within: Connection | None = None) -> RaisedAlert | None:
        """The alert of this id, if there is one."""
        query = select(*(sla_alerts.c[name] for name in RaisedAlert.model_fields)).where(sla_alerts.c.id == alert_id)
        with nullcontext(within) if within else self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return RaisedAlert(**row) if row else None

    def mark_seen(self, alert: RaisedAlert, *, within: Connection) -> None:
        """Keep who acknowledged it. Raises Conflict if somebody did meanwhile."""
        unseen = (sla_alerts.c.id == alert.id) & sla_alerts.c.acknowledged_by.is_(None)
        seen = {"acknowledged_by": alert.acknowledged_by, "acknowledged_at": alert.acknowledged_at}
        if within.execute(update(sla_alerts).where(unseen).values(seen)).rowcount != 1:
            raise Conflict(f"{alert.in_words} was acknowledged meanwhile; load it again.")

    def unqueued(
        self, *, since: datetime | None = None, until: datetime | None = None, within: Connection | None = None
    ) -> list[dict[str, Any]]:
        """Alerts that nobody is to hear of yet, in the order they were raised; only those raised after `since`, and
        none raised after `until`."""
        is_queued = select(sla_alert_notices.c.alert_id).where(sla_alert_notices.c.alert_id == sla_alerts.c.id)
        query = select(sla_alerts).where(~is_queued.exists(), sla_alerts.c.notification_sent.is_(False))
        if since is not None:
            query = query.where(sla_alerts.c.triggered_at > since)
        if until is not None:
            query = query.where(sla_alerts.c.triggered_at <= until)
        with nullcontext(within) if within else self._engine.connect() as connection:
            found = connection.execute(query.order_by(sla_alerts.c.triggered_at, sla_alerts.c.dedupe_key))
            return [dict(row) for row in found.mappings()]

    def mark_queued(self, alerts: Iterable[tuple[str, str]], *, within: Connection | None = None) -> None:
        """Note by dedupe key which row of the notification queue tells of an alert."""
        rows = [{"alert_id": _id(key), "queue_id": queue_id} for key, queue_id in sorted(set(alerts))]
        with nullcontext(within) if within else self._writing() as connection:
            for batch in chunked(rows, ROWS_PER_TRANSACTION):
                connection.execute(insert_into(sla_alert_notices, connection).on_conflict_do_nothing(), batch)

    def mark_sent(self, notice_id: str, *, at: datetime, within: Connection | None = None) -> int:
        """Somebody's channel took the notice that tells of them; returns how many alerts were not marked before."""
        in_notice = (
            select(sla_alert_notices.c.alert_id)
            .join(notification_queue, notification_queue.c.id == sla_alert_notices.c.queue_id)
            .where(notification_queue.c.notice_id == notice_id)
        )
        waiting = sla_alerts.c.id.in_(in_notice) & sla_alerts.c.notification_sent.is_(False)
        values = {"notification_sent": True, "notification_sent_at": at}
        with nullcontext(within) if within else self._writing() as connection:
            return int(connection.execute(update(sla_alerts).where(waiting).values(values)).rowcount)

    def _writing(self) -> Any:
        """A transaction that may write from its start: a deferred one can find the database locked."""
        return self._engine.execution_options(helmdesk_writes=True).begin()


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> list[str]:
    # Any key may clash first where two write at once: `id` is made of `dedupe_key`.
    statement = insert_into(sla_alerts, connection).on_conflict_do_nothing()
    return list(connection.execute(statement.returning(sla_alerts.c.dedupe_key), rows).scalars())


def _row(alert: Mapping[str, Any], external_ids: Mapping[str, str]) -> dict[str, Any]:
    key = alert["dedupe_key"]
    return {
        "id": _id(key),
        "ticket_id": alert["ticket"],
        "ticket_external_id": external_ids.get(alert["ticket"], alert["ticket"]),
        "sla_type": alert["clock"],
        "alert_type": alert["alert_type"],
        "triggered_at": alert["triggered_at"],
        "deadline": alert["deadline"],
        "remaining_seconds": alert["remaining_seconds"],
        "state": alert["state"],
        "escalation_level": alert["level"],
        "notification_sent": False,
        "notification_sent_at": None,
        "dedupe_key": key,
    }


def _id(dedupe_key: str) -> str:
    return hashlib.sha256(dedupe_key.encode()).hexdigest()
