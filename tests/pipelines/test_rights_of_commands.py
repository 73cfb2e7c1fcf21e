"""No command reads customer data without asking who gives it: each has a row, and each right is really asked."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from engine import access
from engine.access import Right, User, UserRole
from engine.contracts import Delivery, StandardTicket
from pipelines.app import identity
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.cli import command_line
from pipelines.commands.rights import RIGHTS
from tests.pipelines.small_desk import AS_OF

POLICY = access.load(shipped_data() / "policies" / "access.yaml")
RULES = shipped_data() / "policies" / "rules.yaml"
OWN_HOME, ASK_LATER = {"demo"}, {"serve"}
GIVEN = {
    "export": ["tickets"],
    "sql": ["SELECT 1"],
    "backlogs export": ["--out", "{folder}"], "ingest": ["{file}"], "keys create": ["--source", "jira"],
    "keys revoke": ["0" * 12], "knowledge remove": ["--source", "own"], "outcomes accept": ["INC-1"],
    "people import": ["{file}"],
    "pull": ["jira"], "rules try": ["{rules}"], "sla backtest": ["--policy", "{file}"], "sla explain": ["INC-1"],
    "ticket reply": ["INC-1", "--edit-from-draft", "{folder}/draft.txt"], "ticket show": ["INC-1"],
    "triage feedback": ["INC-1", "--sent"], "triage redact": ["--file", "{file}"],
    "users set": ["x", "--role", "agent"],
}  # fmt: skip


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command by its path, but for those of the table of operations."""
    group = group or typer.main.get_command(command_line)
    if not hasattr(group, "list_commands"):
        if inspect.unwrap(group.callback).__module__ != "pipelines.commands.operations":
            yield " ".join(path), group
        return
    if group.invoke_without_command:
        yield " ".join(path), group
    for name in group.list_commands(None):
        if (path, name) != ((), "calibration"):
            yield from commands(group.get_command(None, name), (*path, name))


ALL = {path: command for path, command in commands() if path}


def test_every_command_says_which_right_it_asks() -> None:
    assert sorted(RIGHTS) == sorted(ALL)


@pytest.mark.parametrize("path", sorted(path for path, right in RIGHTS.items() if right is None))
def test_a_command_that_asks_nothing_opens_nothing(path: str) -> None:
    source = inspect.getsource(inspect.unwrap(ALL[path].callback))
    assert ("open_here(" in source) == (path in OWN_HOME | ASK_LATER)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    with open_app(home=folder) as app:
        ticket = StandardTicket(ticket_id="1", source="web", ticket_number="INC-1", created_at=AS_OF)
        app.store.ingest(Delivery(tickets=(ticket,)), at=AS_OF)
        app.store.put([User(id=role, name=role, roles=(role,)) for role in UserRole])
    return folder


@pytest.mark.parametrize("path", sorted(path for path, right in RIGHTS.items() if right is not None))
def test_a_command_is_refused_without_its_right(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    right = Right(str(RIGHTS[path]))
    without = next((role for role in UserRole if right not in POLICY.rights[role]), None)
    if without is None:  # every role has it: who is not active any more has none
        without = UserRole.AGENT
        with open_app(home=home) as app:
            app.store.put([User(id="gone", name="gone", roles=(without,), is_active=False)])
    file = tmp_path / "file.csv"
    file.write_text("id\n1\n", encoding="utf-8")
    words = [word.format(file=file, folder=tmp_path, rules=RULES) for word in GIVEN.get(path, [])]
    is_right_of_all = all(right in POLICY.rights[role] for role in UserRole)
    monkeypatch.setenv("HELMDESK_USER", "gone" if is_right_of_all else without)
    ran = CliRunner().invoke(command_line, ["--home", str(home), *path.split(), *words])
    assert ran.exit_code != 0
    said = str(ran.exception)
    assert "is not active" in said if is_right_of_all else f"as {without} has no right to {right}" in said


def test_who_is_on_this_machine_may_give_every_command_but_read_who_viewed_what(tmp_path: Path) -> None:
    with open_app(home=tmp_path, user="") as app:
        me = identity.local_user(app)
        lacking = {path for path, right in RIGHTS.items() if right and not _has(app, me, right)}
    assert lacking == {"audit views"}


def _has(app: App, user: User, right: str) -> bool:
    return access.has(user, Right(right), app.policies.access)
