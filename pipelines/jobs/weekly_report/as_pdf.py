"""The page as PDF, for print: A4, its font inside."""

from pathlib import Path
from typing import TYPE_CHECKING

from engine.shared.errors import Unavailable
from pipelines.figures.weekly_chart import png
from pipelines.jobs.weekly_report.as_html import INSTALL, can_draw
from pipelines.jobs.weekly_report.page import Page, Table

if TYPE_CHECKING:
    from fpdf import FPDF

FAMILY = "DejaVu Sans"
MARGIN, SIZE, LINE = 14.0, 8.0, 4.2
"""Millimetres, points, millimetres."""
SOFT, STRONG, RULE, VERDICT_FILL = (74, 87, 99), (28, 39, 51), (213, 220, 226), (243, 246, 248)


def as_pdf(page: Page, fonts: Path) -> bytes:
    """Raises Unavailable, with the command that installs it, without the extra `report`."""
    try:
        from fpdf import FPDF
    except ImportError:
        raise Unavailable(_missing()) from None
    if not can_draw():
        raise Unavailable(_missing())
    pdf = FPDF(format="A4")
    pdf.set_title(page.title)
    pdf.set_lang("en")
    pdf.set_margins(MARGIN, 11, MARGIN)
    pdf.set_auto_page_break(True, margin=9)
    pdf.add_font(FAMILY, fname=fonts / "DejaVuSans.ttf")
    pdf.add_font(FAMILY, "B", fonts / "DejaVuSans-Bold.ttf")
    pdf.add_page()
    _write(pdf, page)
    return bytes(pdf.output())


def _missing() -> str:
    return f"a PDF takes the extra `report`: {INSTALL} (or pip install 'helmdesk[report]'); --to FILE.html needs none"


def _write(pdf: "FPDF", page: Page) -> None:
    _text(pdf, page.title, size=14, style="B", height=7)
    for line in page.about:
        _text(pdf, line, color=SOFT)
    pdf.ln(1)
    pdf.set_fill_color(*VERDICT_FILL)
    _text(pdf, page.verdict, size=10, style="B", height=5.4, fill=True)
    pdf.set_fill_color(255)
    for section in page.sections:
        pdf.ln(1.6)
        _text(pdf, section.title, size=9.5, style="B", height=5)
        if section.drawing:
            pdf.image(png(section.drawing.chart), w=pdf.epw * 0.62, alt_text=section.drawing.alternative)
        elif section.table:
            _table(pdf, section.table)
        for line in section.lines:
            _text(pdf, line, color=SOFT)
    pdf.ln(1.6)
    for line in page.foot:
        _text(pdf, line, color=SOFT)


def _text(
    pdf: "FPDF",
    text: str,
    *,
    size: float = SIZE,
    style: str = "",
    height: float = LINE,
    color: tuple[int, int, int] = STRONG,
    fill: bool = False,
) -> None:
    pdf.set_font(FAMILY, style, size)
    pdf.set_text_color(*color)
    pdf.multi_cell(0, height, text, align="L", new_x="LMARGIN", new_y="NEXT", fill=fill)


def _table(pdf: "FPDF", table: Table) -> None:
    from fpdf.fonts import FontFace

    pdf.set_font(FAMILY, "", SIZE)
    pdf.set_text_color(*STRONG)
    pdf.set_draw_color(*RULE)
    texts = table.texts
    with pdf.table(
        borders_layout="HORIZONTAL_LINES",
        headings_style=FontFace(emphasis="BOLD", color=SOFT),
        line_height=LINE,
        text_align=tuple("LEFT" if head in texts else "RIGHT" for head in table.heads),
        col_widths=tuple(28 if head == table.heads[0] else 14 for head in table.heads),
        padding=(0.2, 1),
    ) as drawn:
        for cells in (table.heads, *table.rows):
            row = drawn.row()
            for cell in cells:
                row.cell(cell)
