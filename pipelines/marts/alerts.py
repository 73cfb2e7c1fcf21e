"""The SLA warnings and breaches that were raised by the publication's instant."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.marts.sla_clocks import BUSINESS
from pipelines.snapshot import Snapshot


class Alerts(dy.Schema):
    ticket = col.ticket(is_published=False)
    reference = col.reference()
    clock = col.text("The promise it is about.")
    alert_type = col.text("`warning` before the target is used up, `breach` after.")
    level = col.whole("Escalation level of the rule that raised it.", min=1)
    state = col.text("State of the clock when it was raised.")
    triggered_at = col.instant("When it was raised.")
    deadline = col.instant("When the clock falls or fell due; null if that is not known.", nullable=True)
    remaining_seconds = col.number("What was left of the target; negative after the breach.", unit=BUSINESS)


def build(snapshot: Snapshot) -> pl.DataFrame:
    names = {"ticket_external_id": "reference", "sla_type": "clock", "escalation_level": "level"}
    raised = snapshot.alerts.filter(pl.col("triggered_at") <= snapshot.as_of)
    return raised.rename(names).sort("triggered_at", "ticket")


MARTS = {"alerts": Mart("Which warnings and breaches were raised, once each?", Alerts, build)}
