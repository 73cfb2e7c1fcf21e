"""The knowledge base: articles in Markdown, cut into chunks that can be found and cited on their own."""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from engine.shared.errors import BadInput
from engine.shared.policy_file import first_wrong, parse_yaml
from triage.contracts import Article

CHUNK: Final = 1000
OVERLAP: Final = 200
LONGEST_TITLE: Final = 500
LONGEST_KEYWORDS: Final = 2000
PATH: Final = " › "

_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*\n(.*)\Z", re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*?)[ \t]*#*$", re.MULTILINE)
_CODE = re.compile(r"^ *```.*?(?:^ *```|\Z)", re.MULTILINE | re.DOTALL)
_BOUNDARIES = ("\n#", "\n\n", "\n", ". ")


class Chunk(NamedTuple):
    """A piece of an article. `title` is the path of headings to it, `keywords` its article's error codes and tags, and
    `source` what it was synced as."""

    article_id: str
    number: int
    title: str
    url: str
    text: str
    keywords: str = ""
    source: str = ""

    @property
    def meaning(self) -> str:
        """What is embedded: the text with its place, so that a bare list of steps still says what it is about."""
        return f"{self.title}\n{self.text}"

    @property
    def findable(self) -> str:
        """Where words are looked for: the same with the keywords."""
        return f"{self.meaning}\n{self.keywords}"


def article_of(markdown: str) -> Article:
    """The article a Markdown text with front matter holds. Raises BadInput with key and reason."""
    head, text = front_matter(markdown)
    try:
        return Article(**{"product": None, "tags": (), "error_codes": (), **head}, text=text)
    except (ValidationError, TypeError) as error:
        raise BadInput(first_problem(error)) from error


def front_matter(markdown: str) -> tuple[dict[str, Any], str]:
    """What stands between the two lines of `---`, and the text below. Raises BadInput where that is no front matter."""
    parts = _FRONT_MATTER.match(markdown)
    head = parse_yaml(parts.group(1), "the front matter is not readable") if parts else None
    if parts is None or not isinstance(head, dict):
        kind = (
            "its front matter is not closed or names no fields"
            if markdown.startswith("---")
            else "starts without front matter"
        )
        raise BadInput(f"{kind}; put id, title and url between two lines of ---")
    return head, parts.group(2).strip()


def plain_article(markdown: str, name: str) -> Article:
    """A Markdown text without front matter: its id is the path below the folder without the ending, its title the
    first heading, else the file's name, and its address that path."""
    place, text = PurePosixPath(name), markdown.strip()
    starts, paths = _heading_paths(text)
    title = paths[1][-1] if starts else place.stem
    if starts and starts[0] == 0:
        text = text.partition("\n")[2].strip()
    return Article(id=str(place.with_suffix("")), title=title, url=name, text=text)


def article_hash(article: Article) -> str:
    """SHA-256 of the content: an article with another hash has changed."""
    return hashlib.sha256(article.model_dump_json().encode("utf-8", "replace")).hexdigest()


def claimed_ids(articles: Sequence[Article], source: str, owners: Mapping[str, str]) -> None:
    """Raises BadInput for an id that is given twice or that another source owns."""
    seen: set[str] = set()
    for article in articles:
        if article.id in seen:
            raise BadInput(f"The id {article.id!r} is given twice; ids are unique. Nothing was changed")
        seen.add(article.id)
        if (owner := owners.get(article.id, source)) != source:
            raise BadInput(f"The id {article.id!r} belongs to the source {owner!r}, so {source!r} can't bring it; "
                           "rename one of the two. Nothing was changed")  # fmt: skip


def same_source(articles: Sequence[Article], source: str, owners: Mapping[str, str]) -> None:
    """Raises BadInput where the source holds articles and none of these: another folder has the same name."""
    held = {article_id for article_id, owner in owners.items() if owner == source}
    if held and held.isdisjoint(article.id for article in articles):
        raise BadInput(
            f"The source {source!r} holds {len(held):,} other articles and none of these; say --source NAME, or "
            f"`helmdesk knowledge remove --source {source}` first. Nothing was changed"
        )


def chunks_of(article: Article) -> list[Chunk]:
    """The article's chunks, at least one, numbered from 0."""
    chunks, keywords = [], " ".join((*article.error_codes, *article.tags))[:LONGEST_KEYWORDS]
    starts, paths = _heading_paths(article.text)
    for number, (start, text) in enumerate(_pieces(article.text) or [(0, article.title)]):
        path = paths[bisect_right(starts, start)]
        title = PATH.join([article.title, *path])[:LONGEST_TITLE]
        chunks.append(Chunk(article.id, number, title, article.url, text, keywords))
    return chunks


def lesson(case_id: str, *, title: str, because: str, product: str | None = None, url: str) -> Article:
    """A calibrated case as an article for staff: "handled correctly because …" (S1-R05).

    Keep these in an index of their own: they speak about a customer and must not be cited to another.
    """
    return Article(id=f"lesson-{case_id}", title=title, url=url, product=product, tags=("calibration",), text=because)


def _pieces(text: str) -> list[tuple[int, str]]:
    """Start and text of pieces of at most 1,000 characters (S5-16).

    A piece ends at a heading, else a paragraph, a line or a sentence if that lies beyond half of it, else at a word.
    The next begins up to 200 characters earlier at a line, sentence or word, but never before a heading it was cut at.
    """
    pieces, start = [], 0
    while start < len(text):
        end, is_heading = _end(text, start)
        piece = text[start:end].strip()
        if piece:
            pieces.append((start + len(text[start:end]) - len(text[start:end].lstrip()), piece))
        if end >= len(text):
            break
        start = end if is_heading else max(_overlap_start(text, end), start + 1)
    return pieces


def _end(text: str, start: int) -> tuple[int, bool]:
    limit = start + CHUNK
    if limit >= len(text):
        return len(text), False
    for boundary in _BOUNDARIES:
        at = text.rfind(boundary, start + CHUNK // 2, limit)
        if at >= 0:
            return at + (1 if boundary == ". " else 0), boundary == "\n#"
    at = text.rfind(" ", start + CHUNK // 2, limit)
    return (at if at >= 0 else limit), False


def _overlap_start(text: str, end: int) -> int:
    window = text[end - OVERLAP : end]
    for boundary in ("\n", ". ", " "):
        at = window.find(boundary)
        if 0 <= at < len(window) - 1:
            return end - OVERLAP + at + len(boundary)
    return end


def _heading_paths(text: str) -> tuple[list[int], list[tuple[str, ...]]]:
    """Where each heading starts, and the path of headings in force before the first and from each one on.

    A line in a code block is no heading.
    """
    starts: list[int] = []
    paths: list[tuple[str, ...]] = [()]
    above: list[tuple[int, str]] = []
    code = [match.span() for match in _CODE.finditer(text)]
    for match in _HEADING.finditer(text):
        place = bisect_right(code, (match.start(), len(text)))
        if place and match.start() < code[place - 1][1]:
            continue
        level = len(match.group(1))
        above = [*(held for held in above if held[0] < level), (level, match.group(2))]
        starts.append(match.start())
        paths.append(tuple(heading for _, heading in above))
    return starts, paths


def first_problem(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return str(error)
    return first_wrong(error, whole="the article")
