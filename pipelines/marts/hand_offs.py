"""Every hand-over of a ticket from one group to another, and how long it lay there before somebody had it."""

import dataframely as dy
import polars as pl

from engine.standings import OPEN
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
    """From the frame `STANDINGS` of `engine.standings`: ticket, at, from_group, to_group, seconds_waited, ended_by."""
    rows = standings.sort("ticket", "place").select("ticket", "since", "status", "holder", "group_id")
    before = pl.col("group_id").shift().over("ticket")
    is_handed = pl.col("group_id").is_not_null() & before.is_not_null() & (pl.col("group_id") != before)
    stays = rows.with_columns(from_group=before, stay=is_handed.cast(pl.Int64).cum_sum().over("ticket"))
    left = rows.with_columns(stay=is_handed.cast(pl.Int64).cum_sum().over("ticket"))
    starts = stays.filter(is_handed).select("ticket", "stay", "from_group", to_group="group_id", at="since")
    is_end = pl.col("holder").is_not_null() | ~pl.col("status").is_in(OPEN)
    first = (
        left.filter(is_end & (pl.col("stay") > 0))
        .group_by("ticket", "stay", maintain_order=True)
        .agg(pl.col("since").first(), pl.col("holder").first())
    )
    found = starts.join(first, on=["ticket", "stay"], how="left", maintain_order="left")
    next_at = pl.col("at").shift(-1).over("ticket")
    how = (
        pl.when(pl.col("holder").is_not_null())
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
