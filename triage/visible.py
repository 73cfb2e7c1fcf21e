"""What a reader of an HTML mail sees: text that is hidden, too small, off the page or in the page's colour is left out.

It is read in one pass, a stack of the open elements with what each inherits, as a browser does: an element that is
never closed ends with the one around it. Quoted mail and signatures come out as plain mails write them ("> ", "--").
"""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Final, NamedTuple

from triage.styles import PAGE, Look, Properties, Rule, decided, declarations, rules_of, with_values

UNSEEN: Final = frozenset(
    {"script", "style", "head", "title", "template", "noscript", "noembed", "noframes", "svg", "math", "iframe",
     "object", "canvas", "video", "audio", "datalist", "rp", "dialog", "map", "applet"}
)  # fmt: skip
BREAKS: Final = frozenset(
    {"br", "p", "div", "li", "tr", "table", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6",
     "blockquote", "pre", "section", "article", "header", "footer", "main", "hr", "form", "details", "summary",
     "center", "address",
     "figure"}
)  # fmt: skip
CELLS: Final = frozenset({"td", "th"})
VOID: Final = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr", "track", "param"}
)
CLOSES: Final = {
    "p": BREAKS - {"br"},
    "li": frozenset({"li"}),
    "td": frozenset({"td", "th", "tr"}),
    "th": frozenset({"td", "th", "tr"}),
    "tr": frozenset({"tr"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
}
"""Which start tags end an open element, as HTML has it."""
QUOTE: Final = re.compile(
    r"gmail_quote|yahoo_quoted|moz-cite|protonmail_quote|tutanota_quote|zmail_extra|quoted[-_ ]?text|mail-quote"
    r"|reference-message-container|ms-outlook-mobile-reference"
)
SIGNATURE: Final = re.compile(r"gmail_signature|moz-signature|^(?:x_)?Signature$|ms-outlook-(?:mobile|ios)-signature")
LONGEST_SHEET: Final = 20_000
MOST_NAMES: Final = 20
MOST_TRIES: Final = 50_000

_SHEET = re.compile(r"<style\b[^<>]{0,500}>(.{0,20000}?)</style\s*>", re.IGNORECASE | re.DOTALL)

_ATTRIBUTE_NAME = re.compile(r"\[\s*([\w-]+)")
_WITH_ATTRIBUTE = re.compile(r"<[a-z][\w:-]*\s+[\w:-]+\s*=", re.IGNORECASE)
_BARE_TAG = re.compile(rf"<(?:{'|'.join(sorted(UNSEEN | {'details'}))})\s*>", re.IGNORECASE)


class _Open(NamedTuple):
    tag: str
    names: frozenset[str]
    look: Look
    variables: Properties
    """What `--name` stands for."""
    is_quote: bool
    is_waiting: bool
    """A closed `details`: only its summary is seen."""


def visible_text(html: str) -> str:
    """Line breaks where a block begins or ends; a quoted mail's lines begin with "> ".

    Where no tag ends and none has an attribute, as in `the <script> tag is blocked`, it is spoken of and hides nothing.
    """
    if "</" not in html and not _WITH_ATTRIBUTE.search(html):
        html = _BARE_TAG.sub(" ", html)
    sheet = "\n".join(found[1] for found in _SHEET.finditer(html))[:LONGEST_SHEET]
    parser = _VisibleText(rules_of(sheet), frozenset(found[1].lower() for found in _ATTRIBUTE_NAME.finditer(sheet)))
    parser.feed(html)
    parser.close()
    return "".join(parser.pieces)


class _VisibleText(HTMLParser):
    """Collects what a reader of the page would see."""

    def __init__(self, rules: dict[str, list[Rule]], attributes: frozenset[str]) -> None:
        """`attributes` are the attributes that the rules speak of."""
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._rules, self._attributes = rules, attributes
        self._tries = 0
        self._known: dict[tuple[frozenset[str], ...], Properties] = {}
        given = [rule for name in ("*", "html", "body") for rule in rules.get(name, ()) if len(rule.compounds) == 1]
        variables = _variables({name: value for rule in given for name, value in decided(rule.properties).items()})
        self._open: list[_Open] = [_Open("", frozenset(), PAGE, variables, is_quote=False, is_waiting=False)]
        self._count: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_what(tag)
        if tag in BREAKS:
            self._break()
        elif tag in CELLS:
            self._write(" ")
        if tag in VOID:
            return
        given = {name: value or "" for name, value in reversed(attrs)}
        around, names = self._open[-1], _names(tag, given, self._attributes)
        properties = self._properties(names, given)
        variables = around.variables | _variables(properties)
        look = around.look.within(with_values(properties, variables))
        is_unseen = tag in UNSEEN and not (tag == "dialog" and "open" in given)
        if is_unseen or (around.is_waiting and tag != "summary"):
            look = look.gone()
        marks = f"{given.get('class', '')} {given.get('id', '')}".split()
        is_quote = around.is_quote or _is_quote(tag, given, marks)
        if is_quote and not around.is_quote:
            self._open.append(around._replace(is_quote=True))  # the line break before it belongs to the quote
            self._break()
            self._open.pop()
        elif any(map(SIGNATURE.search, marks)) and look.is_seen:
            self._write("\n--\n")
        self._open.append(_Open(tag, names, look, variables, is_quote, tag == "details" and "open" not in given))
        self._count[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if self._count[tag]:
            self._pop_to(tag)
        if tag in BREAKS:
            self._break()

    def handle_data(self, data: str) -> None:
        inside = self._open[-1]
        if inside.is_waiting or not inside.look.is_seen:
            return
        self._write(data.replace("\n", "\n> ") if inside.is_quote else data)

    def _end_what(self, tag: str) -> None:
        if (innermost := self._open[-1].tag) in CLOSES and tag in CLOSES[innermost]:
            self._pop_to(innermost)
        elif self._count["p"] and tag in CLOSES["p"]:
            self._pop_to("p")

    def _pop_to(self, tag: str) -> None:
        while len(self._open) > 1:
            ended = self._open.pop()
            self._count[ended.tag] -= 1
            if ended.is_quote and not self._open[-1].is_quote:
                self._write("\n")
            if ended.tag == tag:
                return

    def _properties(self, names: frozenset[str], given: dict[str, str]) -> Properties:
        found: Properties = {}
        for name in ("bgcolor", "color", "width", "height"):
            if name in given:
                found["background-color" if name == "bgcolor" else name] = given[name].lower()
        if "hidden" in given or given.get("aria-hidden", "").lower() == "true":
            found["display"] = "none"
        if self._rules:
            found |= self._by_sheet(names)
        if style := given.get("style"):
            found |= declarations(style)
        return decided(found)

    def _by_sheet(self, names: frozenset[str]) -> Properties:
        """What the sheet says of an element here. After 50,000 rules tried nothing more is seen: no mail needs that."""
        above = [entry.names for entry in self._open[-MOST_NAMES:]]
        if (properties := self._known.get((names, *above))) is not None:
            return properties
        among = [rule for name in names for rule in self._rules.get(name, ())]
        self._tries += len(among)
        if self._tries > MOST_TRIES:
            return {"display": "none"} if among else {}
        found: Properties = {}
        for rule in sorted((rule for rule in among if rule.fits(names, above)), key=lambda rule: rule.weight):
            found |= rule.properties
        self._known[(names, *above)] = found
        return found

    def _break(self) -> None:
        self._write("\n> " if self._open[-1].is_quote else "\n")

    def _write(self, text: str) -> None:
        self.pieces.append(text)


def _names(tag: str, given: dict[str, str], attributes: frozenset[str]) -> frozenset[str]:
    """What a selector may call the element by."""
    classes = given.get("class", "").split()[:MOST_NAMES]
    chosen = {name: value for name, value in given.items() if name in attributes}
    selected = (text for name, value in chosen.items() for text in (f"[{name}]", f"[{name}={value[:200]}]"))
    return frozenset(selected) | {
        "*",
        tag,
        *(f".{name}" for name in classes),
        *([f"#{given['id']}"] if given.get("id") else []),
    }


def _variables(properties: Properties) -> Properties:
    return {name: value for name, value in properties.items() if name.startswith("--")}


def _is_quote(tag: str, given: dict[str, str], marks: list[str]) -> bool:
    if tag == "blockquote" and (given.get("type", "").lower() == "cite" or "cite" in given):
        return True
    return any(map(QUOTE.search, marks))
