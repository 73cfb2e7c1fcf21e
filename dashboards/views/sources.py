"""What do we know of each source? Facts it tells, what is not measured, left out or refused, and its own verdict."""

import polars as pl
import streamlit as st

from dashboards import cards, opening, visit
from pipelines.figures import reports, words
from pipelines.marts import MartReader

FIELDS = {
    "subject": "title", "content": "text", "requester_id": "who asked", "company_id": "customer", "group_id": "group",
    "assignee_id": "agent", "first_response": "first response measured", "resolution": "resolution measured",
}  # fmt: skip


def page() -> None:
    app, _, reader, _ = visit.begin("sources")
    cards.speaks_of(reader.publication, app.now(), "all history")
    found = opening.ask(reports.coverage, reader)
    if found.is_empty():
        st.info("No ticket was taken in yet.")
        return
    sources = found["source"].unique(maintain_order=True).to_list()
    source = sources[0]
    if len(sources) > 1:
        source = st.selectbox("Source", sources, key="source", width=260, bind="query-params", persist_state="session")
    tab = cards.tabs("What it tells", *TABS)
    if tab in TABS:
        TABS[tab](reader, source)
    else:
        facts(found.filter(pl.col("source") == source))


def facts(found: pl.DataFrame) -> None:
    shown = found.select(
        fact=pl.col("field").replace(FIELDS),
        of="tickets",
        known="known",
        share=pl.col("share_known").map_elements(words.percent, return_dtype=pl.String),
        unknown="unknown",
    )
    cards.table(shown, right=["share"], fact=st.column_config.TextColumn(width=170))
    for field, why in found.filter(pl.col("why").is_not_null()).select("field", "why").iter_rows():
        st.caption(f"{words.CLOCKS[field]}, most of the unknown: {words.not_counted(why)}")


def ends(reader: MartReader, source: str) -> None:
    found = opening.ask(reports.outcomes, reader, source)
    if found.is_empty():
        st.info("No ticket has ended.")
        return
    cards.table(found)
    tickets(opening.ask(reports.left_out, reader, source), "Left out of attainment")
    note = "They count until a person says so: `helmdesk outcomes accept --all-proposed`."
    tickets(opening.ask(reports.machine_mail, reader, source), "A machine seems to have written", note)


def tickets(found: pl.DataFrame, label: str, note: str = "") -> None:
    if found.height:
        with st.expander(f"{label}: {words.count(found.height, 'ticket')}"):
            if note:
                st.caption(note)
            cards.tickets_table(found.drop("ticket"), found["ticket"].to_list(), key=f"opened {label}")


def refused(reader: MartReader, source: str) -> None:
    found = opening.ask(reports.refusals, reader, source)
    if found.is_empty():
        st.info("Every row that was delivered was taken in.")
        return
    cards.table(found)


def differences(reader: MartReader, source: str) -> None:
    counts = opening.ask(reports.agreement, reader, source)
    if counts.is_empty():
        st.info("This source tells no verdict of its own; a mapping may name its columns.")
        return
    for row in counts.iter_rows(named=True):
        share = words.percent(row["agree"] / row["compared"]) if row["compared"] else "–"
        compared = f"{row['agree']:,} of {row['compared']:,} alike ({share})"
        st.text(f"{words.CLOCKS[row['clock']]}: {compared}; {row['undecided']:,} not decided by us")
    found = opening.ask(reports.differing, reader, source)
    if found.height:
        spans = {"used": "elapsed", "promised": "target", "paused": "paused"}
        shown = found.select(
            "reference",
            clock=pl.col("clock").replace(words.CLOCKS),
            theirs="theirs",
            ours=pl.col("ours").replace(words.STATES),
            **{name: pl.col(of).map_elements(words.span, return_dtype=pl.String) for name, of in spans.items()},
            policy="policy",
            calendar="calendar",
        )
        st.caption("Our figures are business time on the calendar named; a ticket's page has the ledger behind them.")
        cards.tickets_table(shown, found["ticket"].to_list(), key="opened difference", right=list(spans))


TABS = {
    "How tickets ended": ends,
    "Rows not taken in": refused,
    "Where its own SLA differs": differences,
}
page()
