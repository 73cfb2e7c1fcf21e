"""Are we keeping our promises? Attainment by clock and dimension, waits, reasons, credits, what is about to break."""

import streamlit as st

from dashboards import attainment_tabs as looking_back
from dashboards import cards, filters, opening, visit
from pipelines.figures import queries, words
from pipelines.figures.selection import Selection
from pipelines.marts import MartReader


def page() -> None:
    app, _, reader, _ = visit.begin("promises")
    chosen, window = filters.chosen(reader), filters.in_words(reader)
    cards.speaks_of(reader.publication, app.now(), f"clocks started: {window}")
    promises(reader, chosen)
    looking_back.sides(reader, chosen, window)


def promises(reader: MartReader, chosen: Selection) -> None:
    found = opening.ask(queries.headline, reader, chosen)
    if found.is_empty():
        st.info("No clock fits these filters.")
        return
    behind = looking_back.behind(chosen)
    with st.container(horizontal=True):
        for clock in found.iter_rows(named=True):
            decided, name = clock["met"] + clock["breached"], words.CLOCKS[clock["clock"]]
            interval = f"95 % interval {words.percent(clock['low'])} to {words.percent(clock['high'])}"
            cards.figure(
                f"{name} met",
                words.percent(clock["share_met"], 1),
                f"{interval}, {words.count(decided, 'decided clock')}" if decided else "no clock decided yet",
                behind("met", clock=clock["clock"]),
            )
        still_open = opening.ask(queries.open_tickets, reader, chosen)
        late, soon = f"{found['breached'].sum():,}", f"{found['at_risk'].sum():,}"
        cards.figure("Breaches", late, "clocks past their target, finished or not", behind("breached"))
        cards.figure("Clocks at risk", soon, "running, with little of their target left", behind("at_risk"))
        cards.figure("Open tickets", f"{still_open:,}", "of any age", behind("open"))
    cards.not_counted(opening.ask(queries.not_counted, reader, chosen))


page()
