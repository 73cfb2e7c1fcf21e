"""What enriching told, for readers: each ticket with runbooks and past cases, its relatives, its customer."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.marts import conform
from pipelines.snapshot import Snapshot

if TYPE_CHECKING:
    from triage.contracts import Article, Macro
    from triage.enrichment.policy import HealthPolicy


def enrichment_marts(snapshot: Snapshot) -> dict[str, pl.DataFrame]:
    """All marts of this file by name."""
    by_then, tickets = pl.col("created_at") <= snapshot.as_of, snapshot.tickets
    help_for = guides(snapshot.macros, snapshot.articles)
    return {
        "enrichments": enrichment_mart(snapshot.enrichments.filter(by_then), tickets, help_for),
        "related_tickets": related_mart(snapshot.related.filter(by_then), tickets),
        "customers": customer_mart(
            snapshot.companies, tickets, snapshot.ticket_clocks, snapshot.surveys,
            snapshot.policies.enrichment.customer_health, as_of=snapshot.as_of,
        ),
    }  # fmt: skip


def guides(macros: "Sequence[Macro]", articles: "Sequence[Article]") -> dict[str, dict[str, str | None]]:
    """By error code in capitals: the runbook, and the address of the article about it."""
    found: dict[str, dict[str, str | None]] = {}
    for macro in macros:
        for code in macro.error_codes:
            found.setdefault(code.upper(), {"runbook": macro.runbook, "article": None})
    for article in articles:
        for code in article.error_codes:
            known = found.setdefault(code.upper(), {"runbook": None, "article": None})
            known["article"] = known["article"] or article.url
    return found


def enrichment_mart(
    enriched: pl.DataFrame, tickets: pl.DataFrame, help_for: Mapping[str, Mapping[str, str | None]]
) -> pl.DataFrame:
    """One row an enriched ticket. `error_codes` is JSON: code, runbook and article of each."""
    codes = [_with_guides(codes, help_for) for codes in enriched["error_codes"].to_list()]
    told = enriched.with_columns(error_codes=pl.Series("error_codes", codes, dtype=pl.String()))
    return conform("enrichments", told.join(past_cases(tickets), on="ticket", how="inner").sort("ticket"))


def past_cases(tickets: pl.DataFrame) -> pl.DataFrame:
    """By ticket: how many tickets its company had before it, how many about the same product, and the last of them.

    Null where the company (or the product) is not known.
    """
    company, product = pl.col("company_id"), pl.col("product")
    count = pl.int_range(pl.len(), dtype=pl.Int64())
    return tickets.sort("created_at", "ticket").select(
        "ticket",
        "reference",
        past_cases=pl.when(company.is_not_null()).then(count.over("company_id")),
        past_cases_same_product=pl.when(company.is_not_null() & product.is_not_null()).then(
            count.over("company_id", "product")
        ),
        last_case=pl.when(company.is_not_null()).then(pl.col("reference").shift(1).over("company_id")),
    )


def related_mart(related: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    """One row a candidate of which both tickets are known, the most similar of a ticket first."""
    earlier = tickets.select(
        other="ticket",
        other_reference="reference",
        other_subject="subject",
        other_status="status",
        other_created_at="created_at",
    )
    joined = (
        related.rename({"other_id": "other"})
        .join(tickets.select("ticket", "reference"), on="ticket", how="inner")
        .join(earlier, on="other", how="inner")
    )
    return conform("related_tickets", joined.sort("ticket", "similarity", "other", descending=[False, True, False]))


def customer_mart(
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
    said = surveys.filter(pl.col("created_at").is_between(since, as_of)).join(
        tickets.select("company_id", "ticket"), on="ticket", how="inner"
    )
    complaints = said.group_by("company_id").agg(complaints=pl.col("is_complaint").sum().cast(pl.Int64))
    joined = companies.rename({"id": "company_id"})
    for facts in (cases, promises, complaints):
        joined = joined.join(facts, on="company_id", how="left")
    counted = joined.with_columns(pl.col("cases", "open_cases", "promises", "breached", "complaints").fill_null(0))
    return conform("customers", counted.with_columns(*_health(policy)).sort("company_id"))


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


def _with_guides(codes: str, help_for: Mapping[str, Mapping[str, str | None]]) -> str:
    none: dict[str, Any] = {"runbook": None, "article": None}
    return json.dumps([{"code": code} | dict(help_for.get(code, none)) for code in json.loads(codes)])
