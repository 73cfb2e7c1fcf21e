"""Ticket text as it may be read: no markup, no hidden characters, no more than 10,000 characters."""

import re
import unicodedata
from html import unescape
from html.parser import HTMLParser
from typing import Final

from triage.contracts import TicketText

MAX_CHARACTERS: Final = 10_000
READ_CHARACTERS: Final = 560
"""Title and beginning, about 128 tokens: what comes later in a ticket rarely changes its product."""
CUT: Final = "\n[…]\n"
UNSEEN: Final = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "iframe", "object"})
BREAKS: Final = frozenset({"br", "p", "div", "li", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "blockquote"})

_MARKUP = re.compile(
    r"<!--|<!doctype|</?(?:a|abbr|b|body|br|blockquote|button|center|code|dd|div|dl|dt|em|embed|font|form|h[1-6]|head"
    r"|hr|html|i|iframe|img|input|li|link|meta|noscript|object|ol|p|pre|script|section|small|span|strong|style|sub"
    r"|sup|svg|table|tbody|td|template|th|thead|title|tr|u|ul)\b[^<>]{0,5000}>",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"<[a-zA-Z!/][^<>]{0,5000}>")
_DECLARATION = re.compile(r"<[!?](?:[^<>]{0,5000}>)?")
_UNCLOSED = re.compile(r"<(?![^<>]{0,5000}>)")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)


def clean(text: str, *, limit: int = MAX_CHARACTERS) -> str:
    """Plain text: markup and what it hides removed, controls and invisible characters dropped, spaces collapsed.

    A longer text keeps its beginning and its end, half each.
    """
    text = _without_invisible(shorten(text, limit * 4))
    if _MARKUP.search(text):
        text = _without_invisible(_visible_text(_without_comments(text)))
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
    """The same ticket with readable text."""
    return ticket.model_copy(
        update={"subject": " ".join(clean(ticket.subject, limit=500).split()), "content": clean(ticket.content)}
    )


def is_empty(ticket: TicketText) -> bool:
    """There is not one letter or digit to go by."""
    return not any(character.isalnum() for character in ticket.subject + ticket.content)


def whole_text(ticket: TicketText) -> str:
    """Subject and content of a cleaned ticket."""
    return f"{ticket.subject}\n{ticket.content}"


def readable_text(ticket: TicketText) -> str:
    """What a model of meaning reads of a cleaned ticket."""
    return " ".join(f"{ticket.subject}. {ticket.content}"[:READ_CHARACTERS].split())


def _without_invisible(text: str) -> str:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    if text.isascii():
        return _CONTROLS.sub("", text)
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


def _visible_text(html: str) -> str:
    parser = _VisibleText()
    parser.feed(html)
    parser.close()
    if parser.is_hiding:  # never closed: better too much text than to lose the rest of the ticket
        return unescape(_ANY_TAG.sub(" ", html))
    return "".join(parser.pieces)


class _VisibleText(HTMLParser):
    """Collects what a reader of the page would see."""

    VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden: list[str] = []

    @property
    def is_hiding(self) -> bool:
        return bool(self._hidden) or self.cdata_elem is not None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BREAKS:
            self.pieces.append("\n")
        if tag in self.VOID:
            return
        hides = tag in UNSEEN or any(_hides(name, value) for name, value in attrs)
        if hides or (self._hidden and tag == self._hidden[-1]):
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag == self._hidden[-1]:
            self._hidden.pop()
        if tag in BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _hides(name: str, value: str | None) -> bool:
    return name == "hidden" or (name == "style" and bool(_HIDDEN_STYLE.search(value or "")))
