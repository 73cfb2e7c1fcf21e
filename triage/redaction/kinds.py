"""The kinds of values that are hidden, and where they stand in a text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import yaml


class Kind(StrEnum):
    """In the order in which one wins where two overlap."""

    SECRET = "SECRET"
    """Passwords, tokens, keys."""
    CARD = "CARD"
    IBAN = "IBAN"
    EMAIL = "EMAIL"
    ID = "ID"
    """Tax, VAT, social security and passport numbers."""
    PERSONAL = "PERSONAL"
    """The value of a field that is marked as personal."""
    PHONE = "PHONE"
    NAME = "NAME"
    COMPANY = "COMPANY"
    MARK = "MARK"
    """Nothing to hide: typed by somebody, but it looks like a placeholder of ours."""


RANK = {kind: place for place, kind in enumerate(Kind)}


class Span(NamedTuple):
    """Characters `start` to `end` of a text."""

    start: int
    end: int
    kind: Kind


def merged(spans: Iterable[Span]) -> list[Span]:
    """In order and apart: those that overlap are one, so that nothing of either stays."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start < found[-1].end:
            kind = min(found[-1].kind, span.kind, key=RANK.__getitem__)
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end), kind)
        else:
            found.append(span)
    return found


def apart(text: str, spans: Sequence[Span]) -> Iterator[tuple[str, Span | None]]:
    """The pieces of a text, each with the span it is or None; together they are the text."""
    ends = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    by_start = {span.start: span for span in spans}
    for start, end in pairwise(ends):
        if start < end:
            yield text[start:end], by_start.get(start)


@cache
def tables() -> dict[str, Any]:
    """What words stand beside values, by language where it matters."""
    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
    return found


def words(table: str) -> list[str]:
    return [word.strip() for word in str(tables()[table]).split(",")]


def forms(table: str) -> str:
    """An alternative of a table's patterns, the longest first; a space stands for any between two words."""
    return "|".join(form.replace(" ", r"\s") for form in sorted(words(table), key=len, reverse=True))


def one_of(*words: str) -> str:
    """An alternative of words for a pattern, the longest first; a space stands for any between two words."""
    longest_first = sorted(words, key=len, reverse=True)
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"[\s_-]{0,2}") for word in longest_first) + ")"
