"""Promises counts two breaches of Ana's: the link behind the number lists INC-1 and INC-2, and no third."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st

from dashboards import ticket_lists
from pipelines.figures import queries
from pipelines.figures.selection import Selection
from pipelines.marts import MartReader
from tests.dashboards.conftest import browser as browser  # noqa: PLC0414  (a fixture)
from tests.dashboards.marts_by_hand import looking_back_desk
from tests.dashboards.test_pages import opened


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Any) -> Iterator[MartReader]:
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    with looking_back_desk(tmp_path) as found:
        yield found
    st.cache_resource.clear()
    st.cache_data.clear()


def test_the_list_has_as_many_rows_as_the_number_says(reader: MartReader) -> None:
    anas = queries.attainment_by(reader, "agent").filter(pl.col("value") == "Ana Lima")
    address = ticket_lists.address("breached", Selection(agents=(anas["id"][0],)))
    listed = (
        opened("tickets", **{name: str(value) for name, value in address.items() if value and name != "page"})
        .dataframe[0]
        .value
    )
    assert list(listed["reference"]) == ["INC-1", "INC-2"]
    assert len(listed) == anas["breached"].sum()
