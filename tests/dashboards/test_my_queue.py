"""My queue: every part, whose tickets, filters and views by name in the address, the keys, acting and being refused."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards import cards
from pipelines import actions
from pipelines.app.container import App
from pipelines.live_queue import live_queue
from tests.dashboards.busy_desk import FORMULA, NOW
from tests.dashboards.test_pages import opened, read_as_markdown


@pytest.fixture
def home(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELMDESK_HOME", str(shared))
    monkeypatch.setenv("HELMDESK_USER", "ana")
    return shared


def parts(page: AppTest) -> dict[str, int]:
    labels = [button.label.rsplit(" · ", 1) for button in page.button if str(button.key).startswith("part ")]
    return {name: int(size) for name, size in labels}


def listed(page: AppTest) -> list[str]:
    return [str(reference) for table in page.dataframe for reference in table.value["reference"]]


def aside(page: AppTest) -> str:
    return next(text.value for text in page.text if text.value.startswith("INC-"))[:5]


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception, page.exception
    return page


def keys(page: AppTest) -> set[str]:
    return {str(button.key) for button in page.button}


def test_agent_has_own_tickets_and_what_nobody_has_in_own_groups(home: Path) -> None:
    page = opened("queue")
    assert parts(page) == {
        "Late": 1, "At risk": 0, "Customer answered": 1, "In work": 1, "Other unassigned": 1, "Waiting": 1,
    }  # fmt: skip
    assert (listed(page), page.query_params) == (["INC-1"], {"shown": "INC-1"})


@pytest.mark.parametrize(("part", "reference"), [("answered", "INC-3"), ("work", "INC-5"), ("unassigned", "INC-6"),
                                                 ("waiting", "INC-4")])  # fmt: skip
def test_part_lists_its_tickets_and_shows_the_first(home: Path, part: str, reference: str) -> None:
    page = press(opened("queue"), f"part {part}")
    assert (listed(page), aside(page), page.query_params["part"]) == ([reference], reference, part)


def test_empty_part_says_where_the_others_are(home: Path) -> None:
    assert "No ticket of this part fits." in opened("queue", part="risk").info[0].value


def test_rows_have_room_for_a_long_subject(home: Path) -> None:
    """What the browser then makes of it is in the pictures."""
    [table] = opened("queue").dataframe
    assert table.proto.row_height == cards.TWO_LINES


def test_agent_has_own_desk_and_a_lead_everybodys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened("queue").selectbox(key="whose").options == ["Mine", "My groups"]
    monkeypatch.setenv("HELMDESK_USER", "cleo")
    page = opened("queue", whose="Everybody")
    assert page.selectbox(key="whose").options[:4] == ["Mine", "My groups", "Everybody", "Nobody"]
    assert sum(parts(page).values()) == 7
    assert sum(parts(opened("queue", whose="Ana Lima")).values()) == 3
    assert parts(opened("queue", whose="Nobody")) | {"Late": 0} == {
        "Late": 0, "At risk": 0, "Customer answered": 0, "In work": 0, "Other unassigned": 2, "Waiting": 0,
    }  # fmt: skip


def test_filters_stand_in_the_address_by_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_USER", "cleo")
    page = opened("queue", whose="Everybody", group="Data", part="unassigned")
    assert (listed(page), page.selectbox(key="group").value) == (["INC-7"], "g-2")
    page.selectbox(key="priority").select("low").run()
    assert sum(parts(page).values()) == 0
    assert listed(opened("queue", whose="Everybody", words="case 7", part="unassigned")) == ["INC-7"]


def test_keys_go_on_and_back_within_the_part(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_USER", "cleo")
    page = opened("queue", whose="Everybody", part="late")
    first, second = listed(page)
    assert {key: page.button(key=key).proto.shortcut for key in ("next", "previous", "open aside", "accept aside",
            "ticket reply aside", "ticket envelope aside", "ticket status aside")} == {
        "next": "j", "previous": "k", "open aside": "enter", "accept aside": "a", "ticket reply aside": "p",
        "ticket envelope aside": "e", "ticket status aside": "s",
    }  # fmt: skip
    assert aside(press(page, "next")) == second
    assert aside(press(page, "next")) == second
    assert aside(press(page, "previous")) == first
    assert aside(opened("queue", whose="Everybody", part="late", shown=second)) == second


def test_accepting_is_done_once_and_gives_the_ticket_to_the_reader(desk: App) -> None:
    page = opened("queue", part="unassigned")
    press(page, "accept aside")
    assert (desk.store.ticket("INC-6").owner_id, desk.store.ticket("INC-6").status) == ("ana", "in_progress")
    assert (parts(page)["Other unassigned"], parts(page)["In work"]) == (0, 2)
    assert [event.kind for event in desk.store.history("demo:INC-6")].count("accepted") == 1


def test_second_of_two_is_shown_who_was_faster(desk: App) -> None:
    page = opened("queue", part="unassigned")
    desk.desk.accept("demo:INC-6", by="ben", at=NOW)
    press(page, "accept aside")
    assert "accepted the ticket and owns it" in page.warning[0].value
    assert desk.store.ticket("INC-6").owner_id == "ben"
    page.button[[button.label for button in page.button].index("Do it all the same")].click().run()
    assert "INC-6 is owned by Ben Ito" in page.error[0].value


def test_refusal_comes_as_the_desk_words_it_with_the_way_out(desk: App) -> None:
    page = press(opened("queue", part="unassigned"), "ticket status aside")
    next(box for box in page.selectbox if box.label == "To").select("in_progress")
    next(button for button in page.button if button.label == "Status" and not button.proto.shortcut).click().run()
    assert "INC-6 has no owner; accept it first to change its status" in page.error[0].value
    page.button[[button.label for button in page.button].index("Accept it")].click().run()
    assert desk.store.ticket("INC-6").owner_id == "ana"


def test_reply_is_sent_from_the_side_and_customer_no_longer_waits(desk: App) -> None:
    page = press(opened("queue", part="answered"), "ticket reply aside")
    page.text_area[0].set_value("Please clear its cache.")
    next(button for button in page.button if button.label == "Send to the customer").click().run()
    assert desk.store.history("demo:INC-3")[-1].kind == "response"
    assert (parts(page)["Customer answered"], parts(page)["In work"]) == (0, 2)


def test_status_is_changed_from_the_side(desk: App) -> None:
    page = press(opened("queue", part="work"), "ticket status aside")
    next(box for box in page.selectbox if box.label == "To").select("waiting_customer")
    next(button for button in page.button if button.label == "Status" and not button.proto.shortcut).click().run()
    assert desk.store.ticket("INC-5").status == "waiting_customer"
    assert "To" not in [box.label for box in press(opened("queue", part="answered"), "next").selectbox]


def test_same_key_again_puts_the_form_away(home: Path) -> None:
    page = press(opened("queue", part="work"), "ticket status aside")
    assert "To" in [box.label for box in page.selectbox]
    assert "To" not in [box.label for box in press(page, "ticket status aside").selectbox]


def test_kept_view_is_made_from_the_filters_and_reached_by_name(desk: App) -> None:
    page = opened("queue", priority="low")
    page.text_input(key="name of the view").set_value("Quiet").run()
    press(page, "keep the view")
    assert [view.filters for view in desk.desk.views(by="ana") if view.name == "Quiet"] == [{"priority": "low"}]
    assert sum(parts(opened("queue", view="Quiet")).values()) == 1


def test_kept_view_shows_in_the_queue_what_its_board_shows(desk: App) -> None:
    view = desk.desk.save_view(name="Portal", filters={"channel": "unknown", "priority": "medium"}, by="ana")
    board = actions.board_of(desk, view, at=NOW)
    on_board = {card.id for column in board.columns for card in column.cards}
    rows = live_queue(desk, at=NOW).rows
    assert set(actions.in_view(desk, view, rows)["ticket"]) == on_board != set()
    assert sum(parts(opened("queue", view="Portal")).values()) == 4


def test_text_of_tickets_stays_text(home: Path) -> None:
    page = opened("queue", part="late")
    assert "evil.example" not in read_as_markdown(page)
    assert any("evil.example" in text.value for text in page.text)


def test_no_cell_is_a_formula_in_a_download(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_USER", "cleo")
    assert f"'{FORMULA}" in list(opened("queue", whose="Everybody", part="late").dataframe[0].value["subject"])


def test_looking_at_a_ticket_is_a_view_of_it(desk: App) -> None:
    opened("queue", part="work")
    st.cache_resource.clear()
    seen = desk.store.frame("views").select("door", "ticket_id").rows()
    assert ("queue", "demo:INC-5") in seen
