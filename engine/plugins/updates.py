"""An event log, one row per update, becomes tickets with the history that the rows tell.

What is read from the rows of one ticket, ordered by the update's instant, its number and its place in the file:
- created at the mapped `created_at`, else at its first row, as new, with the priority, tier and type of the first row;
- status, priority, tier, type, group and assignee change at the instant of the first row that shows the new value; an
  empty status, priority, tier or type is that of the row before;
- if the mapping says `first_response: first_touch`, the first response is the first sign of work: the first row whose
  status is not new, or the first later row with another assignee (taking the call and writing the ticket down is not
  yet a response);
- resolved and closed are when the rows first show it for good, so that ticket and history always agree; a source's
  own `resolved_at` or `closed_at` that differs is kept in `external_metadata["reported"]`;
- an update made before the creation counts from the creation, its own instant is kept in the event's data;
- `end_facts` are kept apart under `external_metadata["known_at_the_end"]`;
- a ticket of which a row was refused is held back: half a history is none.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from engine import lifecycle
from engine.contracts import Event, Kind, Rejected, Responses, SlaEffect, StandardTicket, Status
from engine.plugins import cells, spreadsheet_habits, ticket_rows
from engine.plugins.cells import FIELD, ORDER, UPDATED
from engine.plugins.mapping import ENUMS, TicketMapping
from engine.plugins.tables import ROW, Faulty

KEY, CREATED = f"{FIELD}ticket_id", f"{FIELD}created_at"
AT, ACTOR, FIRST = f"{FIELD}(at)", f"{FIELD}(actor)", f"{FIELD}(first)"
DEFAULTS = {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}
FOLLOWED = {
    "priority": Kind.PRIORITY,
    "tier": Kind.TIER,
    "type": Kind.TYPE,
    "group": Kind.GROUP,
    "assignee": Kind.ASSIGNEE,
    "status": Kind.STATUS,
}
"""Fields whose changes are history, in the order in which changes of one row come."""

RESPONSE = f"{FIELD}(response)"


class TicketHistory(NamedTuple):
    ticket: StandardTicket
    events: list[Event]


def histories(
    good: pl.DataFrame, refused: Sequence[Rejected], mapping: TicketMapping, origin: str
) -> tuple[list[TicketHistory], list[Rejected]]:
    """Tickets with their histories from typed cells (`ticket_rows.typed`), in the order of first appearance;
    `refused` are the rows that could not be read."""
    rows = _ordered(good, mapping)
    strange = rows.filter(pl.col(CREATED) != pl.col(CREATED).first().over(KEY))
    refused = [*refused, *(_contradiction(row, mapping, origin) for row in strange.iter_rows(named=True))]
    lengths = dict(good.group_by(KEY).len().iter_rows())
    rejected, held = held_back(refused, mapping.columns["ticket_id"], lengths, odd=strange[KEY].to_list())
    rows = rows.filter(~pl.col(KEY).is_in(list(held))) if held else rows
    rows = rows.with_columns(pl.int_range(pl.len()).over(KEY).eq(0).alias(FIRST))
    changes = _changes(rows, mapping)
    ticket_histories: list[TicketHistory] = []
    for group in _groups(rows, changes, ticket_rows.extra_columns(rows, mapping)):
        made = _ticket_history(group, mapping)
        if isinstance(made, str):
            rejected.append(_refused(group.last, made, mapping, origin))
        else:
            ticket_histories.append(made)
    return ticket_histories, rejected


def held_back(
    refused: Iterable[Rejected], column: str, good: Mapping[str, int], *, odd: Sequence[str] = ()
) -> tuple[list[Rejected], set[str]]:
    """One refusal for each ticket, the first with the count, and those tickets; rows that name none stand for
    themselves. `good` counts the rows of each ticket that could be read, `odd` names the ticket of each read row that
    is refused all the same."""
    by_ticket: dict[str, list[Rejected]] = {}
    rejected: list[Rejected] = []
    for each in sorted(refused, key=lambda each: each.row or 0):
        key = str(each.content.get(column) or "").strip()
        alone = not key or spreadsheet_habits.is_total(key)
        (rejected if alone else by_ticket.setdefault(key, [])).append(each)
    for key, rows in by_ticket.items():
        number = good.get(key, 0) + len(rows) - odd.count(key)
        what = f"ticket {key} is held back: {len(rows)} of its {number} rows can't be read"
        rejected.append(rows[0].model_copy(update={"reason": f"{rows[0].reason}; {what}"}))
    return rejected, set(by_ticket)


class _Group(NamedTuple):
    """One ticket's first and last row, its changes, and the names of its other columns."""

    first: dict[str, Any]
    last: dict[str, Any]
    changes: list[dict[str, Any]]
    extra: list[str]


def _ordered(good: pl.DataFrame, mapping: TicketMapping) -> pl.DataFrame:
    actor = mapping.updates.actor if mapping.updates else None
    missing = [f for f in FOLLOWED if f not in mapping.columns]
    created = pl.col(CREATED) if CREATED in good.columns else pl.col(UPDATED).min().over(KEY)
    rows = good.with_columns(
        created.alias(CREATED),
        pl.max_horizontal(UPDATED, created).alias(AT),
        (pl.col(actor) if actor else pl.lit(None, pl.String)).alias(ACTOR),
        (pl.col(ORDER) if ORDER in good.columns else pl.lit(None, pl.Int64)).alias(ORDER),
        pl.col(ROW).min().over(KEY).alias(f"{FIELD}(place)"),
        *(pl.lit(mapping.constants.get(f), pl.String).alias(FIELD + f) for f in missing),
    )
    rows = rows.sort(f"{FIELD}(place)", UPDATED, ORDER, ROW, nulls_last=True, maintain_order=True)
    known = {f: pl.when(pl.col(FIELD + f) != cells.NOTHING).then(pl.col(FIELD + f)) for f in DEFAULTS}
    return rows.with_columns(
        known[f].forward_fill().over(KEY).fill_null(default).alias(FIELD + f) for f, default in DEFAULTS.items()
    )


def _changes(rows: pl.DataFrame, mapping: TicketMapping) -> dict[str, list[dict[str, Any]]]:
    """What changed in which row, by ticket."""
    parts = [_change(rows, field, place) for place, field in enumerate(FOLLOWED, start=1)]
    if mapping.first_response == "first_touch":
        parts.append(_first_sign_of_work(rows))
    changes = pl.concat(parts).sort("n", "place")
    found: dict[str, list[dict[str, Any]]] = {}
    for change in changes.iter_rows(named=True):
        found.setdefault(change["key"], []).append(change)
    return found


def _change(rows: pl.DataFrame, field: str, place: int) -> pl.DataFrame:
    value, first = pl.col(FIELD + field), pl.col(FIRST)
    differs = value.ne_missing(value.shift().over(KEY))
    at_first = {"status": value != Status.NEW, "group": value.is_not_null(), "assignee": value.is_not_null()}
    is_change = pl.when(first).then(at_first.get(field, pl.lit(value=False))).otherwise(differs)
    return _as_changes(rows, is_change, value, field, place)


def _first_sign_of_work(rows: pl.DataFrame) -> pl.DataFrame:
    assignee = pl.col(f"{FIELD}assignee")
    taken = ~pl.col(FIRST) & assignee.is_not_null() & assignee.ne_missing(assignee.shift().over(KEY))
    sign = (pl.col(f"{FIELD}status") != Status.NEW) | taken
    return _as_changes(rows, sign & (sign.cast(pl.Int32).cum_sum().over(KEY) == 1), pl.lit(None), RESPONSE, 5.5)


def _as_changes(rows: pl.DataFrame, is_change: pl.Expr, value: pl.Expr, field: str, place: float) -> pl.DataFrame:
    return (
        rows.with_row_index("n")
        .with_columns(pl.col(FIELD + field).shift().over(KEY).alias("before") if field in FOLLOWED else _nothing())
        .filter(is_change)
        .select(
            "n",
            pl.col(KEY).alias("key"),
            pl.lit(float(place)).alias("place"),
            pl.lit(field).alias("field"),
            value.cast(pl.String).alias("value"),
            "before",
            pl.col(AT).alias("at"),
            pl.col(UPDATED).alias("reported_at"),
            pl.col(ACTOR).alias("actor"),
        )
    )


def _nothing() -> pl.Expr:
    return pl.lit(None, pl.String).alias("before")


def _groups(rows: pl.DataFrame, changes: dict[str, list[dict[str, Any]]], extra: list[str]) -> Iterator[_Group]:
    by_ticket = rows.group_by(KEY, maintain_order=True)
    firsts, lasts = by_ticket.first(), by_ticket.last()
    for first, last in zip(firsts.iter_rows(named=True), lasts.iter_rows(named=True), strict=True):
        yield _Group(first, last, changes.get(first[KEY], []), extra)


def _ticket_history(group: _Group, mapping: TicketMapping) -> TicketHistory | str:
    key = f"{mapping.source}:{group.first[KEY]}"
    created = {name: group.first[FIELD + name] for name in ENUMS} | {"status": Status.NEW.value}
    events = [
        Event(
            ticket_id=key,
            kind=Kind.CREATED,
            at=group.first[CREATED],
            actor=mapping.source,
            sla_effect=SlaEffect.START,
            data=created,
            id=f"{key}/created",
        ),
        *_events(key, group.changes, mapping.source),
    ]
    answered = group.last.get(f"{FIELD}first_response_at")
    if mapping.responses == Responses.COLUMN and answered is not None:
        name = _name(key, Kind.RESPONSE, None, answered)
        events.append(Event(ticket_id=key, kind=Kind.RESPONSE, at=answered, actor=mapping.source, id=name))
    state = lifecycle.replay(created, events)
    reported = {name: group.last.get(FIELD + name) for name in ("resolved_at", "closed_at")}
    known = {name: getattr(state, name) for name in ("first_response_at", "resolved_at", "closed_at")}
    final = {**known, "updated_at": group.last[AT], "created_at": group.first[CREATED]}
    ticket = ticket_rows.ticket_of(
        ticket_rows.values_of(group.last, mapping) | final,
        mapping,
        _metadata(group, mapping, {n: at for n, at in reported.items() if at is not None and at != known[n]}),
    )
    return ticket if isinstance(ticket, str) else TicketHistory(ticket, events)


def _metadata(group: _Group, mapping: TicketMapping, reported: dict[str, datetime]) -> dict[str, Any]:
    end_facts = mapping.updates.end_facts if mapping.updates else ()
    metadata: dict[str, Any] = {c: group.first[c] for c in group.extra if group.first[c] is not None}
    metadata |= ticket_rows.dropped(group.last) | ticket_rows.personal(group.last, mapping)
    if facts := {c: group.last[c] for c in end_facts if group.last.get(c) is not None}:
        metadata["known_at_the_end"] = facts
    if reported:
        metadata["reported"] = {name: at.isoformat() for name, at in reported.items()}
    return metadata


def _events(key: str, changes: list[dict[str, Any]], source: str) -> Iterator[Event]:
    status = Status.NEW
    seen: Counter[str] = Counter()
    for change in changes:
        kind = FOLLOWED.get(change["field"], Kind.RESPONSE)
        effect = _effect(kind, status, change["value"])
        if kind == Kind.STATUS:
            status = Status(change["value"])
        late = change["reported_at"] != change["at"]
        name = _name(key, kind, change["value"], change["at"])
        seen[name] += 1
        yield Event(
            ticket_id=key,
            kind=kind,
            at=change["at"],
            value=change["value"],
            actor=change["actor"] or source,
            sla_effect=effect,
            data={"reported_at": change["reported_at"].isoformat()} if late else {},
            id=name if seen[name] == 1 else f"{name}/{seen[name]}",
        )


def _effect(kind: Kind, status: Status, value: str | None) -> SlaEffect:
    if kind == Kind.STATUS and value is not None:
        return lifecycle.sla_effect(status, Status(value))
    rebased = kind in (Kind.PRIORITY, Kind.TIER, Kind.TYPE) and status not in lifecycle.DONE
    return SlaEffect.REBASE if rebased else SlaEffect.NONE


def _name(key: str, kind: Kind, value: str | None, at: datetime) -> str:
    """The same fact read again, from this or a longer log, has the same id."""
    what = kind.value if value is None else value if kind == Kind.STATUS else f"{kind}={value}"
    return f"{key}/{what}/{at.isoformat()}"


def _contradiction(row: dict[str, Any], mapping: TicketMapping, origin: str) -> Rejected:
    reason = f"column {mapping.columns['created_at']} differs from the first row of {row[KEY]}"
    return _refused(row, reason, mapping, origin)


def _refused(row: dict[str, Any], reason: str, mapping: TicketMapping, origin: str) -> Rejected:
    return ticket_rows.refused(mapping, origin, Faulty(row[ROW], reason, ticket_rows.content_of(row)))
