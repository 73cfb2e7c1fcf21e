"""What a ticket's text and facts tell beside its product, and the earlier tickets it may belong to."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot

if TYPE_CHECKING:
    from triage.contracts import Article, Macro

Guides = Mapping[str, Mapping[str, str | None]]


class Enrichments(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    language = col.text("The language its text is written in; null if it says too little.", nullable=True)
    language_confidence = col.share("How sure that is.", nullable=True)
    complexity = col.share("How complex it looks: weighted mean of its parts.")
    complexity_parts = col.text("JSON list of the parts: name, amount, share, what it adds.")
    error_codes = col.text("JSON list of the error codes it names: code, runbook, article.")
    sentiment = col.number(
        "How content it sounds by listed phrases; null without one.", unit="−1 to 1", min=-1, max=1, nullable=True
    )
    sentiment_phrases = col.text("JSON list of these phrases.")
    urgency = col.text("How urgent text, priority and tier make it.")
    urgency_reasons = col.text("JSON list of the reasons.")
    suggested_priority = col.text("The priority the rules would give; null if they agree.", nullable=True)
    past_cases = col.count("Earlier tickets of its company; null without one.", unit="tickets", nullable=True)
    past_cases_same_product = col.count(
        "Of these, about its product; null if that is not known.", unit="tickets", nullable=True
    )
    last_case = col.text("Number of the company's ticket before it.", nullable=True)
    created_at = col.instant("When it was enriched.")

    @dy.rule()
    def same_product_are_of_the_past(cls) -> pl.Expr:
        return pl.col("past_cases_same_product") <= pl.col("past_cases")


class RelatedTickets(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    other = col.ticket(primary_key=True)
    other_reference = col.text("Number of the earlier ticket.")
    other_subject = col.text("Its title.")
    other_status = col.text("Its status.")
    other_created_at = col.instant("When it was created.")
    kind = col.text("What the two may be: `duplicate`, `repeat_contact` or `follow_up`; a person judges.")
    similarity = col.share("Jaccard similarity of the two texts' word pairs.")
    reason = col.text("Why, in words.")
    created_at = col.instant("When it was found.")

    @dy.rule()
    def no_ticket_is_its_own_relative(cls) -> pl.Expr:
        return pl.col("ticket") != pl.col("other")


def build(snapshot: Snapshot) -> pl.DataFrame:
    """One row an enriched ticket."""
    help_for = guides(snapshot.macros, snapshot.articles)
    enriched = snapshot.enrichments.filter(pl.col("created_at") <= snapshot.as_of)
    codes = enriched["error_codes"].unique()
    with_guides = pl.Series([_with_guides(some, help_for) for some in codes], dtype=pl.String())
    guided = enriched.with_columns(pl.col("error_codes").replace_strict(codes, with_guides))
    return guided.join(past_cases(snapshot.tickets), on="ticket", how="inner").sort("ticket")


def build_related(snapshot: Snapshot) -> pl.DataFrame:
    """One row a candidate of which both tickets are known, the most similar of a ticket first."""
    facts = snapshot.tickets.select("ticket", "reference", "subject", "status", "created_at")
    earlier = facts.rename(lambda name: "other" if name == "ticket" else f"other_{name}")
    found = snapshot.related.filter(pl.col("created_at") <= snapshot.as_of).rename({"other_id": "other"})
    known = found.join(facts.select("ticket", "reference"), on="ticket", how="inner").join(earlier, on="other")
    return known.sort("ticket", "similarity", "other", descending=[False, True, False])


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


def _with_guides(codes: str, help_for: Guides) -> str:
    none: dict[str, Any] = {"runbook": None, "article": None}
    return json.dumps([{"code": code} | dict(help_for.get(code, none)) for code in json.loads(codes)])


MARTS = {
    "enrichments": Mart("What do a ticket's text and facts tell beside its product?", Enrichments, build),
    "related_tickets": Mart("Which earlier ticket may it belong to, and why?", RelatedTickets, build_related),
}
