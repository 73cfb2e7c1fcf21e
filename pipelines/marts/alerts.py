"""What was raised by the publication's instant: SLA warnings and breaches, and nudges of tickets that lie."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.marts.sla_clocks import BUSINESS
from pipelines.snapshot import Snapshot


class Alerts(dy.Schema):
    ticket = col.ticket(is_published=False)
    reference = col.reference()
    kind = col.text("`sla`: a clock runs out; `nudge`: the ticket lies, by the alert matrix.")
    alert = col.text("Its id, by which it is acknowledged.")
    clock = col.text("The promise it is about; null for a nudge.", nullable=True)
    condition = col.text("What holds, for a nudge: `not_assigned`, `not_updated`, `not_completed`.", nullable=True)
    alert_type = col.text("`warning` before the target is used up, `breach` after; or `nudge`.")
    level = col.whole("Escalation level of the rule that raised it, or of the matrix.", min=1)
    state = col.text("State of the clock when it was raised.", nullable=True)
    triggered_at = col.instant("When it was raised.")
    deadline = col.instant("When the clock falls or fell due; null if that is not known.", nullable=True)
    remaining_seconds = col.number(
        "What was left of the target; negative after the breach.", unit=BUSINESS, nullable=True
    )
    acknowledged_by = col.text("Who has seen it and looks after it.", nullable=True)
    acknowledged_at = col.instant("When.", nullable=True)
    cleared_at = col.instant("When what a nudge is about ended; null while it holds.", nullable=True)


def build(snapshot: Snapshot) -> pl.DataFrame:
    names = {"ticket_external_id": "reference", "sla_type": "clock", "escalation_level": "level", "id": "alert"}
    clocks = snapshot.alerts.rename(names).with_columns(kind=pl.lit("sla"), level=pl.col("level").cast(pl.Int64))
    references = snapshot.tickets_now.select("ticket", "reference")
    nudges = snapshot.nudges.rename({"id": "alert"}).join(references, on="ticket")
    nudges = nudges.with_columns(kind=pl.lit("nudge"), alert_type=pl.lit("nudge"), level=pl.col("level").cast(pl.Int64))
    later = [
        pl.when(pl.col(name) <= snapshot.as_of).then(name).alias(name) for name in ("acknowledged_at", "cleared_at")
    ]
    every = pl.concat([clocks, nudges], how="diagonal").with_columns(later)
    raised = every.filter(pl.col("triggered_at") <= snapshot.as_of)
    seen = pl.when(pl.col("acknowledged_at").is_not_null()).then("acknowledged_by")
    return raised.with_columns(acknowledged_by=seen).sort("triggered_at", "ticket", "alert")


MARTS = {"alerts": Mart("Which warnings, breaches and nudges were raised, once each?", Alerts, build)}
