"""The clocks looked at again a minute later: what still runs is evaluated anew, what has come to rest is kept."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from engine.contracts import Frozen
from sla.backlog import Frame
from sla.batch import evaluate
from sla.calendar_files import parse_all
from sla.calendars import Calendar
from sla.contracts import State
from sla.evaluate import whole_second
from sla.policies import parse
from sla.promises import Policies, with_round_the_clock
from sla.zones import EPOCH

_PIECES = 64
"""Columns that lie in more pieces than this are put together again."""

Ids = pl.Series | Collection[Any]


class Pass(NamedTuple):
    """All clocks as of an instant, parted by what time alone can still change. Frames of `contracts.CLOCKS`.

    `ahead` has the epoch second, in `at`, of the next thing that is known of a ticket but hasn't happened yet: its
    creation or its next event.
    """

    as_of: datetime
    fingerprint: str
    running: pl.DataFrame
    at_rest: pl.DataFrame
    ahead: pl.DataFrame

    @property
    def clocks(self) -> pl.DataFrame:
        """The rows that `batch.evaluate` gives, in another order."""
        return pl.concat([self.at_rest, self.running])

    def needs(self, as_of: datetime, fingerprint: str, *, changed: Ids = ()) -> pl.Series | None:
        """The tickets whose rows and whole history the next pass has to see: enough to read for `advance`.

        They have a clock that runs, something known beforehand that comes true by then, or have `changed`. None for
        all tickets: other policies or calendars, an earlier instant, or nothing known so far.
        """
        now = whole_second(as_of)
        dtype = self.running.schema["ticket"]
        if fingerprint != self.fingerprint or now < self.as_of or not len(self.running) + len(self.at_rest):
            return None
        due = self.ahead.filter(pl.col("at") <= _second(now))["ticket"]
        told = (changed if isinstance(changed, pl.Series) else pl.Series(list(changed))).cast(dtype, strict=False)
        return pl.concat([self.running["ticket"], due, told.alias("ticket")]).drop_nulls().unique()


def advance(
    last: Pass | None,
    tickets: Frame,
    events: Frame,
    policies: Policies | Any,
    calendars: Mapping[str, Calendar | Mapping[str, Any]],
    *,
    as_of: datetime,
    changed: Ids = (),
) -> Pass:
    """The clocks as of an instant; equal to `batch.evaluate` of everything, at the cost of what `last.needs`.

    `changed` names the tickets that are new, gone, or have another row or other events than `last` saw, however late
    those came. `tickets` and `events` are all there are, or all of what `last.needs` names; frames of a file or a
    query are best given lazy. Without `last`, and where it needs all tickets, everything given is evaluated. Raises
    BadInput as `batch.evaluate` does.
    """
    policies, calendars = parse(policies), parse_all(calendars)
    mark, now = fingerprint(policies, calendars), whole_second(as_of)
    ids = None if last is None else last.needs(now, mark, changed=changed)
    if ids is not None:
        tickets, events = _those(tickets, "id", ids), _those(events, "ticket", ids)
    rows = evaluate(tickets, events, policies, calendars, now)
    running = rows["ticket"].filter(rows.select(_runs()).to_series()).unique()
    runs = rows["ticket"].is_in(running.implode())
    found = Pass(now, mark, rows.filter(runs), rows.filter(~runs), _ahead(tickets, events, now))
    if last is None or ids is None:
        return found
    woken = ids.filter(~ids.is_in(last.running["ticket"].implode()))
    at_rest = _joined(_without(last.at_rest, woken), found.at_rest)
    return found._replace(at_rest=at_rest, ahead=_joined(_without(last.ahead, ids), found.ahead))


def fingerprint(policies: Policies | Any, calendars: Mapping[str, Calendar | Mapping[str, Any]]) -> str:
    """Differs where policies or calendars say something else; the same in every process.

    It speaks of what they say, not of the time zones and public holidays that come with the program.
    """
    said = _plain([parse(policies), with_round_the_clock(parse_all(calendars))])
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Lists and text only, in an order that doesn't depend on the process."""
    match value:
        case Frozen():
            return _plain({name: getattr(value, name) for name in type(value).model_fields})
        case Calendar():
            return _plain({name: part for name, part in vars(value).items() if not name.startswith("_")})
        case Mapping():
            return sorted([repr(key), _plain(part)] for key, part in value.items())
        case frozenset():
            return sorted(repr(part) for part in value)
        case list() | tuple():
            return [_plain(part) for part in value]
    return repr(value)


def _runs() -> pl.Expr:
    """Time alone changes this row. Without a target or a start only events do."""
    waits = pl.col("state").is_in([State.NO_CLOCK.value, State.NO_TARGET.value])
    return pl.col("stopped_at").is_null() & ~waits


def _those(frame: Frame, column: str, ids: pl.Series) -> pl.DataFrame:
    """The rows of these tickets, in the same order. A frame without the column is left for `evaluate` to refuse."""
    schema = frame.collect_schema()
    if column not in schema:
        return frame.lazy().collect()
    key = pl.col(column) if schema[column] == ids.dtype else pl.col(column).cast(ids.dtype, strict=False)
    return frame.lazy().filter(key.is_in(ids.implode())).collect()


def _ahead(tickets: Frame, events: Frame, now: datetime) -> pl.DataFrame:
    dtype = tickets.collect_schema()["id"]
    coming = pl.concat([_coming(tickets, "id", "created_at", dtype, now), _coming(events, "ticket", "ts", dtype, now)])
    return coming.group_by("ticket").agg(pl.col("at").min())


def _coming(frame: Frame, ticket: str, instant: str, dtype: pl.DataType, now: datetime) -> pl.DataFrame:
    at = pl.col(instant)
    if frame.collect_schema()[instant] == pl.Null:
        at = at.cast(pl.Datetime("us"))
    rows = frame.lazy().select(ticket=pl.col(ticket).cast(dtype, strict=False), at=at.dt.epoch("us") // 1_000_000)
    return rows.filter(pl.col("at") > _second(now), pl.col("ticket").is_not_null()).collect()


def _second(at: datetime) -> int:
    return int((at - EPOCH).total_seconds())


def _without(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    gone = rows["ticket"].is_in(ids.implode())
    return rows.filter(~gone) if gone.any() else rows


def _joined(kept: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    if not len(fresh):
        return kept
    rows = pl.concat([kept, fresh])
    return rows.rechunk() if rows.n_chunks() > _PIECES else rows
