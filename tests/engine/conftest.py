"""The same desk over every embedded store."""

from collections.abc import Iterator

import pytest

from engine.storage import open_store
from engine.storage.ports import Store
from tests.ports.memory_store import MemoryStore


def desk_store(url: str) -> Iterator[Store]:
    """The store at this address, closed at the end."""
    opened = MemoryStore() if url == "memory://" else open_store(url)
    yield opened
    opened.close()  # type: ignore[attr-defined]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    is_file = request.param == "sqlite"
    yield from desk_store(f"sqlite:///{request.getfixturevalue('sqlite_file')}" if is_file else "memory://")
