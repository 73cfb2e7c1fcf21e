"""What would change if we promised, staffed or chose otherwise: worked out on history, before and after."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl
import streamlit as st

from dashboards import cards, opening
from pipelines import actions
from pipelines.app.container import App
from pipelines.figures import queries, what_if_charts, words
from pipelines.figures.selection import Selection
from pipelines.marts import MartReader

DIMENSIONS = {"priority": "Priority", "tier": "Contract tier", "team": "Group", "week": "Week"}
CHANGED = 200
BEFORE, AFTER = "in force", "under the change"


class Question(NamedTuple):
    app: App
    reader: MartReader
    chosen: Selection
    names: Mapping[str, str]


def policy(question: Question) -> None:
    """Other promises, and the calendars they count on: all history replayed under both."""
    folder = question.app.settings.data / "policies" / "sla"
    shipped = sorted(file.stem for file in folder.glob("*.yaml"))
    left, middle, right = st.columns(3)
    name = left.selectbox("Promises", shipped, key="policy", bind="query-params")
    own = middle.file_uploader("or a file of your own (YAML)", type=["yaml", "yml"], key="own policy")
    calendars = right.file_uploader("and other calendars (YAML)", type=["yaml", "yml"], key="own calendars")
    st.caption("Replays every ticket, whatever the bar says, under the promises in force and under these. Nothing is "
               "written. People would have worked otherwise: that a replay can't know.")  # fmt: skip
    if not st.button("Compare", type="primary", key="compare policy"):
        return
    with st.spinner("Every clock is replayed twice"), TemporaryDirectory() as place:
        file = _stored(own, Path(place) / "promises.yaml") or folder / f"{name}.yaml"
        found = actions.backtest(
            question.app, policy=file, calendars=_stored(calendars, Path(place) / "calendars.yaml"),
            as_of=question.reader.publication.as_of,
        )  # fmt: skip
    promises(found, own.name if own else str(name))


def _stored(upload: Any, file: Path) -> Path | None:
    if upload is None:
        return None
    file.write_bytes(upload.getvalue())
    return file


def promises(found: Any, name: str) -> None:
    """Both sides of a replay, in a sentence, as a picture, and the tickets that change."""
    overall = found.attainment.filter(pl.col("dimension") == "all").drop_nulls("points")
    for row in overall.iter_rows(named=True):
        st.markdown(
            f"**{words.CLOCKS[row['clock']]}: {words.percent(row['share_met_after'], 1)} would have been kept "
            f"instead of {words.percent(row['share_met_before'], 1)}** ({row['points']:+.1f} points; of "
            f"{row['met_after'] + row['breached_after']:,} decided clocks, {row['met_to_breached']:,} kept "
            f"ones would be broken, {row['breached_to_met']:,} broken ones kept; "
            f"{row['not_measured_after']:,} are not measured)."
        )
    st.text(f"{words.count(found.changes['ticket'].n_unique(), 'ticket')} would have a clock that stands otherwise.")
    for dimension, label in DIMENSIONS.items():
        if dimension in set(found.attainment["dimension"]) and dimension != "week":
            title = f"Share kept by {label.lower()}, {BEFORE} and under {name}"
            cards.chart(what_if_charts.before_and_after, found.attainment, dimension, title)
    changes = found.changes.head(CHANGED)
    state = {name: pl.col(name).cast(pl.String).replace(words.STATES) for name in ("state_before", "state_after")}
    shown = changes.select(
        "ticket",
        pl.col("clock").cast(pl.String).replace(words.CLOCKS),
        state["state_before"].alias(BEFORE),
        state["state_after"].alias(AFTER),
    )
    if not shown.is_empty():
        st.caption(
            f"The first {CHANGED} clocks that change" if found.changes.height > CHANGED else "Clocks that change"
        )
        cards.tickets_table(shown, changes["ticket"].to_list(), key="opened change")


def goals(question: Question) -> None:
    """Another share wanted: which weeks would have been under it."""
    wanted = st.slider("Share wanted of each week", 0.5, 1.0, 0.9, 0.01, key="goal", bind="query-params")
    weekly = opening.ask(queries.attainment_by_week, question.reader, question.chosen).filter("is_settled")
    if weekly.is_empty():
        st.info("No week is settled yet under these filters.")
        return
    targets = question.app.policies.goals.attainment
    by_week = opening.ask(queries.decided_by_week, question.reader, question.chosen)
    rows = []
    for (week, clock), cells in by_week.group_by("week", "clock", maintain_order=True):
        share = weekly.filter(pl.col("week") == week, pl.col("clock") == clock)
        target = targets.target(cells)
        if share.height and share["share_met"][0] is not None and target is not None:
            rows.append((week, clock, share["share_met"][0], target))
    frame = pl.DataFrame(rows, schema=["week", "clock", "share_met", "target"], orient="row")
    under_now = frame.filter(pl.col("share_met") < pl.col("target")).height
    under_then = frame.filter(pl.col("share_met") < wanted).height
    weeks = words.count(frame.height, "settled week of a clock", "settled weeks of a clock")
    st.markdown(
        f"**With {words.percent(wanted)} wanted, {under_then:,} of {weeks} would have been under target; "
        f"with the goals in force {under_now:,} were.**"
    )
    cards.table(
        frame.sort("week", "clock", descending=[True, False]).select(
            pl.col("week").map_elements(words.day, return_dtype=pl.String),
            pl.col("clock").replace(words.CLOCKS),
            kept=_percent("share_met"),
            **{"target in force": _percent("target"), "under it": pl.col("share_met") < pl.col("target"),
               "under the change": pl.col("share_met") < wanted},
        ),
        right=["kept", "target in force"],
    )  # fmt: skip


def staffing(question: Question) -> None:
    """Another capacity of one group: who would get what waits."""
    groups = question.reader.query("SELECT group_id, group_name, capacity FROM group_load ORDER BY group_name")
    if groups.is_empty():
        st.info("No group is known.")
        return
    called = dict(groups.select("group_id", "group_name").iter_rows())
    slots = dict(groups.select("group_id", "capacity").iter_rows())
    left, right = st.columns(2)
    group = left.selectbox("Group", list(called), format_func=lambda one: called[one] or one, key="staffed",
                           bind="query-params")  # fmt: skip
    now = int(slots[group] or 0)
    capacity = right.number_input(f"Tickets it can hold ({now} now)", 0, 10_000, now + 10, key=f"slots {group}")
    if st.button("Compare", type="primary", key="compare staff"):
        _given_out(question, f"With room for {capacity} tickets in {called[group]}", capacity={group: int(capacity)})


def allocation(question: Question) -> None:
    """Other weights: who would get what waits, and how often people chose alike."""
    names = actions.allocation_presets(question.app)
    name = st.selectbox("Policy", names, key="preset", bind="query-params")
    if not st.button("Compare", type="primary", key="compare weights"):
        return
    _given_out(question, f"Under {name}", preset=name)
    with st.spinner("The latest ended tickets are given out"):
        for label in dict.fromkeys((question.app.policies.allocation.name, name)):
            known = actions.allocation_agreement(question.app, label, as_of=question.reader.publication.as_of)
            share = words.percent(known.same / known.tickets) if known.tickets else "–"
            st.text(f"{label}: of the latest {known.tickets:,} ended tickets it picks the group they ended with in "
                    f"{share}, were all groups free.")  # fmt: skip


def _given_out(question: Question, when: str, **other: Any) -> None:
    with st.spinner("The open tickets that nobody owns are given out twice"):
        found = actions.allocation_change(question.app, as_of=question.app.now(), **other)
    if not found.tickets:
        st.info("No open ticket is without an owner: there is nothing to give out.")
        return
    waits = found.moved.filter(pl.col("group_before").str.starts_with("waits"))
    would_wait = found.moved.filter(pl.col("group_after").str.starts_with("waits"))
    st.markdown(
        f"**{when}, {found.moved.height:,} of {words.count(found.tickets, 'open ticket')} without an owner would go "
        f"elsewhere; {waits.height:,} that wait now would get a group, {would_wait.height:,} more would wait.**"
    )
    st.caption("Nothing is recorded. Tickets that somebody owns stay where they are.")
    cards.chart(what_if_charts.load_before_and_after, found.groups, "Tickets as a share of capacity")
    cards.table(
        found.groups.select(
            group="group_name", capacity="capacity_before", tickets="tickets_before",
            **{"capacity then": "capacity_after", "tickets then": "tickets_after"},
        )
    )  # fmt: skip
    if not found.moved.is_empty():
        shown = found.moved.select("reference", **{"goes to now": "group_before", "would go to": "group_after"})
        cards.tickets_table(shown, found.moved["ticket"].to_list(), key="opened move")


def _percent(column: str) -> pl.Expr:
    return pl.col(column).map_elements(words.percent, return_dtype=pl.String)


PARTS: Mapping[str, Callable[[Question], None]] = {
    "Other promises": policy,
    "Other goals": goals,
    "Other staffing": staffing,
    "Other choice of groups": allocation,
}
