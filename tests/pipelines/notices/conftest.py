"""Desks with and without a channel, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.app.container import App
from tests.pipelines.handler_system import HandlerSystem, handler_system
from tests.pipelines.notices import desk


@pytest.fixture
def system() -> Iterator[HandlerSystem]:
    with handler_system() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else str(request.getfixturevalue("new_database")())


@pytest.fixture
def app(tmp_path: Path, database_url: str) -> Iterator[App]:
    with desk(tmp_path, database_url=database_url) as opened:
        yield opened


@pytest.fixture
def here(tmp_path: Path, system: HandlerSystem) -> Iterator[App]:
    """A desk on SQLite whose Teams is a web server."""
    with desk(tmp_path, teams=system.url) as opened:
        yield opened
