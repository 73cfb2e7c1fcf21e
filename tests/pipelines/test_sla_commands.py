"""`helmdesk sla`: what lies behind a deadline, and what other promises would have done; bad input is one line."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.app.container import open_app
from pipelines.cli import main
from pipelines.clock_replay import AS_CREATED, clock_events, read_events, read_tickets
from pipelines.snapshot import Snapshot
from sla.clocks.batch.evaluate import evaluate
from sla.policy.parser import load
from tests.pipelines.small_desk import AS_OF, write_export
from tests.pipelines.test_cli import ROOT, helmdesk

IN_FORCE = ROOT / "data/policies/sla/default.yaml"
AT = ("--as-of", AS_OF.isoformat())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    assert helmdesk("ingest", write_export(home / "export", tickets=40), home=home).returncode == 0
    return home


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: exit code, what it says, what it complains of."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["helmdesk", "--home", str(home), *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


def refused(run: Run, *words: object) -> str:
    code, _, line = run(*words)
    assert (code, line.count("\n")) == (2, 1), line
    return line


@pytest.fixture
def shorter(tmp_path: Path) -> Path:
    file = tmp_path / "shorter.yaml"
    text = IN_FORCE.read_text(encoding="utf-8").replace("2 business days", "2 business hours")
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def clocks(home: Path) -> pl.DataFrame:
    with open_app(home=home) as app:
        return Snapshot(app, AS_OF).clocks


def test_explain_adds_up_to_what_is_published(run: Run, clocks: pl.DataFrame) -> None:
    row = clocks.filter(pl.col("elapsed") > 0).row(0, named=True)
    _, out, _ = run("sla", "explain", row["ticket"], "--clock", row["clock"], "--json", *AT)
    told = next(one for one in json.loads(out) if one["window"] == row["window"])
    counted = sum(entry["seconds"] for entry in told["entries"] if entry["kind"] == "counted")
    assert (counted, told["target"], told["state"]) == (row["elapsed"], row["target"], row["state"])
    assert told["due_at"] == (row["due_at"] and row["due_at"].isoformat())
    lines = run("sla", "explain", row["ticket"], "--clock", row["clock"], *AT)[1]
    assert lines.startswith("as of 2026-07-17 15:00:00 UTC\n")
    assert f"{row['elapsed']} s" in lines
    assert f"window {row['window']}: {row['state']}" in lines


@pytest.mark.parametrize(
    ("words", "said"),
    [(["INC-nope"], "INC-nope"), (["x", "--clock", "cuckoo"], "cuckoo"), (["x", "--as-of", "now"], "now")],
)
def test_explain_refuses_in_one_line(words: list[str], said: str, run: Run) -> None:
    assert said in refused(run, "sla", "explain", *words)


def test_backtest_says_what_would_have_been_broken(run: Run, shorter: Path, tmp_path: Path) -> None:
    file = tmp_path / "changed.csv"
    _, out, _ = run("sla", "backtest", "--policy", shorter, "--changed", file, "--json", *AT)
    told = json.loads(out)
    whole = next(r for r in told["attainment"] if (r["clock"], r["dimension"]) == ("resolution", "all"))
    listed = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    broken = [row for row in listed if (row["state_before"], row["state_after"]) == ("met", "breached")]
    assert whole["met_to_breached"] == len(broken) > 0
    assert whole["points"] < 0
    assert {r["dimension"] for r in told["attainment"]} == {"all", "priority", "tier", "team", "week"}
    assert broken[0]["ticket"].startswith("northlight:")


def test_backtest_agrees_with_a_replay_under_the_new_policy(
    run: Run, home: Path, shorter: Path, tmp_path: Path
) -> None:
    file = tmp_path / "changed.parquet"
    _, out, _ = run("sla", "backtest", "--policy", shorter, "--changed", file, *AT)
    assert "clocks of" in out
    with open_app(home=home) as app:
        sides = [load(IN_FORCE), load(shorter)]
        born, moves = read_tickets(app.store).select(**AS_CREATED), clock_events(read_events(app.store))
        was, new = (evaluate(born, moves, side, app.policies.sla.calendars, AS_OF) for side in sides)
    keys = ["ticket", "clock", "window"]
    both = was.join(new, on=keys, suffix="_after").filter(pl.col("state") != pl.col("state_after"))
    assert sorted(both.select(keys).rows()) == sorted(pl.read_parquet(file).select(keys).rows())


def test_changes_that_cannot_be_written_leave_no_crumbs(run: Run, shorter: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken" / "changed.csv"
    taken.mkdir(parents=True)
    line = refused(run, "sla", "backtest", "--policy", shorter, "--changed", taken, *AT)
    assert "changed.csv: Is a directory" in line
    assert list(taken.parent.iterdir()) == [taken]


def test_home_without_tickets_has_nothing_to_replay(run: Run, tmp_path: Path) -> None:
    line = refused(run, "--home", tmp_path / "elsewhere", "sla", "backtest", "--policy", IN_FORCE)
    assert "elsewhere" in line
    assert "--home" in line


def test_case_file_sends_no_control_characters_to_the_terminal(run: Run, tmp_path: Path) -> None:
    case = {"name": "bell \x07", "calendars": {}, "policies": [{"resolution": 60}], "tickets": [{"id": 1}]}
    wrong = {"as_of": "2024-01-16", "expected": {"resolution": {"state": "met \x07"}}}
    (tmp_path / "cases.json").write_text(json.dumps([case | wrong]), encoding="utf-8")
    code, out, _ = run("sla", "check", tmp_path / "cases.json")
    assert (code, "\x07" in out, "0 passed, 1 failed" in out) == (1, False, True)


def test_same_policy_changes_nothing(run: Run) -> None:
    _, out, _ = run("sla", "backtest", "--policy", IN_FORCE, "--against", IN_FORCE, *AT)
    assert "0 clocks of 0 tickets change state" in out


def test_backtest_says_when_and_what_was_compared(run: Run, shorter: Path) -> None:
    lines = run("sla", "backtest", "--policy", shorter, *AT)[1].splitlines()
    assert lines[:3] == ["as of 2026-07-17 15:00:00 UTC", f"before: {IN_FORCE} (in force)", f"after:  {shorter}"]
    told = json.loads(run("sla", "backtest", "--policy", shorter, "--against", IN_FORCE, "--json", *AT)[1])
    assert (told["before"], told["after"]) == (str(IN_FORCE), str(shorter))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("bad.yaml", "policies: [{first_response: soon}]\n", "first_response"),
        ("bad.yaml", "policies: [{name: a, calendar: moon, resolution: 60}]\n", "moon"),
        ("bad.yaml", "a: [\n", "bad.yaml"),
    ],
)
def test_bad_policy_is_one_line_and_writes_nothing(name: str, text: str, said: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    line = refused(run, "sla", "backtest", "--policy", tmp_path / name, "--changed", tmp_path / "c.csv")
    assert said in line
    assert name in line
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_bad_calendar_and_odd_ending_are_refused(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "calendars.yaml"
    bad.write_text("calendars: {business: {weekly: {mon: [['25:00', '26:00']]}}}\n", encoding="utf-8")
    assert "business.weekly.mon" in refused(run, "sla", "backtest", "--policy", IN_FORCE, "--calendars", bad)
    assert ".csv or .parquet" in refused(run, "sla", "backtest", "--policy", IN_FORCE, "--changed", "a.xlsx")
    nowhere = tmp_path / "no" / "where.csv"
    assert "where.csv" in refused(run, "sla", "backtest", "--policy", IN_FORCE, "--changed", nowhere)
    assert "gone.yaml" in refused(run, "sla", "backtest", "--policy", tmp_path / "gone.yaml")
