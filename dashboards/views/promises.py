"""Are we keeping our promises? Attainment by clock and dimension, waits, reasons, credits, what is about to break."""

import polars as pl
import streamlit as st

from dashboards import attainment_tabs as looking_back
from dashboards import cards, charts, opening, pages, queries, sign_in, words
from pipelines.marts import MartReader

WINDOWS = {"last 4 weeks": 4, "last 12 weeks": 12, "all history": None}


def page() -> None:
    pages.head("promises")
    app = opening.app()
    sign_in.reader(app, door="attainment")
    reader = opening.marts(app)
    if reader is None:
        cards.nothing_yet()
        return
    chosen, window = filters(reader)
    cards.speaks_of(reader.publication, app.now(), f"clocks started in the {window}" if chosen.weeks else window)
    promises(reader, chosen)
    looking_back.sides(reader, chosen, window)
    closest(reader, chosen)
    how_sure(reader)
    not_taken_in(reader)


def filters(reader: MartReader) -> tuple[queries.Selection, str]:
    """What the reader chose, and the window in words."""
    offered = opening.ask(queries.choices, reader)
    names = opening.ask(queries.group_names, reader)
    clocks, tiers, priorities, groups, weeks = st.columns(5)
    window = weeks.selectbox("Window", list(WINDOWS), index=1, key="window", persist_state="session")
    return (
        queries.Selection(
            clocks=cards.choose(clocks, "Clock", offered["clocks"], words.CLOCKS),
            tiers=cards.choose(tiers, "Contract tier", words.in_order(offered["tiers"], words.TIERS)),
            priorities=cards.choose(priorities, "Priority", words.in_order(offered["priorities"], words.RANKS)),
            groups=cards.choose(groups, "Group", offered["groups"], names),
            weeks=WINDOWS[window],
        ),
        window,
    )


def promises(reader: MartReader, chosen: queries.Selection) -> None:
    found = opening.ask(queries.headline, reader, chosen)
    if found.is_empty():
        st.info("No clock fits these filters.")
        return
    with st.container(horizontal=True):
        for clock in found.iter_rows(named=True):
            decided = clock["met"] + clock["breached"]
            interval = f"95 % interval {words.percent(clock['low'])} to {words.percent(clock['high'])}"
            cards.figure(
                f"{words.CLOCKS[clock['clock']]} met",
                words.percent(clock["share_met"], 1),
                f"{interval}, {words.count(decided, 'decided clock')}" if decided else "no clock decided yet",
            )
        still_open = opening.ask(queries.open_tickets, reader, chosen)
        cards.figure("Breaches", f"{found['breached'].sum():,}", "clocks past their target, finished or not")
        cards.figure("At risk now", f"{found['at_risk'].sum():,}", "running clocks with little of their target left")
        cards.figure("Open tickets", f"{still_open:,}", "of any age, filtered by tier, priority and group")
    cards.not_counted(opening.ask(queries.not_counted, reader, chosen))


def closest(reader: MartReader, chosen: queries.Selection) -> None:
    st.subheader("What breaks next?")
    found = opening.ask(queries.closest_to_breach, reader, chosen)
    if found.is_empty():
        st.info("No running clock has a deadline ahead.")
        return
    shown = found.select(
        "reference",
        "subject",
        due=cards.due_in_words("due_at", "remaining", reader.publication.as_of),
        clock=pl.col("clock").replace(words.CLOCKS),
        state=pl.col("state").replace(words.STATES),
        priority="priority",
        tier="tier",
        group="group_name",
    )
    cards.tickets_table(shown, found["ticket"].to_list(), key="opened", subject=st.column_config.TextColumn(width=235))


def how_sure(reader: MartReader) -> None:
    st.subheader("How sure is triage?")
    went = opening.ask(queries.review, reader)
    if not went.tickets:
        st.info("No ticket was classified yet.")
        return
    left, right = st.columns([1, 3])
    left.metric("Goes to a person", words.percent(went.share, 1), border=True)
    left.caption(f"{went.to_a_person:,} of {words.count(went.tickets, 'classified ticket')}, all history")
    spread = opening.ask(queries.confidence, reader)
    with right:
        cards.chart(charts.confidence_bars, spread, "Classified tickets by confidence, all history")


def not_taken_in(reader: MartReader) -> None:
    found = opening.ask(queries.rejected, reader)
    with st.expander(f"Rows that could not be taken in: {found.total:,}"):
        if not found.total:
            st.text("Every row that was delivered was taken in.")
            return
        if found.total > found.rows.height:
            st.caption(f"The first {found.rows.height:,} of {found.total:,}.")
        cards.table(found.rows)


page()
