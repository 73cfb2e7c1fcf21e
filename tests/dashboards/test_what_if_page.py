"""What if: each part says in a sentence what would change, and nothing is written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
import streamlit as st

from pipelines.app.container import App, open_app
from pipelines.jobs import what_if
from pipelines.jobs.cycle import CycleRun
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.snapshot import Snapshot
from tests.dashboards.test_pages import opened
from tests.pipelines.small_desk import AS_OF, write_export


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Sixty generated tickets (synthetic), clocks evaluated, the waiting ones allocated."""
    home = tmp_path_factory.mktemp("home")
    with open_app(home=home, embedder="wordllama") as app:
        bring_people(app, app.settings.data / "people")
        ingest(app, write_export(home / "export", 60), source="helmdesk", at=AS_OF)
        CycleRun(app, AS_OF).walk(["evaluate", "allocate", "publish"])
        yield app


@pytest.fixture(autouse=True)
def _home(desk: App, monkeypatch: pytest.MonkeyPatch, browser: Any) -> Iterator[None]:
    monkeypatch.setenv("HELMDESK_HOME", str(desk.settings.home))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def rows(app: App) -> dict[str, int]:
    with app.store.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: connection.execute(sa.text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names
                if name != "views"}  # fmt: skip


def compared(desk: App, tab: str, button: str, **choices: str) -> Any:
    before = rows(desk)
    page = opened("what-if", tab=tab)
    for key, value in choices.items():
        page.selectbox(key=key).select(value)
    page.button(key=button).click().run()
    assert not page.exception
    assert rows(desk) == before
    return page


def test_other_promises_are_replayed_over_all_history(desk: App) -> None:
    page = compared(desk, "Other promises", "compare policy", policy="itil-next")
    assert "would have been kept" in page.markdown[0].value
    assert any("would have a clock that stands otherwise" in text.value for text in page.text)


def test_the_promises_in_force_change_nothing(desk: App) -> None:
    page = compared(desk, "Other promises", "compare policy", policy="default")
    assert "(+0.0 points" in page.markdown[0].value
    assert any(text.value.startswith("0 tickets") for text in page.text)


def test_other_goals_are_compared_with_those_in_force(desk: App) -> None:
    page = opened("what-if", tab="Other goals", during="all history")
    assert not page.exception
    assert "with the goals in force" in page.markdown[0].value


def test_more_room_in_a_group_is_tried(desk: App) -> None:
    page = compared(desk, "Other staffing", "compare staff")
    assert "open ticket" in page.markdown[0].value


def test_another_preset_is_tried(desk: App) -> None:
    page = compared(desk, "Other choice of groups", "compare weights", preset="hld-v1")
    assert page.markdown[0].value.startswith("**Under hld-v1, ")
    assert any("it picks the group they ended with" in text.value for text in page.text)


def test_what_is_in_force_moves_nobody(desk: App) -> None:
    found = what_if.change(desk, Snapshot(desk, AS_OF))
    assert found.tickets > 0
    assert found.moved.is_empty()
    assert found.groups["tickets_before"].to_list() == found.groups["tickets_after"].to_list()


def test_a_group_without_room_gets_nothing(desk: App) -> None:
    snapshot = Snapshot(desk, AS_OF)
    capacity = {group.group_id: 0 for group in snapshot.groups}
    found = what_if.change(desk, snapshot, capacity=capacity)
    assert all(name.startswith(("waits", "no group")) for name in found.moved["group_after"])
    assert (found.groups["tickets_after"] <= found.groups["tickets_before"]).all()


def test_an_unknown_group_is_refused(desk: App) -> None:
    with pytest.raises(Exception, match="There is no group nowhere"):
        what_if.staffed([], {"nowhere": 1})


def test_agreement_counts_ended_tickets_alone(desk: App) -> None:
    snapshot = Snapshot(desk, AS_OF)
    found = what_if.agreement(desk, snapshot, desk.policies.allocation)
    ended = snapshot.tickets_now.filter(pl.col("status").is_in(["resolved", "closed"])).drop_nulls("group_id")
    assert found.tickets == ended.height
    assert 0 <= found.same <= found.tickets


def test_a_broken_file_is_one_line(desk: App, tmp_path: Path) -> None:
    from pipelines import actions

    file = tmp_path / "promises.yaml"
    file.write_text("policies: 3", encoding="utf-8")
    with pytest.raises(Exception, match=r"promises\.yaml"):
        actions.backtest(desk, policy=file, as_of=AS_OF)
