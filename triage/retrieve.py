"""Finding what answers a question: nearness of meaning and shared words, weighed together."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from engine.errors import BadInput
from triage.contracts import Passage, TicketText
from triage.evidence import codes_like
from triage.knowledge import Chunk
from triage.sanitize import clean_ticket, readable_text, whole_text

Hits = Mapping[tuple[str, int], float]
"""Score by (article id, chunk number)."""

CANDIDATES: Final = 30
"""How many each side of a hybrid search brings forward."""
HALF_WAY: Final = 10.0
"""The BM25 score that counts one half."""
QUERY_CHARACTERS: Final = 2000


class Weights(NamedTuple):
    """How much meaning (cosine) and words (BM25) count; only their ratio matters."""

    dense: float = 0.7
    words: float = 0.3


DEFAULT_WEIGHTS: Final = Weights()


def checked(weights: Weights) -> Weights:
    """Raises BadInput for weights that can't rank anything."""
    if min(weights) < 0 or sum(weights) <= 0:
        raise BadInput(f"Search weights {tuple(weights)} can't be used; give two numbers from 0 up, not both 0")
    return weights


def fuse(dense: Hits, words: Hits, weights: Weights, *, limit: int) -> list[tuple[tuple[str, int], float]]:
    """The best of both lists by weighted score in [0, 1], best first, ties by id.

    Cosines count from 0 up; a BM25 score b, which has no upper end, counts as b / (b + 10). Adding ranks instead
    (reciprocal rank fusion) lost to meaning alone on Stack Exchange questions, this did not (`benchmarks/triage.py`).
    What only one list holds gets nothing from the other. All that was found of the best article is among the result,
    because a ticket describes the trouble and the remedy stands in another chunk.
    """
    total = weights.dense + weights.words
    scores = {
        key: (weights.dense * max(dense.get(key, 0.0), 0.0) + weights.words * _saturated(words.get(key, 0.0))) / total
        for key in {*dense, *words}
    }
    ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
    if not ranked:
        return []
    best_article = ranked[0][0][0]
    chosen = sorted(ranked, key=lambda pair: pair[0][0] != best_article)[:limit]
    return sorted(chosen, key=lambda pair: (-pair[1], pair[0]))


def _saturated(bm25: float) -> float:
    return bm25 / (bm25 + HALF_WAY)


def passage(chunk: Chunk, score: float) -> Passage:
    return Passage(
        article_id=chunk.article_id, chunk=chunk.number, title=chunk.title, url=chunk.url, text=chunk.text, score=score
    )


def question_of(ticket: TicketText) -> str:
    """What to search for on behalf of a ticket: its title, its beginning, and the error codes named further down."""
    cleaned = clean_ticket(ticket)
    shown = readable_text(cleaned)
    codes = codes_like(whole_text(cleaned)) - codes_like(shown)
    return " ".join([shown, *sorted(codes)])


def query_text(query: str) -> str:
    """At most 2,000 characters of a question (S5-15)."""
    return " ".join(query[:QUERY_CHARACTERS].split())


def searchable(queries: Sequence[str]) -> list[int]:
    """Positions of the queries that hold something to search for."""
    return [position for position, query in enumerate(queries) if any(map(str.isalnum, query))]
