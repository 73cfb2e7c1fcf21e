"""Tickets as they stood at an instant: the state of a whole backlog recomputed from what had happened by then."""

from datetime import datetime

import polars as pl

from engine.contracts import OPEN_STATUSES, Kind, Status

_FOLLOWED = ("status", "priority", "tier", "type")
_PLACED = {"group_id": ("group", (Kind.GROUP, Kind.ALLOCATED)), "assignee_id": ("assignee", (Kind.ASSIGNEE,))}
_UNNOTICED = (Kind.CLASSIFIED, Kind.DRAFTED, Kind.ALERT, Kind.ACKNOWLEDGED, Kind.REMINDER, Kind.ALLOCATED)
"""What the desk notes about a ticket by itself; the ticket is not updated by it."""


def tickets_as_of(tickets: pl.DataFrame, events: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The tickets created by `as_of` as they stood then: the same columns and order, from the store's two tables.

    A ticket to which nothing happened since is as the store has it. Of the others, status, priority, tier, type,
    owner, group, assignee, escalation and the instants of first response, acceptance, resolution, closing and last
    update follow from the events up to then, by the rules of `lifecycle.replay`; before the first event that names a
    group or assignee it is the one named at creation, if any. What changes without an event of its own (subject,
    tags, …) is shown as it is now.
    """
    known = tickets.filter(pl.col("created_at") <= as_of)
    has_later = events.filter(pl.col("at") > as_of).select(id="ticket_id").unique()
    moved = known.filter((pl.col("updated_at") > as_of) | pl.col("id").is_in(has_later["id"].implode()))
    if moved.is_empty():
        return known
    ours = events.join(moved.select(ticket_id="id"), on="ticket_id", how="semi").sort("ticket_id", "at", "version")
    past = ours.filter(pl.col("at") <= as_of)
    stood = moved.select("id", "created_at", *(f"created_{name}" for name in _FOLLOWED))
    for part in (_told(past), _ends(moved, past), _placed(moved, ours, as_of)):
        stood = stood.join(part, on="id", how="left")
    stood = stood.with_columns(
        *(pl.coalesce(name, f"created_{name}").alias(name) for name in _FOLLOWED),
        updated_at=pl.max_horizontal("updated_at", "created_at"),
        owner_id=pl.coalesce("transferred", "accepted_by"),
        escalated=pl.col("escalated").fill_null(value=False),
    )
    return known.update(stood.select(n for n in stood.columns if n in known.columns), on="id", include_nulls=True)


def _told(past: pl.DataFrame) -> pl.DataFrame:
    """Per ticket (`id`) what its events so far say outright."""
    kind, at, value = pl.col("kind"), pl.col("at"), pl.col("value")
    accepted = (kind == Kind.ACCEPTED) & value.is_not_null()
    opened, completed = (value.filter(kind == k).drop_nulls() for k in (Kind.ENVELOPE_OPENED, Kind.ENVELOPE_COMPLETED))
    return past.group_by(id="ticket_id", maintain_order=True).agg(
        *(value.filter(kind == name).drop_nulls().last().alias(name) for name in _FOLLOWED),
        first_response_at=at.filter(kind == Kind.RESPONSE).first(),
        accepted_by=value.filter(accepted).first(),
        accepted_at=at.filter(accepted).first(),
        transferred=value.filter(kind == Kind.TRANSFERRED).drop_nulls().last(),
        updated_at=at.filter(~kind.is_in(_UNNOTICED)).max(),
        escalated=opened.unique().is_in(completed.implode()).not_().any(),
    )


def _ends(moved: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """Per ticket `resolved_at` and `closed_at`: a reopen clears both, closing keeps when it was resolved."""
    moves = past.filter((pl.col("kind") == Kind.STATUS) & pl.col("value").is_not_null())
    born = moved.select("id", "created_status")
    status, before = pl.col("value"), pl.col("before")
    steps = (
        moves.select("at", "value", id="ticket_id")
        .join(born, on="id")
        .with_columns(before=pl.coalesce(status.shift(1).over("id"), "created_status"))
        .with_columns(reopened=status.is_in([s.value for s in OPEN_STATUSES]).cum_sum(reverse=True).over("id"))
    )
    last_run = steps.filter((pl.col("reopened") == 0) & (status != before))
    return last_run.group_by("id", maintain_order=True).agg(
        resolved_at=pl.col("at").filter(status == Status.RESOLVED).last(),
        closed_at=pl.col("at").filter(status == Status.CLOSED).last().filter(status.last() == Status.CLOSED).first(),
    )


_moves_it = (pl.col("kind") != Kind.ALLOCATED) | pl.col("value").is_not_null()
"""A decision to wait leaves the group as it is."""


def _placed(moved: pl.DataFrame, ours: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Per ticket the group and assignee in force: the last one named, else as created, else (never changed) as now."""
    placed = moved.select("id", now_group_id="group_id", now_assignee_id="assignee_id")
    for column, (word, kinds) in _PLACED.items():
        named = ours.filter(pl.col("kind").is_in(kinds) & _moves_it)
        by_then = named.filter(pl.col("at") <= as_of).group_by(id="ticket_id", maintain_order=True)
        at_birth = ours.filter(pl.col("kind") == Kind.CREATED).group_by(id="ticket_id", maintain_order=True)
        placed = (
            placed.join(by_then.agg(named=pl.col("value").last(), is_named=pl.lit(value=True)), on="id", how="left")
            .join(at_birth.agg(born=pl.col("data").first().str.json_path_match(f"$.{word}")), on="id", how="left")
            .with_columns(is_moved=pl.col("id").is_in(named["ticket_id"].unique().implode()))
            .with_columns(
                pl.when(pl.col("is_named"))
                .then("named")
                .when("is_moved")
                .then("born")
                .otherwise(f"now_{column}")
                .alias(column)
            )
            .drop("named", "is_named", "born", "is_moved")
        )
    return placed.select("id", *_PLACED)
