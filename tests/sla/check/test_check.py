"""Worked cases: both engines pass them, and a wrong expectation is named field by field."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.shared.errors import BadInput
from sla.check.check import check_cases

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "data" / "sla" / "example-cases.json"
FACTS = Path(__file__).parents[1] / "cases" / "facts.json"
WORKED = ROOT.parent / "shared" / "sla" / "edge_cases.json"


def test_shipped_examples_pass() -> None:
    report = check_cases([EXAMPLES])
    assert report.ok, report.lines()
    assert report.passed >= 8


@pytest.mark.skipif(not WORKED.exists(), reason="the 82 worked cases are not beside the project")
def test_all_worked_cases_pass() -> None:
    assert check_cases([WORKED]).lines() == ["82 passed, 0 failed"]


def test_cases_of_what_sources_tell_pass() -> None:
    assert check_cases([FACTS]).lines() == ["39 passed, 0 failed"]


def test_mismatch_names_case_engine_and_field(tmp_path: Path) -> None:
    cases = [case for case in json.loads(EXAMPLES.read_text()) if isinstance(case["policies"], list)]
    cases[0]["expected"]["resolution"]["elapsed"] += 1
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    lines = check_cases([path]).lines()
    assert len(lines) == 3  # once an engine, and the sum
    assert cases[0]["name"] in lines[0]
    assert "reference" in lines[0]
    assert "resolution.elapsed" in lines[0]
    assert lines[-1] == f"{len(cases) - 1} passed, 1 failed"


def a_case(**changes: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "calendars": {},
        "policies": [{"resolution": "4 hours"}],
        "tickets": [{"id": "demo:1", "created_at": "2024-01-16T09:00:00Z"}],
        "events": [],
        "as_of": "2024-01-16T10:00:00Z",
        "expected": {"resolution": {"state": "on_track"}},
        **changes,
    }


def write(folder: Path, *cases: dict[str, Any]) -> Path:
    path = folder / "cases.json"
    path.write_text(json.dumps(cases), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expectd": {}}, r"expectd: unknown key"),
        ({"name": 5}, r"name: expected text"),
        ({"expected": {}}, r"expected: give at least one clock"),
        ({"expected": {"resolution": {}}}, r"expected\.demo:1: give at least one field"),
        ({"expected": {"resolutoin": {"state": "met"}}}, r"expected\.resolutoin: no ticket of this case and no clock"),
        ({"expected": {"resolution": {"sate": "met"}}}, r"expected\.demo:1\.resolution\.sate: unknown key; .*state"),
        ({"expected": {"demo:2": {"resolution": {"state": "met"}}}}, r"expected\.demo:2: no ticket of this case"),
        ({"expected": {"demo:1": {"closing": {"state": "met"}}}}, r"expected\.demo:1\.closing: unknown key"),
        ({"tickets": [{"id": 1, "prioritty": "low"}]}, r"tickets\[0\]\.prioritty: unknown key"),
        ({"events": [{"ticket": 1, "at": "2024-01-16T09:00Z"}]}, r"events\[0\]\.at: unknown key"),
        ({"as_of": "soon"}, r"as_of: expected an instant"),
        ({"tickets": [{"id": 1, "replies_unknown": "ever"}]}, r"tickets\[0\]\.replies_unknown: expected an instant"),
        ({"as_of": "3024-01-01T00:00Z"}, r"as_of: expected an instant from 1900 to 2199"),
        ({"policies": "gold.yaml"}, r"There is no SLA policy .*gold\.yaml"),
        ({"policies": [{"calendar": "moon", "resolution": 5}]}, r"names the calendar 'moon'"),
        ({"calendars": "moon.yaml"}, r"There is no file of calendars .*moon\.yaml"),
    ],
)
def test_what_would_check_nothing_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=rf"cases\.json: case 1 .*{message}"):
        check_cases([write(tmp_path, a_case(**changes))])


def test_two_cases_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two cases are named 'x'"):
        check_cases([write(tmp_path, a_case(), a_case())])


def test_key_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text('[{"name": "x", "name": "y"}]', encoding="utf-8")
    with pytest.raises(BadInput, match=r"cases\.json: can't be read as JSON: 'name' is given twice"):
        check_cases([path])


def test_policy_and_calendar_files_are_tested_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "sla").mkdir()
    (tmp_path / "sla" / "gold.yaml").write_text("policies: [{calendar: office, resolution: 2 business hours}]")
    (tmp_path / "hours.yaml").write_text('calendars: {office: {weekly: {tue: [["08:00", "12:00"]]}}}')
    expected = {"resolution": {"target": 7_200, "elapsed": 3_600, "calendar": "office"}}
    path = write(tmp_path, a_case(policies="sla/gold.yaml", calendars="hours.yaml", expected=expected))
    assert check_cases([path]).lines() == ["1 passed, 0 failed"]
    (tmp_path / "sla" / "gold.yaml").write_text("policies: [{calendar: office, resolution: 3 business hours}]")
    assert check_cases([path]).lines()[-1] == "0 passed, 1 failed"


def test_policy_file_is_read_as_strictly_as_the_desk_reads_it(tmp_path: Path) -> None:
    (tmp_path / "gold.yaml").write_text("policies: [{name: all}, {priority: low}]")
    with pytest.raises(BadInput, match=r"case 1 \(x\): .*gold\.yaml: policies\[1\]: .* is never reached"):
        check_cases([write(tmp_path, a_case(policies="gold.yaml"))])


def test_examples_speak_of_the_shipped_policy() -> None:
    cases = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    assert any(case["policies"] == "../policies/sla/default.yaml" for case in cases)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "can't be read as JSON"),
        ("{}", "expected a list of cases"),
        ('[{"name": "x"}]', "case 1: calendars is missing"),
        (
            '[{"name": "x", "calendars": {}, "policies": [{"resolution": "soon"}], "tickets": [], '
            '"as_of": "2024-01-01T00:00:00Z", "expected": {}}]',
            r"case 1 \(x\): policies\[0\]\.resolution",
        ),
    ],
)
def test_unreadable_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=message):
        check_cases([path])
