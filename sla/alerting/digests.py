"""What one person is told at once: alerts one by one while they are few, the sum of them when many fire together."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
from pydantic import Field

from engine.contracts import Frozen
from sla.contracts import UTC_INSTANT

NOTICES = pl.Schema(
    {
        "dedupe_key": pl.String(),
        "ticket": pl.String(),
        "reference": pl.String(),
        "priority": pl.String(),
        "tier": pl.String(),
        "type": pl.String(),
        "status": pl.String(),
        "clock": pl.String(),
        "alert_type": pl.String(),  # warning | breach
        "level": pl.Int32(),
        "deadline": UTC_INSTANT,
        "remaining_seconds": pl.Float64(),  # business seconds, negative after the breach
        "remaining_percent": pl.Float64(),  # of the target, null where that is not known
        "triggered_at": UTC_INSTANT,
        "channel": pl.String(),
        "recipient": pl.String(),
    }
)
"""One row per alert and person who hears of it."""

_WORST = ["reference", "clock", "priority", "level", "remaining_seconds", "deadline"]


class DigestPolicy(Frozen):
    """More than `over` alerts of one type for one person on one channel become one digest that shows the worst."""

    over: int = Field(default=10, ge=0)
    show: int = Field(default=10, ge=0)


class Message(NamedTuple):
    """What one person is told. `id` follows from the alerts in it, by dedupe key, with those of lower levels that they
    stand for; a digest is about no single ticket."""

    id: str
    channel: str
    recipient: str
    alert_type: str
    level: int
    ticket: str | None
    payload: dict[str, Any]
    alerts: tuple[str, ...]


def messages(notices: pl.DataFrame, *, policy: DigestPolicy) -> list[Message]:
    """The messages for `notices` (schema `NOTICES`), the highest level first; the same alerts give the same messages.

    Who would hear of several levels of one clock at once hears of the highest.
    """
    about = ["recipient", "ticket", "clock", "alert_type"]
    ordered = notices.sort("level", "dedupe_key", descending=[True, False])
    highest = ordered.with_columns(stands_for=pl.col("dedupe_key").implode().over(about)).unique(
        about, keep="first", maintain_order=True
    )
    groups = highest.group_by("channel", "recipient", "alert_type", maintain_order=True)
    found = [message for _, alerts in groups for message in _messages_of(_worst_first(alerts), policy)]
    return sorted(found, key=lambda message: (-message.level, message.recipient, message.channel, message.id))


def _messages_of(alerts: pl.DataFrame, policy: DigestPolicy) -> Iterator[Message]:
    if alerts.height > policy.over:
        yield _digest(alerts, policy.show)
    else:
        yield from (_single(alert) for alert in alerts.iter_rows(named=True))


def _single(alert: dict[str, Any]) -> Message:
    message = f"{alert['reference']}: {_words(alert['clock'])} {_state(alert)} (level {alert['level']})"
    shown = {name: _plain(alert[name]) for name in _WORST} | {"facts": _facts(alert)}
    payload = {"message": message, "channel": alert["channel"], **shown, "triggered_at": _plain(alert["triggered_at"])}
    return Message(
        id=alert["dedupe_key"],
        channel=alert["channel"],
        recipient=alert["recipient"],
        alert_type=alert["alert_type"],
        level=alert["level"],
        ticket=alert["ticket"],
        payload=payload,
        alerts=tuple(alert["stands_for"]),
    )


def _digest(alerts: pl.DataFrame, show: int) -> Message:
    first = alerts.row(0, named=True)
    counts = {name: _counts(alerts, name) for name in ("clock", "priority", "level")}
    by_clock = ", ".join(f"{count} {_words(clock)}" for clock, count in counts["clock"].items())
    kind = "breaches" if first["alert_type"] == "breach" else "warnings"
    payload = {
        "message": f"{alerts.height} {kind}: {by_clock}; worst {first['reference']}, {_state(first)}",
        "channel": first["channel"],
        "alerts": alerts.height,
        **{f"by_{name}": found for name, found in counts.items()},
        "worst": [
            {name: _plain(row[name]) for name in _WORST} | {"left": _state(row)}
            for row in alerts.head(show).iter_rows(named=True)
        ],
        **{
            f"{end}_{name}": _plain(found)
            for name in ("deadline", "triggered_at")
            for end, found in _span(alerts[name])
        },
    }
    return Message(
        id=f"digest/{_fingerprint(alerts['dedupe_key'].to_list())}",
        channel=first["channel"],
        recipient=first["recipient"],
        alert_type=first["alert_type"],
        level=max(counts["level"]),
        ticket=None,
        payload=payload | {"by_level": {str(level): count for level, count in counts["level"].items()}},
        alerts=tuple(alerts["stands_for"].explode()),
    )


def _facts(alert: dict[str, Any]) -> dict[str, Any]:
    """What stands beside the message (seed S5-12)."""
    facts = {name: alert[name] for name in ("priority", "tier", "type", "status", "level")}
    left = alert["remaining_percent"]
    return facts | ({} if left is None else {"remaining": f"{left:.0f} %"})


def _worst_first(alerts: pl.DataFrame) -> pl.DataFrame:
    return alerts.sort("remaining_seconds", "dedupe_key")


def _counts(alerts: pl.DataFrame, name: str) -> dict[Any, int]:
    """The largest first; equal ones by name."""
    counted = alerts.group_by(name).len().sort("len", name, descending=[True, False])
    return dict(counted.iter_rows())


def _span(instants: pl.Series) -> list[tuple[str, Any]]:
    return [("first", instants.min()), ("last", instants.max())]


def _state(alert: dict[str, Any]) -> str:
    left = alert["remaining_seconds"]
    return f"{_duration(-left)} over its target" if alert["alert_type"] == "breach" else f"{_duration(left)} left"


def _duration(seconds: float) -> str:
    """Business time in hours and minutes, whole seconds below a minute."""
    minutes = int(abs(seconds)) // 60
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"{hours}{minutes % 60} min" if minutes else f"{int(abs(seconds))} s"


def _words(clock: str) -> str:
    return clock.replace("_", " ")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _fingerprint(keys: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:32]
