"""Numbers that name a person or an account: cards, IBAN, tax and social security numbers, by their check digits."""

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Final, NamedTuple

from stdnum import get_cc_module, iban, luhn
from stdnum.eu import vat

from triage.redaction.kinds import Kind, Span, one_of, tables, words

_BEFORE: Final = 48
"""Characters before a number in which a word may say what it is."""

_IBAN = re.compile(r"(?<![\w])[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]){11,30}(?![A-Za-z0-9])", re.IGNORECASE)
_IBAN_WORD = re.compile(r"\biban\b[^\n]{0,24}$", re.IGNORECASE)


def ibans(text: str) -> list[Span]:
    """Of words behind one, no more than belongs to it; with `IBAN` before it also one with a typo."""
    return [span for match in _IBAN.finditer(text) if (span := _iban(text, match))]


def _iban(text: str, match: re.Match[str]) -> Span | None:
    groups = list(re.finditer(r"[A-Za-z0-9]+", match[0]))
    for group in reversed(groups):
        if iban.is_valid(match[0][: group.end()]):
            return Span(match.start(), match.start() + group.end(), Kind.IBAN)
    if not _IBAN_WORD.search(text[max(0, match.start() - _BEFORE) : match.start()]):
        return None
    end = next((g.start() for g in groups[1:] if g[0].isalpha() and len(g[0]) != 4), len(match[0]))
    return Span(match.start(), match.start() + len(match[0][:end].rstrip()), Kind.IBAN)


_CARD = re.compile(r"(?<![A-Za-z0-9_.,+-])(?:\d[ -]{0,2}){12,18}\d(?![A-Za-z0-9_]|[.,]\d)")
_ISSUED = re.compile(r"4|5[1-5]|2[2-7]|3[0-9]|6[0-9]|50|5[6-8]")
_CARD_WORD = re.compile(rf"(?:{one_of(*words('card'))})[^\n\d]{{0,28}}$", re.IGNORECASE)
_NO_CARD = re.compile(rf"\b(?:{one_of(*words('no_card'))})\b[^\n\d]{{0,20}}$", re.IGNORECASE)
_CODE_BEHIND = re.compile(
    r"\b(?:cvv2?|cvc2?|cid|prüfziffer|kartenprüfnummer|cryptogramme)\b\W{0,3}(?:\w{2,8}\W{1,3})?(\d{3,4})\b", re.I
)


def cards(text: str) -> list[Span]:
    """Of a card's issuer and with its check digit; where the text calls it a card, also one with a typo. And what
    stands on its back."""
    found = [Span(*match.span(), Kind.CARD) for match in _CARD.finditer(text) if _is_card(text, match)]
    return found + [Span(*match.span(1), Kind.CARD) for match in _CODE_BEHIND.finditer(text)]


def _is_card(text: str, match: re.Match[str]) -> bool:
    digits, before = re.sub(r"\D", "", match[0]), text[max(0, match.start() - _BEFORE) : match.start()]
    if _CARD_WORD.search(before):
        return True
    return bool(
        luhn.is_valid(digits) and _ISSUED.match(digits) and not _NO_CARD.search(before) and len(set(digits)) > 1
    )


# -- tax, social security, passports -------------------------------------------------------------------------------


class Numbers(NamedTuple):
    """Numbers of one shape; the words before it with which any is one, with a typo too; and the check digits of those
    that nothing else looks like, which need no word."""

    shape: re.Pattern[str]
    words: frozenset[str]
    is_valid: Callable[[str], bool] | None


_EDGES: Final = r"(?<![A-Za-z0-9_À-ɏ.,/+-])(?:{})(?![A-Za-z0-9_À-ɏ/-]|[.,]\d)"


@cache
def _known() -> tuple[list[Numbers], re.Pattern[str]]:
    """Numbers by shape, and any of the words before one."""
    found = []
    for row in tables()["numbers"]:
        before, alone = row["words"].split(", "), row.get("alone")
        check = (lambda _: True) if alone == "any" else import_module(f"stdnum.{alone}").is_valid if alone else None
        shape = re.compile(_EDGES.format(row["shape"]), re.IGNORECASE)
        found.append(Numbers(shape, frozenset(map(_plain, before)), check))
    each = {word for row in tables()["numbers"] for word in row["words"].split(", ")}
    return found, re.compile(rf"(?<![A-Za-zÀ-ɏ])(?:{one_of(*each)})(?![A-Za-zÀ-ɏ])", re.IGNORECASE)


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).lower()


_VAT_WORD: Final = re.compile(rf"(?<![^\W_])(?:{one_of(*words('vat'))})(?![\w]*=\w)", re.IGNORECASE)
_MARKED_VAT: Final = re.compile(r"(?<!\w)[A-Z]{2,3}[ .-]?(?:[ .]?[A-Z0-9]){8,13}(?!\w)")
_BARE_VAT: Final = re.compile(
    _EDGES.format(r"(?:[A-Z]{2,3}[ -]?)?[A-Z]?\d(?:[ .-]?[A-Z]?\d){6,12}(?: ?(?:MWST|TVA|IVA|MVA)|[A-Z]{1,2})?")
)
_TAXED_BY: Final = (
    "GB", "CH", "NO", "ES", "IE", "US", "BR", "JP", "AU", "IN", "MX", "AR", "CO", "PT", "IT", "NL", "BE", "DE", "FR",
    "AT", "PL", "SE", "DK", "FI",
)  # fmt: skip


def ids(text: str) -> list[Span]:
    """By check digits (`python-stdnum`); what looks like any other number only behind a word that says what it is."""
    if sum(map(str.isdigit, text)) < 5:
        return []
    found = [match.span() for match in _MARKED_VAT.finditer(text) if _is_vat(match[0])]
    known, word = _known()
    for numbers in known:
        if numbers.is_valid:
            found += [match.span() for match in numbers.shape.finditer(text) if numbers.is_valid(match[0])]
    for before in word.finditer(text):
        for numbers in known:
            if _plain(before[0]) in numbers.words and (match := _behind(text, before, numbers.shape)):
                found.append(match.span())
    for before in _VAT_WORD.finditer(text):
        if (match := _behind(text, before, _BARE_VAT)) and _is_taxed(match[0]):
            found.append(match.span())
    return [Span(start, end, Kind.ID) for start, end in found]


def _behind(text: str, word: re.Match[str], shape: re.Pattern[str]) -> re.Match[str] | None:
    """A number of a shape near behind a word, with no other number between them."""
    match = shape.search(text, word.end(), word.end() + _BEFORE + 24)
    between = text[word.end() : match.start()] if match else ""
    is_near = len(between) <= 28 and not re.search(r"[\d\n]", between)
    return match if match and is_near and re.search(r"\d", match[0]) else None


def _is_vat(number: str) -> bool:
    """With its country's letters before it."""
    if sum(map(str.isdigit, number)) < 7:
        return False
    return bool(vat.is_valid(number)) or (number[:2] in ("GB", "CH", "XI") and _is_of(number[:2], number))


def _is_taxed(number: str) -> bool:
    return _is_vat(number) or any(_is_of(country, number) for country in _TAXED_BY)


def _is_of(country: str, number: str) -> bool:
    return any(rule(number) for rule in _rules_of("GB" if country == "XI" else country))


@cache
def _rules_of(country: str) -> list[Callable[[str], bool]]:
    found = (get_cc_module(country.lower(), kind) for kind in ("vat", "tin", "uid"))
    return [module.is_valid for module in found if module]
