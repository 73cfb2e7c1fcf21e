"""E-mail addresses, also those spelled out, and phone numbers as people write them."""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

from triage.redaction.kinds import Kind, Span, one_of

_EASTERN = "\\u3040-\\u30ff\\u3400-\\u9fff"
"""Scripts without spaces: an address in Latin letters begins and ends in the middle of a sentence."""
_LOCAL = (
    r"(?:\"[^\"\s@](?:[^\"\n@]{0,62}[^\"\s@])?\""
    rf"|[^\W{_EASTERN}](?:[^\W{_EASTERN}]|[.!#$%&'*+/=?^`{{|}}~-]){{0,63}}|[{_EASTERN}]{{1,20}})"
)
_LABEL = rf"(?:[^\W_{_EASTERN}](?:(?:[^\W{_EASTERN}]|-){{0,61}}[^\W_{_EASTERN}])?|[{_EASTERN}]{{1,20}})"
_DOMAIN = rf"(?:{_LABEL}\.){{1,8}}(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_{_EASTERN}]{{2,24}}|[{_EASTERN}]{{2,4}})"
_PLAIN = re.compile(rf"{_LOCAL}[@＠](?:{_DOMAIN}|\[[0-9a-fA-F.:]{{3,45}}\])(?![^\W{_EASTERN}]|@)")
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
_KEY = re.compile(r"[A-Za-z_]{2,16}=(?!.*=)")
_IN_A_URL = re.compile(r"://[^\s/@]{0,200}$")
_OF_A_REPOSITORY = re.compile(r"git@[\w.-]+(?=[:/])")


def emails(text: str) -> list[Span]:
    """Also with a quoted local part, in any script, and spelled out: `ana at example dot com`."""
    spelled = _SPELLED.finditer(text)
    found = [match.span() for match in _PLAIN.finditer(text)] if "@" in text or "＠" in text else []
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
    r"(?<![A-Za-z0-9_À-ɏ.,:/#+-])(?:\+|＋|00(?=\s?[1-9]))?[(\[]?"
    r"\d(?:[ \xa0\t().\[\]/‐‑–-]{0,3}\d){5,17}(?![A-Za-z0-9_À-ɏ])"
)
_ANNOUNCED = re.compile(
    r"(?<![^\W\d_])"
    + one_of(
        "phone", "telephone", "mobile", "cell", "call", "dial", "reach", "ring", "text me", "fax", "whatsapp",
        "sms", "tel",
        "telefon", "handy", "mobil", "mobilnummer", "rufnummer", "durchwahl", "anruf", "anrufen", "rückruf",
        "erreichbar",
        "erreichen", "rufen", "téléphone", "portable", "appeler", "appelez", "joindre", "joignable", "rappeler",
        "rappelez",
        "teléfono", "telefono", "móvil", "movil", "celular", "llamar", "llame", "llámeme", "llámame", "localizar",
        "telefone", "telemóvel", "telemovel", "ligar", "ligue", "contato", "contacto", "telefoonnummer", "telefoon",
        "mobiel", "bellen", "bel", "bereikbaar", "cellulare", "chiamare", "chiamatemi", "chiamate", "recapito",
        "numero di telefono",
        "電話", "携帯", "内線", "連絡先", "電話番号", "ファックス",
    )
    + r"\w{0,4}[^\w\n]{0,4}(?:[^\d\n]{0,24})$",
    re.IGNORECASE,
)  # fmt: skip
_OTHERWISE = re.compile(
    r"(?:(?<![^\W\d_])"
    + one_of(
        "ticket", "case", "order", "invoice", "serial", "serial number", "s/n", "version", "build", "pid", "port",
        "id", "ref", "reference",
        "incident", "number of events", "rechnung", "rechnungsnummer", "bestellung", "bestellnummer",
        "kundennummer", "vorgang",
        "auftrag", "auftragsnummer", "seriennummer", "lizenz", "licence", "license", "facture", "commande",
        "dossier", "factura",
        "pedido", "caso", "fatura", "encomenda", "factuur", "bestelling", "ordine", "fattura", "pratica", "imei",
        "asset", "kb",
        "timestamp", "epoch", "hash", "policy", "device", "tenant", "sid",
        "チケット", "注文番号", "番号札", "受付番号", "シリアル",
    )
    + r"s?\b|#|№|nº|n°)[^\n\d]{0,14}$",
    re.IGNORECASE,
)  # fmt: skip
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
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .\xa0]\d{3})+")
_AMERICAN = re.compile(r"\(?[2-9]\d\d\)?[ .-]\s?\d{3}[ .-]\d{4}")


def phones(text: str, language: str | None = None) -> list[Span]:
    """International ones; national ones of the language's countries, if they are grouped as phone numbers are or a
    word before them says so. No dates, versions, IP addresses, amounts or numbers of tickets."""
    regions = tuple(dict.fromkeys((*REGIONS.get((language or "")[:2], ()), *ANY_REGION)))
    return [Span(*match.span(), Kind.PHONE) for match in _DIGITS.finditer(text) if _is_phone(text, match, regions)]


def _is_phone(text: str, match: re.Match[str], regions: tuple[str, ...]) -> bool:
    number, before = match[0], text[max(0, match.start() - 48) : match.start()]
    is_announced = _ANNOUNCED.search(before) is not None
    if _AMOUNT_BEHIND.match(text, match.end()) or _AMOUNT_BEFORE.search(before):
        return False
    if number[0] in "+＋" or (number.startswith("00") and _international(number)):
        return _international(number) is not None
    if _DATE.match(number) or _IP.fullmatch(number) or (_DOTTED.fullmatch(number) and not is_announced):
        return False
    if is_announced:
        return any(_possible(number, region) for region in regions)
    is_another = _OTHERWISE.search(before) or _THOUSANDS.fullmatch(number)
    return not is_another and (_AMERICAN.fullmatch(number) is not None or _is_national(number, regions))


def _is_national(number: str, regions: tuple[str, ...]) -> bool:
    """Grouped, with the zero or bracket that an area begins with, and one that is given out."""
    is_grouped = bool(re.search(r"\d[ ()./\xa0‐‑–-]+\d", number)) and number[0] in "(0"
    return is_grouped and any(_matches(number, region) for region in regions)


def _international(number: str) -> PhoneNumber | None:
    """Possible is enough: a number made up for an example belongs to nobody, and one with a typo to somebody."""
    try:
        found = phonenumbers.parse("+" + re.sub(r"^\D+|^00\s?", "", number.replace("＋", "+")), None)
    except NumberParseException:
        return None
    return found if phonenumbers.is_possible_number(found) else None


def _possible(number: str, region: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, region))
    except NumberParseException:
        return False


def _matches(number: str, region: str) -> bool:
    return phonenumbers.PhoneNumberMatcher(number, region, leniency=phonenumbers.Leniency.VALID).has_next()
