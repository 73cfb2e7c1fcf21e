"""What a text names outright: error codes and product names, each pointing to one label."""

import re
from functools import lru_cache

import numpy as np

from triage.calibrate import Floats
from triage.taxonomy import Taxonomy, words_of

_NUMBERED = re.compile(r"-\d\d")
"""In every code, and in few texts."""
_CODE = re.compile(r"(?<![\w-])[A-Z]{2,10}-\d{2,5}(?![\w-])")


def error_codes(text: str, taxonomy: Taxonomy) -> dict[str, str]:
    """Codes such as ZTNA-301 in the text, in order, with the label each belongs to."""
    if not _NUMBERED.search(text):
        return {}
    owners = {prefix: label for label, content in taxonomy.product.labels.items() for prefix in content.code_prefixes}
    if not owners:
        return {}
    found = _code_pattern(tuple(owners)).finditer(text)
    return {match.group().upper(): owners[match.group(1).upper()] for match in found}


def product_names(text: str, taxonomy: Taxonomy) -> dict[str, str]:
    """Names and aliases of products in the text, with the label each belongs to."""
    words = words_of(text)
    return {
        alias: label
        for label, content in taxonomy.product.labels.items()
        for alias in content.aliases
        if words_of(alias) <= words and _word_pattern(alias).search(text)
    }


def codes_like(text: str) -> set[str]:
    """Whatever looks like an error code, in capitals; no taxonomy asked."""
    return set(_CODE.findall(text.upper()))


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
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, prefixes))})-\d{{2,5}}(?!\w)", re.IGNORECASE)
