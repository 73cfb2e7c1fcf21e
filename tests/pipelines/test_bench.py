"""`helmdesk bench` says what each stage costs, and what writing the same rows plainly does."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from pipelines.app.container import open_app
from pipelines.cli import command_line
from pipelines.commands.bench import plain_writes
from pipelines.jobs.cycle import STAGES
from pipelines.jobs.ingest import ingest
from tests.pipelines.small_desk import AS_OF, write_export

PACE = {"cpu_seconds", "tickets_per_second"}


def test_every_stage_has_its_pace_and_ingest_its_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    with capture_logs():
        """Counts as configuring the log, which goes to stdout where nobody says otherwise."""
    done = CliRunner().invoke(command_line, ["bench", "--tickets", "30", "--json"], catch_exceptions=False)
    (measured,) = json.loads(done.stdout)["sizes"]
    stages = measured["stages"]
    assert set(stages) == {*STAGES, "generate", "ingest again"}
    assert all(pace.keys() >= PACE and pace["tickets_per_second"] > 0 for pace in stages.values())
    assert stages["ingest"]["floor"] == stages["ingest again"]["floor"]
    assert (stages["ingest"]["floor"].keys(), stages["ingest"]["times_the_floor"] > 1) == (PACE, True)
    assert (measured["tickets"], measured["all_stages"]["cpu_seconds"] > 0) == (30, True)
    assert measured["prepare_cpu_seconds"] > 0
    assert measured["peak_rss_mib"] > 0


def test_the_floor_writes_the_same_rows_and_indexes(tmp_path: Path) -> None:
    with open_app(home=tmp_path) as app:
        ingest(app, write_export(tmp_path / "export", 600), source="helmdesk", at=AS_OF)
    database, target = tmp_path / "helmdesk.db", tmp_path / "floor.db"
    assert plain_writes(database, target) > 0
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        for question in ("SELECT * FROM tickets ORDER BY id", "SELECT * FROM events ORDER BY ticket_id, version"):
            assert (rows := copy.execute(question).fetchall()) == source.execute(question).fetchall()
            assert len(rows) >= 600
        named = "SELECT name FROM sqlite_master WHERE tbl_name IN ('tickets', 'events') ORDER BY name"
        assert copy.execute(named).fetchall() == source.execute(named).fetchall()
