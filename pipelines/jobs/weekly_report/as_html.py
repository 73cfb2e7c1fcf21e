"""The page as HTML that stands alone: no script, no address, its style inside, legible in a mail and on a phone."""

from collections.abc import Iterator
from html import escape
from importlib.util import find_spec

from pipelines.figures.palette import BLUE, VERMILLION
from pipelines.figures.weekly_chart import svg
from pipelines.jobs.weekly_report.page import Page, Section, Table

INSTALL = "uv sync --extra report"
STYLE = """body{margin:0;background:#fff;color:#1c2733;font:15px/1.45 Verdana,'DejaVu Sans',Arial,sans-serif}
main{max-width:720px;margin:0 auto;padding:16px}h1{font-size:20px;margin:0 0 4px}h2{font-size:16px;margin:22px 0 6px}
p{margin:4px 0}.about,.note{color:#4a5763;font-size:13px}.scroll{overflow-x:auto}
.verdict{font-size:17px;font-weight:bold;border-left:4px solid VERDICT;padding:8px 12px;margin:12px 0;
background:#f3f6f8}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:4px 8px;border-bottom:1px solid #d5dce2;
vertical-align:top}.n{text-align:right}td.n{white-space:nowrap}th{font-weight:bold;color:#4a5763}.w{text-align:left}
@media(max-width:480px){main{padding:10px}th,td{padding:4px 4px;font-size:12px}}"""


def can_draw() -> bool:
    """Whether the extra that draws pictures is there."""
    return find_spec("vl_convert") is not None


def as_html(page: Page, *, in_a_mail: bool = False) -> str:
    """With its picture where the extra `report` is there; mail programs show none, so in a mail its table stands
    alone."""
    body = "".join(_body(page, is_drawn=can_draw() and not in_a_mail, in_a_mail=in_a_mail))
    style = STYLE.replace("VERDICT", VERMILLION if page.verdict.startswith(("Below", "Not settled")) else BLUE)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{style}</style></head><body><main>{body}</main></body></html>\n"
    )


def _body(page: Page, *, is_drawn: bool, in_a_mail: bool) -> Iterator[str]:
    yield f"<h1>{escape(page.title)}</h1>"
    yield from (f'<p class="about">{escape(line)}</p>' for line in page.about)
    yield f'<p class="verdict">{escape(page.verdict)}</p>'
    for section in page.sections:
        yield f"<section><h2>{escape(section.title)}</h2>"
        if section.drawing and not in_a_mail:
            yield _drawing(section) if is_drawn else f'<p class="note">The picture is left out: {INSTALL}</p>'
        if section.table:
            yield _table(section.table)
        yield from (f'<p class="note">{escape(line)}</p>' for line in section.lines)
        yield "</section>"
    yield from (f'<p class="note">{escape(line)}</p>' for line in page.foot)


def _drawing(section: Section) -> str:
    assert section.drawing is not None
    alternative = escape(section.drawing.alternative)
    return f'<div role="img" aria-label="{alternative}">{svg(section.drawing.chart)}</div>'


def _table(table: Table) -> str:
    head = f"<thead><tr>{_cells('th', table, table.heads)}</tr></thead>"
    body = "".join(f"<tr>{_cells('td', table, row)}</tr>" for row in table.rows)
    return f'<div class="scroll"><table width="100%">{head}<tbody>{body}</tbody></table></div>'


def _cells(tag: str, table: Table, row: tuple[str, ...]) -> str:
    """Some mail programs drop classes: which way a cell is aligned it says itself."""
    sides = (("left", "w") if heading in table.texts else ("right", "n") for heading in table.heads)
    return "".join(
        f'<{tag} class="{name}" align="{side}">{escape(text)}</{tag}>'
        for (side, name), text in zip(sides, row, strict=True)
    )
