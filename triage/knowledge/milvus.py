"""The knowledge base in Milvus: a file of one process by default, or a server by its address."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import numpy as np
from more_itertools import chunked

from engine.shared.errors import BadInput, NotFound
from triage.contracts import Article, Passage
from triage.knowledge.chunks import PATH, Chunk, article_hash, chunks_of, claimed_ids
from triage.knowledge.milvus_connection import Connection, Server, check_manifest
from triage.knowledge.milvus_schema import schema_and_indexes
from triage.knowledge.passage_words import PassageWords
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
from triage.knowledge.search_words import search_words
from triage.ports import KNOWLEDGE, Embedder, HeldArticle, IndexReport

COLLECTION: Final = "knowledge"
BATCH: Final = 200
PAGE: Final = 4000
"""Rows of one reading: a server takes a fifth of a second for each, however small."""
FIELDS: Final = ["article_id", "chunk", "title", "url", "text", "source"]

_UNSAFE = re.compile(r"""["'%\\\x00-\x1f\x7f]""")


class _Stored(NamedTuple):
    key: str
    article_id: str
    source: str
    hash: str
    title: str
    url: str


class MilvusIndex:
    """Hybrid search, dense and BM25, over article chunks. Use `close`: it gives the file back.

    `uri` is a path ending in `.db` (Milvus Lite, one process at a time) or the address of a server. The embedder's
    name is kept with every row and its dimension with the collection: another embedder is refused with BadInput.
    """

    def __init__(
        self,
        uri: str,
        embedder: Embedder,
        *,
        token: str | None = None,
        database: str = "",
        weights: Weights | None = None,
        collection: str = COLLECTION,
    ) -> None:
        self._embedder, self._name = embedder, collection
        self._weights = checked(weights or default_weights(embedder.name))
        self._words_here: PassageWords | None = None
        self._milvus = Connection(uri, token=token, database=database)
        try:
            if self._milvus.is_file:
                check_manifest(Path(uri) / "collections" / collection)
            self._prepare()
        except BaseException:
            self.close()
            raise

    def sync(self, articles: Sequence[Article], *, source: str = KNOWLEDGE, remove_missing: bool = True) -> IndexReport:
        """Changed articles are written before what they replace is deleted, so that a search always finds something;
        a sync that was cut short is finished by the next, since an article counts as held only if all of it is."""
        rows = self._stored()
        claimed_ids(articles, source, {row.article_id: row.source for row in rows})
        held: dict[str, dict[str, str]] = {}
        for row in rows:
            if row.source == source:
                held.setdefault(row.article_id, {})[row.key] = row.hash
        wanted = {article.id: article_hash(article) for article in articles}
        changed = [article for article in articles if not _is_whole(article, wanted[article.id], held)]
        self._write([(chunk, wanted[article.id]) for article in changed for chunk in chunks_of(article)], source)
        current = {_key(chunk) for article in articles for chunk in chunks_of(article)}
        gone = set(held) - set(wanted) if remove_missing else set()
        old = {key for article_id, keys in held.items() if article_id in gone or article_id in wanted for key in keys}
        self._delete(sorted(old - current))
        return IndexReport(len(changed), len(gone), len(articles) - len(changed))

    def remove(self, source: str) -> int:
        rows = self._stored()
        gone = [row for row in rows if row.source == source]
        if not gone:
            names = ", ".join(sorted({row.source for row in rows})) or "none"
            raise NotFound(f"The index holds no articles of the source {source!r}; its sources are: {names}")
        self._delete([row.key for row in gone])
        return len({row.article_id for row in gone})

    def held(self) -> list[HeldArticle]:
        rows = self._stored()
        chunks = Counter(row.article_id for row in rows)
        return sorted(
            HeldArticle(row.source, row.article_id, row.title.split(PATH)[0], row.url, chunks[row.article_id])
            for row in {row.article_id: row for row in rows}.values()
        )

    def search(self, queries: Sequence[str], *, limit: int = 5) -> list[list[Passage]]:
        found: list[list[Passage]] = [[] for _ in queries]
        positions = searchable(queries)
        for batch in chunked(positions, BATCH):
            texts = [query_text(queries[position]) for position in batch]
            for position, passages in zip(batch, self._search_batch(texts, limit), strict=True):
                found[position] = passages
        return found

    def count(self) -> int:
        return int(self._ask("query", filter="", output_fields=["count(*)"])[0]["count(*)"])

    @property
    def finds_words_here(self) -> bool:
        """Whether BM25 is computed here over what the server keeps, because it has none or the index was made then."""
        return self._words_here is not None

    def server(self) -> Server | None:
        """None for a file."""
        return self._milvus.server()

    def close(self) -> None:
        self._milvus.close()

    def _search_batch(self, texts: list[str], limit: int) -> list[list[Passage]]:
        vectors = self._embedder.embed(texts)
        near = self._ask("search", data=vectors.tolist(), anns_field="dense", limit=CANDIDATES, output_fields=["id"])
        ranked = [
            fuse(_hits(dense), words, self._weights, limit=limit)
            for dense, words in zip(near, self._alike(texts), strict=True)
        ]
        chunks = self._chunks({key for hits in ranked for key, _ in hits})
        return [[passage(chunks[key], score) for key, score in hits if key in chunks] for hits in ranked]

    def _alike(self, texts: list[str]) -> list[Hits]:
        if self._words_here is None:
            words = [" ".join(search_words(text)) for text in texts]
            found = self._ask("search", data=words, anns_field="words", limit=CANDIDATES, output_fields=["id"])
            return [_bm25_hits(rows) for rows in found]
        hashes = {_parts(row["id"]): row["hash"] for row in self._rows(["id", "hash"])}
        new = {
            _parts(row["id"]): row["findable"]
            for batch in chunked(self._words_here.unknown(hashes), PAGE // 4)
            for row in self._ask("get", ids=[_key_of(*key) for key in batch], output_fields=["id", "findable"])
        }
        self._words_here.renew(hashes, new)
        return self._words_here.find(texts)

    def _chunks(self, keys: set[tuple[str, int]]) -> dict[tuple[str, int], Chunk]:
        """Only what is shown is read, which is a tenth of what is compared."""
        found = {}
        for batch in chunked(sorted(keys), BATCH):
            for row in self._ask("get", ids=[_key_of(*key) for key in batch], output_fields=FIELDS):
                chunk = Chunk(
                    row["article_id"], row["chunk"], row["title"], row["url"], row["text"], source=row["source"]
                )
                found[chunk.article_id, chunk.number] = chunk
        return found

    def _stored(self) -> list["_Stored"]:
        fields = ["id", "article_id", "source", "hash", "title", "url"]
        return [_Stored(*(row[field] for field in fields)) for row in self._rows(fields)]

    def _rows(self, fields: list[str]) -> Iterator[dict[str, Any]]:
        pages = self._ask("query_iterator", batch_size=PAGE, output_fields=fields)
        while rows := self._milvus.answer("read", pages.next):
            yield from rows
        pages.close()

    def _write(self, chunks: list[tuple[Chunk, str]], source: str) -> None:
        for batch in chunked(chunks, BATCH):
            vectors = self._embedder.embed([chunk.meaning for chunk, _ in batch])
            rows = [
                self._row(chunk, source, digest, vector) for (chunk, digest), vector in zip(batch, vectors, strict=True)
            ]
            self._ask("upsert", data=rows)

    def _row(self, chunk: Chunk, source: str, digest: str, vector: np.ndarray) -> dict[str, Any]:
        return {
            "source": source,
            "article_id": chunk.article_id,
            "chunk": chunk.number,
            "title": chunk.title,
            "url": chunk.url,
            "text": chunk.text,
            "id": _key(chunk),
            "hash": digest,
            "embedder": self._embedder.name,
            "findable": chunk.findable if self._words_here else " ".join(search_words(chunk.findable)),
            "dense": vector.tolist(),
        }

    def _delete(self, keys: list[str]) -> None:
        for batch in chunked(keys, BATCH):
            self._ask("delete", ids=list(batch))

    def _prepare(self) -> None:
        milvus = self._milvus
        if not milvus.call("has_collection", self._name):
            self._create()
            return
        fields = {field["name"]: field for field in milvus.call("describe_collection", self._name)["fields"]}
        if "embedder" not in fields:
            raise BadInput(f"The collection {self._name} at {milvus.shown} is not helmdesk's; {self._other_place}")
        if "source" not in fields:
            raise BadInput(f"The index {milvus.shown} was made by an earlier helmdesk; {self._other_place}")
        self._words_here = None if "words" in fields else PassageWords()
        if not self._ask("list_indexes"):  # whoever made the collection had not come to them
            self._ask("create_index", index_params=self._schema_and_indexes()[1])
        self._ask("load_collection")
        others = self._ask(
            "query", filter=f"embedder != {json.dumps(self._embedder.name)}", output_fields=["embedder"], limit=1
        )
        dimension = int(fields["dense"]["params"]["dim"])
        if others or dimension != self._embedder.dimension:
            made_with = others[0]["embedder"] if others else f"an embedder of {dimension} dimensions"
            raise BadInput(
                f"The index {milvus.shown} was made with {made_with}, but the embedder now is {self._embedder.name} "
                f"({self._embedder.dimension}); choose that embedder again, or {self._other_place}"
            )

    def _create(self) -> None:
        self._words_here = None if self._milvus.has_bm25() else PassageWords()
        schema, indexes = self._schema_and_indexes()
        self._ask("create_collection", schema=schema, index_params=indexes, consistency_level="Strong")

    def _schema_and_indexes(self) -> tuple[Any, Any]:
        return schema_and_indexes(self._embedder.dimension, bm25=not self.finds_words_here)

    @property
    def _other_place(self) -> str:
        if self._milvus.is_file:
            return "delete the index and sync it anew"
        return f"name another HELMDESK_MILVUS_DATABASE, or drop the collection {self._name} there and sync it anew"

    def _ask(self, method: str, **arguments: Any) -> Any:
        return self._milvus.call(method, self._name, **arguments)


def _is_whole(article: Article, digest: str, held: dict[str, dict[str, str]]) -> bool:
    return held.get(article.id) == {_key(chunk): digest for chunk in chunks_of(article)}


def _key(chunk: Chunk) -> str:
    return _key_of(chunk.article_id, chunk.number)


def _key_of(article_id: str, number: int) -> str:
    """The client puts keys into filters as they are, so what would end a text there is written as in a URL."""
    return f"{_UNSAFE.sub(lambda sign: f'%{ord(sign[0]):02X}', article_id)}#{number:05d}"


def _parts(key: str) -> tuple[str, int]:
    article_id, _, number = key.rpartition("#")
    return unquote(article_id), int(number)


def _hits(rows: list[dict[str, Any]]) -> Hits:
    return {_parts(str(row["id"])): float(row["distance"]) for row in rows}


def _bm25_hits(rows: list[dict[str, Any]]) -> Hits:
    """Milvus Lite gives BM25 as a negative distance, a server as a positive score."""
    return {key: abs(distance) for key, distance in _hits(rows).items()}
