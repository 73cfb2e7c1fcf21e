"""Which tickets are these? The list behind a number, under the filters in its address."""

import math
from typing import Any

import polars as pl
import streamlit as st

from dashboards import cards, opening, queries, visit, words
from dashboards import ticket_lists as lists
from pipelines.marts import MartReader

WINDOWS = {"last 12 weeks": 12, "last 4 weeks": 4, "all history": None}


def page() -> None:
    app, _, reader, _ = visit.begin("tickets")
    what, chosen, window = filters(reader)
    cards.speaks_of(reader.publication, app.now(), in_words(what, window))
    size = opening.ask(lists.size, reader, what, chosen)
    if not size.rows:
        st.info("No ticket fits these filters.")
        return
    number = turn_to(what, chosen, size)
    table(what, opening.ask(lists.listed, reader, what, chosen, page=number))


def filters(reader: MartReader) -> tuple[str, queries.Selection, str]:
    offered, names = opening.ask(queries.choices, reader), opening.ask(queries.names, reader)
    ranks, tiers = words.in_order(offered["priorities"], words.RANKS), words.in_order(offered["tiers"], words.TIERS)
    nobody, none = {"": "no agent"}, {"": "no customer"}
    with st.container(horizontal=True):
        what = st.selectbox("List", list(lists.LISTS), format_func=lists.LISTS.__getitem__, key="list", width=270,
                            bind="query-params", persist_state="session")  # fmt: skip
        window = cards.window(st.container(width=220), list(WINDOWS), key="since")
    with st.container(horizontal=True):
        places = iter([st.container(width=165) for _ in lists.FILTERS])
        chosen = queries.Selection(
            clocks=cards.choose(next(places), "Clock", offered["clocks"], words.CLOCKS, key="clocks"),
            tiers=cards.choose(next(places), "Contract tier", tiers, key="tiers"),
            priorities=cards.choose(next(places), "Priority", ranks, key="priorities"),
            groups=cards.choose(next(places), "Group", offered["groups"], names, key="groups"),
            agents=cards.choose(next(places), "Agent", ["", *offered["agents"]], nobody | names, key="agents"),
            customers=cards.choose(
                next(places), "Customer", ["", *offered["customers"]], none | names, key="customers"
            ),
            types=cards.choose(next(places), "Type", offered["types"], key="types"),
            started=cards.choose(next(places), "Week", offered["started"], key="weeks"),
            weeks=WINDOWS[window],
            which=which(opening.ask(lists.offered, reader, what)),
        )
    return what, chosen, window


def which(offered: list[str]) -> str | None:
    """Of what a list counts by: a status, a model, a day."""
    if not offered:
        return None
    return st.selectbox("Which", offered, None, format_func=words.plain, key="which", bind="query-params", width=205,
                        placeholder="all")  # fmt: skip


def in_words(what: str, window: str) -> str:
    if what in lists.DATED:
        return f"days of the {window}" if WINDOWS[window] else window
    if what not in (*lists.CLOCKS, lists.NOT_COUNTED):
        return "of any age; the window, clock and week don't apply"
    return f"clocks started in the {window}" if WINDOWS[window] else window


def turn_to(what: str, chosen: queries.Selection, size: lists.Size) -> int:
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
