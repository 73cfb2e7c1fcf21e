"""What colleagues wrote for each other on tickets: for those alone who may read other people's internal entries."""

import dataframely as dy
import polars as pl

from engine.access import Right
from engine.timeline import Visibility
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class InternalEntries(dy.Schema):
    ticket = col.ticket()
    reference = col.reference()
    at = col.instant("When it was written.")
    author_id = col.text("Who wrote it.")
    type = col.text("`note`, `email_outbound`, …, as in the ticket's time line.")
    is_of_an_envelope = col.yes_no("Whether it stands in the thread of an envelope, not in the main one.")
    text = col.text(
        "What it says; null where it is for the people of an envelope alone, whatever right one has.", nullable=True
    )


def build(snapshot: Snapshot) -> pl.DataFrame:
    entries = snapshot.internal_entries.filter(pl.col("created_at") <= snapshot.as_of)
    about = snapshot.tickets.select("ticket", "reference")
    is_for_its_people = pl.col("visibility") == Visibility.ENVELOPE_ONLY
    return (
        entries.join(about, on="ticket")
        .select(
            "ticket", "reference", "author_id", "type",
            at=pl.col("created_at"),
            is_of_an_envelope=pl.col("envelope_id").is_not_null(),
            text=pl.when(~is_for_its_people).then("content"),
        )
        .sort("at", "ticket")
    )  # fmt: skip


MARTS = {
    "internal_entries": Mart(
        "What did colleagues write to each other about tickets?", InternalEntries, build, Right.READ_INTERNAL
    )
}
