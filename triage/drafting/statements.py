"""What an article says, sentence by sentence: the only words a draft may use."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from triage.contracts import Passage
from triage.drafting.article_policy import LEAVE_OUT, Rules
from triage.drafting.article_sentences import judge, readable_article
from triage.knowledge.chunks import PATH

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*+])\s+(.*)$")
_SENTENCE_END = re.compile(
    r"(?:(?<=[.!?])|(?<=[.!?][\"”»)]))\s+(?=[A-ZÀ-ÖØ-ÞΑ-ΩА-Я`“«¿¡\"*(])|(?<=[。！？])(?![A-Za-z0-9])"
)
_TARGET = re.compile(r"^\s*\[([^\]]+)\]:\s+(\S+)")
_REFERENCE = re.compile(r"\[([^\]]+)\](?:\[([^\]]*)\])?(?![(:])")
_TAG = re.compile(
    r"<\w[^<>]*?\b(?:href|src|action|formaction|data|cite|background|poster|srcset|on\w+)\s*=\s*[\"']?([^\"'>\s]+)[^<>]*>",
    re.IGNORECASE,
)
_PART = re.compile(
    r"<(/?(?:system|assistant|user|human|instructions?|prompt|tool_call|function_calls|invoke|thinking))\b[^<>]*>",
    re.IGNORECASE,
)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_REMEDY = re.compile(
    r"\b(?:fix|steps?|solution|resolve|resolution|remedy|workaround|how to|what to do)\b", re.IGNORECASE
)
_CHECK = re.compile(r"\b(?:verify|verification|check that it works|afterwards)\b", re.IGNORECASE)
_STORY = re.compile(r"\b(?:symptoms?|example|background|report|sees?)\b", re.IGNORECASE)
SHORTEST: Final = 15
Kind = Literal["title", "heading", "item", "sentence", "quotation", "code", "cell", "link target"]


class Written(NamedTuple):
    """A sentence as an article has it, links included, in the section it stands in."""

    text: str
    section: str
    kind: Kind
    is_first: bool = True

    @property
    def judged_as(self) -> str:
        return f"`{self.text}`" if self.kind == "code" and "`" not in self.text else self.text


class Sentence(NamedTuple):
    """A sentence as a reply has it; `why` says why it is to be checked before sending, and is empty where it is not."""

    text: str
    why: str = ""


class Statement(NamedTuple):
    """One sentence or list item of a passage, with the section it stands in."""

    sentences: tuple[Sentence, ...]
    section: str
    is_item: bool

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

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


def article_title(passage: Passage, rules: Rules) -> Sentence:
    """The title of the article without the path of headings, in one line and without brackets; empty if it may not be
    repeated."""
    written = readable_article(passage.title).split(PATH)[0]
    judged = judge(written, rules)
    return Sentence("" if judged.verdict == LEAVE_OUT else _plain(written), judged.reason)


def heading_path(passage: Passage, rules: Rules) -> str:
    """The title of the article and the headings down to a passage, in one line, without those that may not be
    repeated."""
    parts = readable_article(passage.title).split(PATH)
    return " ".join(PATH.join(part for part in parts if judge(part, rules).verdict != LEAVE_OUT).split())


def statements_of(passage: Passage, rules: Rules) -> tuple[Statement, ...]:
    """In the order of the text. Headings, tables, quotations and code blocks are left out, and so are sentences that a
    chunk cuts or that may not be repeated to a customer: an item with one such sentence is left out as a whole."""
    return _statements_of(passage.title, passage.text, rules)


@lru_cache(maxsize=8192)
def _statements_of(path: str, text: str, rules: Rules) -> tuple[Statement, ...]:
    title, _, heading = path.partition(PATH)
    found = _joined_items(written_sentences(text, heading or title))
    return tuple(statement for parts in found if (statement := _statement(parts, rules)) and _is_whole(statement.text))


def _joined_items(written: Iterator[Written]) -> Iterator[list[Written]]:
    """The sentences of an item together, each other sentence on its own."""
    item: list[Written] = []
    for each in written:
        if item and (each.kind != "item" or each.is_first):
            yield item
            item = []
        if each.kind == "item":
            item.append(each)
        elif each.kind == "sentence":
            yield [each]
    if item:
        yield item


def _statement(parts: list[Written], rules: Rules) -> Statement | None:
    judged = [judge(part.judged_as, rules) for part in parts]
    if any(each.verdict == LEAVE_OUT for each in judged):
        return None
    sentences = tuple(
        Sentence(text, each.reason)
        for part, each in zip(parts, judged, strict=True)
        for text in sentences_of(_plain(part.text))
    )
    return Statement(sentences, parts[0].section, parts[0].kind == "item")


def sentences_of(text: str) -> list[str]:
    """A line of prose cut behind each sentence."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def written_sentences(text: str, section: str = "") -> Iterator[Written]:
    """Every sentence of a text in Markdown, in its order: headings, list items, cells and lines of code too."""
    text = _PART.sub(r"[\1]", text)  # cleaning takes tags away, and these give a model a part to play
    text = readable_article(_TAG.sub(r"[](\1)\g<0>", text))
    targets = {found[1].casefold(): found[2] for line in text.split("\n") if (found := _TARGET.match(line))}
    kind: Kind = "sentence"
    paragraph: list[str] = []
    is_code = False

    def finished() -> Iterator[Written]:
        for place, sentence in enumerate(sentences_of(" ".join(paragraph))):
            yield Written(_with_targets(sentence, targets), section, kind, is_first=place == 0)
        paragraph.clear()

    for line in text.split("\n"):
        stripped, heading, item = line.strip(), _HEADING.match(line), _ITEM.match(line)
        is_fence = stripped.startswith(("```", "~~~"))
        if is_code or is_fence:
            yield from finished()
            if stripped and not is_fence:
                yield Written(stripped, section, "code")
            is_code ^= is_fence
            continue
        if (
            heading
            or item
            or not stripped
            or stripped.startswith(("|", ">"))
            or _TARGET.match(line)
            or (kind == "item" and not line[0].isspace())
        ):
            yield from finished()
            kind = "sentence"
        if heading:
            section = heading.group(1)
            yield Written(_with_targets(section, targets), section, "heading")
        elif stripped.startswith("|"):
            yield from (Written(_with_targets(cell, targets), section, "cell") for cell in _cells(stripped))
        elif found := _TARGET.match(line):
            yield Written(found[2], section, "link target")
        elif item:
            kind = "item"
            paragraph.append(item.group(1))
        elif stripped.startswith(">"):
            yield from (
                Written(_with_targets(one, targets), section, "quotation")
                for one in sentences_of(stripped.lstrip("> "))
            )
        elif stripped:
            paragraph.append(stripped)
    yield from finished()


def _cells(row: str) -> list[str]:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)]
    return [cell for cell in cells if cell.strip(":- ")]


def _with_targets(sentence: str, targets: dict[str, str]) -> str:
    """A sentence whose links by name lead where the article says elsewhere."""
    named = [
        targets[name.casefold()]
        for found in _REFERENCE.findall(sentence)
        for name in found
        if name.casefold() in targets
    ]
    return sentence + "".join(f" [](<{target}>)" for target in named)


def _plain(markdown: str) -> str:
    """Without emphasis, pictures, links and square brackets (no citations); code keeps its backticks."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", markdown)).replace("**", "").replace("__", "")
    return " ".join(text.replace("[", "(").replace("]", ")").split())


def _is_whole(text: str) -> bool:
    return len(text) >= SHORTEST and not text[0].islower() and text[0] not in ",;:.)"
