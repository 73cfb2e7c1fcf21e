"""What the objects of a JSON list are called: `labels[].name` of a cell that holds the list."""

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

MARK = "[]"


def base(column: str) -> str:
    """The column of the file that holds the list."""
    return column.partition(MARK)[0]


def called(column: str) -> pl.Expr:
    """`labels[].name` as a JSON list of words; a cell that is no JSON stays."""
    path = column.removeprefix(base(column)).removeprefix(f"{MARK}.")

    def of(text: str) -> str | None:
        return _called(text, path)

    return pl.col(base(column)).map_elements(of, return_dtype=pl.String).alias(column)


def _called(text: str, path: str) -> str | None:
    try:
        found = list(_at(json.loads(text), path))
    except (ValueError, RecursionError):
        return text
    return json.dumps(found, ensure_ascii=False) if found else None


def _at(content: Any, path: str) -> Iterator[str]:
    key, _, rest = path.partition(".")
    for each in content if isinstance(content, list) else [content]:
        inner = each.get(key.removesuffix(MARK)) if isinstance(each, dict) else None
        if rest:
            yield from _at(inner, rest)
        elif inner not in (None, ""):
            yield str(inner)
