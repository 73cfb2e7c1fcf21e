"""CONTRIBUTING.md does what it says: its examples are written into a copy of the project and used there."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.pipelines.handler_system import HandlerSystem, handler_system

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


class Copy(NamedTuple):
    """A project in which CONTRIBUTING.md was followed, with a home of its own."""

    folder: Path
    settings: Mapping[str, str]

    def run(self, *arguments: str, **settings: str) -> str:
        """What Python prints in the copy with these arguments."""
        environment = {**os.environ, **self.settings, **settings}
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def helmdesk(self, *arguments: str, **settings: str) -> str:
        return self.run("-m", "pipelines.cli", *arguments, **settings)


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
    (place,) = [number for number, text in enumerate(lines) if anchor in text]
    indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
    lines[place : place + 1] = [*([lines[place]] if where == "after" else []), indent + line.strip()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder: Path = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    follow(GUIDE, folder)
    (folder / "cases.csv").write_text(CASES, encoding="utf-8")
    settings = {"HELMDESK_HOME": str(folder / "var"), "HELMDESK_EMBEDDER": "wordllama", "PYTHONPATH": str(folder)}
    made = Copy(folder, settings)
    made.helmdesk("ingest", "data/people", "--source", "people")
    made.helmdesk("ingest", "cases.csv", "--source", "partner")
    made.helmdesk("publish", "--as-of", "2026-04-02T09:00Z")
    return made


@pytest.fixture(scope="module")
def system() -> Iterator[HandlerSystem]:
    with handler_system() as listening:
        yield listening


def test_the_guide_stays_short() -> None:
    assert len(GUIDE.splitlines()) < 80


def test_the_source_reads_a_file(copy: Copy) -> None:
    shown = copy.helmdesk("ticket", "show", "partner:7")
    assert "VPN drops every hour" in shown
    assert "critical" in shown


def test_the_handler_is_sent_decisions(copy: Copy, system: HandlerSystem) -> None:
    chosen = {"HELMDESK_HANDLER": "partner", "HELMDESK_HANDLER_URL": system.url}
    assert "allocated 2" in copy.helmdesk("allocate", **chosen)
    assert "sent 2" in copy.helmdesk("deliver", **chosen)
    assert {payload["case"] for _, payload in system.got} == {"7", "8"}
    assert all(payload["decision"]["group_id"] for _, payload in system.got)


def test_the_mart_counts_by_the_policy_and_the_command_shows_it(copy: Copy) -> None:
    shown = copy.helmdesk("backlog").split("\n")
    assert shown == ["   7 days or older: 1", "  30 days or older: 1", ""]


def test_a_broken_policy_is_refused_by_key(copy: Copy) -> None:
    policy = copy.folder / "data" / "policies" / "backlog_age.yaml"
    good = policy.read_text(encoding="utf-8")
    policy.write_text(good.replace("7", "soon"), encoding="utf-8")
    try:
        with pytest.raises(AssertionError, match=r"backlog_age\.yaml: days\[1\]: .*'soon'"):
            copy.helmdesk("cycle")
    finally:
        policy.write_text(good, encoding="utf-8")


PAGE = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("dashboards/app.py", default_timeout=60).switch_page("views/backlog.py").run()
assert not app.exception, app.exception
print(app.title[0].value, app.dataframe[0].value.to_dict("list"))
"""


def test_the_page_opens_with_the_mart(copy: Copy) -> None:
    assert copy.run("-c", PAGE).strip() == "Is the backlog old? {'days': [7, 30], 'tickets': [1, 1]}"


def test_the_dictionary_documents_the_mart(copy: Copy) -> None:
    tasks = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poe"]["tasks"]
    copy.run(*tasks["dictionary"]["cmd"].split()[1:])
    assert "## backlog_age" in (copy.folder / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert "| `backlog_age` | How old is the open backlog? |" in (copy.folder / "README.md").read_text(encoding="utf-8")


def test_the_house_has_a_place_for_all_of_it(copy: Copy) -> None:
    tests = ["tests/test_house.py", "tests/test_architecture.py::test_rooms_keep_their_arrows"]
    copy.run("-m", "pytest", "-n", "0", *tests)
