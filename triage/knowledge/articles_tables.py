"""Articles in rows: JSON, JSON Lines and CSV exports of a help centre, whatever they call their columns."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from engine.shared.errors import BadInput
from triage.knowledge.articles_html import clean, looks_like_html, read_page

Row = Mapping[str, Any]

GUESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "_id", "article_id", "key", "number", "sys_id"),
    "title": ("title", "name", "subject", "question", "headline", "short_description"),
    "url": ("url", "html_url", "link", "href", "permalink", "address"),
    "text": ("text", "body", "content", "html", "markdown", "article", "answer", "article_body", "description"),
    "product": ("product",),
    "tags": ("tags", "labels", "label_names", "keywords"),
    "error_codes": ("error_codes", "codes"),
}
"""Names of columns by what they hold, the likeliest first; capitals, spaces and hyphens do not count."""
LISTS: Final = ("articles", "items", "results", "data", "records", "documents", "result", "entries")


def table_rows(file: Path, text: str) -> Iterator[tuple[str, Row | str]]:
    """Where each row stands, with the row or why it can't be read. Raises BadInput if the whole file can't be."""
    match file.suffix.lower():
        case ".csv":
            yield from _csv_rows(file.name, text)
        case ".json":
            yield from _json_rows(file.name, text)
        case _:
            yield from _line_rows(text)


def fields_of(row: Row, mapping: Mapping[str, str]) -> dict[str, Any]:
    """An article's fields from a row, HTML as Markdown; `mapping` says field = column where the guesses are wrong.

    Raises BadInput with the reason.
    """
    found = {field: _value(row, mapping.get(field), guesses) for field, guesses in GUESSES.items()}
    if missing := [field for field in ("id", "text") if not _plain(found[field])]:
        raise BadInput(f"it has no {' and no '.join(missing)}; its columns are {', '.join(map(str, row)) or 'none'}")
    text, title = _plain(found["text"]), _plain(found["title"])
    page = read_page(text) if looks_like_html(text) else None
    return {
        "id": _plain(found["id"]),
        "title": " ".join(clean(title).split()) or (page.title if page else ""),
        "url": _plain(found["url"]) or (page.url if page else ""),
        "text": page.text if page else clean(text),
        "product": _plain(found["product"]) or None,
        "tags": _words(found["tags"]),
        "error_codes": _words(found["error_codes"]),
    }


def _csv_rows(name: str, text: str) -> Iterator[tuple[str, Row | str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        if twice := [column for column, times in Counter(reader.fieldnames or ()).items() if column and times > 1]:
            raise BadInput(f"the column {twice[0]!r} is given twice; rename or remove one")
        for row in reader:
            where = f"line {reader.line_num}"
            if None in row or None in row.values():
                yield where, f"it has more or fewer cells than the {len(reader.fieldnames or ())} columns"
            else:
                yield where, row
    except csv.Error as error:
        yield f"line {reader.line_num}", f"the rest of {name} can't be read: {error}"


def _json_rows(name: str, text: str) -> Iterator[tuple[str, Row | str]]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"it is not JSON: {error}") from None
    if isinstance(held, dict):
        held = next((held[key] for key in LISTS if isinstance(held.get(key), list)), [held])
    if not isinstance(held, list):
        raise BadInput(f"{name} holds neither an article nor a list of articles")
    for place, row in enumerate(held, start=1):
        yield f"item {place}", row if isinstance(row, dict) else "it is not an object"


def _line_rows(text: str) -> Iterator[tuple[str, Row | str]]:
    for place, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield f"line {place}", f"it is not JSON: {error}"
            continue
        yield f"line {place}", row if isinstance(row, dict) else "it is not an object"


def _value(row: Row, column: str | None, guesses: tuple[str, ...]) -> Any:
    if column is not None:
        if column not in row:
            raise BadInput(f"it has no column {column!r}; its columns are {', '.join(map(str, row))}")
        return row[column]
    names = {str(name).strip().lower().replace(" ", "_").replace("-", "_"): name for name in reversed(list(row))}
    filled = (row[names[guess]] for guess in guesses if guess in names and row[names[guess]] not in (None, "", []))
    return next(filled, None)


def _plain(value: Any) -> str:
    """Text and numbers as text; anything else says nothing."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _words(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else _plain(value).replace(";", ",").replace("|", ",").split(",")
    return tuple(word for item in items if (word := _plain(item)))
