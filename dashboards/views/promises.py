"""Are we keeping our promises? Attainment by clock and dimension, waits, reasons, credits, what is about to break."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboards import attainment_tabs as looking_back
from dashboards import cards, exports, filters, opening, promise_parts, visit
from pipelines.figures import promises as figures
from pipelines.figures import queries, verdict, words
from pipelines.figures.selection import Selection
from pipelines.marts import MartReader


def page() -> None:
    app, user, reader, _ = visit.begin("promises")
    chosen, window = filters.chosen(reader), filters.in_words(reader)
    cards.speaks_of(reader.publication, app.now(), f"clocks started: {window}")
    shown = promise_parts.Shown(app, user, reader, chosen, window)
    promise_parts.verdict(shown)
    promises(reader, chosen)
    if opening.ask(verdict.settled_week, reader):
        exports.weekly_report(app, user)
    tab = cards.tabs(*looking_back.SIDES, *promise_parts.PARTS)
    if part := promise_parts.PARTS.get(tab):
        part(shown)
    else:
        looking_back.side(tab, reader, chosen, window)


def promises(reader: MartReader, chosen: Selection) -> None:
    found = opening.ask(queries.headline, reader, chosen)
    if found.is_empty():
        st.info("No clock fits these filters.")
        return
    behind, earlier = looking_back.behind(chosen), opening.ask(figures.whole_before, reader, chosen)
    before = opening.ask(queries.headline, reader, earlier) if earlier else None
    weekly = opening.ask(queries.attainment_by_week, reader, chosen).filter("is_settled")
    with st.container(horizontal=True):
        for clock in found.iter_rows(named=True):
            decided, name = clock["met"] + clock["breached"], words.CLOCKS[clock["clock"]]
            interval = f"95 % interval {words.percent(clock['low'])} to {words.percent(clock['high'])}"
            cards.figure(
                f"{name} met",
                words.percent(clock["share_met"], 1),
                f"{interval}, {words.count(decided, 'decided clock')}" if decided else "no clock decided yet",
                behind("met", clock=clock["clock"]),
                width=190,
                change=change(clock, before),
                trend=weekly.filter(pl.col("clock") == clock["clock"])["share_met"].drop_nulls().to_list(),
            )
        still_open = opening.ask(queries.open_tickets, reader, chosen)
        late, soon = f"{found['breached'].sum():,}", f"{found['at_risk'].sum():,}"
        cards.figure("Breaches", late, "clocks past their target, finished or not", behind("breached"), width=160)
        cards.figure("Clocks at risk", soon, "running, with little of their target left", behind("at_risk"), width=160)
        cards.figure("Open tickets", f"{still_open:,}", "of any age", behind("open"), width=160)
    cards.not_counted(opening.ask(queries.not_counted, reader, chosen))


def change(clock: Mapping[str, Any], before: pl.DataFrame | None) -> str | None:
    """How many points the share differs from the period before; None where either has no share or much of it still runs
    in time."""
    earlier = None if before is None else before.filter(pl.col("clock") == clock["clock"])
    if earlier is None or earlier.is_empty():
        return None
    both = (clock, earlier.row(0, named=True))
    if any(
        row["share_met"] is None or (row["running"] + row["at_risk"]) / row["clocks"] >= queries.UNSETTLED
        for row in both
    ):
        return None
    return f"{100 * (both[0]['share_met'] - both[1]['share_met']):+.1f} points"


page()
