"""The same desk over every embedded store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.storage import open_store
from engine.storage.ports import Store


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store("memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'desk.db'}")
    yield opened
    opened.close()  # type: ignore[attr-defined]
