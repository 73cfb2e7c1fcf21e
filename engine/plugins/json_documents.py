"""The records in a JSON document: the array that it is, or the list within it, as APIs answer."""

import json
from pathlib import Path
from typing import Any, Final

from engine.shared.dialect import encoding_of
from engine.shared.errors import BadInput
from engine.shared.tabular import LARGEST_ROW, readable, whole

USUAL: Final = ("issues", "tickets", "result", "results", "value", "data", "items", "records", "entries")
"""What APIs call their list."""


def document_records(path: Path, at: str | None = None, *, encoding: str = "utf-8") -> list[Any]:
    """What stands in the list, objects or not; `at` is its dotted path. Without one the document is an array, or has
    exactly one list of objects, or an empty one by a usual name. Raises BadInput for any other document, and for a
    record longer than a row may be."""
    content = _content(path, encoding)
    found = _at(content, at, path) if at else _only_list(content, path)
    for number, record in enumerate(found, start=1):
        if (
            isinstance(record, dict)
            and sum(len(each) for each in record.values() if isinstance(each, str)) > LARGEST_ROW
        ):
            raise BadInput(f"{path}: record {number} is larger than {LARGEST_ROW >> 20} MB; export less of it")
    return found


def _content(path: Path, encoding: str) -> Any:
    with readable(path, encoding):
        text = whole(path).decode(encoding_of(path) if encoding == "auto" else encoding).removeprefix("\ufeff")
    try:
        return json.loads(text)
    except ValueError as error:
        hint = "; a file with one object a line is called .jsonl" if "Extra data" in str(error) else ""
        raise BadInput(f"{path}: is no JSON document ({error}){hint}; export it again") from None
    except RecursionError:
        raise BadInput(f"{path}: is nested too deep; export it again") from None


def _at(content: Any, at: str, path: Path) -> list[Any]:
    for key in at.split("."):
        content = content.get(key) if isinstance(content, dict) else None
    if not isinstance(content, list):
        raise BadInput(f"{path}: there is no list at {at!r}, which the mapping names at `records`")
    return content


def _only_list(content: Any, path: Path) -> list[Any]:
    if isinstance(content, list):
        return content
    lists = {key: each for key, each in _inner(content) if isinstance(each, list)}
    of_objects = [key for key, each in lists.items() if any(isinstance(one, dict) for one in each)]
    named = of_objects or [key for key in lists if key.rpartition(".")[2] in USUAL]
    if len(named) != 1:
        what = f"has the lists {', '.join(named)}" if named else "has no list of objects"
        raise BadInput(f"{path}: {what}; name the one with the tickets under `records` in the mapping")
    return lists[named[0]]


def _inner(content: Any) -> list[tuple[str, Any]]:
    """What stands at the first two levels, by path."""
    if not isinstance(content, dict):
        return []
    second = [
        (f"{key}.{inner}", one)
        for key, each in content.items()
        if isinstance(each, dict)
        for inner, one in each.items()
    ]
    return [*content.items(), *second]


def lists_of(path: Path) -> dict[str, int]:
    """The lists of objects at the first two levels of a document by their path, and how many objects each has. Raises
    BadInput for what is no JSON."""
    inner = _inner(_content(path, "utf-8"))
    return {
        at: len(each) for at, each in inner if isinstance(each, list) and any(isinstance(one, dict) for one in each)
    }
