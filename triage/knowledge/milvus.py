"""The knowledge base in Milvus: a file of one process by default, or a server by its address."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from more_itertools import chunked

from engine.shared.errors import BadInput, NotFound, Unavailable
from triage.contracts import Article, Passage
from triage.knowledge.chunks import PATH, Chunk, article_hash, chunks_of, claimed_ids
from triage.knowledge.milvus_schema import schema_and_indexes
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
PAGE: Final = 1000
FIELDS: Final = ["article_id", "chunk", "title", "url", "text"]

_open_files: Counter[str] = Counter()
_files_lock = threading.Lock()


class _Stored(NamedTuple):
    key: str
    article_id: str
    source: str
    hash: str
    title: str
    url: str


class InUse(Unavailable):
    """Another process holds the index file."""


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
        weights: Weights | None = None,
        collection: str = COLLECTION,
    ) -> None:
        self._uri, self._embedder, self._name = uri, embedder, collection
        self._weights = checked(weights or default_weights(embedder.name))
        self._client: Any = _connect(uri, token)
        try:
            _check_manifest(Path(uri) / "collections" / collection)
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

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            _release(self._uri)

    def _search_batch(self, texts: list[str], limit: int) -> list[list[Passage]]:
        vectors = self._embedder.embed(texts)
        words = [" ".join(search_words(text)) for text in texts]
        near = self._ask("search", data=vectors.tolist(), anns_field="dense", limit=CANDIDATES, output_fields=["id"])
        alike = self._ask("search", data=words, anns_field="words", limit=CANDIDATES, output_fields=["id"])
        ranked = [
            fuse(_hits(dense), _bm25_hits(words), self._weights, limit=limit)
            for dense, words in zip(near, alike, strict=True)
        ]
        chunks = self._chunks({key for hits in ranked for key, _ in hits})
        return [[passage(chunks[key], score) for key, score in hits if key in chunks] for hits in ranked]

    def _chunks(self, keys: set[tuple[str, int]]) -> dict[tuple[str, int], Chunk]:
        """Only what is shown is read, which is a tenth of what is compared."""
        found = {}
        for batch in chunked(sorted(keys), BATCH):
            for row in self._ask("get", ids=[_key_of(*key) for key in batch], output_fields=FIELDS):
                chunk = Chunk(row["article_id"], row["chunk"], row["title"], row["url"], row["text"])
                found[chunk.article_id, chunk.number] = chunk
        return found

    def _stored(self) -> list["_Stored"]:
        fields = ["id", "article_id", "source", "hash", "title", "url"]
        return [_Stored(*(row[field] for field in fields)) for row in self._rows(fields)]

    def _rows(self, fields: list[str]) -> Iterator[dict[str, Any]]:
        pages = self._ask("query_iterator", batch_size=PAGE, output_fields=fields)
        while rows := pages.next():
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
            "findable": " ".join(search_words(chunk.findable)),
            "dense": vector.tolist(),
        }

    def _delete(self, keys: list[str]) -> None:
        for batch in chunked(keys, BATCH):
            self._ask("delete", ids=list(batch))

    def _prepare(self) -> None:
        if not self._call("has_collection", self._name):
            self._create()
            return
        fields = {field["name"]: field for field in self._call("describe_collection", self._name)["fields"]}
        if "embedder" not in fields:
            raise BadInput(f"The collection {self._name} at {self._uri} is not helmdesk's; name another collection")
        if "source" not in fields:
            raise BadInput(f"The index {self._uri} was made by an earlier helmdesk; delete it and sync it anew")
        self._call("load_collection", self._name)
        others = self._ask(
            "query", filter=f"embedder != {json.dumps(self._embedder.name)}", output_fields=["embedder"], limit=1
        )
        dimension = int(fields["dense"]["params"]["dim"])
        if others or dimension != self._embedder.dimension:
            made_with = others[0]["embedder"] if others else f"an embedder of {dimension} dimensions"
            raise BadInput(
                f"The index {self._uri} was made with {made_with}, but the embedder now is {self._embedder.name} "
                f"({self._embedder.dimension}); choose that embedder again, or delete the index and sync it anew"
            )

    def _create(self) -> None:
        schema, indexes = schema_and_indexes(self._embedder.dimension)
        self._call("create_collection", self._name, schema=schema, index_params=indexes, consistency_level="Strong")

    def _ask(self, method: str, **arguments: Any) -> Any:
        return self._call(method, self._name, **arguments)

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        from pymilvus.exceptions import MilvusException

        if self._client is None:
            raise Unavailable(f"The index {self._uri} was closed; open it again")
        try:
            return getattr(self._client, method)(*arguments, **named)
        except MilvusException as error:
            remedy = "" if "://" in self._uri else f"; if it is damaged, {_ANEW}"
            why = " ".join(error.message.split())[:300]
            raise Unavailable(f"Milvus at {self._uri} refused to {method}: {why}{remedy}") from error


_ANEW: Final = "delete it and run `helmdesk knowledge sync`"
_PATIENT: Final = {"grpc.keepalive_permit_without_calls": False}
"""The client's default pings an idle connection more often than Milvus Lite allows, which then complains aloud."""


def _check_manifest(folder: Path) -> None:
    """Milvus Lite goes back to the manifest before a damaged one, or starts without one, and what is left would pass
    for all there is. Raises Unavailable."""
    try:
        parts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["partitions"]
        named = [folder / "partitions" / part / file for part in parts for file in parts[part]["data_files"]]
        is_whole = all(file.is_file() for file in named)
    except FileNotFoundError:
        is_whole = not any(folder.glob("partitions/*/data/*"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise Unavailable(
            f"The index {folder.parent.parent} is damaged: its manifest does not name what it holds; {_ANEW}"
        )


def _connect(uri: str, token: str | None) -> Any:
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    is_file = "://" not in uri
    if is_file and not uri.endswith(".db"):
        raise BadInput(f"{uri!r} is neither the address of a Milvus server nor a file that ends in .db")
    _quiet()
    try:
        with _files_lock:
            client = MilvusClient(uri, token=token or "", grpc_options=_PATIENT)
            _open_files[_file(uri)] += 1
        return client
    except MilvusException as error:
        if is_file and Path(uri).is_dir():
            raise InUse(
                f"The index file {uri} is in use by another process or can't be opened; one process at a time may "
                "hold it: stop the other one, or set HELMDESK_MILVUS_URI to a Milvus server"
            ) from error
        if is_file:
            raise Unavailable(
                f"The index {uri} is no index and can't be made one: if it is damaged, {_ANEW}"
            ) from error
        raise Unavailable(
            f"No Milvus server answers at {uri}: {error.message}; unset HELMDESK_MILVUS_URI to use a file instead"
        ) from error


def _quiet() -> None:
    """They print tracebacks of what they raise as well, and it is raised on in our own words."""
    for name in ("milvus_lite", "pymilvus", "grpc._server"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _release(uri: str) -> None:
    """Gives the file back once nothing in this process uses it any more."""
    with _files_lock:
        _open_files[_file(uri)] -= 1
        if "://" not in uri and _open_files[_file(uri)] <= 0:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(uri)


def _file(uri: str) -> str:
    return uri if "://" in uri else str(Path(uri).absolute())


def _is_whole(article: Article, digest: str, held: dict[str, dict[str, str]]) -> bool:
    return held.get(article.id) == {_key(chunk): digest for chunk in chunks_of(article)}


def _key(chunk: Chunk) -> str:
    return _key_of(chunk.article_id, chunk.number)


def _key_of(article_id: str, number: int) -> str:
    return f"{article_id}#{number:05d}"


def _hits(rows: list[dict[str, Any]]) -> Hits:
    keys = (str(row["id"]).rpartition("#") for row in rows)
    return {(key[0], int(key[2])): float(row["distance"]) for key, row in zip(keys, rows, strict=True)}


def _bm25_hits(rows: list[dict[str, Any]]) -> Hits:
    """Milvus Lite gives BM25 as a negative distance, a server as a positive score."""
    return {key: abs(distance) for key, distance in _hits(rows).items()}
