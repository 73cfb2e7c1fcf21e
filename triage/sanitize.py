"""Ticket text as it may be read: no markup, no hidden characters, no more than 10,000 characters."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from triage.contracts import TicketText
from triage.quoted_mail import parts_of
from triage.visible import visible_text

MAX_CHARACTERS: Final = 10_000
READ_CHARACTERS: Final = 560
"""Title and beginning, about 128 tokens: what comes later in a ticket rarely changes its product."""
CUT: Final = "\n[…]\n"

_MARKUP = re.compile(
    r"<!--|<!doctype|</?(?:a|abbr|article|aside|b|big|body|br|blockquote|button|canvas|center|code|datalist|dd|del"
    r"|details|dialog|div|dl|dt|em|embed|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li"
    r"|link|main|mark|meta|nav|noembed|noframes|noscript|object|ol|option|p|pre|s|script|section|select|small|span"
    r"|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|tt|u|ul|video)"
    r"\b[^<>]{0,5000}>|<[a-z][\w:-]{0,50}\s[^<>]{0,5000}(?:style|hidden|class)\b[^<>]{0,5000}>",
    re.IGNORECASE,
)
_DECLARATION = re.compile(r"<[!?](?:[^<>]{0,5000}>)?")
_UNCLOSED = re.compile(r"<(?![^<>]{0,5000}>)")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that show nothing."""


def clean(text: str, *, limit: int = MAX_CHARACTERS) -> str:
    """Plain text: markup and what it hides removed, controls and invisible characters dropped, spaces collapsed.

    A longer text keeps its beginning and its end, half each.
    """
    text = _without_invisible(shorten(text, limit * 4))
    if _MARKUP.search(text):
        text = _without_invisible(visible_text(_without_comments(text)))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return shorten(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), limit)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, keeping beginning and end."""
    if len(text) <= limit:
        return text
    room = max(0, limit - len(CUT))
    tail = text[len(text) - room // 2 :]
    return text[: room - len(tail)] + CUT + tail


def clean_ticket(ticket: TicketText) -> TicketText:
    """The same ticket with readable text: `content` is what its writer says, `quoted` the mail that it answers,
    signatures and disclaimers, which speak for nobody."""
    subject, content, quoted = _cleaned(ticket.subject, ticket.content)
    return ticket.model_copy(update={"subject": subject, "content": content, "quoted": quoted or ticket.quoted})


@lru_cache(maxsize=4096)
def _cleaned(subject: str, content: str) -> tuple[str, str, str]:
    subject = " ".join(clean(subject, limit=500).split())
    return subject, *parts_of(clean(content), subject=subject)


def is_empty(ticket: TicketText) -> bool:
    """There is not one letter or digit to go by."""
    return not any(character.isalnum() for character in ticket.subject + ticket.content)


def whole_text(ticket: TicketText) -> str:
    """What the writer of a cleaned ticket says: its subject and content."""
    return f"{ticket.subject}\n{ticket.content}"


def all_text(ticket: TicketText) -> str:
    """All that is seen of a cleaned ticket, the mail it quotes too."""
    return f"{whole_text(ticket)}\n{ticket.quoted}"


def readable_text(ticket: TicketText) -> str:
    """What a model of meaning reads of a cleaned ticket."""
    return " ".join(f"{ticket.subject}. {ticket.content}"[:READ_CHARACTERS].split())


def _without_invisible(text: str) -> str:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    if text.isascii():
        return _CONTROLS.sub("", text)
    text = _BLANK.sub("", text)
    if text.replace("\n", " ").isprintable():
        return text
    return "".join(character for character in text if character == "\n" or _is_visible(character))


def _is_visible(character: str) -> bool:
    """Not a control, a format character (zero width, direction, tag), a surrogate or a private one."""
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _without_comments(html: str) -> str:
    """Markup a parser can read in one go: no comments, no declarations, no tag that never ends."""
    parts, at = [], 0
    while (start := html.find("<!--", at)) >= 0 and (end := html.find("-->", start)) >= 0:
        parts.append(html[at:start])
        at = end + len("-->")
    return _UNCLOSED.sub("&lt;", _DECLARATION.sub(" ", "".join([*parts, html[at:]])))
