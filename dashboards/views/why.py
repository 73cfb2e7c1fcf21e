"""Why were promises broken? Reasons, time in each status, hand-offs between groups, and what cost most."""

from collections.abc import Callable, Mapping

import polars as pl
import streamlit as st

from dashboards import attainment_tabs as looking_back
from dashboards import cards, filters, opening, pages, visit
from dashboards import ticket_lists as lists
from pipelines.figures import reports, why, words
from pipelines.figures.selection import Selection
from pipelines.marts import MartReader

COSTLIEST = 10


def page() -> None:
    app, _, reader, _ = visit.begin("why")
    chosen, window = filters.chosen(reader), filters.in_words(reader)
    cards.speaks_of(reader.publication, app.now(), f"clocks started: {window}")
    found = opening.ask(why.answer, reader, chosen)
    st.markdown(f"**{why.sentence(found and found._replace(group=cards.verbatim(found.group)))}**")
    TABS[cards.tabs(*TABS)](reader, chosen, window)


def reasons(reader: MartReader, chosen: Selection, window: str) -> None:
    looking_back.why_broken(reader, chosen, looking_back.dimension(), window)


def hand_offs(reader: MartReader, chosen: Selection, window: str) -> None:
    """Who waited on whom: pairs of groups, the longest waits first."""
    found = opening.ask(why.hand_offs, reader, chosen._replace(clocks=()))
    if found.is_empty():
        st.info(f"No ticket went from one group to another: {window}.")
        return
    first = found.row(0, named=True)
    st.markdown(
        f"**{words.count(int(found['hand_offs'].sum()), 'hand-off')}; the most time passed between "
        f"{cards.verbatim(first['from_group'])} and "
        f"{cards.verbatim(first['to_group'])}: {words.count(first['hand_offs'], 'hand-off')}, median wait "
        f"{words.span(first['median_seconds'])}.**"
    )
    st.caption(
        f"Hand-offs, {window}, until somebody of the other group had the ticket, round the clock. Open lists them."
    )
    links = [(pages.TICKETS, lists.address("handed_over", chosen._replace(clocks=()), one)) for one in found["which"]]
    cards.linked_table(
        found.select(
            pl.col("from_group").alias("from"), pl.col("to_group").alias("to"), pl.col("hand_offs").alias("hand-offs"),
            pl.col("picked_up").alias("picked up"),
            **{"median wait": looking_back.in_words(words.span, "median_seconds"),
               "wait in all": looking_back.in_words(words.span, "total_seconds")},
        ),
        links,
        key="hand-offs of a pair",
        right=["median wait", "wait in all"],
    )  # fmt: skip


def costliest(reader: MartReader, chosen: Selection, window: str) -> None:
    """The tickets furthest over target, each with its reason in a sentence."""
    found = opening.ask(reports.worst_breaches, reader, chosen, limit=COSTLIEST)
    if found.is_empty():
        st.info("No promise that fits these filters was broken.")
        return
    st.caption(f"Clocks furthest over their target, {window}, in business time")
    because = [
        f"{words.CLOCKS[row['clock']]} over by {words.worked(row['over_by'])}: {words.REASONS[row['reason']]}"
        for row in found.iter_rows(named=True)
    ]
    shown = found.select("reference", pl.Series("because", because), "priority", "agent")
    cards.tickets_table(shown, found["ticket"].to_list(), key="opened costliest",
                        because=st.column_config.TextColumn(width=430))  # fmt: skip


def in_status(reader: MartReader, _chosen: Selection, _window: str) -> None:
    looking_back.in_status(reader)


TABS: Mapping[str, Callable[[MartReader, Selection, str], None]] = {
    "Which reasons?": reasons, "Who waited on whom?": hand_offs, "In which status?": in_status,
    "What cost most?": costliest,
}  # fmt: skip
page()
