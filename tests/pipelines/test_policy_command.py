"""A policy of one's own from a few answers is read as any other, and clocks run on it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.app.container import open_app
from pipelines.cli import command_line


def init(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(
        command_line, ["--home", str(tmp_path / "home"), "policy", "init", str(tmp_path / "own"), *words]
    )


def test_own_hours_and_targets_are_in_force(tmp_path: Path) -> None:
    words = [
        "--time-zone",
        "America/Sao_Paulo",
        "--country",
        "BR",
        "--days",
        "mon-thu,sat",
        "--hours",
        "08:00-12:00,13:00-18:00",
    ]
    found = init(tmp_path, *words, "--first-response", "0.5,1,2,3")
    assert found.exit_code == 0
    assert "HELMDESK_SLA_POLICY=own" in found.output
    with open_app(home=tmp_path / "home", data=tmp_path / "own", sla_policy="own") as app:
        rules = app.policies.sla
        calendar = rules.calendars["own"]
    assert (rules.policies.name, str(calendar.tz), calendar.working_day) == ("own", "America/Sao_Paulo", 9 * 3600)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--time-zone", "Mars"], "Mars"),
        (["--days", "monday"], "mon-fri"),
        (["--hours", "9"], "09:00-17:00"),
        (["--resolution", "1,2"], "four numbers"),
        (["--first-response", "0,1,2,3"], "four numbers"),
    ],
)
def test_a_wrong_answer_writes_nothing(tmp_path: Path, words: list[str], why: str) -> None:
    found = init(tmp_path, *words)
    assert why in str(found.exception)
    assert not (tmp_path / "own").exists()


def test_a_folder_that_is_there_stays(tmp_path: Path) -> None:
    assert init(tmp_path, "--time-zone", "UTC").exit_code == 0
    before = (tmp_path / "own" / "policies" / "sla" / "own.yaml").read_text()
    assert "is there already" in str(init(tmp_path, "--time-zone", "Europe/Berlin").exception)
    assert (tmp_path / "own" / "policies" / "sla" / "own.yaml").read_text() == before
