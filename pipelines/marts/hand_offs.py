"""Every hand-over of a ticket from one group to another, and how long it lay there before somebody had it."""

import dataframely as dy
import polars as pl

from engine.standings import HOLDING, OPEN
from pipelines.marts import columns as col
from pipelines.marts.attainment import SECONDS
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class HandOffs(dy.Schema):
    ticket = col.ticket()
    reference = col.reference()
    at = col.instant("When it was handed over.")
    from_group = col.text("Id of the group that had it.")
    to_group = col.text("Id of the group that got it.")
    seconds_waited = col.count(
        "Until somebody there had it, it left, or it ended; of one that still lies there until now. Round the clock.",
        unit=SECONDS,
    )
    ended_by = col.text("`picked_up`, `passed_on`, `ended` (resolved or closed), or null while it lies there.",
                        nullable=True)  # fmt: skip

    @dy.rule()
    def is_between_two_groups(cls) -> pl.Expr:
        return pl.col("from_group") != pl.col("to_group")


def build(snapshot: Snapshot) -> pl.DataFrame:
    about = snapshot.tickets.select("ticket", "reference")
    return hand_offs(snapshot.standings, pl.lit(snapshot.as_of, pl.Datetime("us", "UTC"))).join(about, on="ticket")


def hand_offs(standings: pl.DataFrame, now: pl.Expr) -> pl.DataFrame:
    """From the frame `STANDINGS` of `engine.standings`: ticket, at, from_group, to_group, seconds_waited, ended_by.

    Whoever had it before the instant of the hand-over has not picked it up by having it still: it is picked up when
    somebody else has it, or is given it again.
    """
    rows = standings.sort("ticket", "place").select("ticket", "place", "since", "kind", "status", "holder", "group_id")
    earlier = rows.group_by("ticket", "since", maintain_order=True).agg(had=pl.col("holder").last())
    rows = rows.join(
        earlier.with_columns(pl.col("had").shift().over("ticket")), on=["ticket", "since"], maintain_order="left"
    )
    before = pl.col("group_id").shift().over("ticket")
    is_handed = pl.col("group_id").is_not_null() & before.is_not_null() & (pl.col("group_id") != before)
    stays = rows.with_columns(from_group=before, stay=is_handed.cast(pl.Int64).cum_sum().over("ticket"))
    starts = stays.filter(is_handed).select(
        "ticket", "stay", "from_group", "had", to_group="group_id", at="since", begins="place"
    )
    within = stays.filter(pl.col("stay") > 0).drop("had").join(starts.drop("from_group"), on=["ticket", "stay"])
    is_given = pl.col("kind").is_in(HOLDING) & (pl.col("place") > pl.col("begins"))
    is_picked = pl.col("holder").is_not_null() & (pl.col("holder").ne_missing(pl.col("had")) | is_given)
    first = (
        within.filter(is_picked | ~pl.col("status").is_in(OPEN))
        .sort("ticket", "place")
        .group_by("ticket", "stay", maintain_order=True)
        .agg(pl.col("since").first(), is_picked.first().alias("is_picked"))
    )
    found = starts.join(first, on=["ticket", "stay"], how="left", maintain_order="left")
    next_at = pl.col("at").shift(-1).over("ticket")
    how = (
        pl.when("is_picked")
        .then(pl.lit("picked_up"))
        .when(pl.col("since").is_not_null())
        .then(pl.lit("ended"))
        .when(next_at.is_not_null())
        .then(pl.lit("passed_on"))
    )
    until = pl.coalesce("since", next_at, now)
    return found.select(
        "ticket", "at", "from_group", "to_group",
        seconds_waited=(until - pl.col("at")).dt.total_seconds().clip(lower_bound=0), ended_by=how,
    ).sort("at", "ticket")  # fmt: skip


MARTS = {"hand_offs": Mart("Who handed tickets to whom, and how long did they lie there?", HandOffs, build)}
