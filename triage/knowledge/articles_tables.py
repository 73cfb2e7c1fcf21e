"""Articles in rows: JSON, JSON Lines and CSV exports of a help centre, whatever they call their columns.

Zendesk's and Confluence's are read as their APIs answer: articles in a wrapper, Confluence's text in `body.storage` or
another form of it that is HTML, its address put together from `_links`.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

from engine.shared.errors import BadInput
from triage.knowledge.articles_html import clean, looks_like_html, read_page

Row = Mapping[str, Any]

GUESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "_id", "article_id", "key", "number", "sys_id"),
    "title": ("title", "name", "subject", "question", "headline", "short_description"),
    "url": ("html_url", "url", "link", "href", "permalink", "address"),
    "text": ("text", "body", "content", "html", "markdown", "article", "answer", "article_body", "description"),
    "product": ("product",),
    "tags": ("tags", "labels", "label_names", "keywords"),
    "error_codes": ("error_codes", "codes"),
}
"""Names of columns by what they hold, the likeliest first; capitals, spaces and hyphens do not count."""
BODIES: Final = ("storage", "view", "export_view", "styled_view", "anonymous_export_view")
"""Forms in which Confluence gives a page as HTML."""
LINES_ABOVE: Final = 20
"""Among so many lines the header is looked for; titles may stand above it."""
LISTS: Final = ("articles", "items", "results", "data", "records", "documents", "result", "entries")


def table_rows(file: Path, text: str, mapping: Mapping[str, str]) -> Iterator[tuple[str, Row | str]]:
    """Where each row stands, with the row or why it can't be read. Raises BadInput if the whole file can't be."""
    match file.suffix.lower():
        case ".csv":
            yield from _csv_rows(file.name, text, _header_names(mapping))
        case ".json":
            yield from _json_rows(file.name, text)
        case _:
            yield from _line_rows(text)


def fields_of(row: Row, mapping: Mapping[str, str]) -> dict[str, Any]:
    """An article's fields from a row, HTML as Markdown; `mapping` says field = column where the guesses are wrong.

    Without an id it is a hash of the title (`question_id`). Raises BadInput with the reason.
    """
    found = {field: _value(row, mapping.get(field), guesses) for field, guesses in GUESSES.items()}
    found |= {"text": _html_of(found["text"]), "id": _plain(found["id"]) or question_id(_plain(found["title"]))}
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


def question_id(question: str) -> str:
    """`faq-` and 16 hex digits of SHA-256 of the question, whatever its capitals and spaces; empty without one."""
    words = " ".join(question.casefold().split())
    return f"faq-{hashlib.sha256(words.encode('utf-8', 'replace')).hexdigest()[:16]}" if words else ""


def is_draft(row: Row) -> bool:
    """Whether the export says that nobody is to read it: `draft: true`, `published: false`, or such a status."""
    marks = {name: str(row[key]).strip().lower() for name, key in _by_name(row).items()}
    is_withdrawn = marks.get("status") in ("draft", "archived", "trashed", "unpublished")
    return is_withdrawn or marks.get("draft") in ("true", "yes", "1") or marks.get("published") in ("false", "no", "0")


def _header_names(mapping: Mapping[str, str]) -> set[str]:
    return {_folded(name) for names in (*GUESSES.values(), mapping.values()) for name in names}


def _csv_rows(name: str, text: str, known: Collection[str]) -> Iterator[tuple[str, Row | str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    delimiter, above = _header_place(text, known)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(islice(reader, above, None), [])
        if twice := [column for column, times in Counter(header).items() if column and times > 1]:
            raise BadInput(f"the column {twice[0]!r} is given twice; rename or remove one")
        for cells in reader:
            where = f"line {reader.line_num}"
            if not any(cells):
                continue
            if len(cells) != len(header):
                yield where, f"it has more or fewer cells than the {len(header)} columns"
            else:
                yield where, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        yield f"line {reader.line_num}", f"the rest of {name} can't be read: {error}"


def _header_place(text: str, known: Collection[str]) -> tuple[str, int]:
    """The mark between cells and how many records stand above the header: where most of the known names are."""
    places: dict[tuple[str, int], int] = {}
    for mark in ",;\t":
        with suppress(csv.Error):
            for above, cells in enumerate(
                islice(csv.reader(io.StringIO(text, newline=""), delimiter=mark), LINES_ABOVE)
            ):
                places[mark, above] = len({_folded(cell) for cell in cells} & {*known})
    usual = max(",;\t", key=text.split("\n", 1)[0].count), 0
    best = max(places, key=lambda place: places[place], default=usual)
    return best if places.get(best, 0) > places.get(usual, 0) else usual


def _json_rows(name: str, text: str) -> Iterator[tuple[str, Row | str]]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"it is not JSON: {error}") from None
    if not isinstance(held, dict | list):
        raise BadInput(f"{name} holds neither an article nor a list of articles")
    links = held.get("_links") if isinstance(held, dict) else None
    base = str(links.get("base") or "") if isinstance(links, dict) else ""
    for place, row in enumerate(_articles_in(held), start=1):
        yield f"item {place}", _with_links(row, base) if isinstance(row, dict) else "it is not an object"


def _articles_in(held: Row | list[Any]) -> list[Any]:
    """The items of a list, in place of an answer of an API its own; of an object the longest list of objects in it,
    however deep, unless it has a text: then it is an article."""
    if isinstance(held, list):
        pages = [_named_list(item) if isinstance(item, dict) and not _has_text(item) else None for item in held]
        return [each for item, page in zip(held, pages, strict=True) for each in ([item] if page is None else page)]
    if isinstance(held.get("article"), dict):
        return [held["article"]]
    found = None if _has_text(held) and _named_list(held) is None else _list_in(held)
    return [held] if found is None else _articles_in(found)


def _list_in(held: Row) -> list[Any] | None:
    if (named := _named_list(held)) is not None:
        return named
    lists = [part for part in held.values() if isinstance(part, list) and any(isinstance(item, dict) for item in part)]
    deeper = (_list_in(part) for part in held.values() if isinstance(part, dict))
    return max(lists, key=len, default=None) or next((part for part in deeper if part is not None), None)


def _named_list(held: Row) -> list[Any] | None:
    return next((held[key] for key in LISTS if isinstance(held.get(key), list)), None)


def _has_text(held: Row) -> bool:
    texts = (held[name] for folded, name in _by_name(held).items() if folded in GUESSES["text"])
    return any(text.keys() & {*BODIES, "atlas_doc_format"} if isinstance(text, dict) else text for text in texts)


def _with_links(row: Row, base: str) -> Row:
    """A page of Confluence with its address and labels where other exports have them."""
    links, about = row.get("_links"), row.get("metadata", row)
    if not isinstance(links, dict) or "webui" not in links:
        return row
    labels = about.get("labels") if isinstance(about, dict) else None
    names = [label.get("name") for label in labels.get("results", ())] if isinstance(labels, dict) else []
    return {**row, "url": f"{links.get('base') or base}{links['webui']}", "tags": names}


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
    names = _by_name(row)
    filled = (row[names[guess]] for guess in guesses if guess in names and row[names[guess]] not in (None, "", []))
    return next(filled, None)


def _by_name(row: Row) -> dict[str, str]:
    """The columns by their folded names; of two the first."""
    return {_folded(name): name for name in reversed(list(row))}


def _folded(name: object) -> str:
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")


def _html_of(body: Any) -> Any:
    """Of Confluence's body the first form that is HTML. Raises BadInput where it has none but Atlassian's own."""
    if not isinstance(body, dict):
        return body
    forms = (body[form]["value"] for form in BODIES if isinstance(body.get(form), dict) and body[form].get("value"))
    if (html := next(forms, None)) is None and "atlas_doc_format" in body:
        raise BadInput("its body is in atlas_doc_format, which is not read; export it with body-format=storage")
    return html


def _plain(value: Any) -> str:
    """Text and numbers as text; anything else says nothing."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _words(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else _plain(value).replace(";", ",").replace("|", ",").split(",")
    return tuple(word for item in items if (word := _plain(item)))
