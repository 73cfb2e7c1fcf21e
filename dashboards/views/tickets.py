"""Which tickets are these? The list behind a number, under the filters in its address."""

import math
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from dashboards import cards, exports, filters, opening, visit
from dashboards import ticket_lists as lists
from pipelines.app import identity
from pipelines.app.identity import Right
from pipelines.figures import words
from pipelines.figures.selection import Selection


def page() -> None:
    app, user, reader, _ = visit.begin("tickets")
    what = list_chosen(may_read_internal=identity.has(app, user, Right.READ_INTERNAL))
    chosen = filters.chosen(reader)._replace(which=which(opening.ask(lists.offered, reader, what)))
    cards.speaks_of(reader.publication, app.now(), in_words(what, filters.in_words(reader)))
    size = opening.ask(lists.size, reader, what, chosen)
    if not size.rows:
        st.info("No ticket fits these filters.")
        return
    number = turn_to(what, chosen, size)
    table(what, opening.ask(lists.listed, reader, what, chosen, page=number))
    every = partial(lists.listed, reader, what, chosen, page=None)
    where = f"{lists.LISTS[what]}; {filters.described(chosen)}"
    exports.offer(app, user, reader.publication, f"tickets-{what}", every, where=where)


def list_chosen(*, may_read_internal: bool) -> str:
    offered = [name for name in lists.LISTS if may_read_internal or name not in lists.INTERNAL]
    return str(st.selectbox("List", offered, format_func=lists.LISTS.__getitem__, key="list", width=270,
                            bind="query-params", persist_state="session"))  # fmt: skip


def which(offered: list[str]) -> str | None:
    """Of what a list counts by: a status, a model, a day."""
    if not offered:
        return None
    return st.selectbox("Which", offered, None, format_func=words.plain, key="which", bind="query-params", width=205,
                        placeholder="all")  # fmt: skip


def in_words(what: str, period: str) -> str:
    if what in lists.DATED:
        return f"days: {period}"
    if what not in (*lists.CLOCKS, lists.NOT_COUNTED):
        return "of any age; period and clock don't apply"
    return f"clocks started: {period}"


def turn_to(what: str, chosen: Selection, size: lists.Size) -> int:
    """The number of the page that was turned to; another list begins at its first."""
    last, before = math.ceil(size.rows / lists.SIZE), st.session_state.get("listed")
    st.session_state["listed"] = (what, chosen)
    if before not in (None, (what, chosen)) and "page" in st.session_state:
        st.session_state["page"] = 1
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        of = f"{size.rows:,} times, of " if what in lists.COUNTED and size.rows > size.tickets else ""
        of = f"{words.count(size.rows, 'clock')} of " if what in (*lists.CLOCKS, lists.NOT_COUNTED) else of
        st.text(f"{of}{words.count(size.tickets, 'ticket')}")
        return st.pagination(last, key="page", bind="query-params") if last > 1 else 1


def table(what: str, rows: pl.DataFrame) -> None:
    if what in (*lists.TICKETS, *lists.COUNTED):
        facts = {"status": pl.col("status").map_elements(words.plain, return_dtype=pl.String)}
    else:
        left = pl.col("remaining").map_elements(words.left, return_dtype=pl.String)
        facts = {"clock": pl.col("clock").replace(words.CLOCKS), "left": left}
    shown = rows.select(
        "reference", "subject", **facts, priority="priority", customer="customer", group="group_name", agent="agent"
    )
    widths = {"reference": 108, "subject": 262, "clock": 82, "left": 84, "status": 110, "priority": 64, "customer": 98,
              "group": 92, "agent": 80}  # fmt: skip
    wide: dict[str, Any] = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    cards.tickets_table(shown, rows["ticket"].to_list(), key="opened", whole=True, **wide)


page()
