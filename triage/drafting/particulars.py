"""What a sentence states outright: numbers with their units, addresses, codes, commands and names."""

import re
import unicodedata
from typing import Final, NamedTuple

from triage.drafting.contacts import BANK

_COUNTED: Final = "two three four five six seven eight nine ten eleven twelve"
NUMBER_WORDS: Final = {word: str(number) for number, word in enumerate(_COUNTED.split(), start=2)} | {
    "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "hundred": "100"
}  # fmt: skip
UNITS: Final = {
    unit: names[0]
    for names in (
        ("ms", "millisecond", "milliseconds"),
        ("s", "sec", "second", "seconds"),
        ("min", "mins", "minute", "minutes"),
        ("h", "hour", "hours"),
        ("day", "days"),
        ("week", "weeks"),
        ("month", "months"),
        ("year", "years"),
        ("kb", "kib"),
        ("mb", "mib", "megabytes"),
        ("gb", "gib", "gigabytes"),
        ("tb", "tib"),
        ("%", "percent", "per cent"),
        ("eur", "euro", "euros", "€"),
        ("usd", "dollar", "dollars", "$"),
    )
    for unit in names
}
LINK: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"'”`)\]]+", re.IGNORECASE)
SCRIPT: Final = re.compile(r"\b(?:javascript|vbscript|mailto|tel|sms|ms-msdt)\s*:\s*\S|\bdata:\w+[/;,]", re.IGNORECASE)
MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_MEASURED = re.compile(r"(\d+(?:[.,:]\d+)*)[\s-]?(%|€|\$|[A-Za-z]+)")
_COMMAND = re.compile(r"`([^`\n]+)`")
_HOST = re.compile(r"(?<![\w@-])(?:[\w*-]+\.)+[A-Za-z]{2,24}\b")
_CODED = re.compile(r"\b[A-Za-z]{1,10}[-_]?\d[\w-]*|\b\w+_\w+\b|(?<!\w)--?[a-z][\w-]+")
_NAME = re.compile(r"(?<![\w])[^\W\d_a-z][\w'’-]*")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_START = re.compile(r"^[\s\"“«(*]*")


class Particulars(NamedTuple):
    """All in one writing: NFKC, lower case, numbers without thousands separators."""

    numbers: frozenset[str]
    measures: frozenset[tuple[str, str]]
    addresses: frozenset[str]
    codes: frozenset[str]
    commands: frozenset[str]
    names: frozenset[str]


def particulars_of(sentence: str) -> Particulars:
    """The first word of a sentence counts as a name only if it is written like no other word (ACME, iPhone, a mixed
    alphabet): a capital says nothing there."""
    text = folded(sentence)
    small = text.lower()
    return Particulars(
        numbers_in(text),
        measures_in(text),
        frozenset(_bare(found) for pattern in (LINK, MAIL, SCRIPT, _HOST, BANK) for found in pattern.findall(small)),
        frozenset(_CODED.findall(small)),
        frozenset(" ".join(command.split()) for command in _COMMAND.findall(text)),
        frozenset(word.lower().split("'")[0] for word in names_in(text)),
    )


def numbers_in(text: str) -> frozenset[str]:
    """Digits of any script and number words, as digits."""
    words = (NUMBER_WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in NUMBER_WORDS)
    return frozenset([*map(_plain_number, _NUMBER.findall(text)), *words])


def measures_in(text: str) -> frozenset[tuple[str, str]]:
    """Numbers with a unit of time, size or money."""
    found = ((_plain_number(number), UNITS.get(unit.lower())) for number, unit in _MEASURED.findall(_spelled_out(text)))
    return frozenset((number, unit) for number, unit in found if unit is not None)


def names_in(text: str) -> list[str]:
    prose = _COMMAND.sub(" ", text)
    start = _START.match(prose)
    first = start.end() if start else 0
    named = [found for found in _NAME.finditer(prose) if found.group()[0].isupper()]
    return [found.group() for found in named if found.start() > first or _is_odd(found.group())] + [
        word for word in _WORD.findall(prose) if is_mixed(word)
    ]


def is_mixed(word: str) -> bool:
    """Letters of more than one alphabet, as in a name that only looks like another."""
    alphabets = {unicodedata.name(letter, "?").split(" ")[0] for letter in word if letter.isalpha()}
    return len(alphabets & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}) > 1


def folded(text: str) -> str:
    """One writing for full-width, mathematical and other look-alike letters, quotes, dashes and digits."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("–", "-").replace("‑", "-")
    if text.isascii():
        return text
    return "".join(str(unicodedata.digit(c)) if not c.isascii() and c.isdigit() else c for c in text)


def _is_odd(word: str) -> bool:
    letters = [letter for letter in word if letter.isalpha()]
    return len(letters) > 1 and any(letter.isupper() for letter in letters[1:])


def _plain_number(number: str) -> str:
    return re.sub(r"(?<=\d)[.,](?=\d{3}(?!\d))", "", number) if number.count(".") < 2 else number


def _spelled_out(text: str) -> str:
    return re.sub(r"[A-Za-z]+", lambda word: NUMBER_WORDS.get(word.group().lower(), word.group()), text)


def _bare(address: str) -> str:
    return address.rstrip(".,;:!?)\"'").removeprefix("https://").removeprefix("http://")
