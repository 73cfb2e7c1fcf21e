"""Settings, policies, marts, commands, rooms and the desk's use cases: each is documented, and used by the product."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import typer

from engine.desk import Desk
from engine.desk import Policies as DeskPolicies
from engine.desk.use_case import UseCase
from pipelines.app.policies import Policies
from pipelines.app.settings import Settings, setting_name
from pipelines.cli import EXIT_CODES, FIRST_STAGE, command_line
from pipelines.jobs.cycle import STAGES
from pipelines.marts.registry import MARTS
from pipelines.operations import ACTIONS, OPERATIONS, WORDS, arguments

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("engine", "sla", "triage", "pipelines", "dashboards")
DESK = "engine/desk/"
POLICIES = ROOT / "data" / "policies"
TEXT = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "README.md", "CONTRIBUTING.md", "docs/house.md", "docs/operate.md", "data/README.md", "pyproject.toml",
        ".env.example",
    )
}  # fmt: skip

USE_CASES_THAT_WAIT_FOR_DOORS_OF_THE_DESK: dict[str, str] = {}
"""No page, command, route or sweep calls these yet; each goes from here with the door that opens it."""
POLICIES_THAT_WAIT_FOR_DOORS_OF_THE_DESK = set[str]()
"""Only use cases that wait read these."""
MARTS_FOR_READERS_OUTSIDE = {"response_times", "reopens", "internal_entries", "review_notes"}
"""For one's own DuckDB: the pages work the same out for the tickets that are chosen,
and read entries from the store."""


class File(NamedTuple):
    """What a file takes of what, as (a, b, c) of `….a.b.c` or ("", b, c) of `b.c`, and the marts it asks for."""

    path: str
    taken: frozenset[tuple[str, str, str]]
    marts: frozenset[str]


@cache
def files() -> list[File]:
    found = [file for room in (*ROOMS, "notebooks") for file in (ROOT / room).rglob("*.py")]
    trees = ((file, ast.parse(file.read_text(encoding="utf-8"))) for file in found)
    return [File(str(file.relative_to(ROOT)), frozenset(taken(t)), frozenset(marts_asked(t))) for file, t in trees]


def taken(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            above = node.value.value if isinstance(node.value, ast.Attribute) else ast.Pass()
            yield _name(above), _name(node.value), node.attr


def _name(node: ast.AST) -> str:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.lstrip("_")


def marts_asked(tree: ast.AST) -> Iterator[str]:
    """By SQL, or as a whole frame of a reader."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(sql)):
                yield from re.findall(r"\b(?:FROM|JOIN) (\w+)\b", sql)
            case ast.Call(func=ast.Attribute(value=owner, attr="frame"), args=[ast.Constant(value=str(mart))]):
                if _name(owner) in ("reader", "marts"):
                    yield mart


def taken_outside(*left_out: str) -> set[tuple[str, str, str]]:
    """By the product, but for files below these."""
    return {one for file in files() if not file.path.startswith((*left_out, "notebooks")) for one in file.taken}


class TestRooms:
    def test_each_question_is_the_rooms_own(self) -> None:
        questions = dict(re.findall(r"^\| `(\w+)/` \| (.+) \|$", TEXT["docs/house.md"], re.MULTILINE))
        assert questions == {room: importlib.import_module(room).__doc__ for room in ROOMS}

    def test_layers_are_those_that_lint_holds(self) -> None:
        listed = re.findall(r"^- (\w+): (.+(?:\n  .+)*)", TEXT["docs/house.md"], re.MULTILINE)
        contracts = tomllib.loads(TEXT["pyproject.toml"])["tool"]["importlinter"]["contracts"]
        held = {
            "".join(contract.get("containers", ["rooms"])): " > ".join(contract["layers"])
            for contract in contracts
            if contract["type"] == "layers"
        }
        assert {name: " ".join(layers.split()) for name, layers in listed} == held

    def test_paths_in_the_docs_exist(self) -> None:
        path = re.compile(rf"`((?:{'|'.join(ROOMS)}|data|docs|tests)/[\w./*-]+)`")
        to_come = set(re.findall(r"^# ([\w./]+)", TEXT["CONTRIBUTING.md"], re.MULTILINE))
        named = {found for text in TEXT.values() for found in path.findall(text)} - to_come
        assert [one for one in named if not any(ROOT.glob(one.rstrip("/")))] == []


class TestSettings:
    def test_each_is_in_the_example(self) -> None:
        names = [setting_name(field) for field in Settings.model_fields]
        assert [name for name in names if name.startswith("HELMDESK_") and f"{name}=" not in TEXT[".env.example"]] == []

    def test_each_is_read(self) -> None:
        read = {name for _, owner, name in taken_outside("pipelines/app/settings.py") if owner == "settings"}
        for policy in Policies.registry().values():
            read |= {*policy.settings.values(), *re.findall(r"\{(\w+)\}", "".join(policy.files))}
        for made in ast.walk(ast.parse((ROOT / "pipelines/app/settings.py").read_text(encoding="utf-8"))):
            if isinstance(made, ast.FunctionDef) and made.name in read:
                read |= {name for _, owner, name in taken(made) if owner == "self"}
        assert set(Settings.model_fields) - read == set()


class TestPolicies:
    def test_each_file_is_in_the_registry(self) -> None:
        patterns = [re.sub(r"\{\w+\}", "*", file) for policy in Policies.registry().values() for file in policy.files]
        entered = {file for pattern in patterns for file in POLICIES.glob(pattern)}
        assert {file for file in POLICIES.rglob("*") if file.is_file()} - entered == set()

    def test_each_file_says_who_may_change_it(self) -> None:
        """In the comment at its head, or in its row of data/README.md."""
        for file in POLICIES.rglob("*.yaml"):
            head = "".join(re.findall(r"\A(?:#.*\n)+", file.read_text(encoding="utf-8")))
            says_who = re.search(r"who may change it|may be changed by", head, re.IGNORECASE)
            assert says_who or f"`policies/{file.relative_to(POLICIES)}`" in TEXT["data/README.md"], file

    def test_each_is_read(self) -> None:
        read = {name for _, owner, name in taken_outside("pipelines/app/policies.py", DESK) if owner == "policies"}
        assert set(Policies.registry()) - read == set()

    def test_each_of_the_desk_is_read_or_waits(self) -> None:
        """By who takes it of the desk, or by a use case that is called."""
        ways = (("desk", "policies"), ("policies", "desk"))
        read = {name for *way, name in taken_outside(DESK) if tuple(way) in ways}
        read |= {name for case in use_cases_called() for name in policies_of(case)}
        assert set(DeskPolicies._fields) - read == POLICIES_THAT_WAIT_FOR_DOORS_OF_THE_DESK


class TestMarts:
    def test_each_is_asked_for_or_left_to_readers_outside(self) -> None:
        asked = {mart for file in files() if not file.path.startswith("pipelines/marts/") for mart in file.marts}
        assert set(MARTS) - asked == MARTS_FOR_READERS_OUTSIDE


class TestCommands:
    def test_each_is_documented(self) -> None:
        lines = [line for name in ("README.md", "docs/operate.md") for line in TEXT[name].splitlines()]
        assert [" ".join(path) for path in commands() if not any(names(path, line) for line in lines)] == []

    def test_exit_codes_are_documented(self) -> None:
        stages = re.findall(r"^\| (\w+) \|.*\| (\d+) \|$", TEXT["docs/operate.md"], re.MULTILINE)
        assert stages == [(name, str(FIRST_STAGE + place)) for place, name in enumerate(STAGES)]
        kinds = re.findall(r"^\| (\d+) \| ([\w, ]+) \|", TEXT["docs/operate.md"], re.MULTILINE)
        by_kind = {kind: int(code) for code, listed in kinds for kind in listed.split(", ")}
        assert by_kind == {kind.__name__: code for kind, code in EXIT_CODES.items()}


def commands(at: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words after `helmdesk` of each command that is not an old name."""
    above: Any = at or typer.main.get_command(command_line)
    for name in above.list_commands(None):
        command = above.get_command(None, name)
        if command.hidden:
            continue
        yield from commands(command, (*path, name)) if hasattr(command, "commands") else [(*path, name)]


def names(path: tuple[str, ...], line: str) -> bool:
    """Whether a line has the whole command, or its group and then the subcommand alone in backticks."""
    *group, last = path
    helmdesk = r"\bhelmdesk(?: --\w+ \S+)* "
    in_short = rf"|{helmdesk}{' '.join(group)} .*`{last}(?![\w-])" if group else ""
    return bool(re.search(rf"{helmdesk}{' '.join(path)}(?![\w-]){in_short}", line))


class TestDesk:
    def test_each_use_case_is_called_or_waits(self) -> None:
        waiting = " ".join(USE_CASES_THAT_WAIT_FOR_DOORS_OF_THE_DESK.values()).split()
        assert sorted(use_cases() - use_cases_called()) == sorted(waiting)

    def test_each_operation_is_a_use_case_and_a_command(self) -> None:
        groups = {
            "ticket": ("ticket",),
            "desk": ("desk",),
            "grant": ("grants",),
            "review": ("grants",),
            "lesson": ("knowledge", "lessons"),
        }
        paths = {(*groups.get(one.thing, ("desk", one.thing)), one.verb) for one in OPERATIONS.values()}
        assert {one.use_case for one in OPERATIONS.values()} <= use_cases() | set(ACTIONS)
        assert paths <= set(commands())

    def test_each_argument_of_an_operation_has_help(self) -> None:
        for operation in OPERATIONS.values():
            assert operation.help, operation.name
            assert {field.description for field in arguments(operation).model_fields.values()} <= set(WORDS.values())


def use_cases() -> set[str]:
    """What people and schedules may ask of the desk."""
    own = {name for kind in Desk.__mro__ if issubclass(kind, UseCase) and kind is not UseCase for name in vars(kind)}
    return {name for name in own if not name.startswith("_")}


def use_cases_called() -> set[str]:
    """Operations, those that the product takes of something's `.desk` (a variable may be another desk), and those
    that these call."""
    called = {name for above, owner, name in taken_outside(DESK) if above and owner == "desk"}
    called |= {operation.use_case for operation in OPERATIONS.values()}
    return use_cases() & (called | within(called))


def within(use_cases: set[str]) -> set[str]:
    """What these methods of the desk call of the desk itself, at any depth."""
    ahead, seen = set(use_cases), set[str]()
    while ahead:
        seen |= ahead
        ahead = {name for one in ahead for _, owner, name in desk_methods().get(one, ()) if owner == "self"} - seen
    return seen


@cache
def desk_methods() -> dict[str, set[tuple[str, str, str]]]:
    """What each method of the desk takes."""
    methods: dict[str, set[tuple[str, str, str]]] = {}
    for file in (ROOT / DESK).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                methods.setdefault(node.name, set()).update(taken(node))
    return methods


def policies_of(use_case: str) -> set[str]:
    """The policies that a use case reads, itself or by what it calls."""
    return {
        name
        for method in within({use_case})
        for _, owner, name in desk_methods().get(method, ())
        if owner == "policies"
    }
