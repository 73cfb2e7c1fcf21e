"""Open tickets in the order in which they should be worked on."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.marts.names import group_names
from pipelines.marts.sla_clocks import BUSINESS
from pipelines.snapshot import Snapshot


class WorkQueue(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    subject = col.text("Its title.")
    status = col.text("One of the open statuses.")
    priority = col.text("`critical`, `high`, `medium` or `low`.")
    tier = col.text("The customer's contract.")
    vip = col.yes_no("Whether the requester is a VIP.")
    score = col.number(
        "Base of the priority times its factors (SLA, VIP, staleness, …); the highest is worked on first.",
        unit="points", allow_inf=True, allow_nan=True,
    )  # fmt: skip
    score_parts = col.text("How the score comes about: base × each factor that is not 1 = score.")
    section = col.text("`needs_attention`, `waiting_on_others` or `on_track`.")
    sla_state = col.text("Worst state of its running clocks; null if none runs with a promise.", nullable=True)
    next_clock = col.text("The running clock with the least time left.", nullable=True)
    next_due_at = col.instant("When that one falls due; null while it is paused.", nullable=True)
    seconds_left = col.whole("What is left of its target; negative once exceeded.", unit=BUSINESS, nullable=True)
    share_left = col.number(
        "The least that a clock which is not paused has left of its target; negative once exceeded.",
        unit="of the target", nullable=True,
    )  # fmt: skip
    product = col.text("The ticket's product, else triage's guess even if it is unsure.", nullable=True)
    confidence = col.share("How sure triage is of its guess.", nullable=True)
    needs_review = col.yes_no("Whether a person should decide the product; null if not classified.", nullable=True)
    group_id = col.text("The group that has it.", nullable=True)
    group_name = col.text("What that group is called; null if it is not known here.", nullable=True)
    owner_id = col.text("The agent who accepted it.", nullable=True)
    has_suggestion = col.yes_no("Whether there is a drafted reply that rests on sources.")
    created_at = col.instant("When it was created.")


def build(snapshot: Snapshot) -> pl.DataFrame:
    """The scored queue with what triage guessed (also where it is unsure) and whether there is a grounded draft."""
    guesses = snapshot.latest_claims.select("ticket", "confidence", "needs_review", guess="product")
    drafted = snapshot.latest_drafts.filter("grounded").select("ticket", has_suggestion=True)
    return (
        snapshot.queue.join(guesses, on="ticket", how="left")
        .join(drafted, on="ticket", how="left")
        .join(group_names(snapshot), on="group_id", how="left", maintain_order="left")
        .with_columns(pl.col("has_suggestion").fill_null(value=False), product=pl.coalesce("product", "guess"))
        .sort(["score", "created_at", "ticket"], descending=[True, False, False])
    )


MARTS = {"work_queue": Mart("What should be worked on next?", WorkQueue, build)}
