"""What a text names outright: error codes and product names, each pointing to one label."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from triage.calibrate import Floats
from triage.taxonomy import Taxonomy, words_of

_DASH = "\\-\u02d7\u058a\u05be\u1806\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\u30fc\ufe58\ufe63\uff0d"
_NUMBERED = re.compile(rf"[^\W\d_][\s{_DASH}_.#]{{0,6}}\d\d")
"""In every code, and in few texts."""
_CODE = re.compile(rf"(?<![\w-])(?:([A-Z]{{2,10}})[{_DASH}](\d{{2,5}})|([A-Z]{{3,10}})_?(\d{{3,5}}))(?![\w-])")
_TYPED = re.compile(rf"(?<![^\W_])([A-Z]{{2,10}})\s{{0,3}}[{_DASH}_.#]?\s{{0,3}}(\d{{2,5}})(?![^\W_])")
_COUNTED = r"(?:users?|people|persons?|laptops?|pcs?|devices?|machines?|sites?|seats?|licen[cs]es?|agents?|rules?|times"
_COUNTED += r"|benutzer|nutzer|lizenzen|utilisateurs?|usuarios?|utenti)"
"""What a number before it counts: `DLP 401 users` names no code."""


class _Typed(NamedTuple):
    """A code as somebody typed it: where it stands, in canonical writing, and the label that knows it, if one does."""

    start: int
    end: int
    code: str
    label: str | None


def error_codes(text: str, taxonomy: Taxonomy) -> dict[str, str]:
    """The taxonomy's codes in the text, in order and in canonical writing (ZTNA-301), with the label each belongs to.

    People type them with any dash, an underscore, spaces, a line break or nothing between prefix and number, in any
    case and width. A number that is none of a label's `codes`, or begins with 0, is no code.
    """
    return {found.code: found.label for found in _typed_codes(text, taxonomy) if found.label is not None}


def unknown_codes(text: str, taxonomy: Taxonomy) -> list[str]:
    """What is typed like a code of the taxonomy and is none, in order."""
    return list(dict.fromkeys(found.code for found in _typed_codes(text, taxonomy) if found.label is None))


def _typed_codes(text: str, taxonomy: Taxonomy) -> list[_Typed]:
    text = _plain(text)
    if not _NUMBERED.search(text):
        return []
    owners = {prefix: label for label, content in taxonomy.product.labels.items() for prefix in content.code_prefixes}
    found = _code_pattern(tuple(owners)).finditer(text) if owners else ()
    return [_typed(match, owners, taxonomy) for match in found]


def _typed(match: re.Match[str], owners: dict[str, str], taxonomy: Taxonomy) -> _Typed:
    prefix, number = match["prefix"].upper(), "".join(str(int(digit)) for digit in match["number"])
    label = owners[prefix]
    known = taxonomy.product.labels[label].codes
    is_known = not number.startswith("0") and len(number) > 1 and (not known or int(number) in known)
    return _Typed(match.start(), match.end(), f"{prefix}-{number}", label if is_known else None)


def _plain(text: str) -> str:
    """Letters and digits of full width as plain ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def product_names(text: str, taxonomy: Taxonomy) -> dict[str, str]:
    """Names and aliases of products in the text, with the label each belongs to."""
    text = _without(text, [found for found in _typed_codes(text, taxonomy) if found.label is None])
    words = words_of(text)
    return {
        alias: label
        for label, content in taxonomy.product.labels.items()
        for alias in content.aliases
        if words_of(alias) <= words and _word_pattern(alias).search(text)
    }


def _without(text: str, unknown: Sequence[_Typed]) -> str:
    """The prefix of a code that nobody knows names no product."""
    if not unknown:
        return text
    text = _plain(text)
    for found in reversed(unknown):
        text = text[: found.start] + " " + text[found.end :]
    return text


def codes_like(text: str) -> set[str]:
    """Whatever looks like an error code, written in one word or with any dash, in canonical writing; no taxonomy
    asked."""
    return {f"{a or b}-{one or other}" for a, one, b, other in _CODE.findall(_plain(text).upper())}


def codes_typed(text: str) -> set[str]:
    """Whatever may be meant as an error code, in canonical writing: to be compared with codes that there are, for it
    takes `SINCE 301`, too."""
    return {f"{prefix}-{number}" for prefix, number in _TYPED.findall(_plain(text).upper())}


def log_odds(text: str, taxonomy: Taxonomy) -> Floats:
    """What the named codes and names add to each label, once per label."""
    weights, labels = taxonomy.product.evidence, list(taxonomy.product.labels)
    added = np.zeros(len(labels))
    for label in set(product_names(text, taxonomy).values()):
        added[labels.index(label)] += weights.name
    for label in set(error_codes(text, taxonomy).values()):
        added[labels.index(label)] += weights.error_code
    return added


def names_code(text: str, code: str) -> bool:
    """Whether the text contains this code as a word, whatever its case."""
    return bool(_word_pattern(code).search(text))


def names_phrase(text: str, phrase: str) -> bool:
    """Whether the text contains the phrase as whole words, whatever its case and spacing."""
    return bool(_word_pattern(phrase).search(text))


@lru_cache(maxsize=4096)
def _word_pattern(words: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w-])" + r"\s+".join(map(re.escape, words.split())) + r"(?![\w-])", re.IGNORECASE)


@lru_cache(maxsize=16)
def _code_pattern(prefixes: tuple[str, ...]) -> re.Pattern[str]:
    """The longest prefix first: GENERAL is no GEN."""
    among = "|".join(map(re.escape, sorted(prefixes, key=len, reverse=True)))
    return re.compile(
        rf"(?<![^\W_])(?P<prefix>{among})(?:\s{{0,3}}[{_DASH}_.#]\s{{0,3}}|\s{{0,3}})(?P<number>\d{{2,6}})"
        rf"(?![^\W_]|[.,]\d)(?!\s+{_COUNTED}\b)(?<!\s(?:19|20)\d\d)",
        re.IGNORECASE,
    )
