"""The knowledge base in Milvus: a file of one process by default, or a server by its address."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.errors import BadInput, Unavailable
from triage.contracts import Article, Passage
from triage.knowledge import Chunk, article_hash, chunks_of
from triage.ports import Embedder, IndexReport
from triage.retrieve import CANDIDATES, DEFAULT_WEIGHTS, Hits, Weights, checked, fuse, passage, query_text, searchable

COLLECTION: Final = "knowledge"
BATCH: Final = 200
PAGE: Final = 1000
FIELDS: Final = ["article_id", "chunk", "title", "url", "text"]

_open_files: Counter[str] = Counter()
_files_lock = threading.Lock()


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
        weights: Weights = DEFAULT_WEIGHTS,
        collection: str = COLLECTION,
    ) -> None:
        self._uri, self._embedder, self._weights, self._name = uri, embedder, checked(weights), collection
        self._client: Any = _connect(uri, token)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def sync(self, articles: Sequence[Article]) -> IndexReport:
        """Changed articles are written before what they replace is deleted, so that a search always finds something;
        a sync that was cut short is finished by the next, since an article counts as held only if all of it is."""
        wanted = {article.id: article_hash(article) for article in articles}
        held = self._held()
        changed = [article for article in articles if not _is_whole(article, wanted[article.id], held)]
        self._write([(chunk, wanted[article.id]) for article in changed for chunk in chunks_of(article)])
        kept = {_key(chunk) for article in articles for chunk in chunks_of(article)}
        self._delete([key for keys in held.values() for key in keys if key not in kept])
        return IndexReport(len(changed), len(set(held) - set(wanted)), len(articles) - len(changed))

    def search(self, queries: Sequence[str], *, limit: int = 5) -> list[list[Passage]]:
        found: list[list[Passage]] = [[] for _ in queries]
        positions = searchable(queries)
        for batch in _batches(positions):
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
        size = max(CANDIDATES, limit)
        vectors = self._embedder.embed(texts)
        near = self._ask("search", data=vectors.tolist(), anns_field="dense", limit=size, output_fields=FIELDS)
        alike = self._ask("search", data=texts, anns_field="words", limit=size, output_fields=FIELDS)
        return [self._fused(dense, words, limit) for dense, words in zip(near, alike, strict=True)]

    def _fused(self, dense: list[dict[str, Any]], words: list[dict[str, Any]], limit: int) -> list[Passage]:
        chunks = {(row["entity"]["article_id"], row["entity"]["chunk"]): row["entity"] for row in [*dense, *words]}
        ranked = fuse(_hits(dense), _bm25_hits(words), self._weights, limit=limit)
        return [passage(_chunk(chunks[key]), score) for key, score in ranked]

    def _held(self) -> dict[str, dict[str, str]]:
        """Hash of every stored chunk: article id → key → hash."""
        held: dict[str, dict[str, str]] = {}
        for row in self._rows(["id", "article_id", "hash"]):
            held.setdefault(row["article_id"], {})[row["id"]] = row["hash"]
        return held

    def _rows(self, fields: list[str]) -> Iterator[dict[str, Any]]:
        pages = self._ask("query_iterator", batch_size=PAGE, output_fields=fields)
        while rows := pages.next():
            yield from rows
        pages.close()

    def _write(self, chunks: list[tuple[Chunk, str]]) -> None:
        for batch in _batches(chunks):
            vectors = self._embedder.embed([chunk.meaning for chunk, _ in batch])
            rows = [self._row(chunk, digest, vector) for (chunk, digest), vector in zip(batch, vectors, strict=True)]
            self._ask("upsert", data=rows)

    def _row(self, chunk: Chunk, digest: str, vector: np.ndarray) -> dict[str, Any]:
        return {
            "article_id": chunk.article_id,
            "chunk": chunk.number,
            "title": chunk.title,
            "url": chunk.url,
            "text": chunk.text,
            "id": _key(chunk),
            "hash": digest,
            "embedder": self._embedder.name,
            "findable": chunk.findable,
            "dense": vector.tolist(),
        }

    def _delete(self, keys: list[str]) -> None:
        for batch in _batches(keys):
            self._ask("delete", ids=list(batch))

    def _prepare(self) -> None:
        if not self._call("has_collection", self._name):
            self._create()
            return
        fields = {field["name"]: field for field in self._call("describe_collection", self._name)["fields"]}
        if "embedder" not in fields:
            raise BadInput(f"The collection {self._name} at {self._uri} is not helmdesk's; name another collection")
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
        from pymilvus import DataType, Function, FunctionType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=512)
        for name, length in (("article_id", 512), ("title", 2048), ("url", 4096), ("text", 8192)):
            schema.add_field(name, DataType.VARCHAR, max_length=length)
        for name in ("hash", "embedder"):
            schema.add_field(name, DataType.VARCHAR, max_length=128)
        schema.add_field("chunk", DataType.INT64)
        schema.add_field(
            "findable",
            DataType.VARCHAR,
            max_length=16384,
            enable_analyzer=True,
            analyzer_params={"tokenizer": "standard", "filter": ["lowercase"]},
        )
        schema.add_field("dense", DataType.FLOAT_VECTOR, dim=self._embedder.dimension)
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        bm25 = Function(
            name="bm25", function_type=FunctionType.BM25, input_field_names=["findable"], output_field_names=["words"]
        )
        schema.add_function(bm25)
        indexes = MilvusClient.prepare_index_params()
        indexes.add_index("dense", index_type="FLAT", metric_type="COSINE")
        indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
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
            raise Unavailable(f"Milvus at {self._uri} refused to {method}: {error.message}") from error


_PATIENT: Final = {"grpc.keepalive_permit_without_calls": False}
"""The client's default pings an idle connection more often than Milvus Lite allows, which then complains aloud."""


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
        if is_file:
            raise Unavailable(
                f"The index file {uri} is in use by another process or can't be opened; one process at a time may "
                "hold it: stop the other one, or set HELMDESK_MILVUS_URI to a Milvus server"
            ) from error
        raise Unavailable(
            f"No Milvus server answers at {uri}: {error.message}; unset HELMDESK_MILVUS_URI to use a file instead"
        ) from error


def _quiet() -> None:
    """Both print tracebacks of what they raise as well, and it is raised on in our own words."""
    for name in ("milvus_lite", "pymilvus"):
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
    return f"{chunk.article_id}#{chunk.number:05d}"


def _hits(rows: list[dict[str, Any]]) -> Hits:
    return {(row["entity"]["article_id"], row["entity"]["chunk"]): float(row["distance"]) for row in rows}


def _bm25_hits(rows: list[dict[str, Any]]) -> Hits:
    """Milvus Lite gives BM25 as a negative distance, a server as a positive score."""
    return {key: abs(distance) for key, distance in _hits(rows).items()}


def _chunk(row: dict[str, Any]) -> Chunk:
    return Chunk(row["article_id"], row["chunk"], row["title"], row["url"], row["text"])


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
