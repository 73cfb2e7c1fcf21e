"""How often people agree with triage, by a random slice of what it is sure of and by what it is not sure of."""

from typing import TYPE_CHECKING

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot

if TYPE_CHECKING:
    from triage.feedback.policy import SlicePolicy
    from triage.feedback.reviews import Review


class Honesty(dy.Schema):
    claims = col.text("Which of them: `sure`, `unsure` (for a person), or `all`.", primary_key=True)
    tickets = col.count("Tickets whose last claim is one of these, open and closed.")
    drawn = col.count("Of them, those that people are asked about: the random slice of the sure, all of the unsure.")
    answered = col.count("Of the drawn, those whose last claim a person answered.")
    agreed = col.count("Of them, those where the person named the same product.")
    share_agreed = col.share(
        "`agreed` / `answered`; of `all` the two weighted by their tickets. Null until it can be told.", nullable=True
    )
    low = col.low("share_agreed", nullable=True)
    high = col.high("share_agreed", nullable=True)

    @dy.rule()
    def agreed_are_of_the_answered_are_of_the_drawn(cls) -> pl.Expr:
        return (pl.col("agreed") <= pl.col("answered")) & (pl.col("answered") <= pl.col("drawn"))

    @dy.rule()
    def interval_lies_around_the_share(cls) -> pl.Expr:
        return col.around("share_agreed")


def build(snapshot: Snapshot) -> pl.DataFrame:
    return honesty(snapshot.latest_claims, snapshot.answers, snapshot.policies.learning.honest_slice)


def honesty(claims: pl.DataFrame, answers: "list[Review]", policy: "SlicePolicy") -> pl.DataFrame:
    """Three rows, from the last claim of each ticket (`id`, `ticket`, `needs_review`) and the answers that count.

    An answer speaks for the claim that it was given on: an earlier claim's says nothing of the last. Sure claims count
    only where chance drew their ticket, whoever answered others. Of the unsure all answers count: their people begin
    with the least certain, so while some wait, `unsure` and `all` err to the low side.
    """
    from triage.feedback.honesty import Stratum, estimate, in_slice

    drawn = [in_slice(ticket, policy.seed, policy.share) for ticket in claims["ticket"]]
    given = pl.DataFrame(
        [(one.claim_id, one.said == one.label) for one in answers],
        schema={"id": pl.String, "agreed": pl.Boolean},
        orient="row",
    ).drop_nulls("id")
    checked = claims.select("id", "needs_review", drawn=pl.col("needs_review") | pl.Series(drawn, dtype=pl.Boolean))
    rows = checked.join(given, on="id", how="left")
    counts = [_counted(name, rows.filter(pl.col("needs_review") == (name == "unsure"))) for name in ("sure", "unsure")]
    sums = pl.concat(counts).sum().with_columns(claims=pl.lit("all"))
    found = pl.concat([*counts, sums.select(counts[0].columns)])
    strata = [Stratum(*row) for row in found.select("tickets", "answered", "agreed").rows()]
    shares = [estimate(parts) or (None, None, None) for parts in (strata[:1], strata[1:2], strata[:2])]
    names = dict.fromkeys(("share_agreed", "low", "high"), pl.Float64())
    return found.hstack(pl.DataFrame(shares, schema=names, orient="row"))


def _counted(name: str, claims: pl.DataFrame) -> pl.DataFrame:
    agreed = pl.col("agreed").filter("drawn").drop_nulls()
    counts = {"tickets": pl.len(), "drawn": pl.col("drawn").sum(), "answered": agreed.len(), "agreed": agreed.sum()}
    return claims.select(
        pl.lit(name).alias("claims"), *(count.cast(pl.Int64).alias(column) for column, count in counts.items())
    )


MARTS = {"honesty": Mart("When triage is sure, how often is it right?", Honesty, build)}
