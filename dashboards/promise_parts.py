"""Sides of the promises beside the counts by cut: where it is worst, when, how content customers are, about what."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import polars as pl
import streamlit as st

from dashboards import cards, filters, opening, pages
from dashboards import ticket_lists as lists
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.identity import Right, User
from pipelines.figures import promise_charts, promises, rhythm, satisfaction, words
from pipelines.figures.selection import DIMENSIONS, Selection
from pipelines.marts import MartReader

CELLS = 3
LEAST = 5


class Shown(NamedTuple):
    app: App
    user: User
    reader: MartReader
    chosen: Selection
    window: str


def verdict(shown: Shown) -> None:
    goals = shown.app.policies.goals.attainment
    found = opening.ask(promises.standing, shown.reader, goals, shown.chosen)
    lowest = opening.ask(promises.worst_cut, shown.reader, goals, shown.chosen)
    lowest = lowest and lowest._replace(value=cards.verbatim(lowest.value))
    st.markdown(f"**{promises.sentence(found, lowest, DIMENSIONS)}**")


def worst(shown: Shown) -> None:
    """The values of a dimension against the target of their mix."""
    dimensions = {key: label for key, label in DIMENSIONS.items() if key != "week"}
    by = st.segmented_control("By", list(dimensions), format_func=dimensions.__getitem__, default="group",
                              required=True, key="cut", bind="query-params")  # fmt: skip
    goals = shown.app.policies.goals.attainment
    found = opening.ask(promises.against_target, shown.reader, str(by), goals, shown.chosen)
    if found.is_empty():
        st.info("No promise that fits these filters is decided.")
        return
    cards.chart(promise_charts.cuts_against_target, found, f"Promises kept by {dimensions[by].lower()}, {shown.window}")
    st.caption(f"The furthest under target first, {promise_charts.MOST} at most; lines are 95 % Wilson intervals. Open "
               "lists the broken ones.")  # fmt: skip
    wheres = [filters.narrowed(shown.chosen, str(by), key) for key in found["id"]]
    links = [(pages.TICKETS, lists.address("breached", where)) for where in wheres]
    cards.linked_table(
        found.select(
            pl.col("value").alias(dimensions[by].lower()), "met", "breached", pl.col("in_time").alias("still in time"),
            **{"share met": _percent("share_met"), "95 % from": _percent("low"), "95 % to": _percent("high"),
               "target": _percent("target")},
        ),
        links,
        key="worst of a cut",
        right=["share met", "95 % from", "95 % to", "target"],
    )  # fmt: skip


def by_hour(shown: Shown) -> None:
    """When promises are made that are broken, and when tickets come."""
    found = opening.ask(rhythm.share_met_by_hour_and_weekday, shown.reader, shown.chosen)
    if found.is_empty():
        st.info("No clock fits these filters.")
        return
    zone = shown.reader.publication.time_zone
    decided = found.drop_nulls("share_met")
    sure = decided.filter(pl.col("met") + pl.col("breached") >= LEAST, pl.col("breached") > 0)
    low = {
        (row["weekday"], row["hour"]): f"{words.percent(row['share_met'])} of {row['met'] + row['breached']:,} met"
        for row in sure.sort("share_met", "weekday", "hour").head(CELLS).iter_rows(named=True)
    }
    title = f"Share met by when the clock started, {shown.window} ({zone})"
    cells(shown, decided, "share_met", title, named=low,
          lead=f"Lowest, of hours with {LEAST} decided clocks or more")  # fmt: skip
    came = opening.ask(rhythm.by_hour_and_weekday, shown.reader, shown.chosen)
    if came.is_empty():
        return
    top = came.sort("tickets", "weekday", "hour", descending=[True, False, False]).head(CELLS)
    most = {(day, hour): words.count(tickets, "ticket") for day, hour, tickets in top.rows()}
    cells(shown, came, "tickets", f"Tickets created, {shown.window} ({zone})", lead="Most come", named=most)


def cells(
    shown: Shown, found: pl.DataFrame, column: str, title: str, *, lead: str, named: Mapping[tuple[int, int], str]
) -> None:
    """The map, and the hours that stand out in words; each leads to its tickets."""
    says = {rhythm.hour_of(*at): f"{rhythm.WEEKDAYS[at[0]]} {at[1]}:00, {number}" for at, number in named.items()}
    cards.chart(rhythm.heat_map, found, column, title, f"{title}. {lead}: {'; '.join(says.values())}")
    st.caption(f"{lead}:" if says else f"{lead}: none.")
    what = "breached_by_hour" if column == "share_met" else "created_by_hour"
    for which, label in says.items():
        st.page_link(pages.TICKETS, label=label, query_params=lists.address(what, shown.chosen, which))


def content(shown: Shown) -> None:
    """What customers said at the end: satisfaction and recommendation, for who may read it."""
    if not identity.has(shown.app, shown.user, Right.READ_INTERNAL):
        st.info("What customers answered is shown to those who may read internal entries.")
        return
    found = opening.ask(satisfaction.satisfaction, shown.reader, shown.chosen)
    net = opening.ask(satisfaction.recommendation, shown.reader, shown.chosen)
    if not found.answered:
        st.info(f"No survey was answered: {shown.window}. Surveys are recorded when a ticket is closed:")
        cards.command("ticket close TICKET --csat 5 --nps 9")
        return
    rate = words.count(found.answered, "answer")
    with st.container(horizontal=True):
        interval = f"gave 4 or 5 of 5; 95 % interval {words.percent(found.low)} to {words.percent(found.high)}"
        every = lists.address("surveyed", shown.chosen)
        cards.figure("Content (CSAT)", words.percent(found.share_content), f"{interval}; {rate}", every, width=230)
        cards.figure("Mean", f"{found.mean:.2f}", f"of 5 points; n = {found.answered:,}", every)
        if net.score is not None:
            label = f"95 % interval {net.low:+.0f} to {net.high:+.0f}; n = {net.answered:,}"
            cards.figure("Net promoter score", f"{net.score:+.0f}", label, every, width=230)
        complained = lists.address("complained", shown.chosen)
        cards.figure("Complaints", f"{found.complaints:,}", "among the answers", complained)
        answered = opening.ask(satisfaction.answered, shown.reader, shown.chosen)
        if answered.closed:
            low, high = (words.percent(bound) for bound in answered.interval)
            of = f"{answered.answered:,} of {words.count(answered.closed, 'ticket')} closed in these days"
            cards.figure("Response rate", words.percent(answered.answered / answered.closed),
                         f"{of}; 95 % interval {low} to {high}", lists.address("closed", shown.chosen, "answer"),
                         width=230)  # fmt: skip
    st.caption(
        "Who answers chooses to, so the intervals hold for those alone. Of the tickets closed in these days, those "
        f"with an answer had {words.percent(answered.met_with)} of their promises met, those without "
        f"{words.percent(answered.met_without)}."
    )


def about_what(shown: Shown) -> None:
    """Themes by the taxonomy: how many, more or fewer than before, and how they were kept."""
    found = opening.ask(promises.themes, shown.reader, shown.chosen)
    if found.is_empty():
        st.info("No ticket fits these filters.")
        return
    st.caption(f"Tickets created, {shown.window}, by product of the taxonomy (confirmed, or surely guessed), and "
               "what of their promises is decided. Open lists the tickets.")  # fmt: skip
    products = found["product"]
    links = [(pages.TICKETS, lists.address("created", shown.chosen._replace(products=(one,)))) for one in products]
    cards.linked_table(
        found.select(
            pl.col("product").replace("", "no product"), "tickets", pl.col("before").alias("period before"),
            **{"of all": _percent("share"), "share met": _percent("share_met"), "95 % from": _percent("low"),
               "95 % to": _percent("high")},
        ),
        links,
        key="tickets of a theme",
        right=["of all", "share met", "95 % from", "95 % to"],
    )  # fmt: skip


def _percent(column: str) -> pl.Expr:
    return pl.col(column).map_elements(words.percent, return_dtype=pl.String, skip_nulls=True).fill_null("–")


PARTS: Mapping[str, Callable[[Shown], None]] = {
    "Where is it worst?": worst, "When?": by_hour, "How content?": content, "About what?": about_what,
}  # fmt: skip
