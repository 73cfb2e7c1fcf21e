"""The command line keeps its promises: twice is safe, bad input is one line and exit code 2, nothing half-written."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pytest

from pipelines.cli import main
from tests.pipelines.small_desk import AS_OF, first_ticket, write_export

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).parent / "helmdesk"


Run = subprocess.CompletedProcess[str]


def started(*words: object, home: Path) -> Run:
    """The command as a process of its own."""
    command = [str(word) for word in (COMMAND, "--home", home, *words)]
    quick = {"HELMDESK_EMBEDDER": "wordllama"} | os.environ
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=300, env=quick)


def helmdesk(*words: object, home: Path) -> Run:
    """The same in this process, which spares the imports."""
    command, out, errors, code = [str(word) for word in (COMMAND, "--home", home, *words)], StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
        patch.setenv("HELMDESK_EMBEDDER", os.environ.get("HELMDESK_EMBEDDER", "wordllama"))
        patch.setattr(sys, "argv", command)
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Run(command, code, out.getvalue(), errors.getvalue())


def refused(*words: object, home: Path, by: Callable[..., Run] = helmdesk) -> str:
    """The one line a bad input gets."""
    run = by(*words, home=home)
    assert run.returncode == 2, run.stdout + run.stderr
    lines = run.stderr.strip().splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("helmdesk: ")
    return lines[0]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(tmp_path_factory.mktemp("export"), tickets=40)


def test_same_input_twice_changes_nothing(export: Path, tmp_path: Path) -> None:
    first = helmdesk("ingest", export, home=tmp_path)
    assert "created 40, updated 0, skipped 0, rejected 0" in first.stdout, first.stderr
    second = helmdesk("ingest", export, home=tmp_path)
    assert "created 0, updated 0, skipped 40, rejected 0, events 0" in second.stdout


@pytest.mark.parametrize(
    ("name", "content", "source", "said"),
    [
        ("export.csv", "Id,Title\n1,a\n", "helmdesk", "--mapping"),
        ("tickets.csv", "a,b\n1,2\n", "zendesk-csv", "tickets.csv"),
        ("empty.csv", "", "servicenow-csv", "empty.csv"),
        ("not-a-log.csv.gz", "this is no gzip", "servicenow-csv", "not-a-log.csv.gz"),
        ("tickets.jsonl", "{}\n", "no-such-source", "no-such-source"),
    ],
)
def test_bad_file_gets_one_line_and_stores_nothing(
    name: str, content: str, source: str, said: str, tmp_path: Path
) -> None:
    bad = tmp_path / name
    bad.write_text(content, encoding="utf-8")
    assert said in refused("ingest", bad, "--source", source, home=tmp_path / "home")
    after = helmdesk("ingest", home=tmp_path / "home")
    assert "created 0" in after.stdout


def test_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.csv" in refused(
        "ingest", tmp_path / "nowhere.csv", "--source", "servicenow-csv", home=tmp_path, by=started
    )


def test_an_error_hands_no_control_character_to_the_terminal(tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("te\x1b[2Jxt,label\nhello,a\nthere,b\n", encoding="utf-8")
    run = helmdesk("triage", "train", "--data", labelled, "--out", tmp_path / "model.npz", home=tmp_path)
    assert run.returncode == 2
    assert "\x1b" not in run.stderr


def test_unknown_column_is_named(tmp_path: Path) -> None:
    mapping = tmp_path / "mine.yaml"
    mapping.write_text((ROOT / "data/mappings/example.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    file = tmp_path / "export.csv"
    file.write_text("Wrong,Header\n1,2\n", encoding="utf-8")
    line = refused("ingest", file, "--source", "mine", "--mapping", mapping, home=tmp_path)
    assert "export.csv" in line


def test_rejected_rows_are_counted_and_kept(export: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    good = (export / "tickets.jsonl").read_text(encoding="utf-8")
    (folder / "tickets.jsonl").write_text(good + '{"ticket_id": "x"\n', encoding="utf-8")
    assert "created 40, updated 0, skipped 0, rejected 1" in helmdesk("ingest", folder, home=tmp_path).stdout
    assert "created 0, updated 0, skipped 40, rejected 1, events 0" in helmdesk("ingest", folder, home=tmp_path).stdout


def test_broken_policy_is_refused_with_its_key(export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for entry in (ROOT / "data").iterdir():
        (data / entry.name).symlink_to(entry)
    (data / "policies").unlink()
    (data / "policies" / "sla").mkdir(parents=True)
    for entry in (ROOT / "data" / "policies").iterdir():
        if entry.name != "sla":
            (data / "policies" / entry.name).symlink_to(entry)
    (data / "policies" / "sla" / "default.yaml").write_text("policies: [{first_response: soon}]\n", encoding="utf-8")
    monkeypatch.setenv("HELMDESK_DATA", str(data))
    assert helmdesk("ingest", export, home=tmp_path / "home").returncode == 0
    line = refused("evaluate", home=tmp_path / "home")
    assert "default.yaml" in line
    assert "first_response" in line


@pytest.mark.parametrize("text", ["yesterday", "2026-09-30T10:00"])
def test_as_of_needs_an_instant_with_a_zone(text: str, tmp_path: Path) -> None:
    assert text in refused("evaluate", "--as-of", text, home=tmp_path)


def test_wrong_setting_names_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_EMBEDDER", "magic")
    assert "HELMDESK_EMBEDDER" in refused("evaluate", home=tmp_path)


@pytest.mark.parametrize("size", ["0", "-5"])
def test_nothing_to_bench_is_one_clear_error(size: str, tmp_path: Path) -> None:
    assert f"--tickets {size}" in refused("bench", "--tickets", "10", "--tickets", size, home=tmp_path)


def test_dashboards_marts_are_missing_until_published(tmp_path: Path) -> None:
    run = helmdesk("doctor", home=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "none published yet" in run.stdout
    for part in ("store", "index", "models", "orchestrator"):
        assert part in run.stdout


@pytest.mark.slow
def test_cycle_reports_and_publishes(export: Path, tmp_path: Path) -> None:
    helmdesk("ingest", ROOT / "data" / "people", "--source", "people", home=tmp_path)
    helmdesk("ingest", export, home=tmp_path)
    run = helmdesk("cycle", "--as-of", AS_OF.isoformat(), home=tmp_path)
    assert run.returncode == 0, run.stderr
    for heading in ("Tickets by state (40)", "SLA attainment by priority", "Breaches", "Allocation", "Classification"):
        assert heading in run.stdout
    shown = helmdesk("ticket", "show", first_ticket(export), home=tmp_path)
    assert "created" in shown.stdout


def test_migrate_goes_down_and_up(tmp_path: Path) -> None:
    assert "none ->" in helmdesk("migrate", home=tmp_path).stdout
    assert "-> none" in helmdesk("migrate", "--to", "base", "--yes", home=tmp_path).stdout
    assert helmdesk("migrate", home=tmp_path).returncode == 0
    assert "--yes" in refused("migrate", "--to", "base", home=tmp_path)


def test_help_names_every_command(tmp_path: Path) -> None:
    words = helmdesk("--help", home=tmp_path).stdout
    commands = ["demo", "ingest", "cycle", "triage", "allocate", "evaluate", "publish", "dashboard"]
    commands += ["doctor", "migrate", "bench", "sla", "ticket"]
    assert not [name for name in commands if name not in words]


def test_it_says_which_version_it_is() -> None:
    told = subprocess.run([COMMAND, "--version"], check=True, capture_output=True, text=True, timeout=300)
    assert told.stdout == f"helmdesk {version('helmdesk')}\n"


def test_missing_mapping_file_is_named_as_one(export: Path, tmp_path: Path) -> None:
    told = refused("ingest", export, "--mapping", tmp_path / "none.yaml", home=tmp_path)
    assert "There is no mapping file" in told


def test_the_command_line_itself_loads_no_library_of_a_room() -> None:
    heavy = ["polars", "sqlalchemy", "numpy", "pydantic", "dataframely", "prefect", "streamlit", "pymilvus"]
    asked = f"import sys, pipelines.cli; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_compiled_code_is_kept_below_home_where_none_may_lie_beside_the_libraries(tmp_path: Path) -> None:
    """In a copy of the environment that has no compiled code, as a container makes it."""
    code = "import sys; sys.argv = ['helmdesk', *sys.argv[1:]]; from pipelines.cli import main; main()"
    path = [tmp_path / "libraries"]
    path[0].mkdir()
    polars = Path(importlib.util.find_spec("polars").origin).parent
    shutil.copytree(polars, path[0] / "polars", ignore=shutil.ignore_patterns("__pycache__"))
    told = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(path[0]), "HELMDESK_EMBEDDER": "wordllama"}
    told.pop("PYTHONPYCACHEPREFIX", None)
    (tmp_path / "home").mkdir()
    subprocess.run(
        [sys.executable, "-c", code, "--home", tmp_path / "home", "allocate"], env=told, check=True, cwd=ROOT
    )
    kept = {file.name.split(".")[0] for file in (tmp_path / "home" / "bytecode").rglob("polars/**/*.pyc")}
    assert "series" in kept
    assert not list(path[0].rglob("__pycache__"))
