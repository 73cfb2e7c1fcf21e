"""`helmdesk ingest --dry-run` says what would come of a file and writes nothing; too much refused ends in 2."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from engine.shared.errors import BadInput
from pipelines.app.container import open_app
from pipelines.commands.ingest import ingest
from pipelines.jobs.inbox import take_in

app = typer.Typer()
app.command("ingest")(ingest)

MAPPING = """\
source: acme
columns: {ticket_id: Ticket, created_at: Opened, resolved_at: Solved, status: State, outcome: State}
values:
  status: {open: new, closed: closed, waiting: waiting_customer, void: closed}
  outcome: {void: cancelled}
dates: ["%Y-%m-%d %H:%M"]
"""
TABLE = """\
Ticket,Opened,Solved,State
T-1,2025-04-03 09:15,2025-04-03 10:00,Closed
T-2,2025-04-03 09:20,,Open
T-3,2025-04-03 09:25,,Closed
T-4,2025-04-03 09:30,,Waiting
T-5,2025-04-03 09:35,2025-04-03 09:40,Void
T-6,2025-04-03 09:35,,Zorp
T-7,2025-04-03 09:45,,zorp
T-8,2025-04-03 09:55,,Blub
T-9,3 April,,Open
"""


@app.callback()
def _home(context: typer.Context, home: Path) -> None:
    context.obj = {"home": home}


def run(home: Path, *words: object) -> Any:
    return CliRunner().invoke(app, [str(home), "ingest", *map(str, words)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "acme.yaml").write_text(MAPPING, encoding="utf-8")
    written = tmp_path / "may.csv"
    written.write_text(TABLE, encoding="utf-8")
    return written


def dry(file: Path, *words: object) -> dict[str, Any]:
    done = run(file.parent / "home", file, "--mapping", file.parent / "acme.yaml", "--dry-run", "--json", *words)
    return dict(json.loads(done.stdout), exit_code=done.exit_code)


def test_counts_reasons_and_words_are_told_once(file: Path) -> None:
    told = dry(file)
    assert (told["tickets"], told["events"], told["refused"], told["exit_code"]) == (5, 0, 4, 0)
    assert [(each["count"], each["example"]["row"]) for each in told["reasons"]] == [(3, 6), (1, 9)]
    assert told["unknown_words"] == {"State": {"Zorp": 1, "zorp": 1, "Blub": 1}}
    assert told["left_out"] == {"cancelled": 1}
    assert told["known"]["resolved_at"] == 0.4


def test_what_stays_unknown_is_told(file: Path) -> None:
    assert dry(file)["unknown"] == {
        "first response: no column and no replies tell it": 5,
        "end: an ended ticket without resolved_at or closed_at": 1,
        "waiting: since when is not told": 1,
    }


def test_first_tickets_stand_beside_their_rows(file: Path) -> None:
    first = dry(file)["first_tickets"]
    assert [each["ticket"]["ticket_id"] for each in first] == ["T-1", "T-2", "T-3", "T-4", "T-5"]
    assert first[1]["row"] == {"Ticket": "T-2", "Opened": "2025-04-03 09:20", "Solved": "", "State": "Open"}
    lines = run(file.parent / "home", file, "--mapping", file.parent / "acme.yaml", "--dry-run").output.splitlines()
    assert "    row:    Ticket: T-2 | Opened: 2025-04-03 09:20 | State: Open" in lines


def content(home: Path) -> dict[str, bytes]:
    return {str(each): each.read_bytes() for each in sorted(home.rglob("*")) if each.is_file()}


def test_nothing_is_written_anywhere(file: Path) -> None:
    home = file.parent / "home"
    dry(file)
    assert not home.exists()
    run(home, file, "--mapping", file.parent / "acme.yaml")
    before = content(home)
    file.write_text(TABLE + "T-10,2025-04-03 09:15,,Open\n", encoding="utf-8")
    assert dry(file)["tickets"] == 6
    assert content(home) == before


def test_helmdesks_own_files_run_dry_too(tmp_path: Path) -> None:
    ticket = {"ticket_id": "1", "source": "desk", "created_at": "2026-03-02T09:00:00Z"}
    (tmp_path / "tickets.jsonl").write_text(json.dumps(ticket) + "\nnot json\n", encoding="utf-8")
    told = json.loads(run(tmp_path / "home", tmp_path, "--dry-run", "--json").stdout)
    assert (told["tickets"], told["refused"], told["first_tickets"][0]["row"]) == (1, 1, ticket)
    assert not (tmp_path / "home").exists()


def test_too_much_refused_is_exit_code_2(file: Path) -> None:
    assert dry(file, "--max-refused", "50%")["exit_code"] == 0
    told = dry(file, "--max-refused", "5%")
    assert (told["exit_code"], told["missed"]) == (2, ["4 refused are 44.4%, more than 5.0%"])


def test_an_ingest_that_misses_its_limit_takes_nothing_in(file: Path) -> None:
    home, mapping = file.parent / "home", file.parent / "acme.yaml"
    refused = run(home, file, "--mapping", mapping, "--max-refused", "5%").exception
    assert isinstance(refused, BadInput)
    assert "Nothing of it was taken in" in str(refused)
    with open_app(home=home) as opened:
        assert opened.store.counts()["tickets"] == 0
        assert opened.store.frame("rejected_rows").is_empty()
    assert run(home, file, "--mapping", mapping, "--max-refused", "0.5").exit_code == 0


def test_everything_refused_is_exit_code_2(file: Path) -> None:
    file.write_text("Ticket,Opened,Solved,State\nT-1,never,,Open\n", encoding="utf-8")
    assert dry(file)["exit_code"] == 2
    assert run(file.parent / "home", file, "--mapping", file.parent / "acme.yaml").exit_code == 2


@pytest.mark.parametrize(
    ("expect", "why"),
    [
        ("{rows: 6}", "5 tickets are fewer than the 6 of `expect`"),
        ("{known: {resolved_at: 50%}}", "resolved_at is known of 40.0% of the tickets, less than the 50.0%"),
    ],
)
def test_what_the_mapping_expects_is_held(expect: str, why: str, file: Path) -> None:
    home, mapping = file.parent / "home", file.parent / "acme.yaml"
    mapping.write_text(f"{MAPPING}expect: {expect}\n", encoding="utf-8")
    told = dry(file)
    assert (told["exit_code"], why in told["missed"][0]) == (2, True)
    refused = run(home, file, "--mapping", mapping).exception
    assert isinstance(refused, BadInput)
    mapping.write_text(f"{MAPPING}expect: {{rows: 5, known: {{resolved_at: 40%}}}}\n", encoding="utf-8")
    assert run(home, file, "--mapping", mapping).exit_code == 0


def test_a_file_in_the_inbox_that_misses_is_refused_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, home = file.parent / "data", file.parent / "home"
    (data / "mappings").mkdir(parents=True)
    (data / "mappings" / "acme.yaml").write_text(f"{MAPPING}expect: {{rows: 6}}\n", encoding="utf-8")
    (home / "inbox" / "acme").mkdir(parents=True)
    file.rename(home / "inbox" / "acme" / file.name)
    with open_app(home=home, data=data) as opened:
        assert (take_in(opened).rejected, opened.store.counts()["tickets"]) == (1, 0)


@pytest.mark.parametrize("words", [["--json"], ["--dry-run"], ["--max-refused", "many"], ["--max-refused", "120%"]])
def test_options_that_make_no_sense_are_refused(words: list[str], tmp_path: Path) -> None:
    assert isinstance(run(tmp_path, *words).exception, BadInput)
