"""Are we keeping our promises? Attainment by clock and dimension, waits, reasons, credits, what is about to break."""

import streamlit as st

from dashboards import attainment_tabs as looking_back
from dashboards import cards, opening, queries, visit, words
from pipelines.marts import MartReader

WINDOWS = {"last 12 weeks": 12, "last 4 weeks": 4, "all history": None}


def page() -> None:
    app, _, reader, _ = visit.begin("promises")
    chosen, window = filters(reader)
    cards.speaks_of(reader.publication, app.now(), f"clocks started in the {window}" if chosen.weeks else window)
    promises(reader, chosen, window)
    looking_back.sides(reader, chosen, window)


def filters(reader: MartReader) -> tuple[queries.Selection, str]:
    """What the reader chose, and the window in words."""
    offered = opening.ask(queries.choices, reader)
    names = opening.ask(queries.group_names, reader)
    clocks, tiers, priorities, groups, weeks = st.columns(5)
    window = cards.window(weeks, list(WINDOWS))
    ranks, kinds = words.in_order(offered["priorities"], words.RANKS), words.in_order(offered["tiers"], words.TIERS)
    chosen = queries.Selection(
        clocks=cards.choose(clocks, "Clock", offered["clocks"], words.CLOCKS),
        tiers=cards.choose(tiers, "Contract tier", kinds, key="tier"),
        priorities=cards.choose(priorities, "Priority", ranks),
        groups=cards.choose(groups, "Group", offered["groups"], names),
        weeks=WINDOWS[window],
    )
    return chosen, window


def promises(reader: MartReader, chosen: queries.Selection, window: str) -> None:
    found = opening.ask(queries.headline, reader, chosen)
    if found.is_empty():
        st.info("No clock fits these filters.")
        return
    behind = looking_back.behind(reader, chosen, window)
    with st.container(horizontal=True):
        for clock in found.iter_rows(named=True):
            decided, name = clock["met"] + clock["breached"], words.CLOCKS[clock["clock"]]
            interval = f"95 % interval {words.percent(clock['low'])} to {words.percent(clock['high'])}"
            cards.figure(
                f"{name} met",
                words.percent(clock["share_met"], 1),
                f"{interval}, {words.count(decided, 'decided clock')}" if decided else "no clock decided yet",
                behind("met", clock=name),
            )
        still_open = opening.ask(queries.open_tickets, reader, chosen)
        late, soon = f"{found['breached'].sum():,}", f"{found['at_risk'].sum():,}"
        cards.figure("Breaches", late, "clocks past their target, finished or not", behind("breached"))
        cards.figure("Clocks at risk", soon, "running, with little of their target left", behind("at_risk"))
        cards.figure("Open tickets", f"{still_open:,}", "of any age, by tier, priority and group", behind("open"))
    cards.not_counted(opening.ask(queries.not_counted, reader, chosen))


page()
