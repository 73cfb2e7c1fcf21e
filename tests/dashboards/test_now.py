"""Now: the verdict is of the marts and the live floor, each number leads to its tickets, and one can act from there."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.contracts import AssignmentGroup
from engine.shared.errors import NotAllowed
from pipelines.app.container import App
from pipelines.figures import verdict
from pipelines.live_alerts import live_alerts
from pipelines.live_queue import live_queue
from tests.dashboards.busy_desk import NOW
from tests.dashboards.marts_by_hand import NOON, clock, published
from tests.dashboards.test_pages import opened, read_as_markdown


@pytest.fixture
def home(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELMDESK_HOME", str(shared))
    monkeypatch.setenv("HELMDESK_USER", "cleo")
    return shared


def week(ago: int, met: int, breached: int, running: int = 0) -> list[dict[str, Any]]:
    states = ["met"] * met + ["breached"] * breached + ["on_track"] * running
    start = NOON - timedelta(weeks=ago)
    return [clock(f"{ago}-{n}", "resolution", state, window_start=start) for n, state in enumerate(states)]


def test_verdict_compares_the_last_settled_week_with_the_mean_before(tmp_path: Path) -> None:
    reader = published(tmp_path, sla_clocks=[*week(4, 9, 1), *week(3, 7, 3), *week(2, 6, 4), *week(1, 9, 0, running=1)])
    kept = verdict.settled_week(reader)
    assert kept is not None
    assert (kept.week, kept.share, kept.usual) == ("2 Nov", 0.6, pytest.approx(0.8))
    stands = verdict.Standing(late=3, at_risk=1, unassigned=0, worst="g-1", late_there=2)
    assert verdict.in_words(kept, 0.9, stands, "`Network`") == (
        "Below target and worse than usual: 60 % of the promises of the week from 2 Nov were kept, target 90 %, "
        "usually 80 %; 3 tickets are late and 1 at risk; `Network` has the most late: 2."
    )


@pytest.mark.parametrize(
    ("target", "usual", "says"),
    [
        (0.6, 0.6, "On target and as usual: 60 % of the promises of the week from 2 Nov were kept"),
        (0.5, 0.7, "Above target and worse than usual: 60 % of the promises of the week from 2 Nov were kept, target "
                   "50 %, usually 70 %"),
        (0.8, None, "Below target: 60 % of the promises of the week from 2 Nov were kept, target 80 %"),
    ],
)  # fmt: skip
def test_verdict_compares_with_the_target_and_the_usual(target: float, usual: float | None, says: str) -> None:
    week = verdict.SettledWeek("2 Nov", 0.6, usual, pl.DataFrame())
    words = verdict.in_words(week, target, verdict.Standing(0, 0, 0, None, 0), None)
    assert words == f"{says}; 0 tickets are late and 0 at risk."


def test_week_is_compared_with_the_goals_of_what_was_decided_in_it(tmp_path: Path) -> None:
    rows = [*week(2, 3, 1), *week(1, 1, 0, running=9)]
    kept = verdict.settled_week(published(tmp_path, sla_clocks=rows))
    assert kept is not None
    assert kept.decided.rows() == [("resolution", "standard", "medium", 4)]


def test_verdict_without_a_settled_week_or_one_before_it(tmp_path: Path) -> None:
    none = verdict.Standing(0, 0, 0, None, 0)
    assert verdict.in_words(None, None, none, None) == "No week is settled yet; 0 tickets are late and 0 at risk."
    assert verdict.settled_week(published(tmp_path / "a", sla_clocks=week(1, 0, 0, running=3))) is None
    only = verdict.settled_week(published(tmp_path / "b", sla_clocks=week(1, 3, 1)))
    assert verdict.in_words(only, None, none, None).startswith(
        "75 % of the promises of the week from 9 Nov were kept; 0"
    )


def test_page_says_what_the_floor_says(desk: App) -> None:
    page = opened("now")
    assert "2 tickets are late and 0 at risk; " in page.subheader[0].value
    assert [button.label for button in page.button][:4] == [
        "2 late",
        "0 at risk",
        "4 unassigned",
        "Late of the worst group",
    ]
    assert live_queue(desk, at=NOW).rows.filter(pl.col("sla_state") == "breached").height == 2


def test_about_to_break_counts_down_business_time(home: Path) -> None:
    lines = [text.value.split(" · ")[0] for text in opened("now").text]
    assert any(line.startswith("3:5") and line.endswith("first response") for line in lines)


def test_late_are_ordered_by_value(home: Path) -> None:
    late = [text.value for text in opened("now").text if text.value.startswith("over by")]
    assert ["INC-2" in line for line in late] == [True, False]


def test_acknowledging_says_who_looks_after_it(desk: App) -> None:
    page = opened("now")
    page.button(key="late see demo:INC-1").click().run()
    assert not page.error
    seen = live_alerts(desk, live_queue(desk, at=NOW), since=NOW).filter(ticket="demo:INC-1")
    assert set(seen["acknowledged_by"]) == {"cleo"}
    assert "late see demo:INC-1" not in {button.key for button in page.button}


def test_lead_assigns_what_nobody_has(desk: App) -> None:
    page = opened("now")
    page.button(key="nobody assign demo:INC-6").click().run()
    next(box for box in page.selectbox if box.label == "To").select("ben")
    page.button[_before_form(page)].click().run()
    assert (desk.store.ticket("INC-6").assignee_id, desk.store.ticket("INC-6").owner_id) == ("ben", None)
    assert [button.label for button in page.button][2] == "3 unassigned"


def _before_form(page: Any) -> int:
    """Where the form's own button stands: the first of no key that the page gave."""
    return next(n for n, b in enumerate(page.button) if b.label == "Assign" and not str(b.key or "").startswith(
        ("next ", "late ", "nobody ")))  # fmt: skip


def test_lead_of_another_team_is_not_offered_what_the_desk_would_refuse(desk: App) -> None:
    offered = {str(button.key) for button in opened("now").button}
    assert {"nobody assign demo:INC-6", "late assign demo:INC-1"} <= offered
    assert not {"nobody assign demo:INC-7", "late assign demo:INC-2"} & offered
    with pytest.raises(NotAllowed, match="Cleo Roy may not assign INC-7"):
        desk.desk.assign("demo:INC-7", to="ben", by="cleo", at=NOW)


def test_on_a_tickets_page_neither(home: Path) -> None:
    def offered(ticket: str) -> set[str]:
        page = opened("ticket", ticket=ticket)
        popovers = {block.proto.popover.label for block in page.get("popover")}
        return popovers | {label for box in page.selectbox if box.key == "more" for label in box.options}

    assert {"Assign", "Pause the clocks"} <= offered("INC-6")
    assert not {"Assign", "Pause the clocks", "Priority", "Agree an end"} & offered("INC-7")


def test_now_is_for_those_who_supervise(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_USER", "ana")
    assert "supervise" in opened("now").error[0].value


def test_text_of_tickets_stays_text(home: Path) -> None:
    page = opened("now")
    assert "evil.example" not in read_as_markdown(page)
    assert any("evil.example" in text.value for text in page.text)


def test_a_group_without_room_is_the_fullest(desk: App) -> None:
    desk.store.put([AssignmentGroup(group_id="g-2", name="Data", max_bandwidth=0, team_id="dat")])
    page = opened("now")
    assert next(text.value for text in page.text if " of " in text.value and " late" in text.value).startswith("Data:")
    assert "no room" in read_as_markdown(page)
