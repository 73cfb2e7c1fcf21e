"""Which steps are plain ones: looking, telling, and changing what a product lets everybody change."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.shared.policy_file import read_yaml
from triage.drafting.lexicon import tokens

SIGNS: Final = frozenset(".,;:!?()")
_CODE = re.compile(r"`[^`]*`")
_MENU = re.compile(r"\*\*[^*]*>[^*]*\*\*")


class StepWords(NamedTuple):
    """Verbs that are plain with any object, with any but a delicate one, with a listed one, and with none; and small
    words that tell where a step stands."""

    looking: frozenset[str]
    telling: frozenset[str]
    changing: frozenset[str]
    never: frozenset[str]
    objects: frozenset[str]
    delicate: frozenset[str]
    pressing: frozenset[str]
    grants: frozenset[str]
    lasting: frozenset[str]
    exposing: frozenset[str]
    ending: frozenset[str]
    finite: frozenset[str]
    before: frozenset[str]
    asking: frozenset[str]
    advice: frozenset[str]
    duty: frozenset[str]
    not_steps: frozenset[str]
    determiners: frozenset[str]
    clause_ends: frozenset[str]


class Verb(NamedTuple):
    """`rest` are the words it acts on; not `is_sure` where a noun may be meant."""

    word: str
    rest: list[str]
    is_sure: bool


@lru_cache(maxsize=1)
def step_words() -> StepWords:
    read: Any = read_yaml(Path(__file__).with_name("step_words.yaml"), what="list of steps")
    return StepWords(*(frozenset(str(read[name]).split()) for name in StepWords._fields))


def unlisted_step(sentence: str) -> str:
    """The first verb of a step that is not on the list, or that is and changes something that is not; empty if none."""
    listed, words = step_words(), _prose(sentence)
    return next((verb.word for verb in _verbs(words, listed) if not _is_plain(verb, listed)), "")


def _prose(sentence: str) -> list[str]:
    """Without the words of code and of menu paths, which order nothing."""
    words = tokens(_CODE.sub(" something ", _MENU.sub(" menu ", sentence)))
    return words[3:] if words[:3] == ["from", "now", "on"] else words


def _verbs(words: Sequence[str], listed: StepWords) -> Iterator[Verb]:
    """Places where the verb of a step stands, and what it does it to."""
    is_fresh, is_order = True, False
    for at, word in enumerate(words):
        if word in SIGNS:
            is_fresh = True
        elif is_fresh and (word in listed.before or (word.endswith("ly") and word not in listed.changing)):
            continue
        elif is_fresh:
            is_fresh = False
            if (_is_listed(word, listed) and _may_begin(words, at, listed)) or _takes_object(words, at, listed):
                is_order = True
                yield Verb(word, _rest(words, at, listed), is_sure=at > 0 and words[at - 1] in listed.asking)
        elif _is_advised(words, at, listed):
            yield Verb(_base(word, listed), _rest(words, at, listed), is_sure=True)
        elif (
            words[at - 1] == "be"
            and words[at - 2] in ("should", "must", "to")
            and _base(word, listed) in listed.changing
        ):
            yield Verb(_base(word, listed), [*_subject(words, at), *_rest(words, at, listed)], is_sure=True)
        elif (
            is_order
            and words[at - 1] in ("and", "or", "then")
            and _takes_object(words, at, listed)
            and words[at + 1] != "to"
        ):
            yield Verb(word, _rest(words, at, listed), is_sure=False)


def _base(word: str, listed: StepWords) -> str:
    """A listed verb behind its participle or gerund, else the word as it is."""
    stem = re.sub(r"(?:ed|ing)$", "", word)
    forms = (word, stem, stem + "e", stem[:-1], re.sub("i$", "y", stem))
    return next((form for form in forms if _is_listed(form, listed)), word)


def _subject(words: Sequence[str], at: int) -> list[str]:
    start = max((place for place in range(at) if words[place] in SIGNS), default=-1)
    return [*words[start + 1 : at]]


def _is_listed(word: str, listed: StepWords) -> bool:
    return any(word in verbs for verbs in (listed.looking, listed.telling, listed.changing, listed.never))


def _may_begin(words: Sequence[str], at: int, listed: StepWords) -> bool:
    """Behind a comma or a colon a list may go on; not behind a condition or a place, where the order follows."""
    sign = next((word for word in reversed(words[:at]) if word in SIGNS), ".")
    return sign not in ",:(" or (sign == "," and (words[0] in listed.clause_ends or words[0] in listed.not_steps))


def _takes_object(words: Sequence[str], at: int, listed: StepWords) -> bool:
    word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
    return (
        word.isalpha()
        and word not in listed.not_steps
        and not word.endswith(("ing", "ed", "ly"))
        and (not word.endswith("s") or word.endswith("ss"))
        and following in listed.determiners
        and (following != "to" or listed.finite.isdisjoint(_rest(words, at, listed)))
    )


def _is_advised(words: Sequence[str], at: int, listed: StepWords) -> bool:
    """Behind "please", "you must", "we recommend to" or "we recommend that you", and "consider lowering"."""
    before, two_before = words[at - 1], words[at - 2] if at > 1 else ""
    if words[at] in listed.not_steps or words[at] in listed.before or words[at].endswith("ly"):
        return False
    if before in listed.duty:
        return two_before == "you" and (at < 3 or words[at - 3] in {*SIGNS, "and", "then", "but"})
    if before in listed.advice:
        return words[at].endswith("ing")
    phrase = two_before if before == "to" else words[at - 3] if [two_before, before] == ["that", "you"] else ""
    return before in listed.asking or phrase in listed.advice


def _is_plain(verb: Verb, listed: StepWords) -> bool:
    if not verb.is_sure and _is_noun(verb.rest, listed):
        return True
    word = "disable" if "off" in verb.rest and verb.word not in listed.ending else verb.word
    if word in listed.looking:
        return not (
            (word in listed.pressing and not listed.grants.isdisjoint(verb.rest[:1]))
            or (word in listed.lasting and not listed.exposing.isdisjoint(verb.rest))
        )
    if not listed.delicate.isdisjoint(verb.rest):
        return False
    return word in listed.telling or (word in listed.changing and not listed.objects.isdisjoint(verb.rest))


def _is_noun(rest: Sequence[str], listed: StepWords) -> bool:
    """A verb behind it: then the first word is a noun, as in "support can answer within an hour"."""
    return bool(rest) and (
        rest[0] in ("of", "do")
        or (not listed.finite.isdisjoint(rest[:3]) and rest[0] not in ("the", "a", "all", "any", "every", "each", "it"))
    )


def _rest(words: Sequence[str], at: int, listed: StepWords) -> list[str]:
    ends = (place for place in range(at + 1, len(words)) if words[place] in SIGNS or words[place] in listed.clause_ends)
    return [word.removesuffix("'s") for word in words[at + 1 : next(ends, len(words))]]
