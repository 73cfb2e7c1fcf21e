"""What stands in a ticket: who writes about which topic in which voice, with the slips and oddities of a real queue."""

import re
from datetime import datetime
from functools import cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

from engine.contracts import TicketType
from pipelines.samples.phrases import Book, Foreign, Speaker, Topic
from pipelines.samples.voices import VOICES, Text, Voice, Writer

LEVELS = ("critical", "high", "medium", "low")
SEVERITY = {
    "outage": (0.09, 0.34, 0.47, 0.10),
    "normal": (0.025, 0.18, 0.58, 0.215),
    "nuisance": (0.01, 0.10, 0.50, 0.39),
    "low": (0.005, 0.06, 0.42, 0.515),
    "storm": (0.16, 0.46, 0.32, 0.06),
    "request": (0.0, 0.08, 0.42, 0.50),
}
"""Shares of true urgency, critical first."""

CODE_SHARE = 0.26
NOISE_SHARE = 0.032
TWO_PRODUCTS_SHARE = 0.055
OWN_LANGUAGE_SHARE = 0.6
TYPO_SHARE = 0.13
OFF_TOPIC = "off_topic"
WITHOUT_CHANGES = tuple(voice for voice in VOICES if voice.type is not TicketType.CHANGE)
"""For topics on which nobody orders a change."""


class Author(NamedTuple):
    """Who writes, when and from where. `topic` is given when everybody writes about the same thing."""

    at: datetime
    name: str
    language: str
    company: str
    domain: str
    earlier: str
    city: str | None
    topic: str | None = None


class Written(NamedTuple):
    """A ticket's text and what is true about it."""

    subject: str
    body: str
    channel: str
    type: TicketType
    language: str
    product: str
    topic: str
    urgency: str


def write(rng: Random, book: Book, author: Author) -> Written:
    draw = rng.random()
    if draw < NOISE_SHARE and author.topic is None:
        return _noise(rng, book, author)
    own = book.foreign.get(author.language)
    if own and rng.random() < OWN_LANGUAGE_SHARE and (author.topic is None or author.topic in own.topics):
        return _foreign(rng, book, own, author)
    return _english(rng, book, author)


def again(rng: Random, book: Book, author: Author, earlier: Written) -> Written:
    """The same matter reported a second time: the old text with a word about it, or with a slip."""
    say = _speaker(rng, book, book.topics[earlier.topic], author)
    remark = say.common("again")
    body = f"{remark}\n\n{earlier.body}" if say.chance(0.6) else f"{earlier.body}\n\n{remark}"
    subject = rng.choice(("", "", "RE: ", "Again: ", "2nd attempt: ")) + earlier.subject
    return earlier._replace(subject=subject[:200], body=_with_slips(rng, body), channel=rng.choice(("email", "portal")))


def inject(rng: Random, book: Book, author: Author, written: Written, which: int) -> Written:
    """A text that carries an order to whatever machine may read it."""
    say = _speaker(rng, book, book.topics.get(written.topic, _any_topic(book)), author)
    return written._replace(body=f"{written.body}\n\n{say.render(book.oddities['injections'][which])}")


def _english(rng: Random, book: Book, author: Author) -> Written:
    topic = book.topics[author.topic] if author.topic else _topic(rng, book)
    voices = VOICES if "changes" in topic.parts else WITHOUT_CHANGES
    voice = rng.choices(voices, cum_weights=_running(tuple(voice.weight for voice in voices)))[0]
    urgency = _urgency(rng, topic, voice, storm=author.topic is not None)
    say = _speaker(rng, book, topic, author)
    quotes = say.chance(CODE_SHARE)
    text = voice.write(Writer(say, author.name, urgency, quotes))
    if quotes and topic.code not in text.body:
        text = text._replace(subject=f"{text.subject} ({topic.code})")
    if say.chance(TWO_PRODUCTS_SHARE):
        text = text._replace(body=_mixed(rng, book, author, topic, text.body))
    if voice.channels[0] not in ("api", "phone") and say.chance(TYPO_SHARE):
        text = Text(text.subject, _with_slips(rng, text.body))
    return Written(
        text.subject[:200], text.body, rng.choice(voice.channels), voice.type, "en", topic.product, topic.code, urgency
    )


def _mixed(rng: Random, book: Book, author: Author, topic: Topic, body: str) -> str:
    others = [other for other in book.topics.values() if other.product != topic.product]
    say = _speaker(rng, book, rng.choice(others), author)
    return f"{body}\n{say.common('bridges')} {say.about('user' if say.chance(0.5) else 'admin')}"


def _foreign(rng: Random, book: Book, own: Foreign, author: Author) -> Written:
    code = author.topic or rng.choice(tuple(own.topics))
    topic, phrases, frame = book.topics[code], own.topics[code], own.frame
    urgency = _urgency(rng, topic, None, storm=author.topic is not None)
    say = _speaker(rng, book, topic, author)
    body = [say.pick(phrases["symptoms"])] + [say.pick(phrases["symptoms"])] * (
        len(phrases["symptoms"]) > 1 and say.chance(0.35)
    )
    body += [say.pick(frame["contexts"])] * say.chance(0.7) + [say.pick(frame["tried"])] * say.chance(0.5)
    body += [topic.code] * say.chance(CODE_SHARE) + [say.pick(frame[urgency])] * say.chance(0.6)
    body += [say.about("logs")] * say.chance(0.12) + [say.pick(frame["asks"])] * say.chance(0.7)
    gap = rng.choice(("\n\n", "\n"))
    letter = gap.join([say.pick(frame["greetings"]), " ".join(body), say.pick(frame["closings"]) + "\n" + author.name])
    text = letter if say.chance(0.8) else " ".join(body)
    channel = rng.choice(("email", "email", "portal", "chat"))
    subject = say.pick(phrases["subjects"])
    return Written(subject, text, channel, TicketType.INCIDENT, author.language, topic.product, topic.code, urgency)


def _noise(rng: Random, book: Book, author: Author) -> Written:
    say = _speaker(rng, book, _any_topic(book), author)
    short = say.chance(0.5)
    line = say.pick(book.oddities["noise" if short else "astray"])
    more = say.pick(book.oddities["noise"]) if short and say.chance(0.5) else ""
    subject = rng.choice(("", "(no subject)", line[:40], say.common("vague_subjects"), say.common("vague_subjects")))
    body = f"{line} {more}".strip() if short else "\n".join([say.common("greetings"), line, author.name])
    channel = rng.choice(("email", "chat", "portal"))
    return Written(subject, body, channel, TicketType.INCIDENT, "en", "GENERAL", OFF_TOPIC, "low")


def _speaker(rng: Random, book: Book, topic: Topic, author: Author) -> Speaker:
    known = {"company": author.company, "domain": author.domain, "ref": author.earlier, "code": topic.code}
    if author.city and rng.random() < 0.6:
        known["office"] = author.city
    return Speaker(rng, book, topic, now=author.at, known=known)


def _urgency(rng: Random, topic: Topic, voice: Voice | None, *, storm: bool) -> str:
    severity = "storm" if storm else topic.severity
    if voice and voice.type in (TicketType.REQUEST, TicketType.CHANGE):
        severity = "request"
    return rng.choices(LEVELS, SEVERITY[severity])[0]


def _topic(rng: Random, book: Book) -> Topic:
    topics = tuple(book.topics.values())
    return rng.choices(topics, cum_weights=_running(tuple(topic.weight for topic in topics)))[0]


def _any_topic(book: Book) -> Topic:
    return next(iter(book.topics.values()))


@cache
def _running(weights: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(accumulate(weights))


def _with_slips(rng: Random, text: str) -> str:
    """One to four words mistyped: two letters swapped, one lost or one doubled. Lines with figures are left alone."""
    words = [m for m in re.finditer(r"[a-z]{5,}", text) if not _in_a_log(text, m.start())]
    for match in sorted(rng.sample(words, min(len(words), rng.randrange(1, 5))), key=lambda m: -m.start()):
        word, at = match.group(), rng.randrange(1, len(match.group()) - 1)
        slip = rng.choice(
            (
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
            )
        )
        text = text[: match.start()] + slip + text[match.end() :]
    return text


def _in_a_log(text: str, at: int) -> bool:
    line = text[text.rfind("\n", 0, at) + 1 : (text.find("\n", at) + 1 or len(text) + 1) - 1]
    return any(mark in line for mark in ("=", "/", "[", "@", ".example"))
