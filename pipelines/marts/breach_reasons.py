"""Every broken promise with one reason and the figures behind it, the worst first."""

import dataframely as dy
import polars as pl

from engine.outcomes import Figure
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.marts.sla_clocks import BUSINESS
from pipelines.snapshot import Snapshot


class BreachReasons(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    clock = col.text("The promise that was broken.", primary_key=True)
    window = col.whole("Number of the clock's run.", min=1, primary_key=True)
    reason = col.text(
        "`never_picked_up` before the target was used up; `waiting_internally` for much of the counted time; else "
        "`over_effort`."
    )
    picked_up_at = col.instant("When somebody first had it in this window; null if nobody did.", nullable=True)
    seconds_to_pick_up = col.count("Counted time until then; all of it if nobody had it.", unit=BUSINESS)
    seconds_waiting_internal = col.count(
        "Counted time in which nobody had it, or it lay in a queue or waiting status.", unit=BUSINESS
    )
    seconds_in_work = col.whole("The rest of the counted time.", unit=BUSINESS)
    over_by = col.count("How far the counted time exceeds the target.", unit=BUSINESS)


def build(snapshot: Snapshot) -> pl.DataFrame:
    from sla.reporting.breach_reasons import breach_reasons

    clocks, rules = snapshot.counted(Figure.ATTAINMENT), snapshot.policies.sla
    found = breach_reasons(
        clocks,
        snapshot.standings,
        rule=snapshot.policies.breach_reasons,
        policies=rules.policies,
        calendars=rules.calendars,
        as_of=snapshot.as_of,
    )
    return with_reference(found, clocks).sort("over_by", "ticket", descending=[True, False])


def with_reference(found: pl.DataFrame, clocks: pl.DataFrame) -> pl.DataFrame:
    """Rows about tickets with the `reference` that their clocks name."""
    references = clocks.select("ticket", "reference").unique("ticket", keep="any")
    return found.join(references, on="ticket", how="left", maintain_order="left")


MARTS = {"breach_reasons": Mart("Why was each promise broken?", BreachReasons, build)}
