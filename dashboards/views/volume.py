"""Can we keep up? What came and went by day and by kind of ticket, and who has more than they can hold."""

from collections.abc import Callable, Mapping

import polars as pl
import streamlit as st

from dashboards import cards, filters, opening, visit
from dashboards import ticket_lists as lists
from pipelines.figures import charts, flow_charts, volume, words
from pipelines.figures.selection import Period, Selection
from pipelines.marts import MartReader

LISTS = {
    "created": "created", "resolved": "resolved_times", "reopened": "reopened_times", "left_out": "left_out",
    "open_at_end": "open_then",
}  # fmt: skip
LABELS = {
    "created": "Created", "resolved": "Resolved", "reopened": "Reopened", "left_out": "Left out",
    "open_at_end": "Open at the end",
}  # fmt: skip
CAPTIONS = {
    "created": "tickets",
    "resolved": "times, whatever came later",
    "reopened": "times",
    "left_out": "tickets, in no figure",
    "open_at_end": "of the last day",
}
NAME = st.column_config.TextColumn(width=170)


def page() -> None:
    app, _, reader, _ = visit.begin("volume")
    chosen, window = filters.chosen(reader)._replace(clocks=()), filters.in_words(reader)
    cards.speaks_of(reader.publication, app.now(), f"days: {window}")
    found = opening.ask(volume.flow, reader, chosen)
    if found is None:
        st.info("The desk has no day in this window.")
    else:
        came_and_went(reader, chosen, found)
    TABS[cards.tabs(*TABS)](reader, chosen, window)


def came_and_went(reader: MartReader, chosen: Selection, found: volume.Flow) -> None:
    before = opening.ask(volume.flow_before, reader, chosen)
    loads = (opening.ask(load, reader, chosen) for load in (volume.group_load, volume.agent_load))
    st.text(volume.sentence(found, before, *loads))
    with st.container(horizontal=True):
        for name, label in LABELS.items():
            number = getattr(found, name)
            change = None if before is None else volume.signed(number - getattr(before, name))
            address = lists.address(LISTS[name], chosen) if number else None
            cards.figure(label, f"{number:,}", CAPTIONS[name], address, width=150, change=change)
    if found.left_out:
        st.caption(
            "Left out: tickets that ended as spam, duplicate and the like, or at an unknown instant; the page Sources "
            "lists them."
        )


def by_day(reader: MartReader, chosen: Selection, window: str) -> None:
    found = opening.ask(volume.days, reader, chosen)
    if found.is_empty():
        return
    zone = reader.publication.time_zone
    left, right = st.columns(2)
    flow = {"created": "created", "resolved": "resolved"}
    with left:
        cards.chart(charts.volume_lines, found, f"Created and resolved, {window}", flow, "tickets a day", zone=zone)
    stock = {"open_at_end": "open at the end of the day"}
    with right:
        cards.chart(charts.volume_lines, found, f"Open tickets, {window}", stock, "tickets", zone=zone)
    latest = found.reverse()
    st.caption(f"Day by day, in tickets (days of {zone}, the latest first); a number opens its tickets.")
    links = {
        words.plain(name): [lists.address(what, of_day(chosen, day, name)) for day in latest["day"]]
        for name, what in LISTS.items()
    }
    cards.numbers_table(latest.rename(words.plain).with_columns(pl.col("day").cast(pl.String)), links, key="of a day")


def of_day(chosen: Selection, day: object, name: str) -> Selection:
    """The selection of what was counted on a day; of what was open at its end all that came before."""
    first = None if name == "open_at_end" else day
    return chosen._replace(period=Period(first, day))  # type: ignore[arg-type]


def by_kind(reader: MartReader, chosen: Selection, window: str) -> None:
    """Created, resolved and open by what tickets are about or for whom, with the change to the period before."""
    dimension = str(st.segmented_control("By", list(volume.DIMENSIONS), format_func=volume.DIMENSIONS.__getitem__,
                                         default="segment", required=True, key="kind", bind="query-params",
                                         persist_state="session"))  # fmt: skip
    found = opening.ask(volume.by, reader, dimension, chosen)
    if found.is_empty():
        st.info("No ticket that fits these filters came, went or was open in this window.")
        return
    name = volume.DIMENSIONS[dimension].lower()
    drawn = found.filter(pl.col("created") + pl.col("resolved") > 0)
    if drawn.height:
        cards.chart(flow_charts.came_and_went, drawn, f"Created and resolved by {name}, {window}")
    is_younger = found["created_before"].null_count()
    compared = "Nothing before the period to compare with." if is_younger else "Changes are to the period before."
    fewer = f" Drawn: the {flow_charts.MOST} with the most created." if drawn.height > flow_charts.MOST else ""
    st.caption(f"By the {name} that a ticket has now; a number opens its tickets. {compared}{fewer}")
    narrower = [filters.narrowed(chosen, dimension, one) for one in found["id"]]
    links = {words.plain(column): [lists.address(what, one) for one in narrower] for column, what in LISTS.items()}
    shown = found.select(
        pl.col("value").alias(name),
        "created",
        changed("created"),
        "resolved",
        changed("resolved"),
        "reopened",
        pl.col("left_out").alias("left out"),
        pl.col("open_at_end").alias("open at end"),
    )
    cards.numbers_table(shown, links, key="of a kind")


def changed(name: str) -> pl.Expr:
    """The change to the period before, with its sign; "–" where there is none."""
    change = (pl.col(name) - pl.col(f"{name}_before")).map_elements(volume.signed, return_dtype=pl.String)
    return change.fill_null("–").alias(f"{name}, change")


def who_is_overloaded(reader: MartReader, chosen: Selection, _window: str) -> None:
    st.caption(
        "As it stands now; of the filters, group and agent apply. Late: open tickets past a target that still runs. "
        "Elsewhere: what a group carries in other systems, of which there are no tickets here."
    )
    groups = opening.ask(volume.group_load, reader, chosen)
    loads(
        groups, "group", {"open": "open", "before": "before_allocation", "allocated": "allocated", "late": "late"},
        ["elsewhere"], capacity=pl.when(pl.col("id") == "").then(pl.lit("–")).when(pl.col("status") == "inactive").then(
            pl.lit("inactive")).when(pl.col("capacity") == 0).then(pl.lit("nobody is there")).otherwise(
            pl.col("capacity").cast(pl.String)),
    )  # fmt: skip
    agents = opening.ask(volume.agent_load, reader, chosen).with_columns(open="load")
    loads(
        agents, "agent", {"open": "open", "late": "late"}, [],
        capacity=pl.when(pl.col("capacity") == 0).then(pl.lit("takes none")).when("is_there").then(
            pl.col("capacity").cast(pl.String)).otherwise(pl.format("{}, away", "capacity")),
    )  # fmt: skip


def loads(found: pl.DataFrame, what: str, behind: Mapping[str, str], more: list[str], *, capacity: pl.Expr) -> None:
    """How full each is, as a picture and as numbers that open their tickets (`behind`: the list of each column)."""
    if found.is_empty():
        st.info(f"No {what} is known.")
        return
    if found["utilisation"].count():
        cards.chart(flow_charts.load_bars, found, f"Open tickets of each {what}, share of capacity")
    everything = Selection()
    narrower = [filters.narrowed(everything, what, one) for one in found["id"]]
    links = {column: [lists.address(name, one) for one in narrower] for column, name in behind.items()}
    shown = found.select(
        pl.col("name").alias(what), *behind, *more, capacity.alias("capacity"),
        pl.col("utilisation").map_elements(words.percent, return_dtype=pl.String).fill_null("–").alias("full"),
    )  # fmt: skip
    cards.numbers_table(shown, links, key=f"load of a {what}")


TABS: Mapping[str, Callable[[MartReader, Selection, str], None]] = {
    "Which days?": by_day, "Which tickets?": by_kind, "Who has too much?": who_is_overloaded,
}  # fmt: skip
page()
