"""Stores to test: memory, a SQLite file, and a PostgreSQL started for the session; each test has its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.storage import open_store
from engine.storage.ports import Store
from tests.ports.memory_store import MemoryStore

SQL = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated store of the parametrised kind that nobody else uses."""
    match request.param:
        case "memory":
            return "memory://"
        case "sqlite":
            file = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "helmdesk.db")
            return f"sqlite:///{file}"
        case _:
            return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'somewhere' / 'helmdesk.db'}"
    return str(request.getfixturevalue("new_database")())


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = MemoryStore() if url == "memory://" else open_store(url)
    yield opened
    opened.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`sql_only` tests run on databases; the others that use a store run on memory too."""
    names = set(metafunc.fixturenames)
    if "empty_url" in names:
        metafunc.parametrize("empty_url", SQL, indirect=True)
    elif "url" in names:
        sql_only = metafunc.definition.get_closest_marker("usefixtures") and "sql_only" in names
        metafunc.parametrize("url", SQL if sql_only else ["memory", *SQL], indirect=True)


@pytest.fixture
def sql_only() -> None:
    """Asks for a real database."""
