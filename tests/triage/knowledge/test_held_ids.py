"""Ids are believed while the index is as it was."""

from pathlib import Path

import pytest

from triage.knowledge.held_ids import read_ids, state_of, write_ids


@pytest.fixture
def index(tmp_path: Path) -> Path:
    (tmp_path / "index.db" / "data").mkdir(parents=True)
    (tmp_path / "index.db" / "data" / "one").write_text("1", encoding="utf-8")
    return tmp_path / "index.db"


def test_ids_come_back_while_nothing_changed(index: Path, tmp_path: Path) -> None:
    write_ids(tmp_path / "ids.json", ["a", "b"], state=state_of(index))
    assert read_ids(tmp_path / "ids.json", index) == ["a", "b"]


@pytest.mark.parametrize("change", ["write", "add", "remove"])
def test_a_changed_index_is_asked_again(index: Path, tmp_path: Path, change: str) -> None:
    write_ids(tmp_path / "ids.json", ["a"], state=state_of(index))
    file = index / "data" / ("two" if change == "add" else "one")
    if change == "remove":
        file.unlink()
    else:
        file.write_text("22", encoding="utf-8")
    assert read_ids(tmp_path / "ids.json", index) is None


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"state": 1}'])
def test_a_damaged_list_is_asked_again(index: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "ids.json").write_text(content, encoding="utf-8")
    assert read_ids(tmp_path / "ids.json", index) is None


def test_a_place_that_can_not_be_written_is_no_error(index: Path, tmp_path: Path) -> None:
    file = tmp_path / "a file" / "ids.json"
    file.parent.write_text("no folder")
    write_ids(file, ["a"], state=state_of(index))
    assert read_ids(file, index) is None
