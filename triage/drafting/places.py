"""Which hosts, addresses and files of other machines a sentence points at, however they are written."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from engine.shared.policy_file import read_yaml
from triage.drafting.article_policy import Rules


class Written(NamedTuple):
    """How places and numbers are written: lists of words, and alternatives for a pattern."""

    endings: frozenset[str]
    small: frozenset[str]
    files: frozenset[str]
    countries: frozenset[str]
    products: frozenset[str]
    key_roots: frozenset[str]
    key_endings: frozenset[str]
    no_hosts: frozenset[str]
    no_names: frozenset[str]
    dots: str
    ats: str
    schemes: str
    digits: str
    dialling: str
    channels: str
    going: str


@lru_cache(maxsize=1)
def written() -> Written:
    read: Any = read_yaml(Path(__file__).with_name("places.yaml"), what="list of how places are written")
    lists = {name: str(read[name]).casefold().split() for name in Written._fields}
    return Written(
        **{
            name: frozenset(words)
            if Written.__annotations__[name] == frozenset[str]
            else "|".join(map(re.escape, words))
            for name, words in lists.items()
        }  # type: ignore[arg-type]  # sets and alternatives, as the fields say
    )


OWN_NETWORKS: Final[tuple[IPv4Network | IPv6Network, ...]] = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                     "0.0.0.0/32", "255.0.0.0/8", "::/128", "::1/128", "fe80::/10", "fc00::/7"))
)  # fmt: skip
"""Addresses that mean the reader's own network, and masks."""
_DOTNET = re.compile(r"\.net (?:\d|framework|core|sdk|runtime|standard)")
WEB: Final = ("https", "http", "wss")

_SPACELESS: Final = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DEFANGED = re.compile(r"[\[({<]\s*(\.|dot|punkt|punto|at|@|:|://|/)\s*[\])}>]|\\(?=\.)", re.IGNORECASE)
_SIGNS = {"dot": ".", "punkt": ".", "punto": ".", "at": "@"}
_URL = re.compile(
    r"(?<![a-z0-9])([a-z][a-z0-9+.-]{1,24})\s?:\s?[/\\]{2,}([^\s<>\"'”`)\]]*)"
    r"|(?<![a-z0-9])(https?):[/\\]?(?=\S)([^\s<>\"'”`)\]]+)"
)
_SHARE = re.compile(r"(?<![:\w/\\.])[/\\]{2,}[\w$?.][\w.-]*")
_DATA = re.compile(r"\bdata:[\w/+.-]*[;,]|\bfile:[/\\]|\bms-[\w-]+:\S|\b[a-z]+-ms:\S")
_IPV4 = re.compile(
    r"(?<![\w.-])((?:0x[0-9a-f]{1,2}|\d{1,4})(?:\.(?:0x[0-9a-f]{1,2}|\d{1,4})){3})(?![\w-])(?!\.\d)"
    r"(/\d{1,2}(?![\d\w]))?([:/]\w)?"
)
_IPV6 = re.compile(r"(?<![\w:])((?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})(?:/\d{1,3})?(?![\w:])")
_AS_NUMBER = re.compile(r"(?<![\w.])(?:0x[0-9a-f]{8}|\d{9,10})(?=[:/]\w)")
_VERSION = re.compile(
    r"(?:version|release|build|firmware|client|agent|framework|driver|engine|\bv|(?:up|down)graded? to)\s*$"
)
_NEWER = re.compile(r"\s*(?:or|and) (?:newer|later|higher|above|older|earlier|below)\b")
_DOTTED = re.compile(r"(?<![\w-])((?:[\w-]+\.)+)([^\W\d_][\w-]*)(?![\w-])(\(|:\d|/\w)?")
_PORT = re.compile(r"(?<![\w.:/\\@=-])([a-z][a-z0-9-]*):(\d{3,5})(?=[/\s.,;`]|$)")


def readable(sentence: str) -> str:
    """One writing: small letters, plain width, no entities, nothing unseen, addresses put together again."""
    text = unicodedata.normalize("NFKC", unescape(sentence))
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").casefold()
    text = re.sub(r"(?<=\w)[。｡․](?=\w)", ".", text)
    text = unquote(text) if re.search(r"(?:%[0-9a-f]{2}){1,}", text) else text
    text = _DEFANGED.sub(lambda found: _SIGNS.get(found[1] or "", found[1] or ""), text)
    return _spelled(re.sub(r"\bh(?:xx|\*\*|tt_)p(s?)\b", r"http\1", text))


def _spelled(text: str) -> str:
    """`mail dot example` as mail.example; a dot between two words of a sentence stays what it is."""
    names = written()

    def joined(found: re.Match[str]) -> str:
        left, right = found[1], found[2]
        if left in names.no_names or _DOTNET.match(found.string, found.start(2) - 1):
            return found[0]
        is_ending = right in names.endings or (right in names.countries and right not in names.small)
        return f"{left}.{right}" if is_ending or (right in names.small and "@" in text) else found[0]

    spelled = pattern(
        rf"([\w-]+)(?:\s+(?:{names.dots})\s+|\s*\[?(?:{names.dots})\]\s*|\s+\.\s*|\s*\.\s+(?=com\b|net\b|org\b|[a-z]+[/:]\w))([\w-]+)"
    )
    for _ in range(4):
        text, before = spelled.sub(joined, text), text
        if text == before:
            break
    return text


@lru_cache(maxsize=32)
def pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def foreign_place(text: str, rules: Rules) -> str:
    """The first place a `readable` text points at that is not listed; empty if there is none."""
    return next(_foreign(text, rules), "") or next(_foreign(_SPACELESS.sub(" ", text), rules), "")


def _foreign(text: str, rules: Rules) -> Iterator[str]:
    for url in _URL.finditer(text):
        scheme, rest = url[1] or url[3], url[2] if url[1] else url[4]
        if not rest.strip(".,;:"):
            continue  # only the scheme is named
        if not (scheme in WEB and is_own(_host(rest), rules)) and not url[0].startswith(rules.names):
            yield url[0]
    text = _URL.sub(" ", text)
    for form in (_SHARE, _DATA, pattern(rf"(?<![\w-])(?:{written().schemes}):[^\s`]")):
        yield from (found[0] for found in form.finditer(text))
    yield from _numbered(text)
    yield from _named(text, rules)


def _host(rest: str) -> str:
    """Empty for a host behind a user name."""
    netloc = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    return "" if "@" in netloc else re.sub(r":\d*$", "", netloc).removeprefix("*.").rstrip(".,;:!?")


def is_own_address(address: str, rules: Rules) -> bool:
    """Of the web, and on a listed host."""
    scheme, _, rest = readable(address).partition("://")
    return scheme in WEB and is_own(_host(rest), rules)


def is_own(host: str, rules: Rules) -> bool:
    """A listed host or one below it, in plain letters; a neighbour below the same parent may be anybody's."""
    return (
        host.isascii() and any(f".{host}".endswith(f".{site}") for site in (*rules.sites, *rules.names)) and bool(host)
    )


def is_plain_http(text: str) -> bool:
    """A `readable` text leads somewhere over http, and not to the reader's own machine."""
    return bool(re.search(r"(?<![a-z0-9])http:/+(?!localhost|127\.)", text))


def _numbered(text: str) -> Iterator[str]:
    """Addresses in figures. Of the reader's own network they are values to set; with a port or path they lead there."""
    is_going = _goes(text)
    for found in _IPV4.finditer(text):
        octets = [_octet(part) for part in found[1].split(".")]
        is_version = _VERSION.search(text[: found.start()]) or _NEWER.match(text[found.end() :])
        if any(octet > 255 for octet in octets) or ((is_version or octets[3] == 0) and not (found[2] or found[3])):
            continue
        is_plain = found[1] == ".".join(map(str, octets))
        if not is_plain or found[3] or is_going or not _is_inner(".".join(map(str, octets))):
            yield found[0]
    for found in _IPV6.finditer(text):
        if _is_address(found[1]) and (is_going or not _is_inner(found[1])):
            yield found[0]
    yield from (found[0] for found in _AS_NUMBER.finditer(text))


def _octet(part: str) -> int:
    try:
        return int(part, 16 if part.startswith("0x") else 8 if part.startswith("0") and len(part) > 1 else 10)
    except ValueError:
        return 999


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _is_inner(address: str) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in OWN_NETWORKS if network.version == parsed.version)


def _goes(text: str) -> bool:
    return bool(pattern(rf"(?<!\w)(?:{written().going})(?!\w)").search(text))


def _named(text: str, rules: Rules) -> Iterator[str]:
    """Names with dots that end like a host, and short names with a port."""
    names, is_going = written(), _goes(text)
    for found in _DOTTED.finditer(text):
        host, ending, after = found[1] + found[2], found[2], found[3] or ""
        if is_own(host, rules) or (after == "(" and ending not in names.endings):
            continue
        is_key = found[1].split(".")[0] in names.key_roots and ending in names.key_endings
        if (is_key or host in names.products) and not is_going and after in ("", "("):
            continue
        is_file = ending in names.files and after in ("", "(")
        is_ending = ending in names.endings or ending in names.countries or ending.startswith("xn--")
        letters = host.replace(".", "").replace("-", "")
        if _is_abbreviation(host) or (not is_going and (is_file or not is_ending) and not after.startswith((":", "/"))):
            continue
        if is_ending or is_going or ending in names.files or not letters.isascii():
            yield host
    for found in _PORT.finditer(text):
        if found[1] not in names.no_hosts and int(found[2]) <= 65535:
            yield found[0]


def _is_abbreviation(host: str) -> bool:
    """e.g. and i.e. are no hosts."""
    return all(len(label) == 1 for label in host.split("."))
