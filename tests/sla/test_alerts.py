"""Who is told: on the edge, once, never for a clock that was met."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.errors import BadInput
from sla import batch
from sla.alerts import ALERTS, AlertRule, load, new_alerts
from sla.check import frames
from tests.sla.timelines import CALENDARS, at, story

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "policies" / "sla" / "alerts.yaml"
POLICIES = [{"calendar": "office", "first_response": None, "resolution": 14_400}]
WARNING = AlertRule(name="warn", trigger="pct_remaining", value=15, alert="warning", level=2, recipients=("owner",))
BREACH = AlertRule(name="breach", trigger="before_due", value=0, alert="breach", level=3)


def clocks(events: str = "", *, as_of: str) -> pl.DataFrame:
    tickets = [{"id": "a:1", "created_at": at("Tue 09:00")}]
    told = [event | {"ticket": "a:1"} for event in story(events)]
    return batch.evaluate(*frames(tickets, told), POLICIES, CALENDARS, at(as_of))


def raised(rules: list[AlertRule], events: str = "", *, as_of: str, known: Any = ()) -> list[tuple[str, float]]:
    found = new_alerts(clocks(events, as_of=as_of), rules, known, at(as_of))
    assert found.schema == ALERTS
    return list(found.select("rule", "remaining_seconds").iter_rows())


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("Tue 12:23:59", []),
        ("Tue 12:24", [("warn", 2_160.0)]),
        ("Tue 13:00", [("warn", 0.0)]),
        ("Tue 13:01", [("breach", -60.0)]),
    ],
)
def test_warning_then_breach(as_of: str, expected: list[tuple[str, float]]) -> None:
    assert raised([WARNING, BREACH], as_of=as_of) == expected


def test_told_once() -> None:
    first = new_alerts(clocks(as_of="Tue 12:30"), [WARNING], [], at("Tue 12:30"))
    assert first["dedupe_key"].to_list() == ["a:1:resolution:1:warn"]
    assert raised([WARNING], as_of="Tue 12:45", known=first["dedupe_key"]) == []


def test_reopened_clock_can_warn_again() -> None:
    events = "Tue 12:30 status resolved\nWed 09:00 status open"
    again = raised([WARNING], events, as_of="Wed 12:40", known=["a:1:resolution:1:warn"])
    assert again == [("warn", 1_200.0)]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("Tue 12:45 status resolved", []),  # met
        ("Tue 12:45 status on_hold", []),  # paused: no breach is coming
        ("Tue 13:30 status resolved", ["breach"]),  # late stays breached
    ],
)
def test_met_and_paused_clocks_never_warn(events: str, expected: list[str]) -> None:
    assert [rule for rule, _ in raised([WARNING, BREACH], events, as_of="Tue 14:00")] == expected


@pytest.mark.parametrize(
    ("rule", "silent", "loud"),
    [
        ({"trigger": "before_due", "value": 30}, "Tue 12:29", "Tue 12:30"),
        ({"trigger": "before_due", "value": 1, "unit": "hours", "calendar": "wall"}, "Tue 11:59", "Tue 12:00"),
        ({"trigger": "since_event", "value": 30}, "Tue 09:29", "Tue 09:30"),
        ({"trigger": "since_event", "value": 90, "calendar": "wall"}, "Tue 10:29", "Tue 10:30"),
        ({"trigger": "since_event", "event": "due_at", "value": 15, "alert": "breach"}, "Tue 13:14", "Tue 13:15"),
        (
            {
                "trigger": "since_event",
                "event": "due_at",
                "value": 1,
                "unit": "days",
                "calendar": "wall",
                "alert": "breach",
            },
            "Wed 12:59",
            "Wed 13:00",
        ),
    ],
)
def test_triggers(rule: dict[str, Any], silent: str, loud: str) -> None:
    rules = [AlertRule.model_validate({"name": "r", "alert": "warning", "level": 1} | rule)]
    assert raised(rules, as_of=silent) == []
    assert [name for name, _ in raised(rules, as_of=loud)] == ["r"]


def test_shipped_rules_load_and_escalate() -> None:
    rules = load(SHIPPED)
    assert [rule.level for rule in rules] == sorted(rule.level for rule in rules)
    assert [rule for rule, _ in raised(rules, as_of="Tue 12:30")] == ["quarter left", "at risk"]


def test_own_dedupe_key_spans_windows() -> None:
    rule = WARNING.model_copy(update={"dedupe_key": "{ticket}/{level}"})
    found = new_alerts(clocks(as_of="Tue 12:30"), [rule], [], at("Tue 12:30"))
    assert found["dedupe_key"].to_list() == ["a:1/2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rules: {}", "rules: expected a list"),
        ("rules: [{name: a, trigger: soon, value: 1, alert: warning, level: 1}]", r"rules\[0\]\.trigger"),
        ("rules: [{name: a, trigger: before_due, value: -1, alert: warning, level: 1}]", r"rules\[0\]\.value"),
        (
            "rules: [{name: a, trigger: before_due, value: 1, alert: warning, level: 1, dedupe_key: '{agent}'}]",
            r"rules\[0\]\.dedupe_key.*only \{ticket\}",
        ),
    ],
)
def test_bad_rule_names_file_and_key(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(content)
    with pytest.raises(BadInput, match=rf"alerts\.yaml: {message}"):
        load(path)
