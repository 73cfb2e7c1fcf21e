"""Where an index may be: in memory, in a file, on a server; as fixtures."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import uuid4

import pytest

from tests.triage.memory_index import MemoryIndex
from tests.triage.milvus_server import TOKEN
from triage.contracts import Article
from triage.embed import WordLlama
from triage.knowledge.milvus import MilvusIndex
from triage.ports import Embedder, Index

Opener = Callable[[Embedder], Index]
T = TypeVar("T")


class Place(NamedTuple):
    """Where an index may be, as MilvusIndex asks for it."""

    uri: str
    token: str | None = None
    database: str = ""


def open_milvus(place: Place, embedder: Embedder) -> MilvusIndex:
    return MilvusIndex(place.uri, embedder, token=place.token, database=place.database)


@pytest.fixture
def server(milvus_server: str) -> Place:
    """A database of its own, which is made when the index is opened, on a server that asks for a token."""
    return Place(milvus_server, TOKEN, f"of_{uuid4().hex}")


@pytest.fixture
def emptied(request: pytest.FixtureRequest, server: Place, words: Embedder) -> Iterator[Place]:
    """A database of all tests of a module, empty at the beginning: making one takes seconds."""
    place = server._replace(database=request.module.__name__.rpartition(".")[2])
    yield place
    index = open_milvus(place, words)
    for source in {held.source for held in index.held()}:
        index.remove(source)
    index.close()


@pytest.fixture(params=["file", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return request.getfixturevalue("server") if request.param == "server" else Place(str(tmp_path / "k.db"))


@pytest.fixture(params=["memory", "file", "server"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    opened: list[Index] = []
    place = request.getfixturevalue("emptied") if request.param == "server" else Place(str(tmp_path / "i.db"))

    def open_index(embedder: Embedder) -> Index:
        opened.append(MemoryIndex(embedder) if request.param == "memory" else open_milvus(place, embedder))
        return opened[-1]

    yield open_index
    for index in opened:
        index.close()


def short(article_id: str, text: str) -> Article:
    return Article(id=article_id, title=f"About {article_id}", url=f"https://x.example/{article_id}", text=text)


def ids(index: Index) -> list[tuple[str, str]]:
    return [(held.source, held.article_id) for held in index.held()]


@pytest.fixture(scope="module")
def words() -> Embedder:
    return WordLlama()
