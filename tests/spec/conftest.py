"""What the worked tickets of DECISIONS.md need: a desk's store and an app."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.storage.ports import Store
from pipelines.app.container import App, open_app
from tests.engine.conftest import desk_store


@pytest.fixture
def store(sqlite_file: Path) -> Iterator[Store]:
    yield from desk_store(f"sqlite:///{sqlite_file}")


@pytest.fixture
def app(sqlite_file: Path) -> Iterator[App]:
    """An empty home beside a migrated store."""
    with open_app(home=sqlite_file.parent, embedder="wordllama", database_url=f"sqlite:///{sqlite_file}") as opened:
        yield opened
