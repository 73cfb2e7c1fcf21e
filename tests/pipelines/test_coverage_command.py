"""`helmdesk coverage`: the figures of each source, by the words that people and programs are given."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Delivery, Rejected, Responses
from pipelines.app.container import open_app
from pipelines.cli import command_line
from pipelines.commands.terminal import as_of_or_now
from tests.engine.people import delivered, later


@pytest.fixture
def home(tmp_path: Path) -> Path:
    refused = [
        Rejected(source="web", origin="a.csv", row=row, reason=f"column Opened: 'x{row}' is no date") for row in (3, 5)
    ]
    with open_app(home=tmp_path) as app:
        end = {"status": "resolved", "resolved_at": later(1)}
        tickets = (
            delivered(1, **end, source_verdict={"resolution": "breached"}),
            delivered(2, status="closed", updated_at=later(2), responses=Responses.NONE),
            delivered(3, status="closed", closed_at=later(1), outcome="spam"),
        )
        app.store.ingest(Delivery(tickets=tickets, rejected=tuple(refused)), at=later(3))
    return tmp_path


def coverage(home: Path, *words: str) -> str:
    found = CliRunner().invoke(command_line, ["--home", str(home), "coverage", *words])
    assert found.exit_code == 0, found.exception
    return found.output


def test_json_has_every_figure(home: Path) -> None:
    source: dict[str, Any] = json.loads(coverage(home, "--json"))["sources"]["web"]
    resolution = source["fields"]["resolution"]
    assert (resolution["known"], resolution["unknown"], resolution["why"]) == (1, 1, "no_end")
    assert (source["tickets"], source["left_out"], source["refused"]) == (3, {"spam": 1}, 2)
    assert [(reason["rows"], reason["row"]) for reason in source["refused_because"]] == [(2, 3)]
    agreement = source["agreement"]["resolution"]
    assert (agreement["compared"], agreement["agree"], agreement["examples"]) == (1, 0, ["INC-1"])


def test_a_person_reads_what_to_do(home: Path) -> None:
    lines = coverage(home)
    assert "resolution: 1 of 2 not measured, most: it ended at an unknown instant: map resolved_at" in lines
    assert "left out: 1 (spam 1)" in lines
    assert "its own SLA says the same of 0 of 1; differ: INC-1" in lines


def test_as_of_last_is_when_something_last_happened(home: Path) -> None:
    with open_app(home=home) as app:
        assert as_of_or_now(app, "last") == later(2)


def test_first_ingest_settles_whose_days_count(tmp_path: Path) -> None:
    file, mapping = tmp_path / "a.csv", tmp_path / "own.yaml"
    file.write_text("id,opened\n1,2026-03-02 09:00\n")
    mapping.write_text("source: crm\ncolumns: {ticket_id: id, created_at: opened}\ntime_zone: America/Sao_Paulo\n")
    words = ["--home", str(tmp_path / "home"), "ingest", str(file), "--mapping", str(mapping)]
    first, second = (CliRunner().invoke(command_line, words).output for _ in range(2))
    assert "counted in America/Sao_Paulo" in first
    assert "counted in" not in second
    with open_app(home=tmp_path / "home") as app:
        assert app.settings.desk_zone == "America/Sao_Paulo"
