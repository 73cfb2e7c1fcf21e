"""A new desk: nothing failed in what was looked at; not looked at are runs, index, models, parts, and it says so."""

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st

from engine.contracts import Agent, AssignmentGroup, Team
from pipelines.app.container import App
from pipelines.jobs.deliver import deliver
from tests.dashboards.conftest import browser as browser  # noqa: PLC0414  (a fixture)
from tests.dashboards.test_pages import opened


@pytest.fixture
def desk(app: App, monkeypatch: pytest.MonkeyPatch, browser: Any) -> Iterator[App]:
    """With all whom the shipped rules name."""
    monkeypatch.setenv("HELMDESK_HOME", str(app.settings.home))
    teams = ("senior-support", "escalation-managers")
    app.store.put([*(Team(id=team, name=team, manager_id="dirk") for team in teams),
                   AssignmentGroup(group_id="s", name="S", max_bandwidth=0, team_id="senior-support"),
                   Agent(id="dirk", email="dirk@desk.example", name="Dirk")])  # fmt: skip
    yield app
    st.cache_resource.clear()


def test_what_was_not_looked_at_is_named(desk: App) -> None:
    page = opened("failed")
    unseen = "Nothing failed in what was looked at. Not looked at: runs; index, models, parts."
    assert [one.value for one in page.info] == [unseen]
    deliver(desk, at=desk.now())
    assert "Not looked at: index, models, parts." in page.run().info[0].value
