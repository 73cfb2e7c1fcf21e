"""How good a ranking is, against what people judged to be relevant: the measures of trec_eval, as BEIR reports them."""

from collections.abc import Mapping, Sequence
from math import log2
from typing import Final, NamedTuple

Judged = Mapping[str, Mapping[str, int]]
"""Grades by query and document; 0 or less is judged and not relevant."""
Rankings = Mapping[str, Sequence[str]]
"""Documents by query, best first."""

MEANINGS: Final = {
    "ndcg@10": "discounted gain of the first ten over the best possible, linear gain, as trec_eval's ndcg_cut_10",
    "mrr": "mean of 1 over the rank of the first relevant document in the whole ranking, as trec_eval's recip_rank",
    "recall@5": "share of the relevant documents among the first five, as trec_eval's recall_5",
}
"""What each figure says, for those who read it without its documentation."""

GAIN_DEPTH: Final = 10
RECALL_DEPTH: Final = 5


class Figures(NamedTuple):
    """Means over the judged queries that have something relevant; one that found nothing counts 0."""

    ndcg: float
    mrr: float
    recall: float


def figures(rankings: Rankings, judged: Judged) -> Figures:
    per_query = [measures_of(rankings.get(query, ()), grades) for query, grades in with_answers(judged).items()]
    return Figures(*(sum(column) / len(per_query) for column in zip(*per_query, strict=True)))


def measures_of(ranking: Sequence[str], grades: Mapping[str, int]) -> Figures:
    return Figures(ndcg(ranking, grades), reciprocal_rank(ranking, grades), recall(ranking, grades))


def with_answers(judged: Judged) -> dict[str, Mapping[str, int]]:
    """The queries for which something is relevant: the others can't be answered well or badly."""
    return {query: grades for query, grades in judged.items() if max(grades.values(), default=0) > 0}


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], *, depth: int = GAIN_DEPTH) -> float:
    """Discounted gain of the first ten over that of the best possible ten, linear gain: the grade over log2(1 + rank)
    (Järvelin and Kekäläinen 2002 in the form of trec_eval's `ndcg_cut`, which BEIR reports)."""
    ideal = _discounted(sorted(grades.values(), reverse=True)[:depth])
    return _discounted([grades.get(document, 0) for document in ranking[:depth]]) / ideal if ideal else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int]) -> float:
    """1 over the rank of the first relevant document, 0 without one (trec_eval's `recip_rank`)."""
    return next((1 / rank for rank, document in enumerate(ranking, start=1) if grades.get(document, 0) > 0), 0.0)


def recall(ranking: Sequence[str], grades: Mapping[str, int], *, depth: int = RECALL_DEPTH) -> float:
    """Share of the relevant documents among the first five (trec_eval's `recall_5`)."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:depth])) / len(relevant) if relevant else 0.0


def _discounted(grades: Sequence[int]) -> float:
    return sum(max(grade, 0) / log2(rank + 1) for rank, grade in enumerate(grades, start=1))
