"""What became of drafts: sent, edited or rejected; which models, labels and articles help."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import polars as pl
from pydantic import Field
from rapidfuzz.distance import Levenshtein

from engine.contracts import Frozen, Instant
from engine.shared.errors import BadInput
from engine.shared.wilson import with_share
from triage.contracts import Suggestion
from triage.feedback.policy import DraftPolicy
from triage.feedback.reviews import check_text, name_of

LONGEST_REASON: Final = 2_000
LONGEST_REPLY: Final = 20_000


class Outcome(StrEnum):
    SENT = "sent"
    EDITED = "edited"
    REJECTED = "rejected"


class Feedback(Frozen):
    """What a person did with one draft. `distance` is how much of it was rewritten, 0 to 1; None if rejected."""

    ticket_id: str
    suggestion_id: str
    outcome: Outcome
    distance: Annotated[float, Field(ge=0, le=1)] | None = None
    text: str | None = None
    reason: str | None = None
    label: str | None = None
    articles: tuple[str, ...] = ()
    model_used: str
    given_by: str
    given_at: Instant


def feedback(
    draft: Suggestion,
    *,
    by: str,
    at: datetime,
    label: str | None = None,
    sent: str | None = None,
    rejected: str | None = None,
) -> Feedback:
    """What was done with a draft: sent as it is, sent as the text `sent`, or `rejected` with a reason.

    A text that differs in white space only is the draft as it is. Raises BadInput for a draft without an answer, an
    empty reason or text, both at once, one that is too long or can't be stored as text, or nobody's name.
    """
    if not draft.grounded:
        raise BadInput(f"The draft on {draft.ticket_id} has no answer to judge; there was nothing to send")
    if sent is not None and rejected is not None:
        raise BadInput("A draft was either sent or rejected: say one of the two")
    for name, given, most in (("reply", sent, LONGEST_REPLY), ("reason", rejected, LONGEST_REASON)):
        check_text(name, given or "")
        if given is not None and (not given.strip() or len(given) > most):
            raise BadInput(f"The {name} has {len(given.strip()):,} characters; give 1 to {most:,}. Nothing was kept")
    distance = None if rejected is not None else 0.0 if sent is None else edit_distance(draft.text, sent)
    outcome = Outcome.REJECTED if distance is None else Outcome.EDITED if distance else Outcome.SENT
    return Feedback(
        ticket_id=draft.ticket_id,
        suggestion_id=draft.id,
        outcome=outcome,
        distance=distance,
        text=sent if outcome == Outcome.EDITED else None,
        reason=rejected,
        label=label,
        articles=tuple(dict.fromkeys(citation.article_id for citation in draft.citations)),
        model_used=draft.model_used,
        given_by=name_of(by),
        given_at=at,
    )


def edit_distance(before: str, after: str) -> float:
    """Levenshtein distance in characters over the length of the longer text: 0 the same, 1 nothing kept.

    Runs of white space count as one space.
    """
    return Levenshtein.normalized_distance(" ".join(before.split()), " ".join(after.split()))


FEEDBACK_SCHEMA: Final[dict[str, pl.DataType]] = {
    **dict.fromkeys(("ticket_id", "suggestion_id", "outcome", "label", "model_used"), pl.String()),
    "distance": pl.Float64(),
    "articles": pl.List(pl.String()),
}


def frame_of(given: Sequence[Feedback]) -> pl.DataFrame:
    """A row a judged draft, the columns of FEEDBACK_SCHEMA."""
    rows = [one.model_dump(include=set(FEEDBACK_SCHEMA), mode="json") for one in given]
    return pl.DataFrame(rows, schema=FEEDBACK_SCHEMA)


def is_accepted(policy: DraftPolicy) -> pl.Expr:
    """Sent as it was, or with at most so much of it rewritten."""
    return (pl.col("outcome") != Outcome.REJECTED) & (pl.col("distance") <= policy.accepted_distance)


def acceptance(given: pl.DataFrame, policy: DraftPolicy) -> pl.DataFrame:
    """How many judged drafts were accepted: all, and by model, label and cited article.

    Columns: dimension, value, drafts, sent, edited, rejected, accepted, share_accepted, low, high (Wilson 95 %),
    mean_distance (of what was sent). A draft counts once for each article it cites.
    """
    counted = [
        _counted(frame, policy).insert_column(0, pl.lit(cut).alias("dimension")) for cut, frame in cuts(given).items()
    ]
    shared = with_share(pl.concat(counted), "share_accepted", pl.col("accepted"), pl.col("drafts"))
    return shared.select(
        "dimension", "value", "drafts", "sent", "edited", "rejected", "accepted", "share_accepted", "low", "high",
        "mean_distance",
    ).sort("dimension", "drafts", "value", descending=[False, True, False])  # fmt: skip


def cuts(given: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The judged drafts by `all`, model, label and cited article, as `value`."""
    return {
        "all": given.with_columns(value=pl.lit("all")),
        "model": given.with_columns(value="model_used"),
        "label": given.with_columns(value="label"),
        "article": given.explode("articles").with_columns(value="articles"),
    }


def _counted(frame: pl.DataFrame, policy: DraftPolicy) -> pl.DataFrame:
    outcomes = {name.value: (pl.col("outcome") == name).sum().cast(pl.Int64) for name in Outcome}
    return (
        frame.filter(pl.col("value").is_not_null())
        .group_by("value")
        .agg(
            drafts=pl.len().cast(pl.Int64),
            **outcomes,
            accepted=is_accepted(policy).fill_null(value=False).sum().cast(pl.Int64),
            mean_distance=pl.col("distance").mean(),
        )
    )


def never_help(
    articles: Sequence[str], cited: pl.DataFrame, accepted: pl.DataFrame, policy: DraftPolicy
) -> pl.DataFrame:
    """Articles that no draft cites, or that many judged drafts cite and none of them was accepted.

    `cited` has article_id and drafts (all drafts), `accepted` is what `acceptance` returns. Columns: article_id,
    cited, judged, accepted, why (`never cited` or `never accepted`); the most cited first.
    """
    judged = accepted.filter(pl.col("dimension") == "article").select("accepted", article_id="value", judged="drafts")
    known = pl.DataFrame({"article_id": list(articles)}, schema={"article_id": pl.String})
    found = known.join(cited.rename({"drafts": "cited"}), on="article_id", how="left").join(
        judged, on="article_id", how="left"
    )
    counts = found.select("article_id", pl.col("cited", "judged", "accepted").fill_null(0).cast(pl.Int64))
    unused = pl.col("cited") == 0
    unhelpful = (pl.col("judged") >= policy.never_helps_after) & (pl.col("accepted") == 0)
    why = pl.when(unhelpful).then(pl.lit("never accepted")).when(unused).then(pl.lit("never cited"))
    return counts.with_columns(why=why).drop_nulls("why").sort("cited", "article_id", descending=[True, False])
