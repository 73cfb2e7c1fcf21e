"""Can we keep up? Tickets created, resolved and open by day, and how full each group is."""

import polars as pl
import streamlit as st

from dashboards import cards, filters, opening, pages, visit
from dashboards import ticket_lists as lists
from pipelines.figures import charts, reports, words
from pipelines.figures.selection import Period, Selection
from pipelines.marts import MartReader

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
    cards.speaks_of(reader.publication, app.now(), f"days: {filters.in_words(reader)}")
    came_and_went(reader, filters.period(reader), filters.in_words(reader))
    how_full(reader)


def came_and_went(reader: MartReader, period: Period, window: str) -> None:
    st.subheader("Does more come in than goes out?")
    found = opening.ask(reports.volume, reader, period)
    if found.is_empty():
        st.info("No ticket was created or resolved in this window.")
        return
    during = Selection(period=period)
    shown = {"created": "Created", "resolved": "Resolved", "reopened": "Reopened", "left_out": "Left out"}
    facts = {label: found[name].sum() for name, label in shown.items()} | {"Open at the end": found["open_at_end"][-1]}
    behind = {label: lists.address(LISTS[name], during) for name, label in shown.items()}
    behind["Open at the end"] = lists.address("open", None)
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
        links = {words.plain(name): [lists.address(what, during, day) for day in days] for name, what in LISTS.items()}
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
    links = [(pages.TICKETS, lists.address("open", Selection(groups=(group,)))) for group in found["group_id"]]
    right.caption("Tickets: before allocation, allocated by it, and now. Open lists a group's open tickets.")
    with right:
        cards.linked_table(shown, links, key="tickets of a group", whole=True, right=["full"], group=GROUP)


page()
