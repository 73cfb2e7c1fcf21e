"""Who has to be told about a clock: warnings before a breach and the breach itself, each told once."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import Field, ValidationError, field_validator

from engine.contracts import Frozen
from engine.datafiles import read_yaml
from engine.errors import BadInput
from sla.contracts import UTC_INSTANT, Clock, State

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
DEDUPE_KEY = "{ticket}:{clock}:{window}:{rule}"

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


class AlertRule(Frozen):
    """When to tell whom. `value` is per cent for pct_remaining, else a time in `unit`.

    A warning is for a clock that runs, is not paused and not yet breached; a breach for a clock in that state, whether
    it runs or was stopped late. before_due 0 on a breach means: as soon as it is one. since_event counts from the start
    of the window, or from its due instant. `calendar` says whether time is counted on the clock's own calendar or on
    the wall; time since the due instant is on the clock's calendar what it is over target. {ticket}, {clock},
    {window}, {rule} and {level} stand in `dedupe_key`: what has been sent under a key is never sent again.
    """

    name: str = Field(min_length=1)
    clock: tuple[Clock, ...] = (Clock.FIRST_RESPONSE, Clock.RESOLUTION)
    trigger: Literal["pct_remaining", "before_due", "since_event"]
    value: float = Field(ge=0)
    unit: Literal["seconds", "minutes", "hours", "days"] = "minutes"
    event: Literal["window_start", "due_at"] = "window_start"
    calendar: Literal["clock", "wall"] = "clock"
    alert: Literal["warning", "breach"]
    level: int = Field(ge=1)
    recipients: tuple[str, ...] = ()
    channel: str = "console"
    dedupe_key: str = DEDUPE_KEY

    @field_validator("clock", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("dedupe_key")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        try:
            value.format(ticket="", clock="", window=1, rule="", level=1)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("only {ticket}, {clock}, {window}, {rule} and {level} may stand in it") from error
        return value

    def holds(self, as_of: datetime) -> pl.Expr:
        """Whether this rule speaks about a row of clocks."""
        breached = pl.col("state").cast(pl.String) == State.BREACHED.value
        running = pl.col("state").cast(pl.String).is_in([State.ON_TRACK.value, State.AT_RISK.value])
        in_state = breached if self.alert == "breach" else running & ~pl.col("is_paused")
        mine = pl.col("clock").cast(pl.String).is_in([clock.value for clock in self.clock])
        return mine & pl.col("is_current") & in_state & self._due(as_of).fill_null(value=False)

    def _due(self, as_of: datetime) -> pl.Expr:
        time = self.value * _UNITS[self.unit]
        wall = timedelta(seconds=time)
        match self.trigger, self.event, self.calendar:
            case "pct_remaining", _, _:
                return pl.col("remaining") * 100 <= pl.col("target") * self.value
            case "before_due", _, "clock":
                return pl.col("remaining") <= time
            case "before_due", _, _:
                return pl.col("due_at") - pl.lit(as_of) <= wall
            case _, "window_start", "clock":
                return pl.col("elapsed") >= time
            case _, "due_at", "clock":
                return -pl.col("remaining") >= time
            case _, event, _:
                return pl.lit(as_of) - pl.col(event) >= wall


def new_alerts(
    clocks: pl.DataFrame, rules: Sequence[AlertRule], known: Collection[str], as_of: datetime
) -> pl.DataFrame:
    """The alerts (schema `ALERTS`) that `clocks` call for and that were not sent before; `known` are the keys sent.

    Asking again with their keys known gives nothing: an alert is an edge, not a state.
    """
    current = clocks.with_columns(pl.col("ticket").cast(pl.String))
    found = [_alerts(current.filter(rule.holds(as_of)), rule, as_of) for rule in rules]
    every = pl.concat([pl.DataFrame(schema=ALERTS), *found])
    fresh = every.filter(~pl.col("dedupe_key").is_in(pl.Series(list(known), dtype=pl.String).implode()))
    return fresh.unique("dedupe_key", keep="first", maintain_order=True)


def load(path: str | Path) -> list[AlertRule]:
    """The rules of a YAML file {rules: […]}. Raises BadInput with file, key path and reason."""
    file = Path(path)
    content = read_yaml(file, what="file of alert rules")
    listed = content.get("rules") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise BadInput(f"{file}: rules: expected a list of alert rules")
    rules = [_rule(rule, f"{file}: rules[{i}]") for i, rule in enumerate(listed)]
    names = [rule.name for rule in rules]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise BadInput(f"{file}: rules: two are named {repeated[0]!r}; one would silence the other")
    return rules


def _rule(content: Any, where: str) -> AlertRule:
    try:
        return AlertRule.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join([where, *(str(part) for part in first["loc"])])
        raise BadInput(f"{path}: {first['msg']}, got {first['input']!r}") from error


def _alerts(rows: pl.DataFrame, rule: AlertRule, as_of: datetime) -> pl.DataFrame:
    key = rule.dedupe_key.replace("{rule}", rule.name).replace("{level}", str(rule.level))
    parts = key.replace("{ticket}", "\0ticket\0").replace("{clock}", "\0clock\0").replace("{window}", "\0window\0")
    pieces = [
        pl.col(part).cast(pl.String) if part in ("ticket", "clock", "window") and i % 2 else pl.lit(part)
        for i, part in enumerate(parts.split("\0"))
    ]
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
        pl.concat_str(pieces).alias("dedupe_key"),
    )
