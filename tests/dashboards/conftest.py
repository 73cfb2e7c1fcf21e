"""Who visits: a page under test has no browser, so each test says from where and with which headers it is opened."""

from functools import cache
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.context import ContextProxy, StreamlitHeaders

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
