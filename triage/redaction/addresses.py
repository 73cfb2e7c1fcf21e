"""E-mail addresses, also those spelled out, and phone numbers as people write them."""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

from triage.redaction.kinds import Kind, Span, one_of, words

_EASTERN = "\\u3040-\\u30ff\\u3400-\\u9fff"
"""Scripts without spaces: an address in Latin letters begins and ends in the middle of a sentence."""
_LOCAL = (
    r"(?:\"[^\"\s@](?:[^\"\n@]{0,62}[^\"\s@])?\""
    rf"|[^\W{_EASTERN}](?:[^\W{_EASTERN}]|[.!#$%&'*+/=?^`{{|}}~-]){{0,63}}|[{_EASTERN}]{{1,20}})"
)
_LABEL = rf"(?:[^\W_{_EASTERN}](?:(?:[^\W{_EASTERN}]|-){{0,61}}[^\W_{_EASTERN}])?|[{_EASTERN}]{{1,20}})"
_DOMAIN = rf"(?:{_LABEL}\.){{1,8}}(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_{_EASTERN}]{{2,24}}|[{_EASTERN}]{{2,4}})"
_PLAIN = re.compile(rf"{_LOCAL}@(?:{_DOMAIN}|\[[0-9a-fA-F.:]{{3,45}}\])(?![^\W{_EASTERN}]|@)")
_AT = one_of(
    "at",
    "ät",
    "arroba",
    "arobase",
    "chiocciola",
    "apenstaartje",
    "apestaartje",
    "klammeraffe",
    "アット",
    "アットマーク",
)
_DOT = one_of("dot", "punkt", "point", "punto", "ponto", "punt", "ドット")
_WORDY_AT = rf"(?:\s?[(\[{{<«]\s?(?:{_AT}|@)\s?[)\]}}>»]\s?)"
_WORDY_DOT = rf"(?:\s?[(\[{{<«]\s?(?:{_DOT}|\.)\s?[)\]}}>»]\s?|\s{_DOT}\s)"
_WORD = r"[^\W_][\w+-]{0,40}"
_SPELLED_LOCAL = rf"{_WORD}(?:(?:\.|{_WORDY_DOT}){_WORD}){{0,3}}"
_BY_LANGUAGE = (
    ("at", "dot"),
    ("at|ät|klammeraffe", "punkt"),
    ("arroba", "punto|ponto"),
    ("arobase", "point"),
    ("chiocciola", "punto"),
    ("apenstaartje", "punt"),
)
"""What stands for @ and for the dot, by language: `at` and `point` together are two English words."""
_ALOUD = "|".join(
    rf"{_SPELLED_LOCAL}\s(?:{at})\s{_WORD}(?:\.{_WORD})?(?:\s(?:{dot})\s{_WORD}){{1,4}}" for at, dot in _BY_LANGUAGE
)
_SPELLED = re.compile(
    rf"(?<![\w.])(?:{_SPELLED_LOCAL}{_WORDY_AT}{_WORD}(?:(?:\.|{_WORDY_DOT}){_WORD}){{1,4}}"
    rf"|{_SPELLED_LOCAL}@{_WORD}(?:{_WORDY_DOT}{_WORD}){{1,4}}|{_ALOUD}"
    rf"|{_SPELLED_LOCAL}\s(?:arroba|chiocciola|arobase|apenstaartje)\s{_WORD}(?:\.{_WORD}){{1,4}})(?!\w)",
    re.IGNORECASE,
)
_SPELLED_BY = re.compile(rf"{_DOT}|[(\[{{<«]|arroba|chiocciola|arobase|apenstaartje", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z_]{2,16}=(?!.*=)")
_IN_A_URL = re.compile(r"://[^\s/@]{0,200}$")
_OF_A_REPOSITORY = re.compile(r"git@[\w.-]+(?=[:/])")


def emails(text: str) -> list[Span]:
    """Also with a quoted local part, in any script, and spelled out: `ana at example dot com`."""
    spelled = _SPELLED.finditer(text) if _SPELLED_BY.search(text) else ()
    found = [match.span() for match in _PLAIN.finditer(text)] if "@" in text else []
    found = [(key.end() if (key := _KEY.match(text, start, end)) else start, end) for start, end in found]
    plain = [
        span for span in found if not _OF_A_REPOSITORY.match(text, span[0]) and not _IN_A_URL.search(text, 0, span[0])
    ]
    return [Span(start, end, Kind.EMAIL) for start, end in (*plain, *(match.span() for match in spelled))]


# -- phone numbers -------------------------------------------------------------------------------------------------

REGIONS: Final = {
    "en": ("US", "GB", "IE", "AU", "IN"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH"),
    "es": ("ES", "MX", "AR", "CO"),
    "pt": ("BR", "PT"),
    "nl": ("NL", "BE"),
    "it": ("IT", "CH"),
    "ja": ("JP",),
    "pl": ("PL",),
}
"""By language, the countries whose numbers people write without the country."""
ANY_REGION: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PT", "BR", "JP")

_DIGITS = re.compile(
    r"(?<![A-Za-z0-9_À-ɏ.,/#+-])(?<!\d:)(?:\+|00(?=\s?[1-9]))?[(\[]?\d(?:[ \t().\[\]/-]{0,3}\d){5,17}"
    r"(?P<extension>,?\s?(?:ext\.?|extension|x|durchwahl|dw|poste|int\.|ramal|toestel)\s?\d{1,6})?(?![A-Za-z0-9_À-ɏ]|[-/][A-Za-z0-9])",
    re.IGNORECASE,
)
_SAYS: Final = re.compile(
    rf"(?<![^\W\d_])(?:(?P<phone>{one_of(*words('phone'))})\w{{0,4}}|(?P<other>{one_of(*words('no_phone'))})s?(?!\w))"
    r"|(?P<mark>#|№|nº|n°)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:[0-2]?\d|3[01])(?!\d)|(?:[0-2]?\d|3[01])[-./](?:[0-2]?\d|3[01])[-./](?:19|20)\d\d(?!\d)"
    r"|(?:[0-2]\d|3[01])([-./])(?:0[1-9]|1[0-2])\1\d\d(?![\d./-])"
)
_IP = re.compile(r"(?:(?:1?\d?\d|2[0-4]\d|25[0-5])\.){3}(?:1?\d?\d|2[0-4]\d|25[0-5])")
_DOTTED = re.compile(r"\d{1,5}(?:\.\d{1,5}){2,4}")
_AMOUNT_BEHIND = re.compile(
    r"\s?(?:[,.]\d|€|\$|£|¥|%|円|[kmgt]i?b\b|ms\b|eur\b|usd\b|gbp\b|euros?\b|bytes?\b|seconds?\b|events?\b|:\d)", re.I
)
_AMOUNT_BEFORE = re.compile(r"(?:[€$£¥]|\b(?:eur|usd|gbp|brl|r\$))\s?$", re.I)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .]\d{3})+")
_ITS_OWN_FORM = re.compile(r"(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]\s?[2-9]\d{2}[ .-]\d{4}|0\d(?:[ .-]\d\d){4}")
"""North American and French ones."""


def phones(text: str, language: str | None = None) -> list[Span]:
    """International ones; national ones of the language's countries, if they are grouped as phone numbers are or a
    word before them says so. No dates, versions, IP addresses, amounts or numbers of tickets."""
    regions = tuple(dict.fromkeys((*REGIONS.get((language or "")[:2], ()), *ANY_REGION)))
    return [Span(*match.span(), Kind.PHONE) for match in _DIGITS.finditer(text) if _is_phone(text, match, regions)]


def _is_phone(text: str, match: re.Match[str], regions: tuple[str, ...]) -> bool:
    start, end = match.start(), match.start("extension") if match["extension"] else match.end()
    number, before = text[start:end], text[max(0, start - 48) : start]
    kind = _word_for(before)
    if _AMOUNT_BEHIND.match(text, match.end()) or _AMOUNT_BEFORE.search(before):
        return False
    if number[0] == "+" or (number.startswith("00") and kind != "other" and _parsed(number, None)):
        return _parsed(number, None) is not None
    if _DATE.match(number.lstrip("([")) or _IP.fullmatch(number) or kind == "other":
        return False
    if kind == "phone":
        return any(_parsed(number, region) for region in regions)
    if _ITS_OWN_FORM.fullmatch(number):
        return True
    is_grouped = number[0] in "(0" and re.search(r"\d[ ()./-]+\d", number) and not _DOTTED.fullmatch(number)
    return bool(is_grouped) and not _THOUSANDS.fullmatch(number) and any(_is_given_out(number, r) for r in regions)


def _word_for(before: str) -> str | None:
    """What the last word before a number calls it: a `phone` or `other`; None without one that is near."""
    last = next(reversed(list(_SAYS.finditer(before))), None)
    near = last and re.fullmatch(r"[^\d\n]*", before[last.end() :])
    if not last or not near or len(before) - last.end() > (28 if last["phone"] else 14):
        return None
    return "phone" if last["phone"] else "other"


def _parsed(number: str, region: str | None) -> PhoneNumber | None:
    """Possible is enough: a number made up for an example belongs to nobody, and one with a typo to somebody."""
    plain = number if region else "+" + re.sub(r"^\D+|^00\s?", "", number)
    try:
        found = phonenumbers.parse(plain, region)
    except NumberParseException:
        return None
    return found if phonenumbers.is_possible_number(found) else None


def _is_given_out(number: str, region: str) -> bool:
    found = _parsed(number, region)
    return found is not None and phonenumbers.is_valid_number(found)
