"""What fired, and what is at risk next? Alerts by level and day, the latest ones, the next deadlines."""

from datetime import date, timedelta

import polars as pl
import streamlit as st

from dashboards import cards, charts, opening, queries, reports, sign_in, words
from pipelines.marts import MartReader

WINDOWS = {"last 7 days": 7, "last 28 days": 28, "all history": None}


def page() -> None:
    st.title("What fired, and what is at risk next?")
    app = opening.app()
    sign_in.reader(app, door="alerts")
    reader = opening.marts(app)
    if reader is None:
        cards.nothing_yet()
        return
    window = st.selectbox("Window", list(WINDOWS), index=1, key="alert window", width=220)
    cards.speaks_of(reader.publication, app.now(), f"alerts of the {window}" if WINDOWS[window] else window)
    fired(reader, window)
    at_risk_next(reader)


def fired(reader: MartReader, window: str) -> None:
    st.subheader("What fired?")
    found = opening.ask(reports.alerts_by_day, reader, days=WINDOWS[window])
    if found.is_empty():
        st.info("No alert was raised in this window. Alerts are raised while clocks are evaluated:")
        st.code("uv run helmdesk cycle", language="bash")
        return
    by_kind = found.group_by("alert_type", "level").agg(pl.col("alerts").sum()).sort("level", "alert_type")
    for column, row in zip(st.columns(max(by_kind.height, 4)), by_kind.iter_rows(named=True), strict=False):
        column.metric(
            f"{words.plain(row['alert_type']).capitalize()}, level {row['level']}", f"{row['alerts']:,}", border=True
        )
    days = charted_days(found["day"].to_list(), reader.publication.as_of.date(), WINDOWS[window])
    st.altair_chart(
        charts.alert_bars(found, f"Alerts by day and level, {window}", days, zone=reader.publication.time_zone),
        theme=None,
    )
    latest = opening.ask(reports.latest_alerts, reader, days=WINDOWS[window])
    fired_in_all = words.count(int(found["alerts"].sum()), "alert")
    st.caption(f"The latest {latest.height:,} of {fired_in_all}, {window}; time left then, in business time")
    zone = st.context.timezone
    shown = latest.select(
        "reference",
        "subject",
        fired=pl.col("triggered_at").map_elements(lambda at: words.instant(at, zone), return_dtype=pl.String),
        alert=pl.col("alert_type"),
        level="level",
        about=pl.coalesce(pl.col("clock").replace(words.CLOCKS), pl.col("condition").str.replace_all("_", " ")),
        left=pl.col("remaining_seconds").map_elements(words.left, return_dtype=pl.String),
        seen_by="acknowledged_by",
        waits=pl.when(pl.col("kind") == "nudge").then(
            pl.all_horizontal(pl.col("cleared_at", "acknowledged_by").is_null())
        ),
    )
    cards.tickets_table(shown, latest["ticket"].to_list(), key="opened alert", subject=_WIDE)


def charted_days(fired: list[date], today: date, window: int | None) -> tuple[date, date]:
    """The first and last day of the picture: the whole window of so many days, or two weeks, if not more."""
    return min(*fired, today - timedelta(days=(window or 14) - 1)), max(*fired, today)


def at_risk_next(reader: MartReader) -> None:
    st.subheader("What is at risk next?")
    found = opening.ask(queries.closest_to_breach, reader)
    if found.is_empty():
        st.info("No running clock has a deadline ahead.")
        return
    st.caption(f"The next {words.count(found.height, 'deadline')} of clocks that run, all history")
    shown = found.select(
        "reference",
        "subject",
        due=cards.due_in_words("due_at", "remaining", reader.publication.as_of),
        clock=pl.col("clock").replace(words.CLOCKS),
        state=pl.col("state").replace(words.STATES),
        priority="priority",
        group="group_name",
    )
    cards.tickets_table(shown, found["ticket"].to_list(), key="opened next", subject=_WIDE)


_WIDE = st.column_config.TextColumn(width=300)

page()
