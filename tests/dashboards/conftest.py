"""Who visits: a page under test has no browser, so each test says from where and with which headers it is opened."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.context import ContextProxy, StreamlitHeaders

from pipelines.app.container import App, open_app
from tests.dashboards.busy_desk import busy_desk
from tests.dashboards.marts_by_hand import small_desk, stored_desk

manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
"""Each run of a page looks through all installed packages for components, which takes as long as the page: once is
enough."""


class Browser:
    """A connection from this machine without headers, until a test says otherwise."""

    def __init__(self) -> None:
        self.peer: str | None = None
        self.headers: list[tuple[str, str]] = []


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Streamlit's own stand-in for a connection has no address at all."""
    visitor: Any = Browser()
    monkeypatch.setattr(ContextProxy, "ip_address", property(lambda _: visitor.peer))
    monkeypatch.setattr(ContextProxy, "headers", property(lambda _: StreamlitHeaders(visitor.headers)))
    monkeypatch.setenv("HELMDESK_USER", "")
    return visitor


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_file: object) -> Iterator[Path]:
    """Of a small desk, in store and marts; the one that pages open."""
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    small_desk(tmp_path).close()
    stored_desk(tmp_path)
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a desk at work, for tests that change nothing."""
    made = tmp_path_factory.mktemp("shared")
    busy_desk(made)
    yield made
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """One at work of the test's own, which it may change."""
    busy_desk(tmp_path)
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    with open_app(home=tmp_path) as app:
        yield app
