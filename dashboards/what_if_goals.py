"""Another share of promises wanted: which weeks and cuts are under target, and which would be."""

import polars as pl
import streamlit as st

from dashboards import cards, filters, opening, pages
from dashboards import ticket_lists as lists
from dashboards.what_if_question import Question, percent, with_interval
from pipelines import what_if
from pipelines.figures import words
from pipelines.figures.selection import DIMENSIONS

STATES = {True: "● under", False: "○ kept"}


def goals(question: Question) -> None:
    """Another share wanted of each clock; nothing is replayed, the published figures are compared."""
    now = what_if.shares(question.app.policies.goals.attainment)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cut = str(st.selectbox("By", ["week", *(name for name in DIMENSIONS if name != "week")], key="goals by",
                               format_func=DIMENSIONS.__getitem__, width=170, bind="query-params"))  # fmt: skip
        wanted = {clock: st.number_input(f"{label}, % wanted", 1.0, 100.0, round(now[clock] * 100, 1), 0.5, width=170,
                                         format="%.1f", key=f"goal {clock}") / 100
                  for clock, label in words.CLOCKS.items()
                  if clock in (question.chosen.clocks or _clocks(question))}  # fmt: skip
    higher = st.checkbox("Keep the higher goals for single tiers and priorities", value=True, key="higher goals",
                         bind="query-params")  # fmt: skip
    found = opening.ask(what_if.goals, question.reader, question.app, question.chosen, cut, wanted, with_higher=higher)
    if found.is_empty():
        st.info(f"{'No week is settled' if cut == 'week' else 'No promise is decided'} under the bar's filters yet.")
        return
    sentence(found, cut)
    st.caption("A row's target is the mean of what is wanted of its decided clocks. Weeks that are not settled are "
               f"left out. Clocks started: {question.period}.")  # fmt: skip
    rows = found.sort(pl.col("is_under_after") != pl.col("is_under_before"),
                      pl.col("share_met") - pl.col("target_after"), descending=[True, False])  # fmt: skip
    links = [
        (pages.TICKETS, lists.address("breached", filters.narrowed(question.chosen._replace(clocks=(clock,)), cut, id)))
        for clock, id in rows.select("clock", "id").iter_rows()
    ]
    cards.linked_table(
        rows.select(
            pl.col("value").alias(DIMENSIONS[cut].lower()),
            pl.col("clock").replace(words.CLOCKS),
            with_interval("share_met", "low", "high").alias("met"),
            "decided",
            percent("target_before").alias("target now"),
            pl.col("is_under_before").replace_strict(STATES, return_dtype=pl.String).alias("now"),
            percent("target_after").alias("target then"),
            pl.col("is_under_after").replace_strict(STATES, return_dtype=pl.String).alias("then"),
        ),
        links,
        key="opened goal",
        right=["met", "target now", "target then"],
    )


def _clocks(question: Question) -> set[str]:
    """The clocks that promises in force measure."""
    return {clock.value for clock in question.app.policies.sla.policies.clocks}


def sentence(found: pl.DataFrame, cut: str) -> None:
    then, now = int(found["is_under_after"].sum()), int(found["is_under_before"].sum())
    of = f"{words.count(found.height, 'row')} of {DIMENSIONS[cut].lower()} and clock"
    st.markdown(f"**With these goals {then:,} of {of} would have been under target; with those in force {now:,} are.**")
