"""Who has to be told about a clock: warnings before a breach and the breach itself, each told once."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import polars as pl
from pydantic import Field, field_validator, model_validator

from engine.contracts import Event, Frozen, Instant, Kind
from engine.shared import policy_file
from engine.shared.errors import NotAllowed
from sla.alerting.digests import DigestPolicy
from sla.contracts import UTC_INSTANT, Clock, State

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
DEDUPE_KEY = "{ticket}:{clock}:{window}:{rule}"
_MANY, _SOONEST = 1_000_000, 60
"""Repetitions of one alert, and the seconds between two of them."""
_FIELD = re.compile(r"\{(ticket|clock|window|rule|level|repeat)\}")

Unit: TypeAlias = Literal["seconds", "minutes", "hours", "days"]
Recipient: TypeAlias = Annotated[str, Field(pattern=r"^(owner|team_lead|manager|agent:.+)$")]
"""A part in the ticket's story, or one agent by id (`agent:AGT-07`)."""

ALERTS = pl.Schema(
    {
        "ticket": pl.String(),
        "clock": pl.String(),
        "window": pl.Int32(),
        "rule": pl.String(),
        "alert_type": pl.String(),  # warning | breach
        "level": pl.Int32(),
        "state": pl.String(),
        "deadline": UTC_INSTANT,
        "remaining_seconds": pl.Float64(),  # business seconds, negative after the breach
        "triggered_at": UTC_INSTANT,
        "recipients": pl.List(pl.String()),
        "channel": pl.String(),
        "dedupe_key": pl.String(),
    }
)
"""One row an alert to be sent."""


class Repeat(Frozen):
    """Tell it again while it holds: after every so many units since it first held, on the rule's own calendar.

    A stopped clock repeats nothing, and of repetitions that nobody looked for only the latest is raised.
    """

    every: float = Field(gt=0, allow_inf_nan=False)
    unit: Unit = "minutes"
    at_most: int = Field(default=_MANY, ge=1, le=_MANY)

    @field_validator("at_most", mode="before")
    @classmethod
    def _no_limit(cls, value: Any) -> Any:
        return _MANY if value is None else value

    @property
    def seconds(self) -> float:
        return self.every * _UNITS[self.unit]

    @model_validator(mode="after")
    def _no_storm(self) -> "Repeat":
        if self.seconds < _SOONEST:
            raise ValueError(f"every: {_SOONEST} seconds are the least; whoever is told more often stops listening")
        return self


class AlertRule(Frozen):
    """When to tell whom. `value` is per cent for pct_remaining, else a time in `unit`.

    A warning is for a clock that runs, is not paused and not yet breached; a breach for a clock in that state, whether
    it runs or was stopped late. before_due 0 on a breach means: as soon as it is one. since_event counts from the start
    of the window, or from its due instant. `calendar` says whether time is counted on the clock's own calendar or on
    the wall, up to the stop; time since the due instant is on the clock's calendar what it is over target. {ticket},
    {clock}, {window}, {rule}, {level} and {repeat} stand in `dedupe_key`: what has been sent under a key is never sent
    again. A key without {repeat} gets the number of the repetition at its end, from the first repetition on.
    """

    name: str = Field(min_length=1, max_length=100)
    clock: tuple[Clock, ...] = Field(default=(Clock.FIRST_RESPONSE, Clock.RESOLUTION), min_length=1)
    trigger: Literal["pct_remaining", "before_due", "since_event"]
    value: float = Field(ge=0, allow_inf_nan=False)
    unit: Unit = "minutes"
    event: Literal["window_start", "due_at"] = "window_start"
    calendar: Literal["clock", "wall"] = "clock"
    alert: Literal["warning", "breach"]
    level: int = Field(ge=1, le=100)
    recipients: tuple[Recipient, ...] = ()
    channel: str = Field(default="console", min_length=1)
    repeat: Repeat | None = None
    dedupe_key: str = Field(default=DEDUPE_KEY, min_length=1, max_length=150)

    @field_validator("clock", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("dedupe_key")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        if "{" in (rest := _FIELD.sub("", value)) or "}" in rest:
            raise ValueError("only {ticket}, {clock}, {window}, {rule}, {level} and {repeat} may stand in it")
        if "{ticket}" not in value:
            raise ValueError("needs {ticket}; without it the first ticket silences all others")
        return value

    @model_validator(mode="after")
    def _can_be_left(self) -> "AlertRule":
        if self.trigger == "pct_remaining" and self.value > 100:
            raise ValueError(f"value: {self.value:g} % is never left; 100 is all of the target")
        return self

    def holds(self, as_of: datetime) -> pl.Expr:
        """Whether this rule speaks about a row of clocks."""
        breached = pl.col("state").cast(pl.String) == State.BREACHED.value
        running = pl.col("state").cast(pl.String).is_in([State.ON_TRACK.value, State.AT_RISK.value])
        in_state = breached if self.alert == "breach" else running & ~pl.col("is_paused")
        mine = pl.col("clock").cast(pl.String).is_in([clock.value for clock in self.clock])
        return mine & pl.col("is_current") & in_state & self._due(as_of).fill_null(value=False)

    def repetition(self, as_of: datetime) -> pl.Expr:
        """Which telling of a rule that holds this is: 0 for the first."""
        if self.repeat is None:
            return pl.lit(0, dtype=pl.Int32)
        return (
            (self._over(as_of) / self.repeat.seconds).floor().fill_null(0).clip(0, self.repeat.at_most).cast(pl.Int32)
        )

    def raised(self, alert: Mapping[str, Any]) -> bool:
        """Whether a kept alert (ticket_id, sla_type, alert_type, escalation_level, dedupe_key) came of this rule."""
        if (alert["alert_type"], alert["escalation_level"]) != (self.alert, self.level):
            return False
        fact = "\0".join((alert["ticket_id"], alert["sla_type"], alert["dedupe_key"]))
        pattern = _key_pattern(self.dedupe_key, self.name, self.level)
        return alert["sla_type"] in self.clock and pattern.fullmatch(fact) is not None

    def _due(self, as_of: datetime) -> pl.Expr:
        return self._over(as_of) >= 0

    def _over(self, as_of: datetime) -> pl.Expr:
        """Seconds since the rule began to hold; negative before."""
        time = self.value * _UNITS[self.unit]
        now = pl.min_horizontal(pl.lit(as_of).cast(UTC_INSTANT), "stopped_at")
        match self.trigger, self.event, self.calendar:
            case "pct_remaining", _, _:
                return (pl.col("target") * self.value - pl.col("remaining") * 100) / 100
            case "before_due", _, "clock":
                return time - pl.col("remaining")
            case "before_due", _, _:
                return _seconds(now - pl.col("due_at")) + time
            case _, "window_start", "clock":
                return pl.col("elapsed") - time
            case _, "due_at", "clock":
                return -pl.col("remaining") - time
            case _, event, _:
                return _seconds(now - pl.col(event)) - time


class AlertPolicy(Frozen):
    """What an alert file says: who is told of which clock, and when many alerts become one message."""

    rules: tuple[AlertRule, ...]
    digest: DigestPolicy = DigestPolicy()

    @field_validator("rules")
    @classmethod
    def _distinct(cls, rules: tuple[AlertRule, ...]) -> tuple[AlertRule, ...]:
        names = [rule.name for rule in rules]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two are named {policy_file.shown(repeated[0])}; one would silence the other")
        return rules

    def rule_of(self, alert: Mapping[str, Any]) -> AlertRule | None:
        """The rule that a kept alert came of; None if the file no longer has it."""
        return next((rule for rule in self.rules if rule.raised(alert)), None)


class RaisedAlert(Frozen):
    """An alert as it is kept, and who has seen it."""

    id: str
    ticket_id: str
    sla_type: str
    alert_type: str
    escalation_level: int
    triggered_at: Instant
    acknowledged_by: str | None = None
    acknowledged_at: Instant | None = None

    @property
    def in_words(self) -> str:
        clock = self.sla_type.replace("_", " ")
        return f"The {self.alert_type} of {self.ticket_id}'s {clock} (level {self.escalation_level})"


def called_for(clocks: pl.DataFrame, rules: Sequence[AlertRule], as_of: datetime) -> pl.DataFrame:
    """Every alert (schema `ALERTS`) that `clocks` call for as of an instant, raised before or not; each key once."""
    current = clocks.with_columns(pl.col("ticket").cast(pl.String))
    found = [_alerts(current.filter(rule.holds(as_of)), rule, as_of) for rule in rules]
    every = pl.concat([pl.DataFrame(schema=ALERTS), *found])
    return every.unique("dedupe_key", keep="first", maintain_order=True)


def new_alerts(alerts: pl.DataFrame, known: Collection[str]) -> pl.DataFrame:
    """Those of the alerts whose key is not known: an alert is an edge, not a state, and is raised once."""
    return alerts.filter(~pl.col("dedupe_key").is_in(pl.Series(list(known), dtype=pl.String).implode()))


def acknowledge(alert: RaisedAlert, *, by: str, at: datetime) -> tuple[RaisedAlert, list[Event]]:
    """Somebody has seen it and looks after it. Once."""
    if alert.acknowledged_by is not None:
        raise NotAllowed(f"{alert.in_words} was acknowledged by {alert.acknowledged_by} already.")
    data = {"clock": alert.sla_type, "alert_type": alert.alert_type, "level": alert.escalation_level}
    event = Event(ticket_id=alert.ticket_id, kind=Kind.ACKNOWLEDGED, at=at, value=alert.id, actor=by, data=data)
    return alert.model_copy(update={"acknowledged_by": by, "acknowledged_at": at}), [event]


def load_policy(path: str | Path) -> AlertPolicy:
    """An alert file {rules: […], digest: {…}}. Raises BadInput with file, key path and reason."""
    return policy_file.read(path, AlertPolicy, what="file of alert rules")


@cache
def _key_pattern(dedupe_key: str, name: str, level: int) -> re.Pattern[str]:
    """Fits ticket, clock and the key of an alert of this rule about them, with NUL between: no key has one."""
    fields = {"ticket": "(?P=ticket)", "clock": "(?P=clock)", "rule": re.escape(name), "level": str(level)}
    pieces = enumerate(_FIELD.split(dedupe_key))
    key = "".join(fields.get(piece, r"\d+") if i % 2 else re.escape(piece) for i, piece in pieces)
    repeat = "" if "{repeat}" in dedupe_key else r"(:\d+)?"
    return re.compile(rf"(?P<ticket>[^\0]*)\0(?P<clock>[^\0]*)\0{key}{repeat}")


def _seconds(span: pl.Expr) -> pl.Expr:
    return span.dt.total_microseconds() / 1_000_000


def _alerts(rows: pl.DataFrame, rule: AlertRule, as_of: datetime) -> pl.DataFrame:
    return rows.select(
        "ticket",
        pl.col("clock").cast(pl.String),
        pl.col("window").cast(pl.Int32),
        pl.lit(rule.name).alias("rule"),
        pl.lit(rule.alert).alias("alert_type"),
        pl.lit(rule.level, dtype=pl.Int32).alias("level"),
        pl.col("state").cast(pl.String),
        pl.col("due_at").alias("deadline"),
        pl.col("remaining").cast(pl.Float64).alias("remaining_seconds"),
        pl.lit(as_of).cast(UTC_INSTANT).alias("triggered_at"),
        pl.lit(pl.Series([list(rule.recipients)], dtype=pl.List(pl.String))).first().alias("recipients"),
        pl.lit(rule.channel).alias("channel"),
        _key(rule, as_of).alias("dedupe_key"),
    )


def _key(rule: AlertRule, as_of: datetime) -> pl.Expr:
    repetition = rule.repetition(as_of)
    values = {name: pl.col(name).cast(pl.String) for name in ("ticket", "clock", "window")} | {
        "rule": pl.lit(rule.name),
        "level": pl.lit(str(rule.level)),
        "repeat": repetition.cast(pl.String),
    }
    pieces = _FIELD.split(rule.dedupe_key)
    key = pl.concat_str([values[piece] if i % 2 else pl.lit(piece) for i, piece in enumerate(pieces)])
    if rule.repeat is None or "{repeat}" in rule.dedupe_key:
        return key
    return pl.when(repetition == 0).then(key).otherwise(pl.concat_str([key, pl.lit(":"), values["repeat"]]))
