"""The tickets behind figures that count what happened, so that each figure leads to its tickets."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class CountedTickets(dy.Schema):
    figure = col.text(
        "What is counted: `resolved`, `reopened`, `left_out` (times, as in `volume`), `status` (tickets that were ever "
        "in it, as in `time_in_state`), `judged_model`, `judged_label`, `judged_article` (drafts, as in "
        "`draft_feedback`), `classify`, `draft` (work of a model, as in `cost_ledger`)."
    )
    value = col.text("Of which status, model, label or article; null of what is counted by day alone.", nullable=True)
    ticket = col.ticket(is_published=False)
    day = col.day("The day on which it counts, of work the UTC day; null where days don't count.", nullable=True)


def build(snapshot: Snapshot) -> pl.DataFrame:
    parts = [_moves(snapshot), _stays(snapshot), *_judged(snapshot), *_work(snapshot)]
    names = list(CountedTickets.column_names())
    return pl.concat(parts, how="diagonal_relaxed").select(names).sort("figure", "value", "day", "ticket")


def _moves(snapshot: Snapshot) -> pl.DataFrame:
    return snapshot.moves.filter(pl.col("move") != "created").select("ticket", "day", figure="move")


def _stays(snapshot: Snapshot) -> pl.DataFrame:
    return snapshot.stays.select("ticket", "status").unique().select("ticket", figure=pl.lit("status"), value="status")


def _judged(snapshot: Snapshot) -> list[pl.DataFrame]:
    from triage.feedback.acceptance import cuts, frame_of

    found = cuts(frame_of(snapshot.feedback))
    return [
        frame.drop_nulls("value").select("value", ticket="ticket_id", figure=pl.lit(f"judged_{cut}"))
        for cut, frame in found.items()
        if cut != "all"
    ]


def _work(snapshot: Snapshot) -> list[pl.DataFrame]:
    done = {"classify": snapshot.claims, "draft": snapshot.drafts}
    return [
        table.filter(pl.col("created_at") <= snapshot.as_of).select(
            "ticket", figure=pl.lit(operation), value="model_used", day=pl.col("created_at").dt.date()
        )
        for operation, table in done.items()
    ]


MARTS = {
    "counted_tickets": Mart(
        "Which tickets are behind a figure that counts what happened?",
        CountedTickets,
        build,
    )
}
