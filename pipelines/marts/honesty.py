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
    asked = claims.select("id", "needs_review", drawn=pl.col("needs_review") | pl.Series(drawn, dtype=pl.Boolean))
    rows = asked.join(given, on="id", how="left")
    strata, found = {}, []
    for name, is_unsure in (("sure", False), ("unsure", True)):
        these = rows.filter(pl.col("needs_review") == is_unsure)
        checked = these.filter("drawn")["agreed"].drop_nulls()
        strata[name] = Stratum(these.height, checked.len(), int(checked.sum()))
        found.append((name, strata[name].tickets, int(these["drawn"].sum()), *strata[name][1:]))
    found.append(("all", *(sum(row[at] for row in found) for at in range(1, 5))))
    parts = {"sure": [strata["sure"]], "unsure": [strata["unsure"]], "all": list(strata.values())}
    shares = [estimate(parts[row[0]]) or (None, None, None) for row in found]
    names = ("claims", "tickets", "drawn", "answered", "agreed", "share_agreed", "low", "high")
    schema = dict.fromkeys(names[1:5], pl.Int64()) | dict.fromkeys(names[5:], pl.Float64())
    return pl.DataFrame(
        [(*row, *share) for row, share in zip(found, shares, strict=True)],
        schema={"claims": pl.String(), **schema},
        orient="row",
    )


MARTS = {"honesty": Mart("When triage is sure, how often is it right?", Honesty, build)}
