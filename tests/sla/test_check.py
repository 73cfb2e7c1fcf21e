"""Worked cases: both engines pass them, and a wrong expectation is named field by field."""

import json
from pathlib import Path

import pytest

from engine.errors import BadInput
from sla.check import check_cases

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "data" / "sla" / "example-cases.json"
WORKED = ROOT.parent / "shared" / "sla" / "edge_cases.json"


def test_shipped_examples_pass() -> None:
    report = check_cases([EXAMPLES])
    assert report.ok, report.lines()
    assert report.passed >= 8


@pytest.mark.skipif(not WORKED.exists(), reason="the 82 worked cases are not beside the project")
def test_all_worked_cases_pass() -> None:
    assert check_cases([WORKED]).lines() == ["82 passed, 0 failed"]


def test_mismatch_names_case_engine_and_field(tmp_path: Path) -> None:
    cases = json.loads(EXAMPLES.read_text())
    cases[0]["expected"]["resolution"]["elapsed"] += 1
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    lines = check_cases([path]).lines()
    assert len(lines) == 3  # once an engine, and the sum
    assert cases[0]["name"] in lines[0]
    assert "reference" in lines[0]
    assert "resolution.elapsed" in lines[0]
    assert lines[-1] == f"{len(cases) - 1} passed, 1 failed"


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
