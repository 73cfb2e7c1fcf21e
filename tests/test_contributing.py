"""CONTRIBUTING.md does what it says: its examples are written into a copy of the project and used there."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.pipelines.handler_system import handler_system

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PARTS = (
    "engine", "sla", "triage", "pipelines", "dashboards", "notebooks", "data", "docs", "tests", "README.md",
    "CONTRIBUTING.md", "DECISIONS.md", "GLOSSARY.md", "pyproject.toml", ".env.example", "prefect.yaml",
)  # fmt: skip
BLOCK = re.compile(r"^```\w+\n(# ([\w./]+).*?)^```$", re.MULTILINE | re.DOTALL)
EDIT = re.compile(r"(?:[Ii]n\s+`([\w./]+)`,\s+)?(after|in place of)\s+`([^`]+)`\s+put\s+`([^`]+)`")
CASES = """\
Case,Subject,Text,Area,Opened,Prio
7,VPN drops every hour,The tunnel to the office drops on the hour.,network,2026-03-02T09:15:00Z,urgent
8,Proxy is slow,Browsing through the proxy takes a minute.,network,2026-03-20T09:15:00Z,low
"""
COMMANDS = [
    "ingest data/people --source people", "ingest cases.csv --source partner", "ticket show partner:7",
    "allocate --as-of 2026-04-02T09:00Z", "deliver", "publish --as-of 2026-04-02T09:00Z", "backlog",
]  # fmt: skip
CALLS = """
import contextlib, io, json, runpy, sys
from pipelines.cli import main
answers = []
for line in json.load(sys.stdin):
    sys.argv, text, code = ["helmdesk", *line.split()], io.StringIO(), 0
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            main()
        except SystemExit as end:
            code = end.code
    answers.append((code, text.getvalue()))
runpy.run_module("pipelines.marts.dictionary", run_name="__main__")
print(json.dumps(answers))
"""
PAGE = """
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
ContextProxy.ip_address = None  # as from a browser on this machine
app = AppTest.from_file("dashboards/app.py", default_timeout=60)
app._page_hash = calc_hash("backlog")
app.run()
assert not app.exception, app.exception
print(app.title[0].value, app.caption[0].value, app.dataframe[0].value.to_dict("list"))
"""
READ = """
from pipelines.app.container import open_app
from engine.shared.errors import BadInput
try:
    open_app().policies.backlog_age
except BadInput as refused:
    print(refused)
"""


def follow(guide: str, project: Path) -> None:
    """Write each block to the file its first line names, and each line after, or in place of, the line that is said."""
    for text, path in BLOCK.findall(guide):
        assert not (project / path).exists(), path
        (project / path).write_text(text, encoding="utf-8")
    file = ""
    for named, where, anchor, line in EDIT.findall(guide):
        file = named or file
        put(project / file, line, where=where, anchor=anchor)


def put(file: Path, line: str, *, where: str, anchor: str) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    place, *others = [number for number, text in enumerate(lines) if anchor in text] or [-1]
    assert place >= 0, f"{file}: no line has {anchor!r}"
    assert not others, f"{file}: several lines have {anchor!r}"
    indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
    lines[place : place + 1] = [*([lines[place]] if where == "after" else []), indent + line.strip()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the guide was followed."""
    folder: Path = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part)  # what Python compiled too
        else:
            shutil.copy(ROOT / part, folder / part)
    follow(GUIDE, folder)
    (folder / "cases.csv").write_text(CASES, encoding="utf-8")
    return folder


def python(copy: Path, *arguments: str, given: str = "", **settings: str) -> str:
    """What Python prints in the copy."""
    environment = {**os.environ, "HELMDESK_HOME": str(copy / "var"), "PYTHONPATH": str(copy), **settings}
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=copy, env=environment, input=given, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


class Trial(NamedTuple):
    """Exit code and text of each command in the copy, and what its handler was sent."""

    answers: list[tuple[int, str]]
    deliveries: list[tuple[str, Any]]

    def answer(self, command: str) -> tuple[int, str]:
        code, text = self.answers[COMMANDS.index(command)]
        return code, text


@pytest.fixture(scope="module")
def trial(copy: Path) -> Trial:
    """The commands one after the other in one process, then the data dictionary."""
    with handler_system() as system:
        chosen = {"HELMDESK_HANDLER": "partner", "HELMDESK_HANDLER_URL": system.url}
        printed = python(copy, "-c", CALLS, given=json.dumps(COMMANDS), **chosen)
        return Trial(json.loads(printed), system.got)


def test_the_guide_stays_short() -> None:
    assert len(GUIDE.splitlines()) < 85


def test_the_source_reads_a_file(trial: Trial) -> None:
    code, shown = trial.answer("ticket show partner:7")
    assert code == 0
    assert "VPN drops every hour" in shown
    assert "critical" in shown


def test_the_handler_is_sent_decisions(trial: Trial) -> None:
    assert "allocated 2" in trial.answer("allocate --as-of 2026-04-02T09:00Z")[1]
    assert "sent 2" in trial.answer("deliver")[1]
    assert {payload["case"] for _, payload in trial.deliveries} == {"7", "8"}
    assert all(payload["decision"]["group_id"] for _, payload in trial.deliveries)


def test_the_mart_counts_by_the_policy_and_the_command_shows_it(trial: Trial) -> None:
    assert trial.answer("backlog") == (0, "   7 days or older: 1\n  30 days or older: 1\n")


def test_a_broken_policy_is_refused_by_key(trial: Trial, copy: Path) -> None:
    policy = copy / "data" / "policies" / "backlog_age.yaml"
    good = policy.read_text(encoding="utf-8")
    policy.write_text(good.replace("[1, 7", "[1, soon"), encoding="utf-8")
    shown = python(copy, "-c", READ)
    policy.write_text(good, encoding="utf-8")
    assert re.search(r"backlog_age\.yaml: days\[1\]: .*'soon'", shown)


def test_the_page_shows_the_mart(trial: Trial, copy: Path) -> None:
    shown = python(copy, "-c", PAGE, HELMDESK_EMBEDDER="wordllama")
    assert shown.strip() == "Backlog Is the backlog old? {'days': [7, 30], 'tickets': [1, 1]}"


def test_the_dictionary_documents_the_mart(trial: Trial, copy: Path) -> None:
    tasks = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poe"]["tasks"]
    assert tasks["dictionary"]["cmd"] == "python -m pipelines.marts.dictionary"
    assert "## backlog_age" in (copy / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert "| `backlog_age` | How old is the open backlog? |" in (copy / "README.md").read_text(encoding="utf-8")


def test_all_of_it_has_its_place_in_the_house(copy: Path) -> None:
    python(copy, "-m", "pytest", "-n", "0", "--noconftest", "tests/test_house.py")
    python(copy, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")
