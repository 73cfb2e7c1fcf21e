"""An HTML page as the Markdown a reader would see: no scripts, no menus, nothing that is hidden."""

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

UNREAD: Final = ("script", "style", "noscript", "template", "iframe", "object", "svg", "canvas", "nav", "footer",
                 "aside", "form", "button", "input", "select", "textarea")  # fmt: skip
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"<(?:!doctype|html|body|article|section|p|div|br|h[1-6]|[uo]l|table|pre|blockquote|strong|em|b|i|a|span|img)\b[^<>]*>",
    re.IGNORECASE,
)
FENCE = re.compile(r"(```.*?```)", re.DOTALL)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


class Page(NamedTuple):
    """What a page says; `title` and `url` (its canonical address) are empty where it names none."""

    title: str
    url: str
    text: str


def looks_like_html(text: str) -> bool:
    return bool(_TAG.search(text))


def read_page(html: str) -> Page:
    """Raises RecursionError for a page that is nested too deeply to be read."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(html, "html.parser")
    url = _canonical(soup)
    named = soup.title.get_text(" ", strip=True) if soup.title else ""
    _drop_unread(soup)
    content = soup.find("main") or soup.find("article") or soup.body or soup
    first = content.find("h1")
    title = first.get_text(" ", strip=True) if first else named
    if first is not None:
        first.decompose()
    return Page(_one_line(title), url, _markdown(content))


def clean(text: str) -> str:
    """Markdown without characters nobody sees, with plain spaces and at most one empty line; code is left as it is."""
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " "))
    parts = FENCE.split("".join(c for c in text if c in "\n\t" or c >= " "))
    return "".join(part if part.startswith("```") else _tidied(part) for part in parts).strip()


def _tidied(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text))


def _drop_unread(soup: "BeautifulSoup") -> None:
    from bs4 import Comment, Doctype

    for note in soup.find_all(string=lambda text: isinstance(text, Comment | Doctype)):
        note.extract()
    for tag in soup.find_all(lambda tag: tag.name in (*UNREAD, "head") or _is_hidden(tag)):
        tag.decompose()


def _is_hidden(tag: "Tag") -> bool:
    style = str(tag.get("style") or "")
    return tag.has_attr("hidden") or str(tag.get("aria-hidden")) == "true" or bool(_HIDDEN_STYLE.search(style))


def _canonical(soup: "BeautifulSoup") -> str:
    link = soup.find("link", rel="canonical")
    return str(link.get("href") or "") if link else ""


def _markdown(content: "Tag") -> str:
    from markdownify import MarkdownConverter

    converter = MarkdownConverter(heading_style="ATX", bullets="-", escape_misc=False, escape_underscores=False,
                                  escape_asterisks=False, table_infer_header=True,
                                  code_language_callback=lambda _: "")  # fmt: skip
    return clean(str(converter.convert_soup(content)))


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())
