"""Other people in a group, and another choice of groups: the open tickets that nobody owns, given out twice."""

import streamlit as st

from dashboards import cards, opening
from dashboards.what_if_question import Question, is_compared
from pipelines import what_if
from pipelines.figures import what_if_charts, words
from pipelines.what_if import Agreement, Change, Weighed

MORE, FEWER, OTHER = "one person more", "one person fewer", "other room"
UNKNOWN = ("Nothing is recorded. All of them are given out together, whatever the bar says, for they compete; tickets "
           "that somebody owns stay where they are. What people would have done, and what comes in next, is not in "
           "it.")  # fmt: skip


def staffing(question: Question) -> None:
    """One more or fewer person in a group, or other room."""
    seats = what_if.staff(question.app)
    if not seats:
        st.info("No group is known. This brings people and groups in:")
        cards.command("people FOLDER")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        group = str(st.selectbox("Group", list(seats), format_func=lambda one: seats[one].name, key="staffed",
                                 width=300, bind="query-params"))  # fmt: skip
        person = seats[group].a_person
        how = st.selectbox(
            "Change", [MORE, FEWER, OTHER] if person else [OTHER], key=f"how {person is None}", width=200
        )
        sign = {MORE: 1, FEWER: -1}.get(str(how))
        more = sign * person if sign and person else int(
            st.number_input("Tickets more or fewer", -10_000, 10_000, 10, key=f"room {group}", width=170)
        )  # fmt: skip
    a_person = f"a person of it is room for {words.count(person, 'ticket')}" if person else "nobody is listed in it"
    st.caption(f"{seats[group].name} has room for {words.count(seats[group].capacity, 'ticket')} when all are there; "
               f"{a_person}.")  # fmt: skip
    if is_compared("staff", group, more):
        with st.spinner("The open tickets that nobody owns are given out twice"):
            found = opening.ask(what_if.allocated, question.reader, question.app, seats={group: more})
        room = f"room for {abs(more):,} {'more' if more > 0 else 'fewer'}"
        given_out(found, f"With {room} in {cards.verbatim(seats[group].name)}")


def allocation(question: Question) -> None:
    """Another preset, or other weights: who would get what waits, and how often people chose alike."""
    name = str(st.selectbox("Policy", what_if.presets(question.app), key="preset", bind="query-params", width=300,
                            help="The first is the one in force."))  # fmt: skip
    other = weights(question, name)
    if not is_compared("weights", other):
        return
    with st.spinner("The tickets are given out twice"):
        found = opening.ask(what_if.allocated, question.reader, question.app, weighed=other)
        known = [opening.ask(what_if.agreement, question.reader, question.app, one) for one in (None, other)]
    given_out(found, f"Under {cards.verbatim(name)}{', weighed otherwise' if other.weights else ''}")
    st.subheader("Who chooses like people did?")
    agreed(*known)


def weights(question: Question, name: str) -> Weighed:
    """The preset as it is, or with what the reader changed."""
    now = what_if.preset(question.app, name)
    with st.expander("Other weights"), st.container(horizontal=True):
        given = tuple(
            (factor, st.number_input(words.plain(factor).capitalize(), 0.0, 1.0, getattr(now.weights, factor), 0.05,
                                     key=f"weight {name} {factor}", width=140))
            for factor in what_if.FACTORS
        )  # fmt: skip
        least = st.number_input("Lowest score", 0.0, 1.0, now.min_score, 0.05, key=f"least {name}", width=140)
        st.caption("Weights are divided by their sum. Below the lowest score a ticket waits.")
    same = least == now.min_score and all(weight == getattr(now.weights, factor) for factor, weight in given)
    return Weighed(name) if same else Weighed(name, given, least)


def given_out(found: Change, when: str) -> None:
    if not found.tickets:
        st.info("No open ticket is without an owner: there is nothing to give out.")
        return
    nobodys = {side: int(found.nobodys[side].sum()) for side in ("before", "after")}
    of = words.count(found.tickets, "open ticket")
    st.markdown(f"**{when}, {found.moved.height:,} of {of} without an owner would go elsewhere; "
                f"{nobodys['after']:,} would have no group, {nobodys['before']:,} have none now.**")  # fmt: skip
    st.caption(UNKNOWN)
    cards.chart(what_if_charts.load_before_and_after, found.groups, "Tickets as a share of a group's room")
    with st.expander("These numbers as a table"):
        cards.table(
            found.groups.select(
                group="group_name", room="capacity_before", tickets="tickets_before",
                **{"room then": "capacity_after", "tickets then": "tickets_after"},
            )
        )  # fmt: skip
    if not found.nobodys.is_empty():
        st.subheader("Why has a ticket no group?")
        cards.table(found.nobodys.rename({"before": "tickets now", "after": "tickets then"}))
    if found.moved.is_empty():
        return
    st.subheader("Who would go elsewhere?")
    names = {"group_before": "goes to now", "group_after": "would go to"}
    cards.table(what_if.flows(found.moved).rename(names))
    cards.tickets_table(found.moved.drop("ticket").rename(names), found.moved["ticket"].to_list(), key="opened move")


def agreed(before: Agreement, after: Agreement) -> None:
    if not before.tickets:
        st.info("No ended ticket has a group yet: nobody chose.")
        return
    shares = [f"{words.percent(one.same / one.tickets, 1)} ({one.same:,})" for one in (before, after)]
    st.markdown(f"Of the latest {words.count(before.tickets, 'ended ticket')} the policy in force picks the group they "
                f"ended with in {shares[0]}, this one in {shares[1]}, were all groups free.")  # fmt: skip
