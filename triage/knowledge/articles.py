"""A folder of knowledge articles in Markdown, HTML, JSON and CSV, read so that one bad article stops no other.

Drafts are left out, and so are files of words in a form that is not read; both are told.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from engine.shared.errors import BadInput, NotFound
from triage.contracts import Article
from triage.knowledge.articles_html import FENCE, clean, read_page
from triage.knowledge.articles_tables import GUESSES, fields_of, is_draft, table_rows
from triage.knowledge.chunks import article_of, first_problem, front_matter, plain_article

MARKDOWN: Final = (".md", ".markdown", ".mdx")
FORMATS: Final = (*MARKDOWN, ".html", ".htm", ".json", ".jsonl", ".ndjson", ".csv")
NOT_READ: Final = (".rst", ".docx", ".doc", ".odt", ".rtf", ".pdf", ".adoc", ".asciidoc", ".org", ".txt", ".xlsx")
"""Words in a form that is not read."""
LONGEST: Final = 1_000_000
"""Characters of an article: what is longer is a book or a dump, and would be found for everything."""
LIMITS: Final = {"id": 120, "title": 300, "url": 1000}
"""Characters that an index can hold."""
_NOT_MARKDOWN = re.compile(r"^(?:import|export)\s.*\n|</?[A-Z][\w.]*(?:\s[^<>]*)?/?>", re.MULTILINE)
"""What MDX has beside Markdown: imports, exports and tags of components, whose content stays."""
_HALF = re.compile("[\ud800-\udfff]")


class Refused(NamedTuple):
    """One article that can't be used: the file, where in it, and why."""

    file: str
    where: str
    reason: str

    @property
    def place(self) -> str:
        return f"{self.file}{f', {self.where}' if self.where else ''}"

    def __str__(self) -> str:
        return _whole(f"{self.place}: {self.reason}")


class Reading(NamedTuple):
    """All articles of a folder, ordered by id, what could not be read, what is not meant to be, and by id the file
    each article stands in."""

    articles: list[Article]
    refused: list[Refused]
    left_out: list[Refused]
    files: Mapping[str, str]


class Draft(NamedTuple):
    """What nobody is to read yet."""


Found = tuple[str, Article | Draft | str]
"""Where an article stands in its file, and the article or why it is refused."""


def read_folder(
    folder: Path, *, mapping: Mapping[str, str] | None = None, taken: Mapping[str, str] | None = None
) -> Reading:
    """Every article below a folder (or of one file), but README.md; a second one with the same id is refused.

    So is one whose id is `taken` by the source named there, a file without any article, and a file, folder or link
    that can't be followed. Drafts and files that end as NOT_READ are left out. `mapping` names the column of a field
    where `articles_tables.GUESSES` would not find it.
    Raises NotFound without the folder, BadInput for a mapping of unknown fields.
    """
    if not folder.exists():
        raise NotFound(f"There is no folder of knowledge articles {str(folder)!r}; give one that exists")
    if unknown := sorted(set(mapping or {}) - set(GUESSES)):
        raise BadInput(f"Articles have no field {unknown[0]!r}; map one of {', '.join(GUESSES)}")
    files, refused, left_out = ([folder], [], []) if folder.is_file() else _walk(folder)
    places: dict[str, str] = {}
    owners = {
        article_id: f"it belongs to the source {of!r}; rename one of the two"
        for article_id, of in (taken or {}).items()
    }
    found: dict[str, Article] = {}
    root = folder.parent if folder.is_file() else folder
    for file in files:
        name = file.relative_to(root).as_posix()
        for where, article in _read_file(file, name, mapping or {}):
            if isinstance(article, Draft):
                left_out.append(Refused(name, where, "it is a draft, or no longer published"))
            elif isinstance(article, str):
                refused.append(Refused(name, where, article))
            elif article.id in owners:
                place = f"{where}, id {article.id!r}" if where else f"id {article.id!r}"
                refused.append(Refused(name, place, owners[article.id]))
            else:
                found[article.id], places[article.id] = article, name
                owners[article.id] = f"it is already used in {name}"
    in_order = sorted(refused, key=lambda each: each.file)
    return Reading([found[key] for key in sorted(found)], in_order, left_out, places)


def grouped(refused: Sequence[Refused], *, most: int = 20) -> list[str]:
    """A line for each reason, with how many articles it refuses and the first of them; at most so many reasons."""
    by_reason: dict[str, list[Refused]] = defaultdict(list)
    for each in refused:
        by_reason[each.reason].append(each)
    groups = list(by_reason.values())
    left = sum(len(group) for group in groups[most:])
    return [_summary(group) for group in groups[:most]] + ([f"and {left:,} more"] if left else [])


def _summary(group: Sequence[Refused]) -> str:
    first = group[0]
    return str(first) if len(group) == 1 else _whole(f"{len(group):,} articles: {first.reason} (first: {first.place})")


def _walk(folder: Path) -> tuple[list[Path], list[Refused], list[Refused]]:
    """The files that may hold articles, ordered, what can't be followed on the way to them, and what is not read."""
    files: list[Path] = []
    refused: list[Refused] = []
    left_out: list[Refused] = []

    def refuse(path: str | Path, reason: str) -> None:
        refused.append(Refused(Path(path).relative_to(folder).as_posix(), "", reason))

    def unlisted(error: OSError) -> None:
        refuse(error.filename, f"it can't be opened: {error.strerror}")

    for root, folders, names in os.walk(folder, onerror=unlisted):
        for link in (Path(root, name) for name in folders if _is_link(Path(root, name))):
            refuse(link, "it is a link to a folder and is not followed; sync that folder on its own")
        for file in (Path(root, name) for name in names if name != "README.md"):
            is_ours = file.suffix.lower() in FORMATS
            if file.suffix.lower() in NOT_READ:
                left_out.append(Refused(file.relative_to(folder).as_posix(), "", _not_read(file)))
            if not is_ours and (file.suffix or not _is_link(file)):
                continue
            if reason := _why_no_file(file):
                refuse(file, reason)
            elif is_ours:
                files.append(file)
    return sorted(files), refused, sorted(left_out)


def _not_read(file: Path) -> str:
    kind = file.suffix.lower()
    match kind:
        case ".xlsx":
            how = "save its sheet as .csv"
        case ".pdf" | ".doc" | ".txt":
            how = "save its text as .md"
        case _:
            how = f"convert it: `pandoc -t gfm -o ARTICLE.md ARTICLE{kind}`"
    return f"{kind} is not read; {how}"


def _is_link(path: Path) -> bool:
    return os.path.islink(path)  # noqa: PTH114 - Path.is_symlink raises in a folder that may only be listed


def _why_no_file(file: Path) -> str:
    try:
        return "" if S_ISREG(file.stat().st_mode) else "it is not a regular file"
    except OSError as error:
        return f"it can't be opened: {error.strerror}"


def _read_file(file: Path, name: str, mapping: Mapping[str, str]) -> Iterator[Found]:
    if file.suffix.lower() in NOT_READ:
        yield "", _not_read(file)
        return
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
        if file.suffix.lower() in MARKDOWN:
            yield "", _markdown(text.replace("\r\n", "\n"), name)
        elif file.suffix.lower() in (".html", ".htm"):
            yield "", _page(text, name)
        else:
            rows = list(_rows(file, name, text, mapping))
            yield from rows or [("", "it holds no article; while it lies there none is removed")]
    except BadInput as error:
        yield "", str(error)
    except RecursionError:
        yield "", "it is nested too deeply"


def _rows(file: Path, name: str, text: str, mapping: Mapping[str, str]) -> Iterator[Found]:
    for where, row in table_rows(file, text, mapping):
        if isinstance(row, str) or is_draft(row):
            yield where, row if isinstance(row, str) else Draft()
            continue
        try:
            fields = fields_of(row, mapping)
            yield where, _article({**fields, "url": fields["url"] or f"{name}#{fields['id']}"})
        except BadInput as error:
            yield where, str(error)
        except RecursionError:
            yield where, "it is nested too deeply"


def _markdown(text: str, name: str) -> Article | Draft:
    """With an `id` in its front matter it says all of itself there; else its id and address are its path."""
    if name.endswith(".mdx"):
        text = "".join(part if part.startswith("```") else _NOT_MARKDOWN.sub("", part) for part in FENCE.split(text))
    if not text.lstrip().startswith("---"):
        return _checked(plain_article(text, name))
    head, body = front_matter(text)
    if is_draft(head):
        return Draft()
    if "id" in head:
        return _checked(article_of(text))
    plain = plain_article(body, name)
    fields = fields_of({"title": plain.title, **head, "id": plain.id, "text": plain.text}, {})
    return _article({**fields, "url": fields["url"] or name})


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
    _without_halves(article)
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


def _without_halves(article: Article) -> None:
    """Half a surrogate pair can be written in JSON and YAML, but in no index. The text is named first, since a title
    may be its first line."""
    for field in sorted(Article.model_fields, key=lambda field: field != "text"):
        value = getattr(article, field) or ""
        if half := _HALF.search(value if isinstance(value, str) else " ".join(value)):
            where = f"\\u{ord(half.group()):04x} at {half.start() + 1}"
            raise BadInput(
                f"its {field} holds half a character ({where}), which no index can; export it again as UTF-8"
            )


def _first_line(text: str) -> str:
    line = next((line for line in text.split("\n") if line.strip()), "").lstrip("#>-* ").strip()
    return line if len(line) <= 80 else line[:80].rsplit(" ", 1)[0] + "…"


def _whole(text: str) -> str:
    """A name or a cell may hold half characters, which can't be written anywhere."""
    return text.encode("utf-8", "replace").decode()
