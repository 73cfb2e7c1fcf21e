"""Drafted replies, what became of them, and the articles that never help one."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class Suggestions(dy.Schema):
    ticket = col.ticket(is_published=False, primary_key=True)
    text = col.text("The reply as it was drafted.")
    grounded = col.yes_no("Whether it rests on sources; if not, there is no answer to send.")
    citations = col.text("JSON list of the articles cited: index, article_id, title, url, snippet.")
    macros = col.text("JSON list of the macros that fit.")
    model_used = col.text("The model that wrote it.")
    created_at = col.instant("When it was written; the last draft for a ticket is shown.")


class DraftFeedback(dy.Schema):
    dimension = col.text("What is counted by: `all`, `model`, `label` or `article`.", primary_key=True)
    value = col.text("The dimension's value; `all` of all.", primary_key=True)
    drafts = col.count("Drafts that a person judged; by article, each counts for every article it cites.")
    sent = col.count("Of them, sent as they were.")
    edited = col.count("Of them, sent after changes.")
    rejected = col.count("Of them, not sent.")
    accepted = col.count("Sent as they were, or with little of them rewritten.")
    share_accepted = col.share("`accepted` / `drafts`.")
    low = col.low("share_accepted")
    high = col.high("share_accepted")
    mean_distance = col.share("Mean part of the text that was rewritten, of those sent.", nullable=True)

    @dy.rule()
    def each_draft_has_one_outcome(cls) -> pl.Expr:
        return pl.col("drafts") == pl.sum_horizontal("sent", "edited", "rejected")

    @dy.rule()
    def accepted_were_sent(cls) -> pl.Expr:
        return pl.col("accepted") <= pl.col("sent") + pl.col("edited")

    @dy.rule()
    def interval_lies_around_the_share(cls) -> pl.Expr:
        return col.around("share_accepted")


class UnhelpfulArticles(dy.Schema):
    article_id = col.text("An article of the knowledge index.", primary_key=True)
    cited = col.count("Last drafts that cite it.")
    judged = col.count("Judged drafts that cited it.")
    accepted = col.count("Of these, accepted.")
    why = col.text("`never cited` or `never accepted`.")


def build_feedback(snapshot: Snapshot) -> pl.DataFrame:
    from triage.feedback.acceptance import acceptance, frame_of

    return acceptance(frame_of(snapshot.feedback), snapshot.policies.learning.drafts)


def build_unhelpful(snapshot: Snapshot) -> pl.DataFrame:
    from triage.feedback.acceptance import never_help

    policy, cites = snapshot.policies.learning.drafts, cited(snapshot.latest_drafts)
    return never_help(snapshot.held_articles, cites, build_feedback(snapshot), policy)


def cited(drafts: pl.DataFrame) -> pl.DataFrame:
    """How many of these drafts cite each article: article_id, drafts."""
    source = pl.List(pl.Struct({"article_id": pl.String()}))
    named = drafts.filter("grounded").select("ticket", source=pl.col("citations").str.json_decode(source))
    articles = named.explode("source").select("ticket", article_id=pl.col("source").struct.field("article_id"))
    return articles.drop_nulls().unique().group_by("article_id").agg(drafts=pl.len().cast(pl.Int64))


MARTS = {
    "suggestions": Mart(
        "What would we answer, from which sources?", Suggestions, lambda snapshot: snapshot.latest_drafts.sort("ticket")
    ),
    "draft_feedback": Mart("Which drafts were accepted: by model, label and article?", DraftFeedback, build_feedback),
    "unhelpful_articles": Mart("Which articles never help?", UnhelpfulArticles, build_unhelpful),
}
