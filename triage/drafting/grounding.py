"""Whether a draft says nothing beyond its sources: every sentence of fact tied to the passage it cites."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from triage.contracts import Passage
from triage.drafting.agreement import content_words, opposite
from triage.drafting.article_policy import CHECK, LEAVE_OUT, NO_PLACES, QUOTE, ArticlePolicy, Rules
from triage.drafting.article_sentences import Judged, calls_for_secret, judge, readable_article
from triage.drafting.particulars import Particulars, folded, measures_in, numbers_in, particulars_of
from triage.drafting.statements import article_title, sentences_of, statements_of
from triage.drafting.wording import PLACEHOLDERS, Phrases
from triage.sanitize import clean

SUPPORTED_FROM: Final = 0.7
"""Share of a sentence's words that one sentence of its source holds."""
FLAGGED_FROM: Final = 0.5
NEAR_FROM: Final = 0.65
"""Cosine to the nearest sentence of the source from which other words are flagged instead of dropped."""

Nearness = Callable[[str, Sequence[str]], float]
"""The greatest likeness of meaning, at most 1, of a sentence to some others."""


class Verdict(StrEnum):
    COURTESY = "courtesy"
    SUPPORTED = "supported"
    FLAGGED = "flagged"
    DROPPED = "dropped"


class Checked(NamedTuple):
    """A sentence of a draft without its citations; `sources` are those that carry it, `reason` says what is wrong."""

    text: str
    line: int
    is_step: bool
    sources: tuple[int, ...]
    verdict: Verdict
    reason: str = ""

    @property
    def stays(self) -> bool:
        return self.verdict in (Verdict.SUPPORTED, Verdict.FLAGGED)


class Piece(NamedTuple):
    """A sentence as it stands in a draft."""

    text: str
    line: int
    is_step: bool
    cited: tuple[int, ...]


_STEP = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+")
_CITED = re.compile(r"\s*\[(\d{1,3})\]")
_CITATIONS_FIRST = re.compile(r"^(?:\[\d{1,3}\][\s.,;]*)+")
_BRACKETED = re.compile(r"[\[\]]")
_AFTER_CITATION = re.compile(r"(?<=\])[.,;]?\s+(?=[A-ZÀ-ÖØ-ÞΑ-ΩА-Я`“«¿¡\"(])")


def check_draft(
    text: str,
    sources: Mapping[int, Passage],
    phrases: Phrases,
    *,
    articles: ArticlePolicy = NO_PLACES,
    nearness: Nearness | None = None,
) -> list[Checked]:
    """Every sentence of a draft with its verdict, in order; `sources` by the number in brackets.

    A phrase of the wording is a courtesy and needs no source. Any other sentence states a fact: it is dropped if it
    cites no given source, if a number, address, code, command or name in it is in none of the sources it cites, if it
    says the opposite, if its words are not theirs, or if `articles` let no reply hold it; with other words of like
    meaning, or where the policy wants it checked before sending, it is flagged.
    """
    courtesies = _Courtesies(phrases)
    unmarked = text.replace(f" {phrases.to_check}", "")
    return [_checked(piece, sources, courtesies, articles, nearness) for piece in split(unmarked, courtesies.around)]


def split(text: str, around: tuple[str, str] = ("", "")) -> list[Piece]:
    """The sentences of a draft, line by line; a citation belongs to the sentence it follows.

    What stands between the two parts of `around` is the title of an article, whatever full stops it holds.
    """
    pieces = []
    for number, line in enumerate(text.split("\n")):
        mark = _STEP.match(line)
        for sentence in _joined(_sentences(line[mark.end() :] if mark else line), *around):
            cited = tuple(dict.fromkeys(map(int, _CITED.findall(sentence))))
            pieces.append(Piece(_CITED.sub("", sentence).strip(), number, mark is not None, cited))
    return [piece for piece in pieces if piece.text]


def _sentences(line: str) -> list[str]:
    return [part for sentence in sentences_of(line) for part in _AFTER_CITATION.split(sentence)]


def _joined(sentences: Sequence[str], before: str = "", after: str = "") -> list[str]:
    """Citations that stand behind the full stop, back with their sentence; titles in one piece."""
    joined: list[str] = []
    for sentence in sentences:
        if joined and before and joined[-1].startswith(before) and after not in joined[-1]:
            joined[-1] += " " + sentence
            continue
        found = _CITATIONS_FIRST.match(sentence)
        if found and joined:
            joined[-1] += " " + found.group()
        rest = sentence[found.end() :] if found and joined else sentence
        if rest.strip():
            joined.append(rest)
    return joined


class _Courtesies:
    """The phrases as they are found in a draft: whole, in front of a fact, or around the title of an article."""

    def __init__(self, phrases: Phrases) -> None:
        lines = [line for name, phrase in phrases if name not in PLACEHOLDERS for line in phrase.split("\n")]
        self.whole = {_same(sentence) for line in lines for sentence in [line, *sentences_of(line)]}
        self.in_front = phrases.verify
        before, after = phrases.diagnosis.split("{title}")
        self.around = before, after
        before, after = map(re.escape, phrases.quoted.split("{language}"))
        self.quoted = re.compile(rf"{before}[^\W\d_]{{2,30}}{after}")

    def title_in(self, text: str) -> str | None:
        before, after = self.around
        fits = text.startswith(before) and text.endswith(after)
        return text[len(before) : len(text) - len(after)] if fits else None


def _checked(
    piece: Piece,
    sources: Mapping[int, Passage],
    courtesies: _Courtesies,
    articles: ArticlePolicy,
    nearness: Nearness | None,
) -> Checked:
    def result(verdict: Verdict, reason: str = "", carrying: tuple[int, ...] = ()) -> Checked:
        return Checked(piece.text, piece.line, piece.is_step, carrying, verdict, reason)

    if not piece.cited and (_same(piece.text) in courtesies.whole or courtesies.quoted.fullmatch(piece.text)):
        return result(Verdict.COURTESY)
    known = {number: sources[number] for number in piece.cited if number in sources}
    if len(known) < len(piece.cited):
        return result(Verdict.DROPPED, "it cites a source that was not given")
    if not known:
        return result(Verdict.DROPPED, "it cites no source")
    title = courtesies.title_in(piece.text)
    if title is not None:
        titles = {n: article_title(passage, articles.rules(passage.source)) for n, passage in known.items()}
        carrying = tuple(n for n, found in titles.items() if title and title == found.text)
        if not carrying:
            return result(Verdict.DROPPED, "no cited article is called so")
        why = titles[carrying[0]].why
        return result(Verdict.FLAGGED if why else Verdict.SUPPORTED, why, carrying)
    fact = piece.text.removeprefix(courtesies.in_front).strip()
    verdict, reason, carrying = _support(fact, known, articles, nearness)
    return result(verdict, reason, carrying)


def _support(
    fact: str, known: Mapping[int, Passage], articles: ArticlePolicy, nearness: Nearness | None
) -> tuple[Verdict, str, tuple[int, ...]]:
    sources = {
        number: _source(passage.title, passage.url, passage.text, articles.rules(passage.source))
        for number, passage in known.items()
    }
    if word_for_word := tuple(number for number, source in sources.items() if _same(fact) in source.statements):
        why = sources[word_for_word[0]].statements[_same(fact)]
        return (Verdict.FLAGGED if why else Verdict.SUPPORTED), why, word_for_word
    judged = _strictest(fact, known.values(), articles)
    if problem := _beyond(fact, tuple(sources.values()), judged):
        return Verdict.DROPPED, problem, ()
    words = content_words(fact)
    nearest = {number: source.nearest(words) for number, source in sources.items()}
    best = max(nearest.values(), key=lambda found: found.share)
    agreeing = [text for text in best.texts if not opposite(fact, text)]
    if best.share and (not agreeing or (best.share < SUPPORTED_FROM and len(agreeing) < len(best.texts))):
        return Verdict.DROPPED, "its source says otherwise", ()
    carrying = tuple(number for number, found in nearest.items() if found.share >= best.share / 2)
    if best.share >= SUPPORTED_FROM:
        reason = judged.reason or _loose(fact, " ".join(agreeing), sources.values())
        return (Verdict.FLAGGED if reason else Verdict.SUPPORTED), reason, carrying
    sentences = [sentence for source in sources.values() for sentence in source.sentences]
    is_near = nearness is not None and bool(words and sentences) and nearness(fact, sentences) >= NEAR_FROM
    if best.share >= FLAGGED_FROM or is_near:
        return Verdict.FLAGGED, judged.reason or "it is worded otherwise than its source", carrying
    return Verdict.DROPPED, "its source does not say so", ()


def _strictest(fact: str, known: Iterable[Passage], articles: ArticlePolicy) -> Judged:
    """By the rules of every source cited."""
    order = (QUOTE, CHECK, LEAVE_OUT)
    found = (judge(fact, articles.rules(passage.source)) for passage in known)
    return max(found, key=lambda judged: order.index(judged.verdict))


def _beyond(fact: str, sources: Sequence["_Source"], judged: Judged) -> str:
    """What of a sentence is in none of its sources, in words; empty if nothing."""
    if _BRACKETED.search(fact) or clean(fact) != _same(fact):
        return "it holds brackets, markup or hidden characters"
    if judged.verdict == LEAVE_OUT:
        return f"no reply may hold it: {judged.reason}"
    if calls_for_secret(fact):
        return "it asks for a secret in words of its own"
    found = particulars_of(fact)
    for kind, values in found._asdict().items():
        unknown = sorted(value for value in values if not any(source.holds(kind, value) for source in sources))
        if unknown:
            shown = unknown[0] if isinstance(unknown[0], str) else " ".join(unknown[0])
            return f"{shown!r} is not in its source"
    return ""


def _loose(fact: str, nearest: str, sources: Iterable["_Source"]) -> str:
    """What keeps a sentence in the words of its source from being sure; empty if nothing."""
    if not numbers_in(fact) <= numbers_in(nearest):
        return "its number stands in another sentence of its source"
    first = content_words(fact.split(" ", maxsplit=1)[0])
    if not any(first <= words for source in sources for words in source.words):
        return "it begins with a word that its source does not have"
    return ""


class _Nearest(NamedTuple):
    """The sentences of a source that hold most words of another, and which share of them."""

    texts: tuple[str, ...]
    share: float


class _Source(NamedTuple):
    """What a passage says, in the forms it is compared in; `statements` with why they are to be checked, if they
    are."""

    statements: Mapping[str, str]
    sentences: tuple[str, ...]
    words: tuple[frozenset[str], ...]
    text: str
    all_words: frozenset[str]
    particulars: Particulars

    def holds(self, kind: str, value: object) -> bool:
        if kind in ("numbers", "measures"):
            return value in getattr(self.particulars, kind)
        if kind == "names":
            return value in self.all_words
        return bool(re.search(rf"(?<![\w.-]){re.escape(str(value))}(?!\w|[.-]\w)", self.text))

    def nearest(self, words: frozenset[str]) -> _Nearest:
        """With share 0 of no words."""
        shares = [len(words & own) / max(1, len(words)) for own in self.words]
        best = max(shares, default=0.0)
        return _Nearest(tuple(t for t, share in zip(self.sentences, shares, strict=True) if share == best), best)


@lru_cache(maxsize=4096)
def _source(title: str, url: str, text: str, rules: Rules) -> _Source:
    statements = statements_of(Passage(article_id="", chunk=0, title=title, url=url, text=text, score=0), rules)
    single = {sentence.text: sentence.why for statement in statements for sentence in statement.sentences}
    whole = {one.text: next((each.why for each in one.sentences if each.why), "") for one in statements}
    sentences = tuple(dict.fromkeys(part for text in single for part in sentences_of(text)))
    plain = folded(readable_article(f"{title}\n{url}\n{text}").replace("**", ""))
    return _Source(
        {_same(text): why for text, why in (whole | single).items()},
        sentences,
        tuple(content_words(sentence) for sentence in sentences),
        plain + "\n" + plain.lower(),
        frozenset(re.findall(r"[^\W_][\w'-]*", plain.lower())),
        particulars_of(plain)._replace(numbers=numbers_in(plain), measures=measures_in(plain)),
    )


def _same(text: str) -> str:
    return " ".join(text.split())
