"""Passwords, tokens and keys: by their shape, by the word before them, or because nobody types such a word."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from triage.redaction.kinds import Kind, Span, one_of

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
        r"\b(?:set-)?cookie\s*:\s*([^\n]{4,400})",
        r"[a-z][a-z0-9+.-]{1,20}://([^\s/:@<>\"']{0,80}:[^\s@<>\"']{1,120})@",
        r"[?&;](?:[\w-]*(?:token|secret|passw(?:or)?d|pwd|signature|apikey|api_key|access_key|auth|sessionid)|sig|key|code|sid)=([^&\s\"'<>#]{4,})",
        r"\b(?:account|shared ?access|access|primary|secondary|storage|signing|encryption)"
        r"[_ ]?key\s*[:=]\s*([A-Za-z0-9+/=_-]{12,})",
        r"(?:^|\s)(?:-p|--password|--pass|--token|--secret|--api-key|-u\s?\S{1,40}?:)[= ]?([^\s\"'-][^\s\"']{3,})",
        r"\b(?:pre-?shared key|psk|preshared secret|shared secret|radius secret)\b\W{0,4}"
        r"(?:is|ist|est|es|è|=|:)?\s*[\"'`“„«]?([^\s\"'`”“»]{4,})",
    )
)  # fmt: skip

_SECRET_WORD = one_of(
    "password", "passwords", "passwd", "passwort", "passwörter", "kennwort", "passcode", "passphrase",
    "pass phrase", "pwd", "pw", "psw",
    "mot de passe", "mots de passe", "mdp", "contraseña", "contrasena", "clave", "clave de acceso", "senha",
    "palavra passe", "palavra-passe",
    "wachtwoord", "wachtwoorden", "paswoord", "password temporanea", "parola d'ordine", "parola chiave", "pin",
    "pin code", "pincode", "puk",
    "token", "jeton", "ficha de acceso", "secret", "secret key", "client secret", "client_secret", "geheimnis",
    "api key", "api keys", "apikey",
    "api-schlüssel", "schlüssel", "zugangscode", "zugangsschlüssel", "zugangsdaten", "clé api", "clé d'api",
    "clé secrète", "clave api", "clave secreta",
    "chave api", "chave de api", "chave secreta", "chave da api", "api-sleutel", "sleutel", "chiave api",
    "chiave segreta", "access key", "secret access key", "private key",
    "license key", "recovery code", "recovery key", "backup code", "one time code", "one-time code", "otp",
    "otp code", "verification code", "security code",
    "login code", "mfa code", "2fa code", "tan", "einmalcode", "bestätigungscode", "sicherheitscode",
    "code de vérification", "code de sécurité", "código de verificación", "código de seguridad",
    "código de verificação", "verificatiecode", "codice di verifica", "credentials", "access token",
    "refresh token", "bearer token", "enrollment token", "enrolment token", "session id", "sessionid",
    "パスワード", "暗証番号", "トークン", "apiキー", "シークレット", "認証コード", "秘密鍵", "ピン",
)  # fmt: skip
_IS = (
    r"(?:is|was|are|ist|war|lautet|lautete|heißt|heisst|est|était|es|era|é|è|foi|sono|is nu|=|:|：|=>|->|→|は|が|"
    r"to|auf|zu|à|a|in|naar|como|als|as)"
)
_BETWEEN = (
    r"(?:[^\S\n]?\([^()\n]{0,40}\))?(?:[^\S\n](?:for|of|für|von|vom|zum|pour|de|du|del|da|do|di|per|van|voor|para|the|my|our|meine?[nrms]?|unser\w*|"
    r"le|la|mon|notre|el|mi|nuestr\w|o|minha|meu|nossa|het|mijn|onze|il|mio|currently|still|now|jetzt|aktuell|actuel|actual|atual|nu|"
    r"[\w@.-]{1,30})){0,4}?"
)
_STRONG = re.compile(
    rf"(?<![^\W_]){_SECRET_WORD}[\"'`*]{{0,2}}{_BETWEEN}[^\S\n]*(?P<sign>[:=：]|=>|->|→|は|が)\s*(?:(?:ist|is|est|es|é|è)\s)?[\"'`“„«「*]{{0,2}}(?P<value>[!-~]+(?=[\u3000-\u9fff])|[^\s\"'`”“»」。、]+)",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    rf"(?<![^\W_]){_SECRET_WORD}{_BETWEEN}\s*(?:{_IS}\s*)?(?<=[\s:=：はが])(?P<open>[\"'`“„«「‘])(?P<value>[^\n\"'`”“»」’]{{3,80}})[\"'`”“»」’]",
    re.IGNORECASE,
)
_WEAK = tuple(
    re.compile(
        rf"(?<![^\W_]){_SECRET_WORD}{between}(?:now\s|jetzt\s|ahora\s|agora\s|nu\s)?(?P<value>[^\s\"'`“„«]+)",
        re.IGNORECASE,
    )
    for between in (rf"\s(?P<is>{_IS})?(?(is)\s)", rf"{_BETWEEN}\s(?P<is>{_IS})\s")
)
_PHRASE_WORD = one_of(
    "passphrase", "pass phrase", "frase de contraseña", "phrase secrète", "recovery phrase", "seed phrase"
)
_PHRASE = re.compile(
    rf"(?<![^\W_]){_PHRASE_WORD}\s*[:=]\s*(?P<value>[^\n]{{3,200}})",
    re.I,
)
_TRAILING = ".,;!?)]}>。、！？」』）*"
_EMPTY = frozenset(
    # nothing is given away by these
    re.split(
        r"\s+",
        """n/a na none no nil null empty yes ok unknown forgotten expired reset changed wrong invalid incorrect required
missing blank set unset failed kein keine leer vergessen abgelaufen falsch unbekannt ungültig geändert aucun
aucune oublié expiré vide incorrecte inconnu olvidada caducada ninguna vacía incorrecta esquecida expirada
nenhuma vazia incorreta vergeten verlopen geen leeg onjuist scaduta dimenticata nessuna vuota errata the a an
der die das le la el o os il het de i we ich wir je nous yo eu ik io see siehe voir ver zie vedi not nicht pas
não non niet reset change login sync validation policy update rotation manager field length error issue problem
it's my that this there when cannot can does zurücksetzen ändern änderung fehler problem mein unser
réinitialisation changement erreur problème mon cambio restablecer problema mi redefinir meu minha wijzigen
probleem mijn reimpostare mio mia 無し なし 不明 期限切れ""",
    )
)
_MIXED = re.compile(r"(?=.*\d)(?=.*[^\W\d_])|(?=\w*[^\W\d_])(?=.*[!@#$%^&*+=?~§|\\])|(?=.*[a-zß-ÿ][A-Z])")


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
    found += [match.span(1) for shape in _GROUPED for match in shape.finditer(text)]
    found += [*_after_words(text), *_unreadable(text)]
    return [Span(start, end, Kind.SECRET) for start, end in found if start < end]


def _after_words(text: str) -> Iterator[tuple[int, int]]:
    for match in _STRONG.finditer(text):
        if text[max(0, match.start() - 1) : match.start()] in ("?", "&") or _OTHER_KEY.search(text, 0, match.start()):
            continue
        start, end = _trimmed(text, *match.span("value"))
        if end - start >= 3 and text[start:end].lower() not in _EMPTY and _is_value(text, start, end, match["sign"]):
            yield start, end
    for match in _QUOTED.finditer(text):
        if (
            match["value"].lower() not in _EMPTY
            and not _OTHER_KEY.search(text, 0, match.start())
            and (" " not in match["value"] or _MIXED.match(match["value"]))
        ):
            yield match.span("value")
    for match in (match for pattern in _WEAK for match in pattern.finditer(text)):
        start, end = _trimmed(text, *match.span("value"))
        if end - start >= 4 and (_is_no_word(text[start:end]) or _is_plain_password(text, start, end, match["is"])):
            yield start, end
    for match in _PHRASE.finditer(text):
        yield match.span("value")


def _is_value(text: str, start: int, end: int, sign: str) -> bool:
    """Behind a sign: all that is no sentence. `Password: it does not work` is one."""
    value = text[start:end]
    if value.isdigit():
        return len(value) >= 4
    return not value.isalpha() or value.isupper() or sign == "は" or _ENDS_THERE.match(text, end) is not None


def _is_plain_password(text: str, start: int, end: int, copula: str | None) -> bool:
    """`the password is letmein`, and not what a password may be: `is wrong`, `is expired`, `est refusé`."""
    value, verb = text[start:end].lower(), (copula or "").lower()
    if verb not in _STATES or not value.isalpha() or value in _EMPTY or not _CLAUSE_ENDS.match(text, end):
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
