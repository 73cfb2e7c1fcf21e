"""Can we trust triage? How often people agree with it, what became of its drafts, what to write next, what it costs."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboards import cards, filters, opening, pages, visit
from dashboards import ticket_lists as lists
from pipelines.figures import charts, drift, queries, triage_numbers, words
from pipelines.figures.selection import ALL_HISTORY, Selection
from pipelines.marts import MartReader

CUTS = {"model": "Model", "label": "Product", "article": "Article cited"}


def page() -> None:
    app, _, reader, _ = visit.begin("trust")
    cards.speaks_of(reader.publication, app.now(), "all history")
    verdict(reader)
    headline(reader)
    TABS[cards.tabs(*TABS)](reader)


def verdict(reader: MartReader) -> None:
    """How far triage can be believed where it is sure, by the random slice that people answered."""
    sure, every = (opening.ask(triage_numbers.honesty, reader, name) for name in ("sure", "all"))
    if not every.tickets:
        return
    when = f"When triage is sure ({sure.tickets:,} of {words.count(every.tickets, 'ticket')})"
    if sure.share is None:
        st.info(f"{when}, it is not known yet how often it is right: 0 of {sure.drawn:,} of the random slice answered. "
                "They come as questions on the page Review.")  # fmt: skip
        return
    around = f"{words.percent(sure.low)} to {words.percent(sure.high)}"
    st.markdown(
        f"**{when}, people agree in {words.percent(sure.share)}** (95 % interval {around}), "
        f"by {sure.answered:,} answered of the random slice of {sure.drawn:,}."
    )


def headline(reader: MartReader) -> None:
    went, agreed = opening.ask(queries.review, reader), opening.ask(triage_numbers.agreement, reader)
    written, grounded = opening.ask(triage_numbers.drafts, reader)
    all_of, checked = lists.address("classified", None), words.count(agreed.answered, "checked claim")
    with st.container(horizontal=True):
        cards.figure("Classified", f"{went.tickets:,}", "tickets", all_of)
        share = words.percent(went.share, 1)
        cards.figure("Goes to a person", share, f"{went.to_a_person:,} tickets", lists.address("for_a_person", None))
        share = words.percent(agreed.share) if agreed.answered else "–"
        cards.figure("People agreed", share, f"of {checked}", lists.address("checked", None))
        draft = f"of {words.count(written, 'ticket')} with a draft"
        cards.figure("Drafts with an answer", f"{grounded:,}", draft, lists.address("answered", None))


def behind(
    what: str, which: Iterable[str | None], chosen: Selection | None = None
) -> list[tuple[str, Mapping[str, Any]]]:
    """The list behind each row of a table."""
    return [(pages.TICKETS, lists.address(what, chosen, words.plain(one) if one else "")) for one in which]


def is_it_right(reader: MartReader) -> None:
    left, right = st.columns(2)
    spread = opening.ask(queries.confidence, reader)
    if spread.is_empty():
        st.info("No ticket was classified yet. This classifies those that are here:")
        cards.command("cycle")
        return
    with left:
        cards.chart(charts.confidence_bars, spread, "Classified tickets by confidence")
    agreed = opening.ask(triage_numbers.agreement, reader)
    if not agreed.answered:
        with right:
            st.info("Nobody has checked a claim yet: answer some on the page Review, then publish:")
            cards.command("publish")
        return
    found = opening.ask(triage_numbers.calibration, reader)
    models = found["model_used"].unique(maintain_order=True).to_list()
    model = right.selectbox("Model", models, key="model", bind="query-params", persist_state="session")
    chosen = found.filter(pl.col("model_used") == model)
    with right:
        cards.chart(charts.calibration_points, chosen, "How often people agreed, by confidence")
    st.caption(
        f"People checked {words.count(agreed.answered, 'claim')} and agreed with {agreed.agreed:,}: "
        f"{words.percent(agreed.share)} (95 % interval {words.percent(agreed.low)} to {words.percent(agreed.high)}). "
        "What triage is unsure of is checked most, so this says less good of it than all tickets would."
    )
    error = opening.ask(triage_numbers.calibration_error, reader)
    if error:
        st.text(f"Its confidence is off by {error[0]:.3f} on average (ECE, n = {error[1]:,} checked claims).")
    left, right = st.columns(2)
    with left:
        curve = opening.ask(triage_numbers.risk_coverage, reader)
        cards.chart(charts.risk_coverage_line, curve, "Corrected among the surest, by how many they are")
    with right:
        crossed = opening.ask(triage_numbers.confusion, reader)
        cards.chart(charts.confusion_cells, crossed, "What people answered, and what triage had said (claims)")
    wrong = opening.ask(triage_numbers.mistakes, reader)
    if not wrong.is_empty():
        st.subheader("What was corrected?")
        corrected = wrong.select(pl.format("{} → {}", "said", "answered"))["said"]
        cards.linked_table(
            wrong.with_columns(pl.col("mean_confidence").map_elements(words.percent, return_dtype=pl.String)).rename(
                {"said": "triage said", "answered": "people answered", "mean_confidence": "mean confidence"}
            ),
            behind("corrected", corrected),
            key="corrected",
            right=["mean confidence"],
        )


def do_drafts_help(reader: MartReader) -> None:
    overall = opening.ask(triage_numbers.acceptance, reader, "all")
    if overall.is_empty():
        st.info("No draft was judged yet: say on a ticket's page what became of its suggested reply, then publish:")
        cards.command("publish")
    else:
        cut = st.selectbox("By", list(CUTS), format_func=CUTS.__getitem__, key="cut", width=220, bind="query-params",
                           persist_state="session")  # fmt: skip
        st.caption("Judged drafts; accepted is sent as drafted or with little rewritten. Mean rewritten: 0 % to 100 %.")
        found = pl.concat([overall, opening.ask(triage_numbers.acceptance, reader, cut)])
        cards.linked_table(
            _accepted(found, CUTS[cut]),
            [*behind("judged_model", [None]), *behind(f"judged_{cut}", found["value"][1:])],
            key="judged",
            right=["accepted", "95 % interval", "mean rewritten"],
        )
    st.subheader("Which articles never help?")
    useless = opening.ask(triage_numbers.unhelpful, reader)
    if useless.is_empty():
        st.info("Every article is cited, and none was turned down every time.")
        return
    shown = useless.rename({"article_id": "article", "cited": "drafts that cite it"})
    cards.linked_table(shown, behind("citing", useless["article_id"]), key="citing")


def _accepted(found: pl.DataFrame, name: str) -> pl.DataFrame:
    def percent(column: str) -> pl.Expr:
        return pl.col(column).map_elements(words.percent, return_dtype=pl.String).fill_null("–")

    return found.select(
        pl.col("value").alias(name.lower()),
        "drafts",
        "sent",
        "edited",
        "rejected",
        percent("share_accepted").alias("accepted"),
        pl.format("{} to {}", percent("low"), percent("high")).alias("95 % interval"),
        percent("mean_distance").alias("mean rewritten"),
    )


def what_to_write(reader: MartReader) -> None:
    st.caption("Tickets whose last draft found no answer in the knowledge base, those of one meaning together")
    found = opening.ask(triage_numbers.to_write, reader)
    if found.is_empty():
        st.info("No two tickets without an answer are about the same thing.")
        return
    places = found.select(pl.format("{}. {}", "place", "about"))["place"]
    cards.linked_table(found.select("tickets", "about", "examples"), behind("uncovered", places), key="uncovered")


def what_it_costs(reader: MartReader) -> None:
    period, window = filters.period(reader), filters.in_words(reader)
    found = opening.ask(triage_numbers.bill, reader, period)
    if found.is_empty():
        st.info("No model was asked in this period.")
        return
    st.metric(f"US dollars, {window}", f"{found['cost'].sum():,.2f}", border=True, width=220)
    done = found.select("operation", "model_used").iter_rows()
    cards.linked_table(
        found.select(
            operation="operation",
            model="model_used",
            tickets="tickets",
            milliseconds=pl.col("mean_latency_ms").round(0),
            prompt_tokens="prompt_tokens",
            completion_tokens="completion_tokens",
            dollars="cost",
        ).rename(
            {
                "milliseconds": "ms a ticket",
                "prompt_tokens": "prompt tokens",
                "completion_tokens": "completion tokens",
                "dollars": "US dollars",
            }
        ),
        [link for what, model in done for link in behind(what, [model], Selection(period=period))],
        key="work",
    )


def does_it_change(reader: MartReader) -> None:
    """Drift by week, and who won at each training."""
    policy = opening.app().policies.learning.drift
    found = opening.ask(drift.by_week, reader, policy, filters.chosen(reader)._replace(period=ALL_HISTORY))
    st.caption(
        f"Tickets of each of the last {drift.WEEKS} weeks against all before them, under the bar but its "
        f"period. Shifted: the population stability index is {policy.shifted_at} or more, and more than chance gives."
    )
    if found.is_empty():
        st.info(f"Drift can't be told: a week and what was before it need {policy.least_tickets} tickets each.")
    else:
        latest = found.filter(pl.col("week") == found["week"].max())
        shifted = latest.filter("is_shifted")["what"].to_list()
        head = f"shifted: {words.listed(shifted)}" if shifted else "as before"
        st.markdown(f"**The week from {words.day(latest['week'][0])} looks {head}** ({latest['tickets'][0]:,} tickets, "
                    f"{latest['before'][0]:,} before).")  # fmt: skip
        cards.table(
            found.select(
                week=pl.col("week").map_elements(words.day, return_dtype=pl.String), what="what", tickets="tickets",
                index=pl.col("psi").round(3), **{"by chance": pl.col("by_chance").round(3)},
                verdict=pl.when("is_shifted").then(pl.lit("▲ shifted")).otherwise(pl.lit("● steady")),
            )
        )  # fmt: skip
    st.subheader("Champion and challenger")
    trained = opening.ask(triage_numbers.runs, reader)
    if trained.is_empty():
        st.info("No model was trained from what people answered yet. The flow `retrain` does it, or:")
        cards.command("triage retrain")
        return
    renamed = {"name": "challenger", "champion_right": "champion right", "challenger_right": "challenger right",
               "difference_low": "better by at least", "reason": "because"}  # fmt: skip
    cards.table(
        trained.select(
            pl.col("trained_at").dt.strftime("%Y-%m-%d %H:%M").alias("trained"),
            *("name", "champion", "tested", "challenger_right", "champion_right"),
            pl.col("difference_low").round(3),
            pl.when("took_over").then(pl.lit("▲ took over")).otherwise(pl.lit("● stays")).alias("verdict"),
            "reason",
        ).rename(renamed)
    )


TABS = {
    "Is it right?": is_it_right,
    "Does it change?": does_it_change,
    "Do drafts help?": do_drafts_help,
    "What to write next": what_to_write,
    "What it costs": what_it_costs,
}
page()
