"""The knowledge base held in memory: the plain reference for the real index, exact and for small collections."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from engine.shared.errors import NotFound
from triage.contracts import Article, Passage
from triage.knowledge.chunks import Chunk, article_hash, chunks_of, claimed_ids
from triage.knowledge.retrieve import (
    CANDIDATES,
    Hits,
    Weights,
    checked,
    default_weights,
    fuse,
    passage,
    query_text,
    searchable,
)
from triage.knowledge.search_words import Bm25
from triage.ports import KNOWLEDGE, Embedder, HeldArticle, IndexReport

Key = tuple[str, int]


class MemoryIndex:
    """Cosine and BM25 computed over everything for each query."""

    def __init__(self, embedder: Embedder, *, weights: Weights | None = None) -> None:
        self._embedder, self._weights = embedder, checked(weights or default_weights(embedder.name))
        self._articles: dict[str, tuple[str, Article]] = {}
        self._chunks: dict[Key, Chunk] = {}
        self._vectors: dict[Key, np.ndarray] = {}
        self._bm25 = Bm25([])

    def sync(self, articles: Sequence[Article], *, source: str = KNOWLEDGE, remove_missing: bool = True) -> IndexReport:
        claimed_ids(articles, source, {article_id: of for article_id, (of, _) in self._articles.items()})
        held = {article_id: article for article_id, (of, article) in self._articles.items() if of == source}
        changed = [article for article in articles if not _is_same(article, held.get(article.id))]
        gone = set(held) - {article.id for article in articles} if remove_missing else set()
        chunks = [chunk for article in changed for chunk in chunks_of(article)]
        vectors = self._embedder.embed([chunk.meaning for chunk in chunks])
        self._forget(gone | {article.id for article in changed})
        for chunk, vector in zip(chunks, vectors, strict=True):
            self._chunks[chunk.article_id, chunk.number] = chunk._replace(source=source)
            self._vectors[chunk.article_id, chunk.number] = vector
        self._articles |= {article.id: (source, article) for article in changed}
        self._bm25 = Bm25([chunk.findable for chunk in self._chunks.values()])
        return IndexReport(len(changed), len(gone), len(articles) - len(changed))

    def remove(self, source: str) -> int:
        ids = {article_id for article_id, (of, _) in self._articles.items() if of == source}
        if not ids:
            names = ", ".join(sorted({of for of, _ in self._articles.values()})) or "none"
            raise NotFound(f"The index holds no articles of the source {source!r}; its sources are: {names}")
        self._forget(ids)
        self._bm25 = Bm25([chunk.findable for chunk in self._chunks.values()])
        return len(ids)

    def held(self) -> list[HeldArticle]:
        chunks = Counter(article_id for article_id, _ in self._chunks)
        return sorted(
            HeldArticle(source, article_id, article.title, article.url, chunks[article_id])
            for article_id, (source, article) in self._articles.items()
        )

    def search(self, queries: Sequence[str], *, limit: int = 5) -> list[list[Passage]]:
        found: list[list[Passage]] = [[] for _ in queries]
        positions = searchable(queries) if self._chunks else []
        texts = [query_text(queries[position]) for position in positions]
        if not texts:
            return found
        alike = self._bm25.scores(texts)
        near = self._embedder.embed(texts) @ np.stack(list(self._vectors.values())).T
        for position, dense, words in zip(positions, near, alike, strict=True):
            ranked = fuse(self._best(dense), self._best(words, above=0.0), self._weights, limit=limit)
            found[position] = [passage(self._chunks[key], score) for key, score in ranked]
        return found

    def count(self) -> int:
        return len(self._chunks)

    def close(self) -> None:
        """There is nothing to release."""

    def _forget(self, article_ids: set[str]) -> None:
        for key in [key for key in self._chunks if key[0] in article_ids]:
            del self._chunks[key], self._vectors[key]
        for article_id in article_ids & set(self._articles):
            del self._articles[article_id]

    def _best(self, scores: np.ndarray, *, above: float = -2.0) -> Hits:
        hits = ((key, float(score)) for key, score in zip(self._chunks, scores, strict=True) if score > above)
        return dict(sorted(hits, key=lambda pair: (-pair[1], pair[0]))[:CANDIDATES])


def _is_same(article: Article, held: Article | None) -> bool:
    return held is not None and article_hash(article) == article_hash(held)
