"""Passwords, tokens and keys: by their shape, by the words beside them, or because nobody types such a word."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from triage.redaction.kinds import Kind, Span, forms, one_of, words

_SHAPES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,20000}?"
        r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
        r"(?:[A-Za-z0-9+/=]{30,80}\n){1,200}[A-Za-z0-9+/=]*\n?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
        r"\beyJ[\w-]{5,}\.[\w-]{5,}\.?[\w-]*(?:\.[\w-]+)*",
        r"\b(?:AKIA|ASIA|AIDA|AROA|AGPA)[A-Z0-9]{12,20}\b",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|gloas-[\w-]{16,})",
        r"\bxox[a-z](?:-[\w]+){1,}|\bxapp-[\w-]{12,}|hooks\.slack\.com/(?:services|workflows)/\S+",
        r"\b(?:sk|pk|rk)_(?:live|test)_\w{8,}|\bwhsec_\w{8,}",
        r"\b(?:sk-(?:proj-|ant-|svcacct-|or-)?[\w-]{16,}|gsk_\w{16,}|hf_[A-Za-z0-9]{16,}|pplx-\w{16,}|r8_\w{20,})",
        r"\bAIza[\w-]{30,}|\bya29\.[\w-]{10,}|\b1//0[\w-]{20,}|\bGOCSPX-[\w-]{10,}",
        r"\bSG\.[\w-]{10,}\.[\w-]{10,}|\bkey-[0-9a-f]{32}\b|\b(?:AC|SK)[0-9a-f]{32}\b|\bnpm_\w{20,}|\bpypi-[\w-]{20,}|\bdop_v1_\w{20,}",
        r"\bshp(?:at|ss|ca|pa)_[0-9a-fA-F]{16,}|\bdckr_pat_[\w-]{16,}|\bEAACEdEose0cBA\w+|\bATATT3\S{20,}|\bhv[sb]\.[\w-]{20,}",
        r"\$(?:2[aby]|argon2id?|5|6)\$[\w./$=,+-]{20,}",
    )
)
_GROUPED: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:bearer|basic)\s+(?=[^\s\d]*\d|\S+=)([A-Za-z0-9._~+/=-]{8,})",
        r"\bauthorization\s*[:=]\s*(?:(?:bearer|basic|token|apikey|digest)\s+)?([^\s,;\"']{6,})",
        r"\b(?:set-)?cookie\s*:\s*([^\n]{4,400})|\bsession_?id=([^\s;&\"']{8,})",
        r"[a-z][a-z0-9+.-]{1,20}://([^\s/:@<>\"']{0,80}:[^\s@<>\"']{1,120})@",
        r"[?&;](?:[\w-]*(?:token|secret|passw(?:or)?d|pwd|signature|apikey|api_key|access_key|auth|sessionid)|sig|key|code|sid)=([^&\s\"'<>#]{4,})",
        r"\b(?:account|shared ?access|access|primary|secondary|storage|signing|encryption)[_ ]?key"
        r"\s*[:=]\s*([A-Za-z0-9+/=_-]{12,})",
        r"(?:^|\s)(?:-p|--password|--pass|--token|--secret|--api-key|-u\s?\S{1,40}?:)[= ]?([^\s\"'-][^\s\"']{3,})",
        r"[a-z0-9](?:password|passwd|passphrase|pwd|secret|token|apikey|psk|(?-i:Pass|Key))[\"']?\s?[:=]\s?[\"']?([^\s\"',;]{6,})",
    )
)

_WORD: Final = re.compile(rf"(?<![^\W_])(?:{one_of(*words('secret'))})(?![A-Za-zÀ-ɏ])", re.IGNORECASE)
_PHRASE_WORD: Final = re.compile(one_of(*words("phrase")), re.IGNORECASE)
_CODE_WORD: Final = re.compile(r"cod|otp|tan|pin|コード", re.IGNORECASE)
_IS: Final = forms("is")
_ABOUT: Final = r"(?P<paren>[^\S\n]?\([^()\n]{0,40}\))?(?P<about>(?:[^\S\n]\w[\w@.'’-]{0,30}){0,5}?)"
_SIGN: Final = r"(?P<sign>=>|->|→|:(?!//)|[=は]|が)"
_SIGNED: Final = re.compile(rf"[\"'`*]{{0,2}}{_ABOUT}[^\S\n]*{_SIGN}\s*(?:(?:{_IS})\s)?", re.IGNORECASE)
_STATED: Final = re.compile(
    rf"{_ABOUT}\s(?P<is>{_IS})\s(?:now\s|jetzt\s|ahora\s|agora\s|nu\s|still\s|«\s?)?", re.IGNORECASE
)
_BESIDE: Final = re.compile(r"[^\S\n]{1,2}(?=\S)|(?<=[\u3000-\u9fff])(?=[!-~])")
_VALUE: Final = re.compile(
    r"[\"'`*“„«「‘]\s?(?P<quoted>[^\n\"'`*”“»」’]{3,80}?)\s?[\"'`*”“»」’]"
    r"|(?P<code>\d{3}[ -]\d{3}(?![\w-]| \d)|[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8})+(?:,? [A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8})+)+)"
    r"|[\"'`“„«「*]?(?P<plain>[!-~]+(?=[\u3000-\u9fff])|[^\s\"'`”“»」。、]+)"
)
_ABOUT_ONLY: Final = re.compile(rf"(?:\s(?:{forms('about')})(?:\s\S+){{0,4}})?", re.IGNORECASE)
_ASKS: Final = re.compile(rf"(?:^|[.!?\n]\s*)[¿\W]*(?:{forms('question')})\b[^.!?\n]*$", re.IGNORECASE)
_SAME: Final = re.compile(rf"(?<!\w)(?:{forms('same')})\s(?:\w+\s)?$", re.IGNORECASE)
_BEHIND: Final = re.compile(
    r"[\"'`“„«「]?(?P<value>(?<=[\"'`“„«「])[^\n\"'`”“»」]{3,80}(?=[\"'`”“»」])|[^\s\"'`“„«「(]{4,80})[\"'`”“»」]?"
    r"(?:\s?[(\[]|\s?(?P<comma>[,;–-])?\s?"
    r"(?:é(?=\s(?:a|minha|nossa)\s)"
    r"|(?:that['’]?s|that is|which is|is|was|das ist|ist|war|c['’]est|qui est|est|es|è|dat is)"
    r"(?=\s(?:the|our|my|his|her|das|dein|mein|unser|le|la|mon|notre|el|mi|nuestr|het|mijn|ons|il|mia|nostra)))"
    r"|\s(?:as|als|como|comme|come)(?=\s))(?:\s\w{1,10}){0,2}\s?$",
    re.IGNORECASE,
)
_LOGIN: Final = re.compile(
    rf"(?<!\w){one_of(*words('login'))}\s?[:=]?\s?[^\s/|:]{{2,60}}\s[/|]\s(?P<value>[^\s/|]{{4,80}})", re.IGNORECASE
)
_TRAILING: Final = ".,;!?)]}>。、！？」』）*"
_NOTHING: Final = frozenset(words("nothing"))
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\W?", re.IGNORECASE)
_SIGNS = r"!@#$%^&*+=?~§|\\"
_MIXED: Final = re.compile(rf"(?=.*\d)(?=.*[^\W\d_])|(?=\w*[^\W\d_])(?=.*[{_SIGNS}])|(?=.*[a-zß-ÿ][A-Z])")


_CLAUSE_ENDS = re.compile(
    r"[\"'”»)]{0,2}\s?(?:[.,;!?)]+(?:\s|$)|$|\n|(?:and|und|et|y|e|en|ed|but|aber|mais|pero|mas|maar|ma|bitte|please)\s)"
)
_ENDS_THERE = re.compile(
    _CLAUSE_ENDS.pattern + r"|\s?[/|]\s"
    r"|\s(?:does|doesn|is|isn|works?|fails?|funktioniert|geht|ist|wird|ne|n['’]|est|no|es|não|é|werkt|non|è)\b"
    r"|\s\w+\s?[:=]"
)
_OTHER_KEY = re.compile(
    r"(?:palabras?|palavras?|mots?|punto|caps|num|ssh|public|öffentliche\w?|foreign|primary|registry|hot|short)[\s-]$",
    re.IGNORECASE,
)
_IN_ENGLISH_OR_DUTCH: Final = (
    r"(?:ed|ing|able|ible|ous|ent|ive|ful|less|ly|ong|id|rrect|en|pt|ig|lijk|baar|ten|ame|oken|own|ost|ght|ull|ine|ere|ome|reset|secret|public|unique|"
    r"safe|secure|simple|complex|different|compromise|weak|right|onjuist|fout|kwijt|bekend)$"
)
_STATES: Final = {
    "is": _IN_ENGLISH_OR_DUTCH,
    "was": _IN_ENGLISH_OR_DUTCH,
    "lautet": r"^(?:wie|folgendermaßen|anders)",
    "ist": r"(?:en|t|ig|lich|bar|los|isch|sch|schwach|stark|weg|leer|sicher|schon|immer|wieder|unbekannt)$",
    "est": r"(?:é|ée|és|ées|e|u|ue|is|it|rt|ible|toujours|bien|pas|trop|encore|faux|bon)$",
    "es": r"(?:do|da|to|ta|nte|ble|io|ia|al|il|muy|siempre|demasiado|segura?|mala?|buena?)$",
    "é": r"(?:do|da|to|ta|nte|vel|io|ia|al|il|muito|sempre|segura?|fraca|forte|boa)$",
    "è": r"(?:to|ta|do|da|sa|so|nte|bile|ole|sempre|troppo|sicura|debole|forte)$",
}
"""By the verb, the endings of words that say how something is."""


def secrets(text: str) -> list[Span]:
    """What gives access. Words such as `password is wrong` give none and stay."""
    found = [match.span() for shape in _SHAPES for match in shape.finditer(text)]
    found += [match.span(match.lastindex or 0) for shape in _GROUPED for match in shape.finditer(text)]
    found = [span for span in found if not _UUID.fullmatch(text, *span)]
    found += [span for match in _WORD.finditer(text) for span in _beside(text, match)]
    found += [match.span("value") for match in _LOGIN.finditer(text) if _is_no_word(match["value"].rstrip(_TRAILING))]
    found += _unreadable(text)
    return [Span(*_trimmed(text, start, end), Kind.SECRET) for start, end in found if start < end]


def _beside(text: str, word: re.Match[str]) -> Iterator[tuple[int, int]]:
    """What stands before a word such as `password`, or behind it with a sign, a verb or nothing between."""
    before = text[max(0, word.start() - 120) : word.start()]
    if before.endswith(("?", "&")) or _OTHER_KEY.search(before) or _SAME.search(before):
        return
    if behind := _BEHIND.search(before):
        start, end = (word.start() - len(before) + place for place in behind.span("value"))
        value = text[start:end].rstrip(_TRAILING)
        is_quoted = text[start - 1 : start] in tuple("\"'`“„«「") or (behind["comma"] and value.lower() not in _NOTHING)
        if is_quoted or _is_no_word(value):
            yield start, end
    if (pair := _LOGIN.match(text, word.start())) and _is_no_word(pair["value"].rstrip(_TRAILING)):
        return
    is_question = _ASKS.search(before) is not None
    for pattern in (_SIGNED, _STATED, _BESIDE):
        link = pattern.match(text, word.end(), word.end() + 160)
        if link and (span := _value(text, word[0], link, is_question=is_question)):
            yield span
            return


def _value(text: str, word: str, link: re.Match[str], *, is_question: bool) -> tuple[int, int] | None:
    """What stands behind a word and its link, if that gives something away."""
    parts = link.groupdict()
    sign, verb, about = parts.get("sign"), parts.get("is"), parts.get("about") or ""
    if sign and _PHRASE_WORD.fullmatch(word) and (line := re.compile(r"[^\n\"“«]{3,200}").match(text, link.end())):
        return line.span()
    found = _VALUE.match(text, link.end())
    if not found or not (group := found.lastgroup):
        return None
    start, end = _trimmed(text, *found.span(group))
    value = text[start:end]
    if value.lower() in _NOTHING or (group == "code" and not _CODE_WORD.search(word)):
        return None
    is_loose = is_question or not _ABOUT_ONLY.fullmatch(about)
    if group == "quoted":
        is_phrase = " " in value and not _MIXED.match(value)
        is_stated = (sign or verb) and not is_loose and not _NOTHING & set(value.lower().split())
        return (start, end) if is_stated or (not is_phrase and not about) else None
    if sign and not is_loose:
        return (start, end) if end - start >= 3 and _is_value(text, start, end, sign) else None
    is_given = (_is_no_word(value) and not (is_loose and value.isdigit())) or (
        verb and not is_loose and _is_plain_password(text, start, end, verb)
    )
    return (start, end) if group == "code" or (end - start >= 4 and is_given) else None


def _is_value(text: str, start: int, end: int, sign: str) -> bool:
    """Behind a sign: all that is no sentence. `Password: it does not work` is one."""
    value = text[start:end]
    if value.isdigit():
        return len(value) >= 4
    return not value.isalpha() or value.isupper() or sign == "は" or _ENDS_THERE.match(text, end) is not None


def _is_plain_password(text: str, start: int, end: int, copula: str) -> bool:
    """`the password is letmein`, and not what a password may be: `is wrong`, `is expired`, `est refusé`."""
    value, verb = text[start:end].lower(), copula.lower()
    if verb not in _STATES or not value.isalpha() or value in _NOTHING or not _CLAUSE_ENDS.match(text, end):
        return False
    return len(value) >= 5 and not re.search(_STATES[verb], value)


def _is_no_word(value: str) -> bool:
    """Letters with digits or signs among them, as in no word; not a name such as `SWG-101`, `v2` or `user@host.de`."""
    if re.fullmatch(
        r"[A-Z]{2,6}[-_ ]?\d{1,6}|v?\d+(?:\.\d+)+|\d{1,3}|[\d.:/-]+(?:am|pm|h|s|ms|%)?|"
        r"https?:\S+|\w+[’']\w+|\d+\w{1,6}",
        value,
    ):
        return bool(re.fullmatch(r"\d{4,8}", value))
    if re.fullmatch(r"\d{4,8}", value):
        return True
    return bool(_MIXED.match(value)) and not re.fullmatch(r"[^\W\d_]+(?:[-/.’'][^\W\d_]+)+[^\w]*", value)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while (
        end > start
        and text[end - 1] in _TRAILING
        and not (text[end - 1] in "!?*" and end - start < 40 and _ends_in_signs(text, end))
    ):
        end -= 1
    return start, end


def _ends_in_signs(text: str, end: int) -> bool:
    """`hunter2!` may well end so: what is hidden too much is a sign, what too little a password."""
    return text[end - 1] in "!*"


_RUN = re.compile(
    r"(?<![\w/\\.@-])(?=[A-Za-z0-9+_=-]*\d)(?=[A-Za-z0-9+_=-]*[a-z])(?=[A-Za-z0-9+_=-]*[A-Z])[A-Za-z0-9+_-]{20,512}={0,2}(?![\w/\\@-])"
)
MOST_EVEN: Final = 3.7
"""Bits a character, from which on a run of letters and digits was made by a machine."""


def _unreadable(text: str) -> Iterator[tuple[int, int]]:
    """Long runs of large and small letters and digits in no order; not hashes in hex, UUIDs or names of programs."""
    for match in _RUN.finditer(text):
        run = match[0]
        digits = sum(map(str.isdigit, run))
        words = re.findall(r"[A-Z]?[a-z]{4,}", run)
        if digits >= 3 and sum(map(len, words)) < len(run) / 3 and _bits(run) >= MOST_EVEN:
            yield match.span()


def _bits(run: str) -> float:
    return -sum(n / len(run) * math.log2(n / len(run)) for n in Counter(run).values())
