"""What of an article may stand in a reply: no order to a machine, no call for secrets, no foreign address."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from triage.sanitize import clean

LINK: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"'”`)\]]+", re.IGNORECASE)
SCRIPT: Final = re.compile(r"\b(?:javascript|vbscript|mailto|tel|sms|ms-msdt)\s*:\s*\S|\bdata:\w+[/;,]", re.IGNORECASE)
MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
PHONE: Final = re.compile(
    r"(?<![\w.,/:-])(?:(?:\+|00)\d{1,3}[ ()./-]{0,2}|\(?0)\d{1,5}\)?(?:[ ()./-]{1,2}\d{2,8}){1,5}(?!\w)"
    r"|(?<![\w.,/:-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)|(?<!\w)\+\d{8,15}(?!\w)"
)
BANK: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
CODE: Final = re.compile(r"`[^`\n]+`")

_HOST = re.compile(
    r"(?<![\w@/.\\-])(?:[\w-]+\.)+(?!md\b|py\b|sh\b|js\b|txt\b|exe\b|log\b|conf\b)[a-z]{2,24}\b(?!\()", re.IGNORECASE
)
_FETCH_AND_RUN = re.compile(
    r"\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|\biex\b|invoke-expression|frombase64string", re.IGNORECASE
)
_TO_A_MACHINE = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?]{0,40}\b(?:instruction|prompt|rule|guideline|above|previous)"
    r"|\b(?:ignorier|vergiss|missacht)\w*\b[^.!?]{0,60}\b(?:anweisung|regel|vorgabe)"
    r"|\b(?:ignore[zr]?|oublie[zr]?)\b[^.!?]{0,60}\b(?:instruction|consigne|règle)"
    r"|\b(?:ignor[ae]|olvid[ae])\w*\b[^.!?]{0,60}\b(?:instruccion|regla|indicacion)"
    r"|忽略|無視し|игнориру|تجاهل"
    r"|\b(?:as an? |you are an? |dear )(?:ai|assistant|language model|llm|chatbot|bot)\b"
    r"|\b(?:note|message|instruction)s? (?:to|for) (?:the )?(?:ai|assistant|model|llm|bot)\b"
    r"|\b(?:system|initial|hidden) (?:prompt|message)\b|<\|?(?:im_start|im_end|system|endoftext)|\[/?(?:inst|sys)\]"
    r"|^\W*(?:system|assistant|developer|user|human)\W*:|\{\{|\{%|\$\{|<%",
    re.IGNORECASE,
)
_WANTS = r"send|give|tell|reply|reply with|provide|share|enter|type|confirm|forward|mail|submit|disclose|reveal"
_SECRET = (
    r"passwords?|passphrase|one-time codes?|otp|pin|cvv|card numbers?|credit card|private keys?|secret keys?|api keys?"
    r"|credentials|recovery codes?|seed phrase|session cookies?|system prompt"
)
_CALL_FOR_SECRET = re.compile(rf"\b(?:{_WANTS})\b[^.!?;]{{0,60}}\b(?:{_SECRET})\b", re.IGNORECASE)
_NEVER = re.compile(r"\b(?:never|not|don't|do not|no|without|nobody)\b", re.IGNORECASE)


def is_quotable(sentence: str, *, site: str, own_sites: tuple[str, ...] = ()) -> bool:
    """Whether a sentence of an article published at the address `site` may be repeated to a customer.

    Links lead to the host of `site`, or to one of `own_sites` or below. Names of foreign hosts are allowed in code
    spans, where they are values to set and not links to follow.
    """
    if _TO_A_MACHINE.search(sentence) or _FETCH_AND_RUN.search(sentence) or calls_for_secret(sentence):
        return False
    if SCRIPT.search(sentence) or MAIL.search(sentence) or PHONE.search(sentence) or BANK.search(sentence):
        return False
    prose = CODE.sub(" ", sentence)
    links = [link for link in LINK.findall(sentence) if link in prose or "." in link]
    named = _HOST.findall(LINK.sub(" ", prose))
    addresses = [link if "://" in link else f"https://{link}" for link in [*links, *named]]
    return all(_is_own(address, site, own_sites) for address in addresses)


def calls_for_secret(sentence: str) -> bool:
    """Asks the reader for a password, code, key or card; "never send us a password" does not."""
    found = _CALL_FOR_SECRET.search(sentence)
    return found is not None and not _NEVER.search(sentence[: found.end()])


@lru_cache(maxsize=4096)
def readable_article(text: str) -> str:
    """Article text without comments, hidden parts and invisible characters; nothing to hide is the usual case."""
    return clean(text, limit=len(text) + 1) if not text.isascii() or "<" in text else text


def _is_own(address: str, site: str, own_sites: tuple[str, ...]) -> bool:
    """A neighbour of the article's host below the same parent may be anybody's: it has to be named."""
    link, own = _split(address), _split(site)
    if link is None or link[0] not in ("https", "http", "wss") or not link[1]:
        return False
    return (own is not None and link[1] == own[1]) or any(f".{link[1]}".endswith(f".{name}") for name in own_sites)


def _split(address: str) -> tuple[str, str] | None:
    """Scheme and host; None for what is no address or hides its host behind a user name."""
    try:
        parts = urlsplit(address.rstrip(".,;:!?"))
        host = (parts.hostname or "").removeprefix("*.")
    except ValueError:
        return None
    return None if "@" in parts.netloc else (parts.scheme.lower(), host.lower())
