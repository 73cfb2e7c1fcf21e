"""The pieces several pages place: the empty state, the line that says what a page speaks of, tables of clocks.

Text from tickets, people and models is shown with `st.text`, `st.code` or in a table cell: never as Markdown or HTML.
A table can be downloaded as CSV, so a cell that a spreadsheet would take for a formula has an apostrophe before it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from shlex import quote
from typing import Any, Literal

import polars as pl
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboards import opening, pages
from engine.shared.spreadsheet_text import defused
from pipelines.figures import words
from pipelines.figures.charts import Picture
from pipelines.marts import Publication

TWO_LINES = 66
"""Pixels of a row in which a long subject stands whole: from more than 64 on, Streamlit breaks the lines of a cell."""
MANY, HIGHEST = 15, 541
"""Rows that a table shows without a scroll bar, and its height in pixels with one."""


def nothing_yet(what: str = "There is nothing to show yet: no marts were published.") -> None:
    """The empty state of a page: the command that fills it."""
    if opening.app().store.ticket_count():
        st.info(f"{what} This works on the tickets that are here, and publishes:")
        command("cycle")
        return
    st.info(f"{what} This fills it with a sample desk:")
    st.code(f"uv run helmdesk --home {quote(str(opening.app().settings.home))} demo", language=None, wrap_lines=True)
    st.caption("Or this takes in your own export, and publishes:")
    command("ingest FILE --source SOURCE", "cycle")


def command(*words: str) -> None:
    """What to type, a line each, so that it works on the home that the page shows."""
    lines = [opening.app().settings.command(one) for one in words]
    st.code("\n".join(lines), language=None, wrap_lines=True)


def speaks_of(publication: Publication, now: datetime, window: str) -> None:
    """One line: as of when, over which window, and how long ago it was published."""
    st.caption(
        f"As of {words.instant(publication.as_of, st.context.timezone)} · {window} · "
        f"{words.count(publication.rows['tickets'], 'ticket')} · days and weeks of {publication.time_zone} · "
        f"published {words.span((now - publication.published_at).total_seconds())} ago"
    )


def fact(place: Any, label: str, value: str) -> None:
    """A value under its label, as plain text."""
    with place.container(gap=None):
        st.caption(label)
        st.text(value)


def figure(
    label: str,
    value: str,
    caption: str,
    tickets: Mapping[str, str | Sequence[str]] | None = None,
    *,
    width: int = 170,
    change: str | None = None,
    is_less_better: bool = False,
    trend: Sequence[float] = (),
) -> None:
    """A number with what it counts, as wide as its label needs: figures that find no room go to the next line.
    `tickets` is the address of the list behind it, `change` to the period before in words that begin with a sign,
    `trend` its latest values."""
    with st.container(width=width, gap=None):
        st.metric(label, value, border=True, delta=change, chart_data=list(trend) or None, chart_type="line",
                  delta_color="inverse" if is_less_better else "normal",
                  delta_description="to before" if change else None)  # fmt: skip
        st.caption(caption)
        if tickets:
            st.page_link(pages.TICKETS, label="Show them", query_params=dict(tickets))


def not_counted(found: pl.DataFrame) -> None:
    """What is in no share, a line a clock: how many windows, and why."""
    for (clock,), rows in found.group_by("clock", maintain_order=True):
        parts = [f"{row['windows']:,} {words.not_counted(row['why'])}" for row in rows.iter_rows(named=True)]
        st.caption(f"{words.CLOCKS[str(clock)]}, in no share: {'; '.join(parts)}")


def chart(picture: Callable[..., Picture], *shown: Any, **options: Any) -> None:
    """The picture of what is shown, in the reader's theme."""
    st.vega_lite_chart(opening.drawn(picture, *shown, **options), theme=None)


def refused(error: Exception) -> None:
    """Why the desk refused, in one line, whatever characters it holds."""
    st.error(verbatim(str(error)))


def verbatim(text: str) -> str:
    """The text in one line as Markdown inline code, so that nothing in it is read as a link, an image or HTML."""
    line = " ".join(text.split())
    fence = "`" * (1 + max((len(run) for run in "".join(c if c == "`" else " " for c in line).split()), default=0))
    return f"{fence} {line} {fence}"


def tabs(*labels: str) -> str:
    """The tab that is open, in the address: the caller draws that one alone, below it."""
    shown = st.tabs(labels, key="tab", bind="query-params")
    return next((label for label, tab in zip(labels, shown, strict=True) if tab.open), labels[0])


def tickets_table(
    shown: pl.DataFrame,
    tickets: Sequence[str],
    *,
    key: str,
    whole: bool = False,
    right: Sequence[str] = (),
    first: Callable[[], object] | None = None,
    **columns: ColumnConfig,
) -> None:
    """A table whose rows begin with a button that opens the ticket of that row (`tickets` has their keys)."""
    links = [(pages.TICKET, {"ticket": ticket}) for ticket in tickets]
    linked_table(shown, links, key=key, whole=whole, right=right, first=first, **columns)


def linked_table(
    shown: pl.DataFrame,
    links: Sequence[tuple[str, Mapping[str, str | Sequence[str]]]],
    *,
    key: str,
    whole: bool = False,
    right: Sequence[str] = (),
    first: Callable[[], object] | None = None,
    **columns: ColumnConfig,
) -> None:
    """A table whose rows begin with a button that opens a page: its file and the parameters of its address.

    The page scrolls a `whole` table; another has a scroll bar of its own from MANY rows on. `right`: as in `table`.
    `first` is done before the page opens.
    """
    button = st.column_config.ButtonColumn("", type="secondary", key=key, width=65)
    st.dataframe(
        defused(shown)
        .select(pl.lit("Open").alias("open"), pl.col(pl.String).fill_null("–"), pl.exclude(pl.String))
        .select("open", *shown.columns),
        hide_index=True,
        height="content" if whole else height(shown),
        row_height=TWO_LINES if "subject" in shown.columns else None,
        column_config={"open": button, **_aligned(right), **columns},
    )
    if clicked := st.session_state.get(key):
        page, address = links[clicked["row"]]
        if first:
            first()
        st.switch_page(page, query_params=dict(address))


def numbers_table(shown: pl.DataFrame, links: Mapping[str, Sequence[Mapping[str, Any]]], *, key: str) -> None:
    """A table in which each number of the columns in `links` is a button that opens its tickets, by the address of
    each row; 0 has none to open."""
    column = st.column_config.ButtonColumn
    st.dataframe(
        defused(shown.with_columns(pl.col(*links).replace(0, None).cast(pl.String))),
        hide_index=True,
        height=height(shown),
        column_config={name: column(name, type="secondary", key=f"{key} {name}", width=85) for name in links},
    )
    for name, addresses in links.items():
        if clicked := st.session_state.get(f"{key} {name}"):
            st.switch_page(pages.TICKETS, query_params=dict(addresses[clicked["row"]]))


def _aligned(right: Sequence[str]) -> dict[str, ColumnConfig]:
    return {name: st.column_config.TextColumn(alignment="right") for name in right}


def height(shown: pl.DataFrame) -> Literal["content"] | int:
    """The height that shows all rows, or the highest a table may be."""
    return "content" if shown.height <= MANY else HIGHEST


def table(shown: pl.DataFrame, *, right: Sequence[str] = (), **columns: ColumnConfig) -> None:
    """A table as high as its rows, from MANY on with a scroll bar; `right` names columns of words to align right."""
    st.dataframe(defused(shown), hide_index=True, height=height(shown), column_config={**_aligned(right), **columns})


def ledger(label: str, found: Any) -> None:
    """What was counted, paused and out of hours behind one clock, with the sums; days that went alike are one row."""
    with st.expander(label):
        rows = {
            "When": [line.when for line in found.by_days()],
            "Hours": [line.hours for line in found.by_days()],
            "What": [words.plain(line.kind) for line in found.by_days()],
            "h:mm:ss": [line.length for line in found.by_days()],
            "Why": [line.reason for line in found.by_days()],
        }
        table(pl.DataFrame(rows), right=["h:mm:ss"])
        for column, (name, length) in zip(st.columns(5), found.in_words().items(), strict=True):
            fact(column, name.capitalize(), length)
        used_up = f" The target was used up {words.instant(found.used_up_at, found.zone)}." if found.used_up_at else ""
        st.caption(f"Business time in {found.zone}.{used_up}")


def due_in_words(due_at: str, seconds_left: str, now: datetime) -> pl.Expr:
    return pl.struct(due_at, seconds_left).map_elements(
        lambda row: words.due(row[due_at], now, row[seconds_left]), return_dtype=pl.String()
    )
