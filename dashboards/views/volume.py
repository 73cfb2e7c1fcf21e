"""Can we keep up? Tickets created, resolved and open by day, and how full each group is."""

import polars as pl
import streamlit as st

from dashboards import cards, charts, opening, pages, reports, sign_in, words
from pipelines.marts import MartReader

WINDOWS = {"last 4 weeks": 28, "last 12 weeks": 84, "all history": None}


def page() -> None:
    pages.head("volume")
    app = opening.app()
    sign_in.reader(app, door="volume")
    reader = opening.marts(app)
    if reader is None:
        cards.nothing_yet()
        return
    window = st.selectbox("Window", list(WINDOWS), index=1, key="volume window", width=220)
    cards.speaks_of(reader.publication, app.now(), f"days of the {window}" if WINDOWS[window] else window)
    came_and_went(reader, window)
    how_full(reader)


def came_and_went(reader: MartReader, window: str) -> None:
    st.subheader("Does more come in than goes out?")
    found = opening.ask(reports.volume, reader, days=WINDOWS[window])
    if found.is_empty():
        st.info("No ticket was created or resolved in this window.")
        return
    shown = {"created": "Created", "resolved": "Resolved", "reopened": "Reopened", "left_out": "Left out"}
    facts = {label: found[name].sum() for name, label in shown.items()} | {"Open at the end": found["open_at_end"][-1]}
    for column, (label, number) in zip(st.columns(5), facts.items(), strict=True):
        column.metric(label, f"{number:,}", border=True)
    zone = reader.publication.time_zone
    left, right = st.columns(2)
    flow = {"created": "created", "resolved": "resolved"}
    with left:
        cards.chart(charts.volume_lines, found, f"Created and resolved, {window}", flow, "tickets a day", zone=zone)
    stock = {"open_at_end": "open at the end of the day"}
    with right:
        cards.chart(charts.volume_lines, found, f"Open tickets, {window}", stock, "tickets", zone=zone)
    with st.expander(f"Day by day, in tickets (days of {zone}, the latest first)"):
        cards.table(found.reverse().rename({"open_at_end": "open at the end", "left_out": "left out"}))
    if found["left_out"].sum():
        st.caption(
            "Left out: tickets that ended as spam, duplicate and the like, or at an unknown instant; "
            "[what we know of each source](/sources) lists them."
        )


def how_full(reader: MartReader) -> None:
    st.subheader("How full is each group?")
    found = opening.ask(reports.group_load, reader)
    if found.is_empty():
        st.info("No group is known.")
        return
    left, right = st.columns([2, 3])
    with left:
        cards.chart(charts.load_bars, found, "Open tickets as a share of capacity, as of now")
    shown = found.select(
        pl.coalesce("group_name", "group_id").alias("group"),
        pl.col("status").replace({"ACTIVE": "active"}),
        "capacity",
        before=pl.col("load_before"),
        allocated="allocated",
        now=pl.col("load_after"),
        full=pl.col("utilisation").map_elements(words.percent, return_dtype=pl.String).fill_null("–"),
    )
    right.caption("Tickets: before allocation, allocated by it, and now")
    with right:
        cards.table(shown, right=["full"])


page()
