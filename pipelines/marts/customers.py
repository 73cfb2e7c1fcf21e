"""How each customer is doing and why: promises kept or broken and complaints of the last days, and billing."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import dataframely as dy
import polars as pl

from engine.outcomes import Figure
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot

if TYPE_CHECKING:
    from triage.enrichment.policy import HealthPolicy


class Customers(dy.Schema):
    company_id = col.text("The customer.", primary_key=True)
    name = col.text("What it is called.")
    tier = col.text("Its contract.")
    segment = col.text("Its line of business.", nullable=True)
    region = col.text("Where it is.", nullable=True)
    billing_status = col.text("How it pays, in the source's words.")
    cases = col.count("Its tickets.", unit="tickets")
    open_cases = col.count("Of them, open.", unit="tickets")
    promises = col.count("Its clocks that began in the days looked back on and are met or breached.")
    breached = col.count("Of them, breached.")
    complaints = col.count("Complaints in surveys of these days.")
    health = col.text("`good`, `watch` or `poor`.")
    because = col.text("The facts behind it; empty if it is good.")

    @dy.rule()
    def open_are_of_the_cases(cls) -> pl.Expr:
        return pl.col("open_cases") <= pl.col("cases")

    @dy.rule()
    def breached_are_of_the_promises(cls) -> pl.Expr:
        return pl.col("breached") <= pl.col("promises")


def build(snapshot: Snapshot) -> pl.DataFrame:
    return customers(
        snapshot.companies, snapshot.tickets, snapshot.counted(Figure.ATTAINMENT), snapshot.surveys,
        snapshot.policies.enrichment.customer_health, as_of=snapshot.as_of,
    )  # fmt: skip


def customers(
    companies: pl.DataFrame,
    tickets: pl.DataFrame,
    clocks: pl.DataFrame,
    surveys: pl.DataFrame,
    policy: "HealthPolicy",
    *,
    as_of: datetime,
) -> pl.DataFrame:
    """One row a company with how it is doing and why: promises kept or broken and complaints of the last `days`."""
    since = as_of - timedelta(days=policy.days)
    cases = tickets.group_by(company_id="company_id").agg(
        cases=pl.len().cast(pl.Int64), open_cases=pl.col("is_open").sum().cast(pl.Int64)
    )
    settled = clocks.filter(pl.col("window_start") >= since, pl.col("state").is_in(["met", "breached"]))
    promises = settled.group_by("company_id").agg(
        promises=pl.len().cast(pl.Int64), breached=(pl.col("state") == "breached").sum().cast(pl.Int64)
    )
    recent = surveys.filter(pl.col("created_at").is_between(since, as_of)).join(
        tickets.select("company_id", "ticket"), on="ticket", how="inner"
    )
    complaints = recent.group_by("company_id").agg(complaints=pl.col("is_complaint").sum().cast(pl.Int64))
    joined = companies.rename({"id": "company_id"})
    for facts in (cases, promises, complaints):
        joined = joined.join(facts, on="company_id", how="left")
    counted = joined.with_columns(pl.col("cases", "open_cases", "promises", "breached", "complaints").fill_null(0))
    return counted.with_columns(*_health(policy)).sort("company_id")


def _health(policy: "HealthPolicy") -> list[pl.Expr]:
    """The columns `health` and `because`: the worst of billing, broken promises and complaints."""
    share = pl.when(pl.col("promises") >= policy.fewest_clocks).then(pl.col("breached") / pl.col("promises"))
    billing = pl.col("billing_status").is_in(list(policy.bad_billing))
    poor = (share >= policy.poor_breached).fill_null(value=False) | (pl.col("complaints") >= policy.poor_complaints)
    broken, complained = share >= policy.watch_breached, pl.col("complaints") >= policy.watch_complaints
    watch = billing | broken.fill_null(value=False) | complained
    window = f"in {policy.days} days"
    reasons = [
        pl.when(billing).then(pl.format("billing is {}", "billing_status")),
        pl.when(broken).then(pl.format(f"promises broken {window}: {{}} of {{}}", "breached", "promises")),
        pl.when(complained).then(pl.format(f"complaints {window}: {{}}", "complaints")),
    ]
    because = pl.concat_str(reasons, separator="; ", ignore_nulls=True)
    health = pl.when(poor).then(pl.lit("poor")).when(watch).then(pl.lit("watch")).otherwise(pl.lit("good"))
    return [health.alias("health"), because.alias("because")]


MARTS = {"customers": Mart("How is each customer doing, and why?", Customers, build)}
