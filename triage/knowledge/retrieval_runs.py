"""What each side of a hybrid search finds in a collection of documents, and what they find together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from triage.contracts import Article
from triage.knowledge.chunks import chunks_of
from triage.knowledge.retrieve import CANDIDATES, Hits, Weights, fuse, query_text, searchable
from triage.knowledge.search_words import Bm25
from triage.ports import Embedder

DEPTH: Final = 200
"""Chunks that each side brings forward when it is judged alone."""
BATCH: Final = 250
"""How many texts are embedded, told of and kept at once: seconds of work, should it be interrupted."""
QUERIES_AT_ONCE: Final = 64

Progress = Callable[[str, int, int], None]
"""Hears a stage's name and how many of how many are done."""


class Found(NamedTuple):
    """What one query finds: the best chunks by meaning and by words, best first."""

    dense: Hits
    words: Hits


class Collection:
    """Documents in exactly the chunks, vectors and words that the index would hold; one in which there is
    nothing to search for has none."""

    def __init__(self, documents: Sequence[Article], embedder: Embedder, *, progress: Progress) -> None:
        self._embedder, self._progress = embedder, progress
        pieces = [chunk for document in documents for chunk in chunks_of(document)]
        chunks = [pieces[place] for place in searchable([chunk.meaning for chunk in pieces])]
        self._keys = [(chunk.article_id, chunk.number) for chunk in chunks]
        self._bm25 = Bm25([chunk.findable for chunk in chunks])
        self._vectors = _embedded([chunk.meaning for chunk in chunks], embedder, "documents", progress)

    def find(self, queries: Mapping[str, str]) -> dict[str, Found]:
        """Nothing for a query in which there is nothing to search for, as the index answers it. A document with the
        query's own id is left out, as BEIR does."""
        found = {name: Found({}, {}) for name in queries}
        names = [list(queries)[place] for place in searchable(list(queries.values()))] if self._keys else []
        texts = [query_text(queries[name]) for name in names]
        vectors = _embedded(texts, self._embedder, "queries", self._progress)
        for batch in _batches(len(names), QUERIES_AT_ONCE):
            near, alike = vectors[batch] @ self._vectors.T, self._bm25.scores(texts[batch])
            for name, dense, words in zip(names[batch], near, alike, strict=True):
                found[name] = Found(
                    best_hits(dense, self._keys, name, above=-2.0), best_hits(words, self._keys, name, above=0.0)
                )
            self._progress("search", min(batch.stop, len(names)), len(names))
        return found


def ranking(hits: Hits) -> list[str]:
    """Documents in the order of their best chunk; equals by id, the last first, as trec_eval has it."""
    best: dict[str, float] = {}
    for (document, _), score in hits.items():
        best[document] = max(score, best.get(document, score))
    return sorted(best, key=lambda document: (best[document], document), reverse=True)


def hybrid_ranking(found: Found, weights: Weights) -> list[str]:
    """What the index would show, best first."""
    return ranking(dict(fuse(first_hits(found.dense), first_hits(found.words), weights, limit=2 * CANDIDATES)))


def first_hits(hits: Hits) -> Hits:
    """As many as each side of the index's search brings forward."""
    return dict(list(hits.items())[:CANDIDATES])


def best_hits(scores: np.ndarray, keys: Sequence[tuple[str, int]], own: str, *, above: float) -> Hits:
    """The best that score above, best first; chunks of the document `own` are left out."""
    size = min(DEPTH, len(scores))
    places = np.argpartition(-scores, size - 1)[:size]
    hits = [(keys[place], float(scores[place])) for place in places if scores[place] > above and keys[place][0] != own]
    return dict(sorted(hits, key=lambda pair: (-pair[1], pair[0])))


def _embedded(texts: Sequence[str], embedder: Embedder, stage: str, progress: Progress) -> np.ndarray:
    parts = [np.zeros((0, embedder.dimension), dtype=np.float32)]
    progress(stage, 0, len(texts))
    for batch in _batches(len(texts), BATCH):
        parts.append(embedder.embed(texts[batch]))
        progress(stage, min(batch.stop, len(texts)), len(texts))
    return np.concatenate(parts)


def _batches(length: int, size: int) -> Iterator[slice]:
    for start in range(0, length, size):
        yield slice(start, start + size)
