"""`helmdesk ingest` says at once what it could not take in and why; a refused file is an exit code of 2."""

import json
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from engine.shared.errors import BadInput, Busy
from pipelines.app.container import open_app
from pipelines.commands.ingest import ingest
from pipelines.jobs.inbox import take_in
from tests.pipelines.small_desk import fill_inbox
from tests.ports.test_lock import another_process

app = typer.Typer()
app.command("ingest")(ingest)


@app.callback()
def _home(context: typer.Context, home: Path) -> None:
    context.obj = {"home": home}


def run(home: Path, *words: object) -> Any:
    return CliRunner().invoke(app, [str(home), "ingest", *map(str, words)])


def write(file: Path, rows: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f'{{"ticket_id": "{n}"}}\n' for n in range(rows)), encoding="utf-8")
    return file


def test_the_first_reasons_are_told_with_file_and_row(tmp_path: Path) -> None:
    told = run(tmp_path, write(tmp_path / "may.jsonl", 7)).output.splitlines()
    assert "rejected 7" in told[0]
    assert told[1] == "    may.jsonl row 1: source: Field required; created_at: Field required"
    assert [line.partition(":")[0].strip() for line in told[1:6]] == [f"may.jsonl row {n}" for n in range(1, 6)]
    assert told[6] == "    and 2 more"


def test_what_the_store_refuses_is_told_too(tmp_path: Path) -> None:
    ticket = {"ticket_id": "1", "source": "desk", "created_at": "2026-03-02T09:00:00Z"}
    event = {"ticket_id": "desk:1", "kind": "status", "value": "asleep", "at": "2026-03-02T10:00:00Z"}
    for name, row in (("tickets", ticket), ("events", event)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    told = run(tmp_path / "home", tmp_path).output
    assert "rejected 1" in told
    assert "asleep" in told


def test_a_refused_file_of_the_inbox_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    fill_inbox(tmp_path, tickets=2)
    write(tmp_path / "inbox" / "helmdesk" / "notes.md", 1)
    write(tmp_path / "inbox" / "people-of-may" / "agents.yaml", 1)
    done = run(tmp_path)
    assert (done.exit_code, "created 2" in done.stdout) == (2, True)
    first, second = done.stderr.splitlines()
    assert first.startswith(f"{tmp_path}/inbox/helmdesk/notes.md: the source helmdesk reads *.jsonl")
    assert "jira-csv, people, servicenow" in second
    assert run(tmp_path).exit_code == 0


def test_a_cycle_goes_on_after_a_refused_file(tmp_path: Path) -> None:
    write(tmp_path / "inbox" / "helmdesk" / "notes.md", 1)
    with open_app(home=tmp_path) as app:
        assert take_in(app).rejected == 1


def test_an_unknown_source_is_told_all_there_are(tmp_path: Path) -> None:
    refused = run(tmp_path, write(tmp_path / "may.jsonl", 1), "--source", "nosuch").exception
    assert isinstance(refused, BadInput)
    assert "people" in str(refused)


def test_two_do_not_take_in_at_once(tmp_path: Path) -> None:
    fill_inbox(tmp_path, tickets=2)
    with open_app(home=tmp_path) as opened:
        url = opened.settings.store_url
        with another_process(url, "ingest"):
            refused = run(tmp_path).exception
            assert isinstance(refused, Busy)
            assert "ingest lock of this store is held by cycle since noon" in str(refused)
            assert opened.store.counts()["tickets"] == 0
    assert "created 2" in run(tmp_path).output
