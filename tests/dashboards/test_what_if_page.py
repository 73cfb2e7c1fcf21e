"""What if: each tab says in a sentence what would change, a bad question is one line, and nothing is written."""

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.shared.errors import BadInput
from pipelines import what_if
from pipelines.app.container import App, open_app
from pipelines.figures import queries
from pipelines.figures.selection import Selection
from pipelines.jobs import what_if as job
from pipelines.jobs.cycle import CycleRun
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.marts import MartReader
from pipelines.snapshot import Snapshot
from tests.dashboards.test_pages import opened
from tests.pipelines.small_desk import AS_OF, write_export

IN_FORCE = "default"


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


@pytest.fixture
def reader(desk: App) -> Iterator[MartReader]:
    reader = MartReader(desk.settings.marts_folder)
    yield reader
    reader.close()


def rows(app: App) -> dict[str, int]:
    """How many rows each table has, the outbox among them; a view of a page is logged in `views`."""
    with app.store.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: connection.execute(sa.text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names
                if name != "views"}  # fmt: skip


def shown(tab: str, **query: str) -> AppTest:
    return opened("what-if", tab=tab, during="all history", **query)


def compare(page: AppTest, tab: str) -> str:
    """The sentence that the answer begins with."""
    page.button(key=f"compare {tab}").click().run()
    assert not page.exception
    return str(page.markdown[0].value) if page.markdown else ""


def test_other_promises_are_replayed_and_nothing_is_written(desk: App) -> None:
    before = rows(desk)
    sentence = compare(shown("Policy", policy="itil-next"), "policy")
    assert sentence.startswith("**With ` itil-next ` ")
    assert "would have been met (" in sentence
    assert rows(desk) == before


def test_promises_in_force_change_nothing(desk: App) -> None:
    page = shown("Policy", policy=IN_FORCE)
    sentence = compare(page, "policy")
    assert "as many promises would have been met" in sentence
    assert "0 tickets change" in sentence
    assert "No ticket changes." in [info.value for info in page.info]


def test_before_is_what_the_promises_page_says(desk: App, reader: MartReader) -> None:
    published = queries.headline(reader).select("clock", "met", "breached").rows()
    found = what_if.promises(reader, desk, what_if.Otherwise(), Selection())
    overall = found.attainment.filter(dimension="all").select("clock", "met_before", "breached_before")
    assert overall.rows() == published


def test_bar_narrows_what_is_replayed(desk: App, reader: MartReader) -> None:
    low = Selection(priorities=("low",), clocks=("resolution",))
    found = what_if.promises(reader, desk, what_if.Otherwise(), low)
    published = queries.headline(reader, low)
    assert found.before.met == published["met"].sum()
    assert set(found.attainment["clock"]) == {"resolution"}
    assert set(found.attainment.filter(dimension="priority")["value"]) == {"low"}


def test_another_target_changes_its_priority_alone(desk: App) -> None:
    page = shown("Policy", policy=IN_FORCE)
    page.text_input(key=f"target {IN_FORCE} 0 resolution").input("1 min").run()
    sentence = compare(page, "policy")
    assert sentence.startswith(f"**With other targets in ` {IN_FORCE} ` ")
    assert "points fewer" in sentence
    clocks = [table.value for table in page.dataframe if "points" in table.value.columns]
    assert clocks[0]["points"].to_list()[0] == "+0.0"
    by_priority = clocks[1]
    others = by_priority[~((by_priority["value"] == "critical") & (by_priority["clock"] == "Resolution"))]
    assert set(others["points"]) <= {"+0.0", "–"}


def test_answer_stays_while_its_tickets_are_opened(desk: App) -> None:
    page = shown("Policy", policy="itil-next")
    sentence = compare(page, "policy")
    page.run()
    assert page.markdown[0].value == sentence


def test_changed_question_has_to_be_compared_again(desk: App) -> None:
    page = shown("Policy", policy="itil-next")
    compare(page, "policy")
    page.selectbox(key="policy").select(IN_FORCE).run()
    assert not page.markdown
    assert "The question has changed since: compare again." in [caption.value for caption in page.caption]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("policies: 3", "policies: expected a list, got 3"),
        ("policies: [{name: a, resolution: soon}]", "expected an amount like 900"),
        ("", "it is empty"),
        ("a: [", "did not find expected node content"),
    ],
)
def test_bad_file_is_one_line_with_its_name(desk: App, text: str, why: str) -> None:
    page = shown("Policy")
    page.file_uploader(key="own policy").upload("ours.yaml", text.encode(), "application/yaml").run()
    if not page.error:
        page.button(key="compare policy").click().run()
    assert not page.exception
    assert len(page.error) == 1
    assert "ours.yaml" in page.error[0].value
    assert why in page.error[0].value


def test_own_file_is_replayed(desk: App) -> None:
    page = shown("Policy")
    text = "policies: [{name: all, first_response: 1 min, resolution: 1 min}]"
    page.file_uploader(key="own policy").upload("ours.yaml", text.encode(), "application/yaml").run()
    assert compare(page, "policy").startswith("**With ` ours.yaml ` ")


def test_other_hours_are_replayed_and_nothing_is_written(desk: App) -> None:
    before = rows(desk)
    page = shown("Calendar", calendar="business")
    for day in ("sat", "sun"):
        page.text_input(key=f"hours business {day}").input("00:00-24:00").run()
    assert "points fewer" in compare(page, "calendar")
    assert rows(desk) == before


def test_own_calendars_have_to_fit_the_promises(desk: App) -> None:
    page = shown("Calendar")
    text = b"calendars: {24x7: {always: true}}"
    page.file_uploader(key="own calendars").upload("hours.yaml", text, "application/yaml").run()
    compare(page, "calendar")
    assert "default.yaml" in page.error[0].value
    assert "calendar: " in page.error[0].value


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("mon", "nine to five", "business.weekly.mon[0]"),
        ("tz", "Middle Earth", "is no IANA time zone"),
        ("country", "XX", "no public holidays are known for 'XX'"),
        ("closed", "Christmas", "expected a date like 2024-12-25"),
    ],
)
def test_bad_hours_are_one_line(desk: App, field: str, value: str, why: str) -> None:
    page = shown("Calendar", calendar="business")
    page.text_input(key=f"hours business {field}").input(value).run()
    compare(page, "calendar")
    assert len(page.error) == 1
    assert "calendars.yaml" in page.error[0].value
    assert why in page.error[0].value


def test_no_ticket_under_the_bar_is_said(desk: App) -> None:
    page = opened("what-if", tab="Policy", during="last 7 days", policy="itil-next", customers="no customer")
    compare(page, "policy")
    assert any("No ticket fits the bar" in info.value for info in page.info)


def test_goals_in_force_are_under_target_as_they_are(desk: App) -> None:
    page = shown("Goals", **{"goals by": "Priority"})
    first = page.markdown[0].value
    now = first.rsplit("with those in force ")[1].split(" ")[0]
    assert first.startswith(f"**With these goals {now} of ")


def test_all_wanted_puts_each_broken_row_under_target(desk: App, reader: MartReader) -> None:
    page = shown("Goals", **{"goals by": "Priority"})
    for clock in ("first_response", "resolution"):
        page.number_input(key=f"goal {clock}").set_value(100.0)
    page.run()
    broken = queries.attainment_by(reader, "priority").filter(pl.col("breached") > 0).height
    assert page.markdown[0].value.startswith(f"**With these goals {broken} of ")


def test_one_person_more_is_tried_and_nothing_is_written(desk: App) -> None:
    before = rows(desk)
    page = shown("Staffing")
    assert "without an owner would go elsewhere" in compare(page, "staff")
    assert rows(desk) == before


def test_another_preset_is_tried_and_nothing_is_written(desk: App) -> None:
    before = rows(desk)
    page = shown("Allocation", preset="hld-v1")
    assert compare(page, "weights").startswith("**Under ` hld-v1 `, ")
    assert any("picks the group they ended with in" in text.value for text in page.markdown)
    assert rows(desk) == before


def test_preset_in_force_moves_nobody(desk: App) -> None:
    assert ", 0 of " in compare(shown("Allocation", preset="helmdesk"), "weights")


def test_weights_of_nothing_are_refused(desk: App) -> None:
    page = shown("Allocation", preset="helmdesk")
    for factor in what_if.FACTORS:
        page.number_input(key=f"weight helmdesk {factor}").set_value(0.0)
    page.run()
    compare(page, "weights")
    assert [error.value for error in page.error] == [
        "` The weights are 0 or more, and one of them is more than 0 `",
    ]


def test_open_tab_alone_is_drawn(desk: App) -> None:
    assert [button.key for button in shown("Calendar").button if button.key] == ["compare calendar"]


def test_group_without_room_gets_nothing(desk: App) -> None:
    snapshot = Snapshot(desk, AS_OF)
    found = job.change(desk, snapshot, capacity={group.group_id: 0 for group in snapshot.groups})
    assert found.tickets > 0
    assert found.nobodys["after"].sum() == found.tickets
    assert (found.groups["tickets_after"] <= found.groups["tickets_before"]).all()


def test_unknown_group_is_refused() -> None:
    with pytest.raises(BadInput, match="There is no group nowhere"):
        job.staffed([], {"nowhere": 1})


def test_agreement_counts_ended_tickets_alone(desk: App, reader: MartReader) -> None:
    found = what_if.agreement(reader, desk)
    ended = Snapshot(desk, AS_OF).tickets_now.filter(pl.col("status").is_in(["resolved", "closed"]))
    assert found.tickets == ended.drop_nulls("group_id").height
    assert 0 < found.same <= found.tickets
