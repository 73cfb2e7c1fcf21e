"""Each decision of DECISIONS.md has one file here that is named by it, and each such file has its decision."""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
DECISION = re.compile(r"^\*\*(\d+)\. (.+?)\*\*", re.MULTILINE | re.DOTALL)


def words(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9]+", " ", text.lower().replace("'", "")).split()


def decided() -> dict[int, str]:
    """The title of each decision by its number."""
    text = (HERE.parents[1] / "DECISIONS.md").read_text(encoding="utf-8")
    return {int(number): title for number, title in DECISION.findall(text)}


def files_here() -> dict[int, list[str]]:
    """The names of the files here that begin with a number, without it."""
    named: dict[int, list[str]] = {}
    for file in HERE.glob("test_[0-9]*.py"):
        _, number, name = file.stem.split("_", 2)
        named.setdefault(int(number), []).append(name)
    return named


def test_decisions_are_numbered_without_a_gap() -> None:
    assert list(decided()) == list(range(1, len(decided()) + 1))


def test_each_decision_has_one_file_and_each_file_its_decision() -> None:
    assert {number: len(names) for number, names in files_here().items()} == dict.fromkeys(decided(), 1)


def test_files_are_named_in_the_words_of_their_decision() -> None:
    titles = decided()
    for number, (name, *_) in files_here().items():
        left = iter(words(titles[number]))
        assert all(word in left for word in words(name)), f"test_{number:02}_{name}.py: {titles[number]}"


def test_nothing_else_lies_here() -> None:
    known = {"__init__.py", "conftest.py", Path(__file__).name}
    assert [f.name for f in HERE.glob("*.py") if f.name not in known and not re.match(r"test_\d+_", f.name)] == []
