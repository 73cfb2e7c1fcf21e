"""A folder of knowledge articles in Markdown, HTML, JSON and CSV, read so that one bad article stops no other."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from engine.errors import BadInput, NotFound
from triage.articles_html import clean, read_page
from triage.articles_tables import GUESSES, fields_of, table_rows
from triage.contracts import Article
from triage.knowledge import article_of, first_problem

FORMATS: Final = (".md", ".markdown", ".html", ".htm", ".json", ".jsonl", ".ndjson", ".csv")
LONGEST: Final = 1_000_000
"""Characters of an article: what is longer is a book or a dump, and would be found for everything."""
LIMITS: Final = {"id": 120, "title": 300, "url": 1000}
"""Characters that an index can hold."""


class Refused(NamedTuple):
    """One article that can't be used: the file, where in it, and why."""

    file: str
    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}{f', {self.where}' if self.where else ''}: {self.reason}"


class Reading(NamedTuple):
    """All articles of a folder, ordered by id, and what could not be read."""

    articles: list[Article]
    refused: list[Refused]


Found = tuple[str, Article | str]
"""Where an article stands in its file, and the article or why it is refused."""


def read_folder(folder: Path, *, mapping: Mapping[str, str] | None = None) -> Reading:
    """Every article below a folder (or of one file), but README.md; a second one with the same id is refused.

    `mapping` names the column of a field where `articles_tables.GUESSES` would not find it. Raises NotFound without
    the folder, BadInput for a mapping of unknown fields.
    """
    if not folder.exists():
        raise NotFound(f"There is no folder of knowledge articles {str(folder)!r}; give one that exists")
    if unknown := sorted(set(mapping or {}) - set(GUESSES)):
        raise BadInput(f"Articles have no field {unknown[0]!r}; map one of {', '.join(GUESSES)}")
    files = sorted([folder] if folder.is_file() else folder.rglob("*"))
    files = [file for file in files if file.suffix.lower() in FORMATS and file.name != "README.md" and file.is_file()]
    found: dict[str, tuple[str, Article]] = {}
    refused: list[Refused] = []
    root = folder.parent if folder.is_file() else folder
    for file in files:
        name = file.relative_to(root).as_posix()
        for where, article in _read_file(file, name, mapping or {}):
            if isinstance(article, str):
                refused.append(Refused(name, where, article))
            elif article.id in found:
                refused.append(Refused(name, where, f"id {article.id!r} is already used in {found[article.id][0]}"))
            else:
                found[article.id] = name, article
    return Reading([found[key][1] for key in sorted(found)], refused)


def _read_file(file: Path, name: str, mapping: Mapping[str, str]) -> Iterator[Found]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            text = stream.read()
    except UnicodeDecodeError as error:
        yield "", f"it is not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8"
        return
    except OSError as error:
        yield "", f"it can't be opened: {error.strerror}"
        return
    if not text.strip():
        yield "", "it is empty"
        return
    try:
        if file.suffix.lower() in (".md", ".markdown"):
            yield "", _checked(article_of(text.replace("\r\n", "\n")))
        elif file.suffix.lower() in (".html", ".htm"):
            yield "", _page(text, name)
        else:
            yield from _rows(file, name, text, mapping)
    except BadInput as error:
        yield "", str(error)
    except RecursionError:
        yield "", "it is nested too deeply"


def _rows(file: Path, name: str, text: str, mapping: Mapping[str, str]) -> Iterator[Found]:
    for where, row in table_rows(file, text):
        if isinstance(row, str):
            yield where, row
            continue
        try:
            fields = fields_of(row, mapping)
            yield where, _article({**fields, "url": fields["url"] or f"{name}#{fields['id']}"})
        except BadInput as error:
            yield where, str(error)
        except RecursionError:
            yield where, "it is nested too deeply"


def _page(html: str, name: str) -> Article:
    """A page's id is its path below the folder, its address the canonical one, else that path."""
    page = read_page(html)
    return _article({"id": name, "title": page.title, "url": page.url or name, "text": page.text})


def _article(fields: Mapping[str, Any]) -> Article:
    title = str(fields["title"]) or _first_line(str(fields["text"]))
    try:
        return _checked(Article(**{**fields, "title": title}))
    except ValidationError as error:
        raise BadInput(first_problem(error)) from error


def _checked(article: Article) -> Article:
    """Raises BadInput for an article that says nothing or that no index can hold."""
    text = clean(article.text)
    if not text:
        raise BadInput("it has no text")
    if len(text) > LONGEST:
        raise BadInput(f"it has {len(text):,} characters, more than {LONGEST:,}; split it into articles")
    for field, limit in LIMITS.items():
        value = getattr(article, field)
        if not value.strip() or len(value) > limit:
            raise BadInput(f"its {field} has {len(value)} characters; give 1 to {limit}")
    return article.model_copy(update={"text": text})


def _first_line(text: str) -> str:
    line = next((line for line in text.split("\n") if line.strip()), "").lstrip("#>-* ").strip()
    return line if len(line) <= 80 else line[:80].rsplit(" ", 1)[0] + "…"
