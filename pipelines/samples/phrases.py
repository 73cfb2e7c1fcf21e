"""The words of the sample tickets: phrases with choices and slots, read from `texts/` and filled in from a seed.

A phrase is a line: `(a|b|c)` is a choice, `{name}` a slot, everything else stands as it is.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, NamedTuple

from pipelines.samples.slots import FRESH, PER_TICKET, Fill


class Choice(NamedTuple):
    options: tuple["Phrase", ...]


class Slot(NamedTuple):
    name: str


Phrase = tuple[str | Choice | Slot | Fill, ...]
"""Text as it stands, a choice, a name kept for the whole ticket, or a number drawn afresh."""

Phrases = tuple[Phrase, ...]


class Topic(NamedTuple):
    """What is said about one topic. `parts` maps subjects, admin, user, details, … to phrases."""

    code: str
    product: str
    weight: float
    severity: str
    slots: dict[str, Phrases]
    parts: dict[str, Phrases]


class Foreign(NamedTuple):
    """What is said in another language: the phrases around a mail, and topics by code."""

    frame: dict[str, Phrases]
    topics: dict[str, dict[str, Phrases]]


class Book(NamedTuple):
    """All phrases there are."""

    slots: dict[str, Phrases]
    common: dict[str, Phrases]
    urgency: dict[str, Phrases]
    topics: dict[str, Topic]
    foreign: dict[str, Foreign]
    oddities: dict[str, Phrases]


_PARTS = re.compile(r"\(([^()]*\|[^()]*)\)|\{(\w+)\}")


def parse(line: str) -> Phrase:
    pieces: list[str | Choice | Slot | Fill] = []
    end = 0
    for match in _PARTS.finditer(line):
        choice, slot = match.groups()
        pieces += [line[end : match.start()]] if match.start() > end else []
        pieces.append(Slot(slot) if choice is None else Choice(tuple(parse(option) for option in choice.split("|"))))
        end = match.end()
    pieces += [line[end:]] if end < len(line) else []
    return tuple(FRESH.get(piece.name, piece) if isinstance(piece, Slot) else piece for piece in pieces)


class Speaker:
    """One person writing one ticket: the same host, colleague or office stays the same through the whole text."""

    def __init__(self, rng: Random, book: Book, topic: Topic, *, now: datetime, known: Mapping[str, str]) -> None:
        self.rng = rng
        self.book = book
        self.topic = topic
        self.now = now
        self.values = dict(known)
        self._used: set[int] = set()

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, phrases: Phrases) -> str:
        """One of the phrases, not one already said if there is another."""
        fresh = [phrase for phrase in phrases if id(phrase) not in self._used] or phrases
        chosen = fresh[int(self.rng.random() * len(fresh))]
        self._used.add(id(chosen))
        return self.render(chosen)

    def about(self, part: str) -> str:
        return self.pick(self.topic.parts[part])

    def common(self, name: str) -> str:
        return self.pick(self.book.common[name])

    def render(self, phrase: Phrase) -> str:
        words: list[str] = []
        for piece in phrase:
            if isinstance(piece, str):
                words.append(piece)
            elif isinstance(piece, Slot):
                words.append(self.name(piece.name))
            elif isinstance(piece, Choice):
                words.append(self.render(piece.options[int(self.rng.random() * len(piece.options))]))
            else:
                words.append(piece(self.rng, self.now))
        return "".join(words)

    def name(self, slot: str) -> str:
        """What a slot stands for in this ticket."""
        if slot not in self.values:
            self.values[slot] = self._draw(slot.rstrip("2"), other_than=self.values.get(slot.rstrip("2")))
        return self.values[slot]

    def _draw(self, kind: str, *, other_than: str | None) -> str:
        for _ in range(5):
            listed = self.topic.slots.get(kind) or self.book.slots.get(kind)
            value = self.pick(listed) if listed else PER_TICKET[kind](self.rng, self.now)
            if value != other_than:
                break
        return value


@cache
def read_book() -> Book:
    """Every phrase in `texts/`, parsed once a process."""
    common = _yaml("common")
    oddities = {name: _phrases(text) for name, text in _yaml("oddities").items()}
    slots = {name: _phrases(text) for name, text in common.pop("slots").items()}
    urgency = {name: _phrases(text) for name, text in common.pop("urgency").items()}
    topics = {code: topic for name in PRODUCT_FILES for code, topic in _topics(name).items()}
    return Book(
        slots=slots
        | {"colour": oddities.pop("colours")}
        | {"title": _phrases(common["titles"]), "check": _phrases(common["checks"])},
        common={name: _phrases(text) for name, text in common.items()},
        urgency=urgency,
        topics=topics,
        foreign={language: _foreign(name) for language, name in FOREIGN_FILES.items()},
        oddities=oddities,
    )


PRODUCT_FILES = ("casb", "swg", "ztna", "dlp", "sspm", "cfw", "general")
FOREIGN_FILES = {"de": "german", "fr": "french", "es": "spanish"}


def _topics(name: str) -> dict[str, Topic]:
    return {
        code: Topic(
            code=code,
            product=name.upper(),
            weight=entry.pop("weight"),
            severity=entry.pop("severity"),
            slots={slot: _phrases(text) for slot, text in entry.pop("slots", {}).items()},
            parts={part: _phrases(text) for part, text in entry.items()},
        )
        for code, entry in _yaml(name).items()
    }


def _foreign(name: str) -> Foreign:
    content = _yaml(name)
    return Foreign(
        frame={part: _phrases(text) for part, text in content["frame"].items()},
        topics={
            code: {part: _phrases(text) for part, text in entry.items()} for code, entry in content["topics"].items()
        },
    )


def _phrases(text: str) -> Phrases:
    return tuple(parse(line) for line in text.splitlines() if line)


def _yaml(name: str) -> dict[str, Any]:
    import yaml

    content: dict[str, Any] = yaml.safe_load((files("pipelines.samples") / "texts" / f"{name}.yaml").read_text("utf-8"))
    return content
