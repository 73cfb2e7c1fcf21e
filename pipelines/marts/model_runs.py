"""Each training of triage's model: what was learned, and whether it took over from the one before."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class ModelRuns(dy.Schema):
    trained_at = col.instant("When it was trained.", primary_key=True)
    name = col.text("The challenger: what was trained.")
    champion = col.text("What was in use until then.")
    reason = col.text("Why it was trained.")
    tested = col.count("Reviewed tickets that neither had learned from.", unit="tickets")
    champion_right = col.count("Of them, those where the champion named the product that people did.", unit="tickets")
    challenger_right = col.count("The same of the challenger.", unit="tickets")
    difference_low = col.number("What the difference of their shares is at least, with the policy's certainty.",
                                unit="share")  # fmt: skip
    took_over = col.yes_no("Whether the challenger has been in use from then on.")

    @dy.rule()
    def right_are_of_the_tested(cls) -> pl.Expr:
        return (pl.col("champion_right") <= pl.col("tested")) & (pl.col("challenger_right") <= pl.col("tested"))


def build(snapshot: Snapshot) -> pl.DataFrame:
    return snapshot.model_runs.filter(pl.col("trained_at") <= snapshot.as_of).sort("trained_at")


MARTS = {"model_runs": Mart("Which model won, by how much, and when did it take over?", ModelRuns, build)}
