"""Names say what a thing is: no participle of telling, asking or keeping names anything in the product."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("engine", "sla", "triage", "pipelines", "dashboards", "notebooks", "benchmarks")
VAGUE = re.compile(r"(?:^|_)(?:un)?(?:told|kept|said|asked|heard|meant|noted|spoken)(?:_|$)", re.IGNORECASE)
STORED = {("triage/feedback/reviews.py", "said"), ("pipelines/marts/reviews.py", "said")}
"""Names of stored and published columns."""


def vague_names(source: str) -> set[str]:
    return {name for node in ast.walk(ast.parse(source)) for name in names_given(node) if VAGUE.search(name)}


def names_given(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_is_vague(room: str) -> None:
    files = {file.relative_to(ROOT).as_posix(): file for file in (ROOT / room).rglob("*.py")}
    assert files
    given = {(name, word) for name, file in files.items() for word in vague_names(file.read_text(encoding="utf-8"))}
    given |= {(name, file.stem) for name, file in files.items() if VAGUE.search(file.stem)}
    assert given <= STORED


@pytest.mark.parametrize("source", [
    "told = 1", "def f(kept): ...", "class Told: ...", "a.said = 1", "for heard in x: ...", "f = lambda meant: 1",
    "import a as untold", "if kept_as := x: ...", "match x:\n    case _kept: ...",
])  # fmt: skip
def test_every_way_to_name_is_seen(source: str) -> None:
    assert vague_names(source)


def test_words_in_text_are_free() -> None:
    assert not vague_names('"""It is told and kept."""\nretold = x["said"]')
