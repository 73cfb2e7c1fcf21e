"""The knowledge base held in memory: the plain reference for the real index, exact and for small collections."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from triage.contracts import Article, Passage
from triage.knowledge import Chunk, article_hash, chunks_of
from triage.ports import Embedder, IndexReport
from triage.retrieve import CANDIDATES, DEFAULT_WEIGHTS, Hits, Weights, checked, fuse, passage, query_text, searchable

K1: Final = 1.2
B: Final = 0.75
Key = tuple[str, int]


class MemoryIndex:
    """Cosine and BM25 (Robertson and Zaragoza 2009; k1 1.2, b 0.75) computed over everything for each query."""

    def __init__(self, embedder: Embedder, *, weights: Weights = DEFAULT_WEIGHTS) -> None:
        self._embedder, self._weights = embedder, checked(weights)
        self._hashes: dict[str, str] = {}
        self._chunks: dict[Key, Chunk] = {}
        self._vectors: dict[Key, np.ndarray] = {}

    def sync(self, articles: Sequence[Article]) -> IndexReport:
        wanted = {article.id: article_hash(article) for article in articles}
        changed = [article for article in articles if self._hashes.get(article.id) != wanted[article.id]]
        gone = set(self._hashes) - set(wanted)
        for article_id in gone | {article.id for article in changed}:
            self._forget(article_id)
        chunks = [chunk for article in changed for chunk in chunks_of(article)]
        vectors = self._embedder.embed([chunk.meaning for chunk in chunks])
        for chunk, vector in zip(chunks, vectors, strict=True):
            self._chunks[chunk.article_id, chunk.number] = chunk
            self._vectors[chunk.article_id, chunk.number] = vector
        self._hashes = wanted
        return IndexReport(len(changed), len(gone), len(articles) - len(changed))

    def search(self, queries: Sequence[str], *, limit: int = 5) -> list[list[Passage]]:
        found: list[list[Passage]] = [[] for _ in queries]
        positions = searchable(queries) if self._chunks else []
        vectors = self._embedder.embed([query_text(queries[position]) for position in positions])
        for position, vector in zip(positions, vectors, strict=True):
            words = _best(self._bm25(query_text(queries[position])))
            dense = _best({key: float(held @ vector) for key, held in self._vectors.items()})
            found[position] = [
                passage(self._chunks[key], score) for key, score in fuse(dense, words, self._weights, limit=limit)
            ]
        return found

    def count(self) -> int:
        return len(self._chunks)

    def close(self) -> None:
        """There is nothing to release."""

    def _forget(self, article_id: str) -> None:
        for key in [key for key in self._chunks if key[0] == article_id]:
            del self._chunks[key], self._vectors[key]

    def _bm25(self, query: str) -> Hits:
        counts = {key: Counter(_words(chunk.findable)) for key, chunk in self._chunks.items()}
        mean = sum(map(Counter.total, counts.values())) / len(counts)
        scores: dict[Key, float] = defaultdict(float)
        for word, times in Counter(_words(query)).items():
            holders = [key for key, count in counts.items() if count[word]]
            rarity = math.log(1 + (len(counts) - len(holders) + 0.5) / (len(holders) + 0.5))
            for key in holders:
                often = counts[key][word]
                length = 1 - B + B * counts[key].total() / mean
                scores[key] += times * rarity * often * (K1 + 1) / (often + K1 * length)
        return dict(scores)


def _best(hits: Hits) -> Hits:
    return dict(sorted(hits.items(), key=lambda pair: (-pair[1], pair[0]))[:CANDIDATES])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
