"""The log tells what happened, and neither what tickets and settings hold nor what moves a reader's cursor."""

from pathlib import Path

from pipelines.app.container import open_app
from tests.processes import ended


def log_a_fault(home: Path) -> None:
    with open_app(home=home) as app:
        ticket_text = "our password is hunter2"
        try:
            len(ticket_text) / 0
        except ZeroDivisionError:
            app.log.warning("can't be read", ticket="INC1\x1b[2J\nforged", exc_info=True)


def test_log_shows_no_variables_and_no_control_characters(tmp_path: Path) -> None:
    told = ended(log_a_fault, tmp_path).text
    assert ("ZeroDivisionError" in told, "hunter2" in told, "\x1b[2J" in told) == (True, False, False)
    assert [line for line in told.splitlines() if line.startswith("forged")] == []
