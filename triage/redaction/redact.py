"""Hiding what is personal or secret behind placeholders such as [EMAIL_1], and putting it back."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from triage.redaction.addresses import emails, phones
from triage.redaction.credentials import secrets
from triage.redaction.kinds import Kind, Span, apart, merged
from triage.redaction.names import NOBODY, Names
from triage.redaction.numbers import cards, ibans, ids

PLACEHOLDER: Final = re.compile(rf"\[(?:{'|'.join(Kind)})_[0-9]+\]")
_LOOKALIKE: Final = re.compile(rf"\[\s*(?:{'|'.join(Kind)})[\s_-]*\d+\s*\]", re.IGNORECASE)
SHORTEST_PERSONAL: Final = 3


class _Narrow(dict[int, int]):
    """A letter or digit in full width, a space or a hyphen of any kind: what is typed for it at its own place."""

    def __missing__(self, code: int) -> int:
        plain = unicodedata.normalize("NFKC", chr(code))
        self[code] = ord("-") if code in _HYPHENS else ord(plain) if len(plain) == 1 and plain.isascii() else code
        return self[code]


_HYPHENS: Final = frozenset(map(ord, "‐‑‒–−﹣－"))
_NARROW: Final = _Narrow()


class Redacted(NamedTuple):
    """A text with placeholders, the value behind each that is in it, and how often each kind was hidden.

    A text that already had something like a placeholder in it has a `MARK` there, which is not counted: each
    placeholder in `text` is ours.
    """

    text: str
    placeholders: Mapping[str, str]
    counts: Counter[str]


class Numbering:
    """The placeholders of one prompt: the same value has the same one in all its texts."""

    def __init__(self) -> None:
        self._given: dict[tuple[Kind, str], str] = {}
        self._last: Counter[Kind] = Counter()

    def placeholder(self, kind: Kind, value: str) -> str:
        if (kind, value) not in self._given:
            self._last[kind] += 1
            self._given[kind, value] = f"[{kind}_{self._last[kind]}]"
        return self._given[kind, value]


def redact(
    text: str,
    names: Names = NOBODY,
    personal: Collection[str] = (),
    *,
    language: str | None = None,
    numbering: Numbering | None = None,
) -> Redacted:
    """The text without the values that `found_in` finds; with a `numbering`, one text of a prompt of several."""
    return hidden(text, found_in(text, names, personal, language=language), numbering or Numbering())


def found_in(
    text: str, names: Names = NOBODY, personal: Collection[str] = (), *, language: str | None = None
) -> list[Span]:
    """What is to be hidden in a text, in order and apart. `personal` are values of fields that are marked as personal,
    `language` (ISO 639-1) says whose phone numbers may be written without a country."""
    text = text.translate(_NARROW)
    sure = [*secrets(text), *emails(text), *ibans(text), *cards(text), *ids(text), *_personal(text, personal)]
    return merged([*_lookalikes(text), *sure, *phones(text, language), *names.find(text)])


def found_in_article(text: str, names: Names, listed: Collection[str]) -> list[Span]:
    """The people and companies that the desk knows, and each e-mail address and phone number that is not `listed`."""
    text, mails = text.translate(_NARROW), {contact.casefold() for contact in listed if "@" in contact}
    numbers = tuple(_digits(contact) for contact in listed if "@" not in contact)
    found = [span for span in emails(text) if text[span.start : span.end].casefold() not in mails]
    found += [span for span in phones(text) if not (numbers and _digits(text[span.start : span.end]).endswith(numbers))]
    return merged([*_lookalikes(text), *found, *names.find(text)])


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number).removeprefix("00")


def _lookalikes(text: str) -> list[Span]:
    return [Span(*match.span(), Kind.MARK) for match in _LOOKALIKE.finditer(text)]


def hidden(text: str, spans: Iterable[Span], numbering: Numbering) -> Redacted:
    """The text with a placeholder for each of these spans."""
    pieces, placeholders, counts = list[str](), dict[str, str](), Counter[str]()
    for piece, span in apart(text, list(spans)):
        if span is None:
            pieces.append(piece)
            continue
        placeholder = numbering.placeholder(span.kind, piece)
        pieces.append(placeholder)
        placeholders[placeholder] = piece
        if span.kind is not Kind.MARK:
            counts[span.kind.value] += 1
    return Redacted("".join(pieces), placeholders, counts)


def restore(text: str, placeholders: Mapping[str, str]) -> str:
    """The values in their places again, in one pass; a placeholder that is not among these stays as it is."""
    return PLACEHOLDER.sub(lambda match: placeholders.get(match[0], match[0]), text)


def _personal(text: str, values: Collection[str]) -> list[Span]:
    """Whole words, in any case; a single word of letters as it is written, for it may be a word as well."""
    given = sorted({v.strip() for v in values if len(v.strip()) >= SHORTEST_PERSONAL}, key=len, reverse=True)
    if not given:
        return []
    each = "|".join(re.escape(value) if value.isalpha() else f"(?i:{re.escape(value)})" for value in given)
    return [Span(*match.span(), Kind.PERSONAL) for match in re.finditer(rf"(?<!\w)(?:{each})(?!\w)", text)]
