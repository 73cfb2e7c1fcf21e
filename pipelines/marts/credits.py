"""What we owe customers for broken promises, by month, and the breaches behind it."""

import dataframely as dy
import polars as pl

from engine.outcomes import Figure
from pipelines.marts import columns as col
from pipelines.marts.breach_reasons import with_reference
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot

OF_THE_FEE = "% of the month's fee"
COMPANY = "The customer; `unknown` without one."
MONTH = "First day of the month (desk's time zone) in which the target was used up; null if that instant is not known."
PRESET = "Name of the credit preset by which it was counted."


class SlaCredits(dy.Schema):
    company_id = col.text(COMPANY)
    month = col.day(MONTH, nullable=True)
    breaches = col.count("Breached windows.", min=1)
    still_running = col.count("Of them, those whose credit can still rise.")
    summed_percent = col.amount("The credits of all breaches together.", unit=OF_THE_FEE)
    credit_percent = col.amount("What is owed: the sum, at most the cap.", unit=OF_THE_FEE)
    is_capped = col.yes_no("Whether the sum exceeds the cap.")
    preset = col.text(PRESET)

    @dy.rule()
    def one_row_a_customer_and_month(cls) -> pl.Expr:
        return pl.struct("company_id", "month").is_unique()

    @dy.rule()
    def no_more_than_the_sum_is_owed(cls) -> pl.Expr:
        return pl.col("credit_percent") <= pl.col("summed_percent")

    @dy.rule()
    def running_are_of_the_breaches(cls) -> pl.Expr:
        return pl.col("still_running") <= pl.col("breaches")


class CreditedBreaches(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    clock = col.text("The promise that was broken.", primary_key=True)
    window = col.whole("Number of the clock's run.", min=1, primary_key=True)
    company_id = col.text(COMPANY)
    month = col.day(MONTH, nullable=True)
    priority = col.text("The ticket's priority.")
    times_target = col.amount("`elapsed` / `target`; null where the target is 0.", unit="ratio", nullable=True)
    credit_percent = col.amount("The credit of this breach alone.", unit=OF_THE_FEE)
    is_final = col.yes_no("Whether the clock was stopped, so that the credit can't rise.")
    preset = col.text(PRESET)


def build_breaches(snapshot: Snapshot) -> pl.DataFrame:
    from sla.reporting.credits import credited_breaches

    clocks, presets = snapshot.counted(Figure.CREDITS), snapshot.policies.credits
    credited = with_reference(credited_breaches(clocks, presets.preset(), time_zone=snapshot.time_zone), clocks)
    return credited.with_columns(preset=pl.lit(presets.use))


def build_credits(snapshot: Snapshot) -> pl.DataFrame:
    from sla.reporting.credits import sla_credits

    presets = snapshot.policies.credits
    return sla_credits(build_breaches(snapshot), presets.preset()).with_columns(preset=pl.lit(presets.use))


MARTS = {
    "sla_credits": Mart("What do we owe each customer for the breaches of a month?", SlaCredits, build_credits),
    "credited_breaches": Mart("Which breach gives which credit?", CreditedBreaches, build_breaches),
}
