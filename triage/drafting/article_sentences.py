"""What of an article may stand in a reply: each sentence is quoted, quoted with a mark to check it, or left out."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from triage.drafting.article_policy import CHECK, LEAVE_OUT, QUOTE, Rules, Verdict
from triage.drafting.contacts import foreign_contact
from triage.drafting.lexicon import Found, Kind, tokens, wordlist
from triage.drafting.places import foreign_place, is_plain_http, readable
from triage.drafting.plain_steps import unlisted_step
from triage.sanitize import clean

ALWAYS_LEFT_OUT: Final = frozenset({"protection_off", "secret", "order"})
READ: Final = ("de", "fr", "es", "pt", "it", "nl")
"""Languages in which an order to a model can be told from harmless text."""
LONGEST_WARNING: Final = 15
_CODE = re.compile(r"`([^`]*)`")
_FETCH_AND_RUN = re.compile(
    r"\|\s*(?:sudo\s+)?(?:ba|z|da|k|fi)?sh\b|\|\s*(?:sudo\s+)?(?:python|perl|ruby|node|php)\d?\b|\biex\b|invoke-expression"
    r"|frombase64string|-enc(?:odedcommand)?\s+\S{8,}|\b(?:ba|z)?sh\s+<\(|\b(?:mshta|regsvr32|rundll32|bitsadmin)\b"
    r"|downloadstring|certutil\S*\s+-(?:urlcache|decode)|\beval\s+[\"']?\$\(|\bsource\s+<\(",
    re.IGNORECASE,
)


class Judged(NamedTuple):
    """`reason` is empty for what may be quoted."""

    verdict: Verdict
    reason: str = ""


class Fit(NamedTuple):
    """A kind that a sentence is of; `is_step` where it is ordered or advised, and not merely told of."""

    kind: Kind
    is_step: bool


@lru_cache(maxsize=65536)
def judge(sentence: str, rules: Rules) -> Judged:
    """The verdict on a sentence as it is written in an article, links and code included, and the reason for it."""
    fits = kinds_of(sentence)
    strict = [fit for fit in fits if fit.kind.name in ALWAYS_LEFT_OUT]
    if certain := next((fit for fit in strict if fit.is_step), None):
        return Judged(LEAVE_OUT, certain.kind.reason)
    if _FETCH_AND_RUN.search(sentence):
        return Judged(LEAVE_OUT, "it runs what it fetches or unpacks")
    text = readable(sentence)
    if place := foreign_place(text, rules):
        return Judged(LEAVE_OUT, f"{_shown(place)} is no place that articles of this source may name")
    if contact := foreign_contact(text, sentence, rules):
        return Judged(LEAVE_OUT, f"{_shown(contact)} is not on the contact list")
    language = foreign_language(sentence, rules.languages)
    if language and not _is_warning(sentence):
        is_read = language in READ and not _names_strict(sentence)
        return Judged(
            rules.steps.other_language if is_read else LEAVE_OUT, f"it is written in another language ({language})"
        )
    return _by_policy(fits, strict, sentence, text, rules)


def _by_policy(fits: Sequence[Fit], strict: Sequence[Fit], sentence: str, text: str, rules: Rules) -> Judged:
    """What the policy says of its steps; one that is to be left out comes before one to check."""
    found = [
        (getattr(rules.steps, fit.kind.name), fit.kind.reason) for fit in fits if fit.is_step and fit not in strict
    ]
    if any(f"`{tool} " in sentence for tool in rules.tools):
        found.append((rules.steps.command, "it holds a command"))
    if is_plain_http(text):
        found.append((rules.steps.plain_http, "its address is not encrypted (http)"))
    if strict:
        found.append((CHECK, f"it may be that {strict[0].kind.reason}"))
    if not found and (verb := unlisted_step(sentence)):
        found.append((rules.steps.unlisted, f"its step ({verb}) is not on the list of plain ones"))
    return Judged(*min(found, key=lambda each: each[0] != LEAVE_OUT)) if found else Judged(QUOTE)


def kinds_of(sentence: str) -> list[Fit]:
    """Every kind of the word list that a sentence is of."""
    listed = wordlist()
    words = tokens(_plain(sentence))
    found = listed.lexicon.find(words)
    marked = _CODE.sub(r"`\1´", sentence)
    is_english = _is_english(words)
    fits = []
    for kind in listed.kinds:
        if kind.patterns is not None and kind.patterns.search(marked):
            fits.append(Fit(kind, is_step=True))
            continue
        deeds = _deeds(kind, words, found, only_english=is_english and kind.name not in ALWAYS_LEFT_OUT)
        if deeds := [deed for deed in deeds if not _is_denied(deed, words, found)]:
            fits.append(
                Fit(
                    kind,
                    any(not kind.step or deed.language != "en" or _is_ordered(words, deed.first) for deed in deeds),
                )
            )
    return fits


def _is_warning(sentence: str) -> bool:
    """One clause that says "never" to a secret or to turning off a protection, and nothing else."""
    words = tokens(_plain(sentence))
    found = wordlist().lexicon.find(words)
    strict = (kind for kind in wordlist().kinds if kind.name in ALWAYS_LEFT_OUT - {"order"})
    deeds = [deed for kind in strict for deed in _deeds(kind, words, found, only_english=False)]
    is_one = len(words) <= LONGEST_WARNING and not any(word in ",;:()!?" for word in words)
    return is_one and bool(deeds) and all(_is_denied(deed, words, found) for deed in deeds)


def _names_strict(sentence: str) -> bool:
    """Holds a word, of any language but English, for what is always left out."""
    found = wordlist().lexicon.find(tokens(_plain(sentence)))
    meanings = {
        name for kind in wordlist().kinds if kind.name in ALWAYS_LEFT_OUT for name in (*kind.thing, *kind.alone)
    }
    return any(not each.language.startswith("en") for name in meanings for each in found.get(name, ()))


def _plain(sentence: str) -> str:
    """Words as a reader sees them: no hidden signs, no addresses of links."""
    text = re.sub(r"\]\([^)]*\)", "]", sentence) if "](" in sentence else sentence
    return "".join(c for c in text if unicodedata.category(c) != "Cf") if not text.isascii() else text


def _is_english(words: Sequence[str]) -> bool:
    """Beyond doubt: then words of other languages that look like English ones do not count as steps."""
    small = wordlist().small
    counts = {name: len({word for word in words if word in listed}) for name, listed in small.items()}
    return counts["en"] >= 2 and counts["en"] > max(count for name, count in counts.items() if name != "en")


def _deeds(kind: Kind, words: Sequence[str], found: dict[str, list[Found]], *, only_english: bool) -> list[Found]:
    """Each place where a kind is met, denied or not."""
    if kind.to and not any(found.get(meaning) for meaning in kind.to):
        return []
    doing = [each for meaning in (*kind.doing, *kind.alone) for each in found.get(meaning, ())]
    doing = [each for each in doing if not only_english or each.language.startswith("en")]
    if not kind.thing or not doing:
        return doing
    things = [each for meaning in kind.thing for each in found.get(meaning, ())]
    excused = [each for meaning in kind.unless for each in found.get(meaning, ())]
    things = [thing for thing in things if not any(_excuses(each, thing) for each in excused)]
    return [each for each in doing if any(_near(each, thing, words, kind) for thing in things)]


def _near(doing: Found, thing: Found, words: Sequence[str], kind: Kind) -> bool:
    """English has the thing behind the deed or, said passively, before it; never across the end of a sentence."""
    if not _speak_alike(doing.language, thing.language):
        return False
    if doing.first <= thing.first and thing.last <= doing.last:
        return True
    start, end = (doing.last, thing.first) if thing.first > doing.last else (thing.last, doing.first)
    between = words[start + 1 : end]
    if kind.behind and thing.first < doing.first:
        return False
    if doing.language == "en" and thing.first < doing.first and words[doing.first - 1] not in _PASSIVE:
        return False
    return 0 <= len([word for word in between if word not in ",:()"]) <= kind.within and not any(
        w in ".!?;" for w in between
    )


def _speak_alike(one: str, other: str) -> bool:
    """An English word takes any; two words of other languages are of one, so that look-alikes make no sense."""
    return one == other or one.startswith("en") or {one, other} & {"any", "other"} != set()


_PASSIVE: Final = frozenset({"please", "and", "then", "but", "or", ","})


def _excuses(each: Found, thing: Found) -> bool:
    """Blacked out right behind the secret, or named as what is removed right before it."""
    return 0 < each.first - thing.last <= 4 or 0 < thing.first - each.last <= 3


def _is_ordered(words: Sequence[str], place: int) -> bool:
    before = words[place - 1] if place else "."
    return before in ",;:.!?()" or before.endswith("ly") or before in wordlist().step_before


_VERBS_APART: Final = ("de", "nl")
"""Languages that say "not" between the halves of a verb."""


def _is_denied(doing: Found, words: Sequence[str], found: dict[str, list[Found]]) -> bool:
    """A "never" that governs the deed; not one of another clause, of a condition, or in "don't hesitate to"."""
    turned = {each.first for each in found.get("but_yes", ())}
    conditions = {each.first for each in found.get("when", ())}

    def governs(start: int, end: int, reach: int) -> bool:
        between = range(start, end)
        return len(between) <= reach and not any(words[n] in ",;:.!?()" or n in turned for n in between)

    before = (
        no.first < doing.first
        and governs(no.last + 1, doing.first, 4)
        and conditions.isdisjoint(range(no.first - 4, no.first))
        for no in found.get("not_before", ())
    )
    after = (
        (doing.last < no.first or (doing.first < no.first < doing.last and doing.language in _VERBS_APART))
        and governs(doing.last + 1, no.first, 7)
        and conditions.isdisjoint(range(doing.first + 1, no.first))
        and turned.isdisjoint(range(no.first, no.last + 3))
        for no in found.get("not_after", ())
    )
    return any(before) or (not doing.language.startswith("en") and any(after))


def foreign_language(sentence: str, languages: Sequence[str]) -> str:
    """The language, or the script, of a sentence that is in none of those listed; empty where it can't be said."""
    prose = re.sub(r"`[^`]*`|\b\w\.\w\.|\S*[/\\@_=]\S*", " ", sentence)
    letters = [letter for letter in prose if letter.isalpha()]
    scripts = {_SCRIPTS.get(language, "LATIN") for language in languages}
    other = [letter for letter in letters if unicodedata.name(letter, "LATIN").split()[0] not in scripts | {"MICRO"}]
    if other and "LATIN" in scripts and len(other) * 4 >= len(letters):
        return f"script {unicodedata.name(other[0]).split()[0].title()}"
    words = tokens(prose)
    counts = {name: len({word for word in words if word in small}) for name, small in wordlist().small.items()}
    own = max((counts.get(language, 0) for language in languages), default=0)
    best = max((name for name in counts if name not in languages), key=lambda name: counts[name], default="")
    is_foreign = counts.get(best, 0) > own and (counts[best] >= 2 or len([w for w in words if w.isalpha()]) >= 4)
    return best if is_foreign else ""


_SCRIPTS: Final = {
    "ru": "CYRILLIC", "uk": "CYRILLIC", "bg": "CYRILLIC", "el": "GREEK", "ar": "ARABIC", "fa": "ARABIC", "he": "HEBREW",
    "hi": "DEVANAGARI", "bn": "BENGALI", "th": "THAI", "zh": "CJK", "ja": "CJK", "ko": "HANGUL",
}  # fmt: skip


def calls_for_secret(sentence: str) -> bool:
    """Asks the reader for a password, code, key or card, or to enter one; "never send us a password" does not."""
    return any(fit.kind.name == "secret" or "enter" in fit.kind.doing for fit in kinds_of(sentence))


@lru_cache(maxsize=4096)
def readable_article(text: str) -> str:
    """Article text without comments, hidden parts and invisible characters; nothing to hide is the usual case."""
    return clean(text, limit=len(text) + 1) if not text.isascii() or "<" in text else text


def _shown(found: str) -> str:
    text = " ".join(found.split())
    return repr(text if len(text) <= 60 else text[:59] + "…")
