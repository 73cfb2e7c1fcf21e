"""Can we keep up? Tickets created, resolved and open by day, and how full each group is."""

import polars as pl
import streamlit as st

from dashboards import cards, charts, opening, pages, reports, visit, words
from dashboards import ticket_lists as lists
from pipelines.marts import MartReader

WINDOWS = {"last 12 weeks": 84, "last 4 weeks": 28, "all history": None}
LISTS = {
    "created": "created", "resolved": "resolved_times", "reopened": "reopened_times", "left_out": "left_out",
}  # fmt: skip
GROUP = st.column_config.TextColumn(width=190)
CAPTIONS = {
    "Created": "tickets",
    "Resolved": "times, whatever came later",
    "Reopened": "times",
    "Left out": "tickets, in no figure",
    "Open at the end": "of the last day",
}


def page() -> None:
    app, _, reader, _ = visit.begin("volume")
    window = cards.window(st.container(), list(WINDOWS))
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
    behind = {label: lists.address(LISTS[name], window) for name, label in shown.items()}
    behind["Open at the end"] = lists.address("open", window)
    with st.container(horizontal=True):
        for label, number in facts.items():
            cards.figure(label, f"{number:,}", CAPTIONS[label], behind.get(label), width=150)
    zone = reader.publication.time_zone
    left, right = st.columns(2)
    flow = {"created": "created", "resolved": "resolved"}
    with left:
        cards.chart(charts.volume_lines, found, f"Created and resolved, {window}", flow, "tickets a day", zone=zone)
    stock = {"open_at_end": "open at the end of the day"}
    with right:
        cards.chart(charts.volume_lines, found, f"Open tickets, {window}", stock, "tickets", zone=zone)
    with st.expander(f"Day by day, in tickets (days of {zone}, the latest first)"):
        latest = found.reverse().rename({"open_at_end": "open at the end", "left_out": "left out"})
        days = [f"{day:%Y-%m-%d}" for day in latest["day"]]
        links = {
            words.plain(name): [lists.address(what, window, which=day) for day in days] for name, what in LISTS.items()
        }
        cards.numbers_table(latest, links, key="of a day")
    if found["left_out"].sum():
        st.caption(
            "Left out: tickets that ended as spam, duplicate and the like, or at an unknown instant; the page Sources "
            "lists them."
        )


def how_full(reader: MartReader) -> None:
    st.subheader("How full is each group?")
    found = opening.ask(reports.group_load, reader)
    if found.is_empty():
        st.info("No group is known.")
        return
    left, right = st.columns([1, 2])
    with left:
        cards.chart(charts.load_bars, found, "Open tickets, share of capacity")
    shown = found.select(
        pl.coalesce("group_name", "group_id").alias("group"),
        pl.col("status").replace({"ACTIVE": "active"}),
        "capacity",
        before=pl.col("load_before"),
        allocated="allocated",
        now=pl.col("load_after"),
        full=pl.col("utilisation").map_elements(words.percent, return_dtype=pl.String).fill_null("–"),
    )
    links = [(pages.TICKETS, lists.address("open", "all history", group=group)) for group in shown["group"]]
    right.caption("Tickets: before allocation, allocated by it, and now. Open lists a group's open tickets.")
    with right:
        cards.linked_table(shown, links, key="tickets of a group", whole=True, right=["full"], group=GROUP)


page()
