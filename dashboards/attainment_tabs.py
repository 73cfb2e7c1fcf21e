"""Promises from several sides, a tab each: where met, how long people wait, what comes back, what is owed."""

from collections.abc import Callable, Mapping, Sequence

import polars as pl
import streamlit as st

from dashboards import cards, filters, opening, pages
from dashboards import ticket_lists as lists
from engine.shared.spreadsheet_text import defused
from pipelines.figures import charts, promises, queries, reports, words
from pipelines.figures.selection import DIMENSIONS, Selection
from pipelines.marts import MartReader

MOST = 12
"""Values that one picture names."""
LEAST = 5
"""A mean or share of fewer before is compared with nothing."""
TIMES = {"first_response": "To answer", "resolution": "To resolve"}
WAITS: Sequence[tuple[str, Callable[[float], str], str, str]] = (
    ("mean_seconds", words.span, "mean", "round the clock"),
    ("median_seconds", words.span, "median", "half wait no longer, round the clock"),
    ("mean_business_seconds", words.worked, "mean, business", "business time alone"),
    ("median_business_seconds", words.worked, "median, business", "half wait no longer, business time alone"),
)
"""Columns of `reports.response_times`, how each is said, and what it is."""
INTERVAL = ("95 % from", "95 % to")
Address = Mapping[str, str]
ORDERS = {"priority": words.RANKS, "tier": words.TIERS}


def side(tab: str, reader: MartReader, chosen: Selection, window: str) -> None:
    """The same promises from one of SIDES, most cut by one dimension."""
    by = "priority" if SIDES[tab] in (owed, closest) else dimension()
    SIDES[tab](reader, chosen, by, window)


def dimension() -> str:
    """What the reader cuts by."""
    return str(st.segmented_control("By", list(DIMENSIONS), format_func=DIMENSIONS.__getitem__, default="priority",
                                    required=True, key="by", bind="query-params",
                                    persist_state="session"))  # fmt: skip


def behind(chosen: Selection) -> Callable[..., Address]:
    """How to address the tickets behind a number of this page: under its filters, and values of dimensions besides."""

    def address(what: str, which: str | None = None, **values: str) -> Address:
        narrower = chosen
        for dimension, value in values.items():
            narrower = filters.narrowed(narrower, dimension, value)
        return lists.address(what, narrower, which)

    return address


def linked(found: pl.DataFrame, what: str, by: str, address: Callable[..., Address]) -> list[tuple[str, Address]]:
    """For each row (`id` of the value, and `clock` where it has one) the list of its tickets."""
    clocks = ({"clock": clock} for clock in found["clock"]) if "clock" in found.columns else ({} for _ in found["id"])
    return [
        (pages.TICKETS, address(what, **{by: key}, **clock)) for key, clock in zip(found["id"], clocks, strict=True)
    ]


def by_rank(found: pl.DataFrame, by: str) -> pl.DataFrame:
    """Rows by `value` in the desk's own order, where the dimension has one."""
    if not (order := ORDERS.get(by)):
        return found
    place = pl.col("value").replace_strict(list(order), range(len(order)), default=len(order), return_dtype=pl.Int64)
    return found.sort(place, maintain_order=True)


def breakdown(reader: MartReader, chosen: Selection, by: str, window: str) -> None:
    found = opening.ask(queries.attainment_by, reader, by, chosen)
    weekly = opening.ask(queries.attainment_by_week, reader, chosen)
    if found.is_empty():
        st.info("No clock fits these filters.")
        return
    name = DIMENSIONS[by].lower()
    left, right = st.columns(2)
    drawn = most_decided(found)
    with left:
        cards.chart(charts.attainment_points, drawn, f"Promises kept by {name}, {window}", ORDERS.get(by, ()))
    fewer = f" Drawn: the {MOST} with the most clocks." if drawn.height < found.height else ""
    left.caption(f"Lines: 95 % Wilson interval. A clock counts once it was met or breached.{fewer}")
    with right:
        wanted = opening.ask(promises.standing, reader, opening.app().policies.goals.attainment, chosen).target
        cards.chart(charts.attainment_trend, weekly, f"Promises kept by week, {window}", wanted)
    right.caption(warning(weekly))
    st.caption(
        f"Clocks by {name}, {window}; shares of the decided ones with their 95 % interval. Open lists the broken ones."
    )
    found = by_rank(found, by)
    cards.linked_table(
        found.select(
            pl.col("value").fill_null("–").alias(name),
            pl.col("clock").replace(words.CLOCKS),
            *("clocks", "met", "breached"),
            pl.col("at_risk").alias("at risk"),
            "running",
            **{"share met": in_words(words.percent, "share_met"), **interval()},
        ),
        linked(found, "breached", by, behind(chosen)),
        key="breached of a row",
        right=["share met", *INTERVAL],
    )


def waits(reader: MartReader, chosen: Selection, by: str, window: str) -> None:
    overall = opening.ask(reports.response_times, reader, chosen)
    if overall.is_empty():
        st.info("No clock that fits these filters was stopped yet.")
    address, earlier = behind(chosen), opening.ask(promises.whole_before, reader, chosen)
    before = opening.ask(reports.response_times, reader, earlier) if earlier else overall[:0]
    before = before.filter(pl.col("stopped") >= LEAST)
    for row in overall.iter_rows(named=True):
        then = before.filter(pl.col("clock") == row["clock"])
        with st.container(horizontal=True):
            for column, name_of, what, explained in WAITS:
                is_first = column == "mean_seconds"
                stopped = f"; {words.count(row['stopped'], 'stopped clock')}" if is_first else ""
                cards.figure(
                    f"{TIMES[row['clock']]}: {what}",
                    name_of(row[column]),
                    f"{explained}{stopped}",
                    address("stopped", clock=row["clock"]) if is_first else None,
                    width=215,
                    change=longer(row[column], then[column][0], name_of) if then.height else None,
                    is_less_better=True,
                )
    found = by_rank(opening.ask(reports.response_times, reader, chosen, by), by)
    st.caption(f"Stopped clocks by {DIMENSIONS[by].lower()}, {window}: round the clock, and in business time")
    cards.linked_table(
        found.select(
            pl.col("value").fill_null("–").alias(DIMENSIONS[by].lower()),
            pl.col("clock").replace(words.CLOCKS),
            "stopped",
            mean=in_words(words.span, "mean_seconds"),
            median=in_words(words.span, "median_seconds"),
            **{
                "mean, business": in_words(words.worked, "mean_business_seconds"),
                "median, business": in_words(words.worked, "median_business_seconds"),
            },
        ),
        linked(found, "stopped", by, address),
        key="stopped of a row",
        right=["mean", "median", "mean, business", "median, business"],
    )


def longer(now: float, then: float, name_of: Callable[[float], str]) -> str:
    """A change of a length of time with its sign."""
    return f"{'-' if now < then else '+'}{name_of(now - then)}"


def in_status(reader: MartReader) -> None:
    """How long tickets stayed in each status."""
    st.caption(
        "Time in each status, all history, all tickets: per ticket, all its visits together. Open lists the tickets."
    )
    states = opening.ask(reports.time_in_state, reader)
    cards.linked_table(
        states.select(
            pl.col("status").map_elements(words.plain, return_dtype=pl.String),
            "tickets",
            "visits",
            mean=in_words(words.span, "mean_seconds"),
            median=in_words(words.span, "median_seconds"),
            **{
                "mean, business": in_words(words.worked, "mean_business_seconds"),
                "total, business": in_words(words.worked, "total_business_seconds"),
            },
        ),
        [(pages.TICKETS, lists.address("in_status", None, words.plain(one))) for one in states["status"]],
        key="ever in a status",
        right=["mean", "median", "mean, business", "total, business"],
    )


def came_back(reader: MartReader, chosen: Selection, by: str, window: str) -> None:
    overall = opening.ask(reports.reopens, reader, chosen)
    if overall.is_empty():
        st.info("Nothing that fits these filters was resolved yet.")
        return
    row = overall.row(0, named=True)
    earlier = opening.ask(promises.whole_before, reader, chosen)
    before = opening.ask(reports.reopens, reader, earlier) if earlier else overall[:0]
    before = before.filter(pl.col("resolved") >= LEAST)
    points = 100 * (row["share_reopened"] - before["share_reopened"][0]) if before.height else None
    cards.figure(
        "Reopened",
        words.percent(row["share_reopened"], 1),
        f"{row['reopened']:,} of {words.count(row['resolved'], 'resolution')}, 95 % interval "
        f"{words.percent(row['low'])} to {words.percent(row['high'])}",
        behind(chosen._replace(clocks=()))("reopened"),
        change=None if points is None else f"{points:+.1f} points",
        is_less_better=True,
    )
    address = behind(chosen._replace(clocks=()))
    found = by_rank(opening.ask(reports.reopens, reader, chosen, by), by)
    st.caption(
        f"Resolutions by {DIMENSIONS[by].lower()}, {window}; shares with their 95 % interval. Open lists the "
        "reopened ones."
    )
    cards.linked_table(
        found.select(
            pl.col("value").fill_null("–").alias(DIMENSIONS[by].lower()),
            "resolved",
            "reopened",
            **{"share reopened": in_words(words.percent, "share_reopened"), **interval()},
        ),
        linked(found, "reopened", by, address),
        key="reopened of a row",
        right=["share reopened", *INTERVAL],
    )


def why_broken(reader: MartReader, chosen: Selection, by: str, window: str) -> None:
    found = opening.ask(reports.reasons, reader, chosen, by)
    if found.is_empty():
        st.info("No promise that fits these filters was broken.")
        return
    largest = found.group_by("value").agg(pl.col("breaches").sum()).sort("breaches", "value").tail(MOST)["value"]
    drawn = found.filter(pl.col("value").is_in(largest.implode()))
    title = f"Broken promises by {DIMENSIONS[by].lower()} and reason, {window}"
    cards.chart(charts.reason_bars, drawn, title)
    broken = opening.ask(reports.reasons, reader, chosen).group_by("reason").agg(pl.col("breaches").sum())
    with st.container(horizontal=True):
        for reason, breaches in broken.sort("breaches", descending=True).iter_rows():
            label = f"{words.REASONS[reason].capitalize()}: {breaches:,}"
            st.page_link(pages.TICKETS, label=label, query_params=behind(chosen)(reason))
    st.caption(
        "One reason a breach: used up before anybody had it, else waiting on our side for at least the share of the "
        "counted time that the rule names, else the work. The furthest over target, in business time:"
    )
    worst = opening.ask(reports.worst_breaches, reader, chosen)
    shown = worst.select(
        "reference",
        clock=pl.col("clock").replace(words.CLOCKS),
        reason=pl.col("reason").replace(words.REASONS),
        **{
            "over by": in_words(words.worked, "over_by"),
            "to pick up": in_words(words.worked, "seconds_to_pick_up"),
            "waiting on us": in_words(words.worked, "seconds_waiting_internal"),
            "in work": in_words(words.worked, "seconds_in_work"),
        },
        priority="priority",
        agent="agent",
    )
    durations = ("over by", "to pick up", "waiting on us", "in work")
    cards.tickets_table(shown, worst["ticket"].to_list(), key="opened breach", right=durations)


def owed(reader: MartReader, _chosen: Selection, _by: str, _window: str) -> None:
    found = opening.ask(reports.credits_owed, reader)
    if found.is_empty():
        st.info("No promise was broken, so nothing is owed.")
        return
    st.caption(
        f"Credits by customer and month ({reader.publication.time_zone}), all history, in % of the month's fee "
        f"(reading: {found['preset'][0]}). "
        "Choose a row to see its breaches; the filters above don't apply."
    )
    answer = st.dataframe(
        defused(found).select(
            "customer",
            "month",
            "breaches",
            pl.col("still_running").alias("still running"),
            pl.col("summed_percent").alias("sum, %"),
            pl.col("credit_percent").alias("credit, %"),
            pl.col("is_capped").alias("capped"),
        ),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="credit",
        height=cards.height(found),
        column_config={"month": st.column_config.DateColumn(format="MMM YYYY")},
    )
    row = found.row(answer["selection"]["rows"][0] if answer["selection"]["rows"] else 0, named=True)
    st.text(f"Behind the credit of {row['customer']}, {row['month']:%B %Y}:")
    breaches = opening.ask(reports.credited, reader, row["company_id"], row["month"])
    shown = breaches.select(
        "reference",
        pl.col("clock").replace(words.CLOCKS),
        "priority",
        **{
            "times the target": pl.col("times_target").round(2),
            "credit, %": pl.col("credit_percent"),
            "stopped": pl.col("is_final"),
        },
    )
    cards.tickets_table(shown, breaches["ticket"].to_list(), key="opened credit")


def closest(reader: MartReader, chosen: Selection, _by: str, _window: str) -> None:
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


SIDES: Mapping[str, Callable[[MartReader, Selection, str, str], None]] = {
    "Where do we keep them?": breakdown,
    "How long?": waits,
    "What comes back?": came_back,
    "What do we owe for it?": owed,
    "What breaks next?": closest,
}


def most_decided(found: pl.DataFrame) -> pl.DataFrame:
    """The rows of the values with the most clocks, as many as a picture can name."""
    ranked = found.group_by("value").agg(pl.col("clocks").sum()).sort("clocks", "value", nulls_last=False)
    return found.filter(pl.col("value").is_in(ranked.tail(MOST)["value"].implode()))


def interval() -> dict[str, pl.Expr]:
    """The bounds of the 95 % interval, low and high, as columns in words."""
    return {name: in_words(words.percent, bound) for name, bound in zip(INTERVAL, ("low", "high"), strict=True)}


def warning(weekly: pl.DataFrame) -> str:
    """What the latest week's shares leave out so far, and what they come to at best."""
    dashed = (
        f"Hatched: weeks of which at least {words.percent(queries.UNSETTLED)} of the clocks still run, from the "
        "share so far (a late clock counts at once, a kept one only when it stops) to the one if all are met."
    )
    latest = weekly.filter((pl.col("week") == weekly["week"].max()) & (pl.col("in_time") > 0))
    parts = [
        f"{words.CLOCKS[row['clock']].lower()} {words.percent(row['share_met']).replace('–', 'undecided')}, "
        f"{words.percent(row['share_at_best'])} if all {row['in_time']:,} that still run are met"
        for row in latest.iter_rows(named=True)
    ]
    return f"{dashed} Week of {words.day(latest['week'][0])}: {'; '.join(parts)}." if parts else dashed


def in_words(words_for: Callable[..., str], column: str) -> pl.Expr:
    """A column in words; "–" where there is no number."""
    return pl.col(column).map_elements(words_for, return_dtype=pl.String, skip_nulls=True).fill_null("–")
