"""Other promises and other working hours: what the page asks for, and both sides of a replay."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards import cards, opening
from dashboards.what_if_question import AFTER, BEFORE, Question, is_compared, with_interval
from pipelines import what_if
from pipelines.figures import what_if_charts, words
from pipelines.what_if import Hours, Otherwise, Replay, Target

DIMENSIONS = {"priority": "Priority", "tier": "Contract tier", "team": "Group", "week": "Week"}
ORDERS = {"priority": words.RANKS, "tier": words.TIERS}
LABELS = {
    "tz": "Time zone", "country": "Public holidays of", "closed": "Closed besides", "mon": "Monday", "tue": "Tuesday",
    "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
UNKNOWN = ("Nothing is written. A replay takes what people did as given: under other promises they would have worked "
           "otherwise, which no replay can know.")  # fmt: skip


def policy(question: Question) -> None:
    """Another list of promises: a shipped one, a file, or either with other targets."""
    left, right = st.columns(2)
    name = left.selectbox("Promises", what_if.lists(question.app), key="policy", bind="query-params",
                          help="The first is the list in force.")  # fmt: skip
    own = right.file_uploader("or a file of your own (YAML)", type=["yaml", "yml"], key="own policy")
    called = own.name if own else str(name)
    text = what_if.text_of(own.getvalue(), own.name) if own else what_if.text_of_list(question.app, str(name))
    other = Otherwise(text, called if own else f"{called}.yaml", targets(text, called))
    if is_compared("policy", other, question.chosen):
        replayed(question, other, called, "other targets" if other.targets else "")


def targets(text: str, called: str) -> tuple[Target, ...]:
    """The targets that the reader changed, of a field a promise and clock."""
    changed = []
    with st.expander("Other targets"):
        st.caption("As the file writes them: 15 min, 4 hours, 2 business days; empty promises nothing. A tier's own "
                   "target, where the file gives one, stays.")  # fmt: skip
        columns, cells = st.columns(2), what_if.editable(text, called)
        if not cells:
            st.caption("This file gives its targets by tier alone: change them in a file of your own.")
        for place, cell in enumerate(cells):
            label = f"{cell.name}: {words.CLOCKS[cell.clock].lower()}"
            key = f"target {called} {cell.place} {cell.clock}"
            given = columns[place % 2].text_input(label, cell.target, 80, key=key)
            if given.strip() != cell.target:
                changed.append(Target(cell.place, cell.clock, given.strip()))
    return tuple(changed)


def calendar(question: Question) -> None:
    """Other hours of a calendar that the promises in force count on, or a file of calendars."""
    own = st.file_uploader("Calendars of your own (YAML)", type=["yaml", "yml"], key="own calendars")
    if own:
        calendars = Otherwise(calendars=what_if.text_of(own.getvalue(), own.name), calendars_name=own.name)
        if is_compared("calendar", calendars, question.chosen):
            replayed(question, calendars, own.name, "")
        return
    offered = what_if.calendars_in_use(question.app)
    if not offered:
        st.info("Every promise in force counts round the clock: no calendar changes anything.")
        return
    name = str(st.selectbox("Calendar", offered, key="calendar", bind="query-params",
                            help="Those that promises in force count on."))  # fmt: skip
    now = what_if.hours_of(question.app, name)
    st.caption("Windows of a day as 09:00-12:30, 13:30-18:00, none for a day off; the country as its code, DE; days "
               "closed besides as 2026-12-24, 2026-12-31.")  # fmt: skip
    changed = []
    with st.container(horizontal=True):
        for what, value in now.items():
            label = LABELS[what]
            given = st.text_input(label, value, 400, key=f"hours {name} {what}", width=170)
            if given.strip() != value:
                changed.append(Hours(name, what, given.strip()))
    other = Otherwise(hours=tuple(changed))
    if is_compared("calendar", other, question.chosen):
        replayed(question, other, name, "other hours")


def replayed(question: Question, other: Otherwise, name: str, how: str) -> None:
    """Of the list or calendar with this name, which is changed in what `how` says."""
    with st.spinner("Every clock is replayed twice"):
        found = opening.ask(what_if.promises, question.reader, question.app, other, question.chosen)
    if not found.tickets:
        st.info("No ticket fits the bar: choose a longer period, or fewer filters.")
        return
    sentence(found, f"{how} in {cards.verbatim(name)}" if how else cards.verbatim(name))
    st.caption(f"{words.count(found.tickets, 'ticket')} created: {question.period}; the bar applies, and what "
               f"counts in no share is not in it. {UNKNOWN}")  # fmt: skip
    by_clock(found)
    st.caption("In brackets the 95 % interval; open clocks that are still in time are in no share.")
    cut = str(st.selectbox("By", list(DIMENSIONS), format_func=DIMENSIONS.__getitem__, key="cut", width=220,
                           bind="query-params"))  # fmt: skip
    by_cut(question, found, cut, f"{how} in {name}" if how else name)
    changes(found)


def sentence(found: Replay, called: str) -> None:
    before, after, ticket = found.before.share, found.after.share, words.count(found.changed, "ticket")
    with_it = f"With {called}"
    changing = "changes" if found.changed == 1 else "change"
    if before is None or after is None:
        st.markdown(f"**{with_it} there is nothing to compare:** no promise is decided on "
                    f"{'either' if before is after else 'one'} side; {ticket} {changing}.")  # fmt: skip
        return
    points = round((after - before) * 100, 1)
    how = "as many promises" if not points else f"{abs(points):.1f} points {'more' if points > 0 else 'fewer'}"
    moved = what_if.moves(found.attainment)
    st.markdown(
        f"**{with_it} {how} would have been met ({words.percent(before, 1)} → {words.percent(after, 1)}); "
        f"{ticket} {changing}.** {moved['met_to_breached']:,} clocks go from met to breached, "
        f"{moved['breached_to_met']:,} from breached to met."
    )


def by_clock(found: Replay) -> None:
    rows = found.attainment.filter(pl.col("dimension") == "all")
    apart = [words.CLOCKS[clock] for clock in rows.filter(pl.col("points").is_null())["clock"]]
    if apart:
        st.caption(f"{words.listed(apart)}: decided on one side only, so in no comparison.")
    cards.table(_sides(rows.with_columns(pl.col("clock").replace(words.CLOCKS)), "clock"),
                right=["met " + BEFORE, "met " + AFTER, "points"])  # fmt: skip
    for clock, under, windows in found.only.iter_rows():
        side = BEFORE if under == "before" else AFTER
        st.caption(f"{words.CLOCKS[clock]}: {words.count(windows, 'window')} {'is' if windows == 1 else 'are'} there "
                   f"only {side}.")  # fmt: skip


def _sides(rows: pl.DataFrame, *heads: str) -> pl.DataFrame:
    unmeasured = [f"not_measured_{side}" for side in ("before", "after") if rows[f"not_measured_{side}"].sum()]
    return rows.select(
        *heads,
        with_interval("share_met_before", "low_before", "high_before").alias(f"met {BEFORE}"),
        with_interval("share_met_after", "low_after", "high_after").alias(f"met {AFTER}"),
        pl.col("points").map_elements(lambda one: f"{one:+.1f}", return_dtype=pl.String).fill_null("–"),
        (pl.col("met_before") + pl.col("breached_before")).alias("decided"),
        (pl.col("met_after") + pl.col("breached_after")).alias("decided then"),
        pl.col("met_to_breached").alias("met → breached"),
        pl.col("breached_to_met").alias("breached → met"),
        *(pl.col(name).alias(words.plain(name)) for name in unmeasured),
    )


def by_cut(question: Question, found: Replay, cut: str, called: str) -> None:
    rows = found.attainment.filter(pl.col("dimension") == cut)
    if cut == "week":
        st.caption("The week in which a clock started, by its Monday in UTC; weeks that are still open change yet.")
    values = words.in_order(set(rows["value"]), ORDERS.get(cut, ()))
    order = pl.DataFrame({"value": values, "place": range(len(values))}, schema={"value": pl.String, "place": pl.Int64})
    called_by = {**question.names, "unknown": f"no {DIMENSIONS[cut].lower()}"}
    shown = rows.join(order, on="value").sort("place", "clock").with_columns(pl.col("value").replace(called_by))
    if shown.drop_nulls("points").height:
        title = f"Share met by {DIMENSIONS[cut].lower()}, {BEFORE} and with {called}"
        cards.chart(what_if_charts.before_and_after, shown, cut, title)
    with st.expander("These numbers as a table"):
        cards.table(_sides(shown.with_columns(pl.col("clock").replace(words.CLOCKS)), "value", "clock"))


def changes(found: Replay) -> None:
    if found.changes.is_empty():
        st.info("No ticket changes.")
        return
    st.subheader("Which tickets change?")
    st.caption(f"{words.count(found.clocks, 'clock')} of {words.count(found.changed, 'ticket')}, broken ones first")
    if found.clocks > found.changes.height:
        st.caption(f"The first {found.changes.height} are shown. Of all history this writes all that change:")
        cards.command("sla backtest --policy FILE --changed FILE.csv")
    shown = found.changes.select(
        "reference",
        pl.col("clock").cast(pl.String).replace(words.CLOCKS),
        _standing("before").alias(BEFORE),
        _standing("after").alias(AFTER),
        "subject",
    )
    cards.tickets_table(shown, found.changes["ticket"].to_list(), key="opened change")


def _standing(side: str) -> pl.Expr:
    """The state, and what was left of the target."""
    states = {**words.STATES, "no_window": "no such clock"}

    def in_words(row: Any) -> str:
        left = row[f"remaining_{side}"]
        state = states.get(row["state"], row["state"])
        return state if left is None else f"{state}, {words.left(left)}"

    columns = (pl.col(f"state_{side}").cast(pl.String).alias("state"), f"remaining_{side}")
    return pl.struct(*columns).map_elements(in_words, return_dtype=pl.String)
