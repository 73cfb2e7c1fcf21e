"""What an article says, sentence by sentence: the only words a draft may use."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from triage.contracts import Passage
from triage.drafting.quotable import is_quotable, readable_article
from triage.knowledge.chunks import PATH

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*+])\s+(.*)$")
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"”»)]))\s+(?=[A-ZÀ-ÖØ-ÞΑ-ΩА-Я`“«¿¡\"*(])|(?<=[。！？])")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_REMEDY = re.compile(
    r"\b(?:fix|steps?|solution|resolve|resolution|remedy|workaround|how to|what to do)\b", re.IGNORECASE
)
_CHECK = re.compile(r"\b(?:verify|verification|check that it works|afterwards)\b", re.IGNORECASE)
_STORY = re.compile(r"\b(?:symptoms?|example|background|report|sees?)\b", re.IGNORECASE)
SHORTEST: Final = 15


class Statement(NamedTuple):
    """One sentence or list item of a passage, with the section it stands in."""

    text: str
    section: str
    is_item: bool

    @property
    def is_remedy(self) -> bool:
        return self.is_item and bool(_REMEDY.search(self.section))

    @property
    def is_check(self) -> bool:
        return bool(_CHECK.search(self.section))

    @property
    def tells_a_story(self) -> bool:
        """Says how a problem shows, not what to do about it."""
        return bool(_STORY.search(self.section))


def article_title(passage: Passage, own_sites: tuple[str, ...] = ()) -> str:
    """The title of the article without the path of headings, in one line and without brackets; empty if it may not be
    repeated."""
    title = _plain(readable_article(passage.title).split(PATH)[0])
    return title if is_quotable(title, site=passage.url, own_sites=own_sites) else ""


def statements_of(passage: Passage, own_sites: tuple[str, ...] = ()) -> tuple[Statement, ...]:
    """In the order of the text. Tables and code blocks are left out, and so are sentences that a chunk cuts or that
    may not be repeated to a customer (`quotable.is_quotable`)."""
    return _quotable_statements(passage.title, passage.url, passage.text, own_sites)


@lru_cache(maxsize=8192)
def _quotable_statements(path: str, url: str, text: str, own_sites: tuple[str, ...]) -> tuple[Statement, ...]:
    title, _, heading = path.partition(PATH)
    found = [s for s in _statements(readable_article(text), heading or title) if _is_whole(s.text)]
    return tuple(s for s in found if is_quotable(s.text, site=url, own_sites=own_sites))


def sentences_of(text: str) -> list[str]:
    """A line of prose cut behind each sentence."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def _statements(text: str, section: str) -> Iterator[Statement]:
    paragraph: list[str] = []
    is_code = False
    for line in [*text.split("\n"), ""]:
        heading, item = _HEADING.match(line), _ITEM.match(line)
        is_fence = line.lstrip().startswith("```")
        if paragraph and (heading or item or is_fence or not line.strip()):
            yield from _sentences(" ".join(paragraph), section)
            paragraph = []
        is_code ^= is_fence
        if is_code or is_fence or line.lstrip().startswith(("|", ">")):
            continue
        if heading:
            section = heading.group(1)
        elif item:
            yield Statement(_plain(item.group(1)), section, is_item=True)
        elif line.strip():
            paragraph.append(line.strip())


def _sentences(paragraph: str, section: str) -> Iterator[Statement]:
    for sentence in sentences_of(_plain(paragraph)):
        yield Statement(sentence, section, is_item=False)


def _plain(markdown: str) -> str:
    """Without emphasis, pictures, links and square brackets (no citations); code keeps its backticks."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", markdown)).replace("**", "").replace("__", "")
    return " ".join(text.replace("[", "(").replace("]", ")").split())


def _is_whole(text: str) -> bool:
    return len(text) >= SHORTEST and not text[0].islower() and text[0] not in ",;:.)"
