"""Who is told: on the edge, once, never for a clock that was met."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.shared.errors import BadInput
from sla.alerting.alerts import ALERTS, AlertPolicy, AlertRule, called_for, load_policy, new_alerts
from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from tests.sla.timelines import CALENDARS, at, story

SHIPPED = Path(__file__).resolve().parents[3] / "data" / "policies" / "sla" / "alerts.yaml"
POLICIES = [{"calendar": "office", "first_response": None, "resolution": 14_400}]
WARNING = AlertRule(name="warn", trigger="pct_remaining", value=15, alert="warning", level=2, recipients=("owner",))
BREACH = AlertRule(name="breach", trigger="before_due", value=0, alert="breach", level=3)


def clocks(events: str = "", *, as_of: str) -> pl.DataFrame:
    tickets = [{"id": "a:1", "created_at": at("Tue 09:00")}]
    told = [event | {"ticket": "a:1"} for event in story(events)]
    return batch.evaluate(*frames(tickets, told), POLICIES, CALENDARS, at(as_of))


def raised(rules: list[AlertRule], events: str = "", *, as_of: str, known: Any = ()) -> list[tuple[str, float]]:
    found = new_alerts(called_for(clocks(events, as_of=as_of), rules, at(as_of)), known)
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
    first = called_for(clocks(as_of="Tue 12:30"), [WARNING], at("Tue 12:30"))
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
    rules = list(load_policy(SHIPPED).rules)
    assert [rule.level for rule in rules] == sorted(rule.level for rule in rules)
    assert [rule for rule, _ in raised(rules, as_of="Tue 12:30")] == ["quarter left", "at risk"]


def test_own_dedupe_key_spans_windows() -> None:
    rule = WARNING.model_copy(update={"dedupe_key": "{ticket}/{level}"})
    found = called_for(clocks(as_of="Tue 12:30"), [rule], at("Tue 12:30"))
    assert found["dedupe_key"].to_list() == ["a:1/2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rules: {}", r"rules: .* got \{\}"),
        ("rules: [{name: a, trigger: soon, value: 1, alert: warning, level: 1}]", r"rules\[0\]\.trigger"),
        ("rules: [{name: a, trigger: before_due, value: -1, alert: warning, level: 1}]", r"rules\[0\]\.value"),
        (
            "rules: [{name: a, trigger: before_due, value: 1, alert: warning, level: 1, dedupe_key: '{agent}'}]",
            r"rules\[0\]\.dedupe_key.*only \{ticket\}",
        ),
        ("rules: []\ndigests: {over: 3}", "digests: Extra inputs are not permitted, got {'over': 3}"),
        ("rules: []\ndigest: {over: -1}", r"digest\.over"),
        ("rules: [{name: 7, trigger: before_due, value: 1, alert: warning, level: 1}]", r"rules\[0\]\.name.*string"),
        (
            "rules: [{name: a, trigger: before_due, value: 1, alert: breach, level: 1, recipients: [boss]}]",
            r"rules\[0\]\.recipients\[0\].*owner",
        ),
        (
            "rules: [{name: a, trigger: before_due, value: 1, alert: breach, level: 1, repeat: {every: 0}}]",
            r"rules\[0\]\.repeat\.every",
        ),
    ],
)
def test_bad_rule_names_file_and_key(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(content)
    with pytest.raises(BadInput, match=rf"alerts\.yaml: {message}"):
        load_policy(path)


HALF_HOURLY = {"every": 30, "at_most": 2}


@pytest.mark.parametrize(
    ("as_of", "key"),
    [
        ("Tue 13:01", "a:1:resolution:1:r"),
        ("Tue 13:29:59", "a:1:resolution:1:r"),
        ("Tue 13:30", "a:1:resolution:1:r:1"),
        ("Tue 16:59", "a:1:resolution:1:r:2"),  # at most two
        ("Tue 23:00", "a:1:resolution:1:r:2"),
    ],
)
def test_breach_is_told_again_while_it_lasts(as_of: str, key: str) -> None:
    rule = BREACH.model_validate(BREACH.model_dump() | {"name": "r", "repeat": HALF_HOURLY})
    assert called_for(clocks(as_of=as_of), [rule], at(as_of))["dedupe_key"].to_list() == [key]
    assert raised([rule], as_of=as_of, known=[key]) == []


@pytest.mark.parametrize(
    ("calendar", "number"),
    [("clock", "8"), ("wall", "40")],  # 13:00 to 17:00 at work; 13:00 to 9:00 on the wall
)
def test_night_repeats_only_on_the_wall(calendar: str, number: str) -> None:
    fields = {"name": "r", "calendar": calendar, "repeat": {"every": 30}, "dedupe_key": "{ticket}/{repeat}"}
    rule = BREACH.model_validate(BREACH.model_dump() | fields)
    assert called_for(clocks(as_of="Wed 09:00"), [rule], at("Wed 09:00"))["dedupe_key"].to_list() == [f"a:1/{number}"]


@pytest.mark.parametrize("calendar", ["clock", "wall"])
def test_stopped_clock_repeats_nothing(calendar: str) -> None:
    rule = BREACH.model_validate(BREACH.model_dump() | {"calendar": calendar, "repeat": {"every": 30}})
    events = "Tue 13:40 status resolved"
    first = called_for(clocks(events, as_of="Tue 13:45"), [rule], at("Tue 13:45"))
    assert raised([rule], events, as_of="Thu 12:00", known=first["dedupe_key"]) == []


@pytest.mark.parametrize("key", ["{ticket}:{clock}:{window}:{rule}", "{rule}|{level}|{ticket}", "{ticket}.{repeat}"])
def test_kept_alert_knows_its_rule(key: str) -> None:
    repeated = {"every": 10, "unit": "minutes"}
    rule = BREACH.model_validate(BREACH.model_dump() | {"name": "a{ticket}+", "dedupe_key": key, "repeat": repeated})
    other = rule.model_copy(update={"name": "other", "dedupe_key": "x" + key})
    [found] = called_for(clocks(as_of="Tue 13:35"), [rule], at("Tue 13:35")).to_dicts()
    kept = {"ticket_id": found["ticket"], "sla_type": found["clock"], "escalation_level": found["level"]}
    assert AlertPolicy(rules=(other, rule)).rule_of(found | kept) == rule
    assert AlertPolicy(rules=(other,)).rule_of(found | kept) is None
