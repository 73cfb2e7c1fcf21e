"""Input that means harm, or was made by a slip: one short line that names the key, and nothing else happens."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.shared.errors import BadInput
from sla.alerting.alerts import Repeat, load_policy
from sla.check.check import check_cases
from sla.clocks.evaluate import evaluate_all
from sla.policy import calendar_files
from sla.policy import parser as policies
from tests.sla.check.test_check import a_case, write
from tests.sla.timelines import CALENDARS, at

CASES = Path(__file__).with_name("attack_cases.json")
EVENT = {"ticket": "demo:1", "ts": "2024-01-16T09:30:00Z", "kind": "response"}
TICKET = {"id": "demo:1", "created_at": "2024-01-16T09:00:00Z"}


def test_cases_worked_by_hand_pass() -> None:
    assert check_cases([CASES]).lines() == ["25 passed, 0 failed"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"as_of": "soon"}, r"as_of: expected an instant"),
        ({"as_of": 5}, r"as_of: expected an instant"),
        ({"tickets": None}, r"tickets: expected a list"),
        ({"tickets": [TICKET | {"created_at": 1705395600}]}, r"tickets\[0\]\.created_at: expected an instant"),
        (
            {"tickets": [TICKET | {"created_at": "0001-01-01T00:00:00+14:00"}]},
            r"tickets\[0\]\.created_at: expected an instant",
        ),
        ({"tickets": [{"created_at": "2024-01-16T09:00:00Z"}]}, r"tickets\[0\]\.id: missing"),
        ({"tickets": [TICKET | {"id": [1]}]}, r"tickets\[0\]\.id: expected text or a whole number"),
        (
            {"events": [EVENT | {"id": 1}, EVENT | {"id": "1"}]},
            r"events\[1\]\.id: '1' is not written like events\[0\]\.id 1",
        ),
        ({"tickets": [TICKET | {"id": 10**30}]}, r"tickets\[0\]\.id: expected text or a whole number"),
        ({"tickets": [TICKET | {"status": ["new"]}]}, r"tickets\[0\]\.status: expected text"),
        ({"events": None}, r"events: expected a list"),
        ({"events": [EVENT | {"id": [1]}]}, r"events\[0\]\.id: expected text or a whole number"),
        ({"events": [EVENT | {"kind": ["response"]}]}, r"events\[0\]\.kind: expected text"),
        ({"events": [EVENT | {"kind": "status", "value": ["x"]}]}, r"events\[0\]\.value: expected text"),
        ({"events": [EVENT | {"seq": "first"}]}, r"events\[0\]\.seq: expected a whole number"),
        ({"events": [EVENT | {"ticket": 1}]}, r"events\[0\]\.ticket: 1 is a number, .*'demo:1' is text"),
        (
            {"expected": {"resolution": {"due_at": "soon"}}},
            r"expected\.demo:1\.resolution\.due_at: expected an instant",
        ),
    ],
)
def test_case_of_another_shape_is_refused_with_its_key(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(BadInput, match=rf"case 1 \(x\): {key}"):
        check_cases([write(tmp_path, a_case(**changes))])


@pytest.mark.parametrize("content", ["[]", "[" + " " * 1_000 + "]", '[{"name": "\\ud800"}]'])
def test_file_that_checks_nothing_does_not_pass(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=r"cases\.json"):
        check_cases([path])


def test_mark_of_a_windows_editor_is_no_error(tmp_path: Path) -> None:
    path = write(tmp_path, a_case())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert check_cases([path]).ok


BOMB = "name: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{key}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n"
    for i, key in enumerate(("source", "description", "rounding", "calendar", "multipliers", "valid_from", "words"))
)


@pytest.mark.parametrize(
    "text",
    [
        f"{BOMB}clocks: [*h, *h, *h, *h, *h, *h, *h, *h, *h]\npolicies: *h",
        "x" * 100_000,
        "policies: [{name: a, resolution: '" + "9" * 100_000 + "'}]",
        "? " + "k" * 2_000 + "\n: 1",
        "policies: [{priority: " + "p" * 100_000 + ", resolution: 4 hours}]",
    ],
)
def test_what_is_refused_is_not_repeated_at_length(tmp_path: Path, text: str) -> None:
    for load in (policies.load, calendar_files.load):
        path = tmp_path / "big.yaml"
        path.write_text(text)
        with pytest.raises(BadInput) as refused:
            load(path)
        assert len(str(refused.value)) < 700


@pytest.mark.parametrize(
    "policy", ['name: "a\\ud83d"', 'team: "a\\ud83d"', 'multipliers: {"a\\ud83d": 2}', 'tiers: {"a\\ud83d": 2}']
)
def test_half_a_character_is_no_name(tmp_path: Path, policy: str) -> None:
    path = tmp_path / "gold.yaml"
    within = policy.startswith("tiers")
    target = f"{{target: 60, {policy}}}" if within else f"60, {policy}"
    path.write_text(f"policies:\n  - {{calendar: office, resolution: {target}}}\n")
    with pytest.raises(BadInput, match=r"gold\.yaml: .*invalid Unicode character escape code at line 2"):
        policies.load(path)


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "right/UTC", "posix/Europe/Berlin", "Factory"])
def test_zone_that_differs_from_machine_to_machine_is_refused(tmp_path: Path, zone: str) -> None:
    path = tmp_path / "calendars.yaml"
    path.write_text(f"calendars: {{c: {{tz: {zone}, weekly: {{}}}}}}")
    with pytest.raises(BadInput, match=r"c\.tz: .*is no IANA time zone"):
        calendar_files.load(path)


@pytest.mark.parametrize("tier", ["5", "null", "yes", "2024-01-01"])
def test_tier_that_is_no_text_is_named_when_its_number_is_wrong(tmp_path: Path, tier: str) -> None:
    path = tmp_path / "gold.yaml"
    path.write_text(f"policies: [{{resolution: 60, multipliers: {{{tier}: -1}}}}]")
    with pytest.raises(BadInput, match=r"policies\[0\]\.multipliers\..*above 0.*got -1"):
        policies.load(path)


def test_norway_is_no_no(tmp_path: Path) -> None:
    path = tmp_path / "calendars.yaml"
    path.write_text("calendars: {c: {weekly: {}, country: NO}}")
    with pytest.raises(BadInput, match=r"c\.country: .*False.*put it in quotes"):
        calendar_files.load(path)


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_reference_reads_the_ends_of_time_as_no_clock(end: str) -> None:
    ticket = {"id": 1, "created_at": datetime.fromisoformat(end)}
    event = {"ticket": 2, "ts": ticket["created_at"], "kind": "pause"}
    other = {"id": 2, "created_at": at("Tue 09:00")}
    rows = evaluate_all([ticket, other], [event], policies.parse([{"resolution": 60}]), CALENDARS, at("Tue 09:00"))
    states = {(row["ticket"], row["clock"]): row["state"] for row in rows}
    assert (states[1, "first_response"], states[1, "resolution"]) == ("no_clock", "no_clock")
    assert states[2, "resolution"] == "on_track"


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ("repeat: {every: 0.001, unit: seconds}", r"rules\[0\]\.repeat.*second"),
        ("repeat: {every: .inf}", r"rules\[0\]\.repeat\.every"),
        ("level: 1000000000000", r"rules\[0\]\.level"),
        ("value: .inf", r"rules\[0\]\.value"),
        ("dedupe_key: breach", r"rules\[0\]\.dedupe_key.*\{ticket\}"),
        ("clock: []", r"rules\[0\]\.clock"),
    ],
)
def test_alert_rule_that_would_stop_or_silence_the_rest_is_refused(tmp_path: Path, rule: str, key: str) -> None:
    sound = {"name": "a", "trigger": "before_due", "value": 0, "alert": "breach", "level": 3}
    kept = {name: value for name, value in sound.items() if not rule.startswith(f"{name}:")}
    path = tmp_path / "alerts.yaml"
    path.write_text(f"rules:\n  - {{{json.dumps(kept)[1:-1]}, {rule}}}\n")
    with pytest.raises(BadInput, match=rf"alerts\.yaml: {key}"):
        load_policy(path)


def test_percentage_above_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text("rules: [{name: a, trigger: pct_remaining, value: 150, alert: warning, level: 1}]")
    with pytest.raises(BadInput, match=r"rules\[0\].*150.*100"):
        load_policy(path)


def test_repeats_without_a_number_go_on() -> None:
    assert Repeat.model_validate({"every": 30, "at_most": None}) == Repeat(every=30)
