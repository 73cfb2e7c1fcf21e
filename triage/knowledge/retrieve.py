"""Finding what answers a question: nearness of meaning and shared words, weighed together."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final, NamedTuple

from engine.shared.errors import BadInput
from triage.contracts import Passage, TicketText
from triage.evidence import codes_like
from triage.knowledge.chunks import Chunk
from triage.knowledge.matter import matter_of
from triage.sanitize import clean_ticket, readable_text, whole_text

Hits = Mapping[tuple[str, int], float]
"""Score by (article id, chunk number)."""

CANDIDATES: Final = 50
"""How many each side of a hybrid search brings forward."""
HALF_WAY: Final = 14.0
"""The BM25 score that counts one half."""
STEEPNESS: Final = 1.5
"""Above 1, a few chance words count for less than their share."""
CLEAR_LEAD: Final = 0.15
"""A cosine that is so much above the tenth tells what is meant."""
FLAT_FACTOR: Final = 2.0
"""How much more words count where meaning has no lead at all."""
DOUBT: Final = 2.0
"""How much more words count where none of them speaks for the nearest passage, if meaning is from static vectors; the
more the embedder is trusted, the less."""
QUERY_CHARACTERS: Final = 2000


class Weights(NamedTuple):
    """How much meaning (cosine) and words (BM25) count; only their ratio matters."""

    dense: float
    words: float


STATIC: Final = Weights(0.65, 0.35)
"""For embedders that average word vectors, and for any that is not measured yet."""
CONTEXTUAL: Final = Weights(0.85, 0.15)
_MEASURED: Final = {"all-minilm-l6-v2-int8": CONTEXTUAL}


def default_weights(embedder: str) -> Weights:
    """Chosen so that together they lose at most .01 nDCG@10 to the better side on corpora as different as bank
    questions, error codes, Stack Exchange threads and reference manuals."""
    return _MEASURED.get(embedder, STATIC)


def checked(weights: Weights) -> Weights:
    """Raises BadInput for weights that can't rank anything."""
    if not all(map(isfinite, weights)) or min(weights) < 0 or sum(weights) <= 0:
        raise BadInput(f"Search weights {tuple(weights)} can't be used; give two numbers from 0 up, not both 0")
    return weights


def fuse(dense: Hits, words: Hits, weights: Weights, *, limit: int) -> list[tuple[tuple[str, int], float]]:
    """The best of both lists by weighted score in [0, 1], best first, ties by id.

    Cosines count from 0 up; a BM25 score b, which has no upper end, counts as b^1.5 / (b^1.5 + 14^1.5). Words count
    up to twice their weight where one passage matches them far better than the tenth does, as for an error code, up to
    three times where meaning hardly tells the nearest passage from the tenth, and up to three times where no word
    speaks for the nearest. What only one list holds counts in the other as its last, if that list is full. Adding
    ranks instead (reciprocal rank fusion) loses to the better side where the other is weak. All that was found of the
    best article is among the result, because a ticket describes the trouble and the remedy stands in another chunk.
    """
    share = dense_share(dense, words, weights)
    last_dense, last_word = _unlisted(dense), _unlisted(words)
    scores = {
        key: share * max(dense.get(key, last_dense), 0.0) + (1 - share) * _saturated(words.get(key, last_word))
        for key in {*dense, *words}
    }
    ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
    if not ranked:
        return []
    best_article = ranked[0][0][0]
    chosen = sorted(ranked, key=lambda pair: pair[0][0] != best_article)[:limit]
    return sorted(chosen, key=lambda pair: (-pair[1], pair[0]))


def dense_share(dense: Hits, words: Hits, weights: Weights) -> float:
    """How much of a query's score is meaning, from 0 to 1, by how far each side's first is ahead of its tenth and by
    what words say of the nearest."""
    first_word, tenth_word = _first_and_tenth(words)
    nearest, tenth_nearest = _first_and_tenth(dense)
    ahead = (first_word - tenth_word) / first_word if first_word > 0 else 0.0
    flat = max(0.0, 1 - (nearest - tenth_nearest) / CLEAR_LEAD)
    distrust = min(1.0, weights.words / (weights.dense + weights.words) / STATIC.words)
    doubt = DOUBT * distrust**2 * (1 - _word_share(dense, words))
    by_words = weights.words * (1 + ahead**2) * (1 + FLAT_FACTOR * flat) * (1 + doubt)
    return weights.dense / (weights.dense + by_words)


def _word_share(dense: Hits, words: Hits) -> float:
    """The words' score of the passage that meaning puts first, by their own best; 1 if either finds nothing."""
    best = max(words.values(), default=0.0)
    if not dense or best <= 0:
        return 1.0
    first = max(dense.values())
    return max(words.get(key, 0.0) for key, near in dense.items() if near == first) / best


def _first_and_tenth(hits: Hits) -> tuple[float, float]:
    scores = sorted(hits.values(), reverse=True)
    return (scores[0] if scores else 0.0), (scores[9] if len(scores) > 9 else 0.0)


def _unlisted(hits: Hits) -> float:
    return min(hits.values()) if len(hits) >= CANDIDATES else 0.0


def _saturated(bm25: float) -> float:
    return float(bm25**STEEPNESS / (bm25**STEEPNESS + HALF_WAY**STEEPNESS))


def passage(chunk: Chunk, score: float) -> Passage:
    return Passage(
        article_id=chunk.article_id,
        chunk=chunk.number,
        title=chunk.title,
        url=chunk.url,
        text=chunk.text,
        score=score,
        source=chunk.source,
    )


def question_of(ticket: TicketText) -> str:
    """What to search for on behalf of a ticket: its title, its beginning, and the error codes named further down or in
    another writing; not what it says is fine, and no word it hammers in."""
    cleaned = matter_of(clean_ticket(ticket))
    shown = readable_text(cleaned)
    codes = sorted(codes_like(whole_text(cleaned)))
    return " ".join([shown, *(code for code in codes if code not in shown.upper())])


def query_text(query: str) -> str:
    """At most 2,000 characters of a question (S5-15)."""
    return " ".join(query[:QUERY_CHARACTERS].split())


def searchable(queries: Sequence[str]) -> list[int]:
    """Positions of the queries that hold something to search for."""
    return [position for position, query in enumerate(queries) if any(map(str.isalnum, query))]
