"""How every ticket stood from one event to the next: status, holder, group and what else its history decides."""

from datetime import datetime

import polars as pl

from engine.contracts import OPEN_STATUSES, Kind, Status

_INSTANT = pl.Datetime("us", "UTC")

STANDINGS = pl.Schema(
    {
        "ticket": pl.String(),
        "place": pl.UInt32(),  # order within the ticket, 0 for its creation
        "since": _INSTANT,  # whole seconds; never before the creation
        "until": _INSTANT,  # the next row's `since`; null: still so
        "kind": pl.String(),  # of the event it began with
        "value": pl.String(),  # of that event; of the creation the first status
        "actor": pl.String(),  # of that event
        "status": pl.String(),
        "holder": pl.String(),  # the agent who has it; null: nobody
        "group_id": pl.String(),
        "priority": pl.String(),
        "tier": pl.String(),
        "type": pl.String(),
        "hold": pl.String(),  # reason of an approved pause, "" without one; null: no pause
    }
)

_SETTING = ("status", "priority", "tier", "type")
HOLDING = (Kind.ASSIGNEE, Kind.ACCEPTED, Kind.TRANSFERRED, Kind.RELEASED)
"""The kinds that say who has the ticket."""
_GROUPING = (Kind.GROUP, Kind.ALLOCATED)
_MOVING = (*_SETTING, *HOLDING, *_GROUPING, Kind.RESPONSE, Kind.PAUSE, Kind.RESUME)
_NEED_VALUE = (*_SETTING, Kind.ALLOCATED)
"""Without a value they move nothing: a decision to wait leaves the group as it is."""
_UNNOTICED = (
    Kind.CLASSIFIED, Kind.DRAFTED, Kind.ALERT, Kind.ACKNOWLEDGED, Kind.REMINDER, Kind.RULE, Kind.ALLOCATED
)  # fmt: skip
"""What the desk notes about a ticket by itself; the ticket is not updated by it."""
HISTORY_KINDS = frozenset(Kind) - (frozenset(_UNNOTICED) - {Kind.ALLOCATED})
"""The kinds of events from which it follows how a ticket stands or stood."""
OPEN = sorted(OPEN_STATUSES)
_STOPPED = sorted(set(Status) - OPEN_STATUSES)


def standings(tickets: pl.DataFrame, events: pl.DataFrame, as_of: datetime | None) -> pl.DataFrame:
    """Every ticket after its creation and after each event that moves it, up to `as_of`: the frame `STANDINGS`.

    `tickets` and `events` are the store's tables, with the ticket's key as `ticket`; tickets come in their order.
    Instants count to the whole second, within one by version; what happened before the creation happened with it. A
    stop ends an approved pause, and what is stopped can't be paused. Before the first event that names a group or
    an assignee it is the one named at creation; where none ever does, the ticket's own.
    """
    born = tickets.with_row_index("row").with_columns(created=_second(pl.col("created_at")))
    own = events.filter(pl.col("kind").is_in([Kind.CREATED, *_MOVING])).join(
        born.select("ticket", "row", "created"), on="ticket"
    )
    needs_value = pl.col("kind").is_in(_NEED_VALUE) & pl.col("value").is_null()
    moves = own.filter((pl.col("kind") != Kind.CREATED) & ~needs_value).select(
        "row", "ticket", "created", "version", "kind", "value", "actor", at=_second(pl.col("at"))
    )
    every = pl.concat([_creations(born, own, moves), moves], how="diagonal")
    every = every.with_columns(since=pl.max_horizontal("at", "created"))
    if as_of is not None:
        every = every.filter(pl.col("since") <= _second(pl.lit(as_of, _INSTANT)))
    return _carried(every.sort("row", "at", "version")).select(
        pl.col(name).cast(dtype) for name, dtype in STANDINGS.items()
    )


def _second(instant: pl.Expr) -> pl.Expr:
    return instant.dt.truncate("1s").cast(_INSTANT)


def _creations(born: pl.DataFrame, own: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
    """A row a ticket with what it was created as; without an instant `at`, so that it sorts before its events."""
    creations = own.filter(pl.col("kind") == Kind.CREATED).sort("row", "at", "version").unique("row", keep="first")
    at_birth = creations.select("row", "actor", *(_data(name).alias(f"{name}_born") for name in ("group", "assignee")))
    rows = {
        f"is_{name}_named": moves.filter(pl.col("kind").is_in(kinds))["row"].unique().implode()
        for name, kinds in (("group", _GROUPING), ("assignee", (Kind.ASSIGNEE,)))
    }
    named = {name: pl.col("row").is_in(found) for name, found in rows.items()}
    return (
        born.with_columns(**named)
        .join(at_birth, on="row", how="left")
        .select(
            "row",
            "ticket",
            "created",
            "actor",
            *(pl.col(f"created_{name}").alias(name) for name in _SETTING),
            kind=pl.lit(Kind.CREATED.value),
            value="created_status",
            holder=pl.when("is_assignee_named").then("assignee_born").otherwise("assignee_id"),
            group_id=pl.when("is_group_named").then("group_born").otherwise("group_id"),
        )
    )


def _data(name: str) -> pl.Expr:
    return pl.col("data").str.json_path_match(f"$.{name}")


def _carried(every: pl.DataFrame) -> pl.DataFrame:
    """Each row with all that holds after it; `every` begins each ticket with its creation."""
    kind, value, is_first = pl.col("kind"), pl.col("value"), pl.col("kind") == Kind.CREATED
    holder = (
        pl.when(kind == Kind.ACCEPTED)
        .then(pl.coalesce("value", "actor"))
        .when(is_first)
        .then("holder")
        .when(kind != Kind.RELEASED)
        .then("value")
    ).replace("", None)
    group = pl.when(is_first).then("group_id").otherwise("value")
    settings = {name: pl.when(kind == name).then(value).otherwise(name).forward_fill() for name in _SETTING}
    placed = every.with_columns(
        **settings,
        holder=_since_last(is_first | kind.is_in(HOLDING), holder),
        group_id=_since_last(is_first | kind.is_in(_GROUPING), group),
        until=pl.when(~is_first.shift(-1)).then(pl.col("since").shift(-1)),
        place=_index() - pl.when(is_first).then(_index()).forward_fill(),
    )
    is_stopped = pl.col("status").is_in(_STOPPED)
    pauses = (kind == Kind.PAUSE) & ~is_stopped
    ends = is_first | (kind == Kind.RESUME) | ((kind == Kind.STATUS) & is_stopped)
    return placed.with_columns(hold=_since_last(pauses | ends, pl.when(pauses).then(value.fill_null(""))))


def _index() -> pl.Expr:
    return pl.int_range(pl.len(), dtype=pl.Int64)


def _since_last(sets: pl.Expr, value: pl.Expr) -> pl.Expr:
    """The value of the last row that sets it, null where that one sets nothing."""
    return value.gather(pl.when(sets).then(_index()).forward_fill())


def tickets_as_of(
    tickets: pl.DataFrame, events: pl.DataFrame, standings: pl.DataFrame, as_of: datetime
) -> pl.DataFrame:
    """The tickets created by `as_of` as they stood then: the same columns and order, from the store's two tables.

    A ticket to which nothing happened since is as the store has it. Of the others, status, priority, tier, type, group
    and assignee are those of the `standings` as of then; owner, escalation and the instants of first response,
    acceptance, resolution, closing and last update follow from the events up to then, by the rules of
    `lifecycle.replay`. What changes without an event of its own (subject, tags, …) is shown as it is now.
    """
    known = tickets.filter(pl.col("created_at") <= as_of)
    has_later = events.filter(pl.col("at") > as_of)["ticket"].unique()
    moved = known.filter((pl.col("updated_at") > as_of) | pl.col("ticket").is_in(has_later.implode()))
    if moved.is_empty():
        return known
    at = _second(pl.col("at"))
    past = (
        events.filter(at <= _second(pl.lit(as_of, _INSTANT)))
        .join(moved.select("ticket"), on="ticket", how="semi")
        .sort("ticket", at, "version")
    )
    stood = moved.select("ticket", "created_at")
    for part in (_in_force(standings), _history(past), _ends(moved, past)):
        stood = stood.join(part, on="ticket", how="left")
    stood = stood.with_columns(
        updated_at=pl.max_horizontal("updated_at", "created_at"),
        owner_id=pl.coalesce("transferred", "accepted_by"),
        escalated=pl.col("escalated").fill_null(value=False),
    )
    ours = [name for name in stood.columns if name in known.columns]
    return known.update(stood.select(ours), on="ticket", include_nulls=True)


def volume(moves: pl.DataFrame) -> pl.DataFrame:
    """Per day from the first ticket to the last that came or went: how many of each of `moves`, and `open_at_end`."""
    counted = moves.group_by("day").agg((pl.col("move") == name).sum().cast(pl.Int64).alias(name) for name in MOVES)
    counted = counted.sort("day")
    if not counted.is_empty():
        counted = counted.upsample("day", every="1d").with_columns(pl.col(*MOVES).fill_null(0))
    moved = pl.col("created") - pl.col("resolved") + pl.col("reopened") - pl.col("left_out")
    return counted.with_columns(open_at_end=moved.cum_sum())


MOVES = ("created", "resolved", "reopened", "left_out")


def moves(standings: pl.DataFrame, left_out: pl.DataFrame, *, time_zone: str = "UTC") -> pl.DataFrame:
    """Each time a ticket came or went: `ticket`, `day` of the time zone, `move` (one of MOVES).

    Every end counts on its day, whatever comes later; a ticket closed without being resolved counts as resolved then.
    `left_out` (ticket, is_end_known) names ended tickets that are not to count as resolved: their last end counts as
    left out, one at an unknown instant on the day of its creation.
    """
    day = pl.col("since").dt.convert_time_zone(time_zone).dt.date()
    is_first = pl.col("place") == 0
    came = (
        standings.filter(is_first | (pl.col("kind") == Kind.STATUS))
        .with_columns(day=day, is_open=pl.col("status").is_in(OPEN))
        .with_columns(was_open=pl.when(is_first).then(pl.lit(value=True)).otherwise(pl.col("is_open").shift(1)))
        .join(left_out, on="ticket", how="left")
    )
    is_end = pl.col("was_open") & ~pl.col("is_open")
    stays = pl.col("is_open").cum_sum(reverse=True).over("ticket") == 0
    is_left_out = is_end & stays & pl.col("is_end_known").is_not_null()
    kinds = {
        "created": is_first,
        "resolved": is_end & ~is_left_out,
        "reopened": ~pl.col("was_open") & pl.col("is_open"),
    }
    left = came.with_columns(born=pl.col("day").first().over("ticket")).filter(is_left_out)
    left = left.select("ticket", day=pl.when("is_end_known").then("day").otherwise("born"))
    parts = {name: came.filter(rows).select("ticket", "day") for name, rows in kinds.items()} | {"left_out": left}
    return pl.concat(frame.with_columns(move=pl.lit(name)) for name, frame in parts.items())


def _in_force(standings: pl.DataFrame) -> pl.DataFrame:
    """Per ticket the last standing's columns of the ticket; the assignee is who was last assigned, held or not."""
    assigned = pl.col("holder").filter(pl.col("kind").is_in([Kind.CREATED, Kind.ASSIGNEE]))
    return standings.group_by("ticket").agg(pl.col(*_SETTING, "group_id").last(), assignee_id=assigned.last())


def _history(past: pl.DataFrame) -> pl.DataFrame:
    """Per ticket what else its events so far say outright."""
    kind, at, value = pl.col("kind"), pl.col("at"), pl.col("value")
    accepted = (kind == Kind.ACCEPTED) & value.is_not_null()
    opened, completed = (value.filter(kind == k).drop_nulls() for k in (Kind.ENVELOPE_OPENED, Kind.ENVELOPE_COMPLETED))
    return past.group_by("ticket", maintain_order=True).agg(
        first_response_at=at.filter(kind == Kind.RESPONSE).first(),
        accepted_by=value.filter(accepted).first(),
        accepted_at=pl.when(_data("undated_after").is_null()).then(at).filter(accepted).first(),
        transferred=value.filter(kind == Kind.TRANSFERRED).drop_nulls().last(),
        updated_at=at.filter(~kind.is_in(_UNNOTICED)).max(),
        escalated=opened.unique().is_in(completed.implode()).not_().any(),
    )


def _ends(moved: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """Per ticket `resolved_at` and `closed_at`: a reopen clears both, closing keeps when it was resolved."""
    status, before = pl.col("value"), pl.col("before")
    steps = (
        past.filter((pl.col("kind") == Kind.STATUS) & status.is_not_null())
        .select("ticket", "value", at=pl.when(_data("undated_after").is_null()).then("at"))
        .join(moved.select("ticket", "created_status"), on="ticket")
        .with_columns(before=pl.coalesce(status.shift(1).over("ticket"), "created_status"))
        .with_columns(reopened=status.is_in(OPEN).cum_sum(reverse=True).over("ticket"))
    )
    last_run = steps.filter((pl.col("reopened") == 0) & (status != before))
    return last_run.group_by("ticket", maintain_order=True).agg(
        resolved_at=pl.col("at").filter(status == Status.RESOLVED).last(),
        closed_at=pl.col("at").filter(status == Status.CLOSED).last().filter(status.last() == Status.CLOSED).first(),
    )
