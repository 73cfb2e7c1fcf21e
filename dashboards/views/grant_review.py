"""Would we grant it again? What waits for a review, an approval, a second opinion, and what the reviews say."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
import streamlit as st

from dashboards import acting, cards, forms, opening, pages, visit
from pipelines import actions
from pipelines.app.container import App
from pipelines.app.identity import User
from pipelines.figures import words
from pipelines.operations import OPERATIONS, perform

SECTIONS = ("To review", "Second opinion", "To approve", "Reviewed", "Upheld", "Money", "Limits")
PERIODS = {"last 4 weeks": 4, "last 13 weeks": 13, "last 52 weeks": 52}
VIEWS = {
    "agent": "Agent", "team": "Team", "reason": "What went wrong", "amount": "Amount", "listed": "Why reviewed",
}  # fmt: skip
LISTED = {"tier3": "above the limits of the team", "flagged": "its ticket is flagged",
          "complaint": "the customer complained", "random_sample": "fair sample"}  # fmt: skip
OUTCOMES = {"upheld": "Uphold", "revised": "Revise", "coaching_needed": "Coach"}
ADVICE = {"raise": "raise it", "keep": "keep it", "lower": "lower it"}


class Desk(NamedTuple):
    """Who reads, and what people, teams and groups are called."""

    app: App
    user: User
    names: Mapping[str, str]

    def called(self, key: str | None) -> str:
        return self.names.get(key, key) if key else "–"


def page() -> None:
    app, user, _, names = visit.arrive("grants")
    try:
        report = report_of(app, user, chosen_period())
    except opening.HelmdeskError as error:
        cards.refused(error)
        return
    teams = app.store.frame("teams", ["id", "name"]).iter_rows()
    desk = Desk(app, user, {**names, **forms.agents(app), **dict(teams)})
    acting.answer(app, user, desk.names)
    section = st.segmented_control(
        "Section", SECTIONS, default=SECTIONS[0], required=True, key="section", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    match section:
        case "To review":
            to_review(desk)
        case "Second opinion":
            for_a_second(desk)
        case "To approve":
            to_approve(desk)
        case "Reviewed":
            reviewed(desk)
        case "Upheld":
            upheld(desk, report)
        case "Money":
            money(desk, report)
        case "Limits":
            limits(desk, report)


def chosen_period() -> int:
    """How many weeks of grants the figures are about."""
    name = st.selectbox("Grants of the", list(PERIODS), index=1, key="period", bind="query-params", width=220)
    return PERIODS[name]


def report_of(app: App, user: User, weeks: int) -> Any:
    """The same report as `helmdesk grants report`, up to now."""
    until = app.now() + timedelta(seconds=1)
    wanted = {"since": until - timedelta(weeks=weeks), "until": until}
    return perform(app, OPERATIONS["review report"], user=user, arguments=wanted)


def to_review(desk: Desk) -> None:
    listed = actions.grants_listed(desk.app)
    if acting.may(desk.app, desk.user, "review decide"):
        st.button("List last week's grants", on_click=draw, args=(desk,),
                  help="All that is certain and a fair sample; again adds nothing.")  # fmt: skip
    if not listed:
        nothing("No grant waits for a review.")
    for one in listed:
        with st.container(border=True):
            described(desk, one.resolution, one.ticket, one.flags)
            why = LISTED[one.item.reason]
            st.caption(f"Reviewed because: {why}." + (" Two people review this one." if one.is_for_two else ""))
            decide(desk, "review decide", one)


def for_a_second(desk: Desk) -> None:
    """Without the outcome, and without a way to the ticket, whose history tells it."""
    me = desk.user.id
    open_ = [one for one in actions.grants_listed(desk.app, reviewed=True) if one.is_hidden_from(me)]
    mine = [one for one in open_ if me not in (one.resolution.agent_id, one.resolution.approved_by)]
    st.caption(
        "What the first reviewer found is hidden here. Whoever has opened the ticket since can't give this opinion."
    )
    if not mine:
        nothing("No grant waits for your second opinion.")
    for one in mine:
        with st.container(border=True):
            described(desk, one.resolution, one.ticket, one.flags, to_ticket=False)
            with st.expander("What the customer wrote"):
                st.text(one.ticket.content or "–")
            decide(desk, "review second", one)


def to_approve(desk: Desk) -> None:
    waiting = actions.grants_unapproved(desk.app)
    if not waiting:
        nothing("No grant waits for an approval.")
    for grant, ticket, flags in waiting:
        with st.container(border=True):
            described(desk, grant, ticket, flags)
            act = acting.Act("grant approve", grant.id, ticket.id, ticket.version)
            with st.container(horizontal=True):
                acting.offer(
                    desk.app, desk.user, act, "Approve", given={"is_approved": True, "reason": None}, is_first=True
                )
                acting.offer(desk.app, desk.user, act, "Refuse", given={"is_approved": False})


def reviewed(desk: Desk) -> None:
    done = actions.grants_listed(desk.app, reviewed=True)
    if not done:
        nothing("No grant was reviewed yet.")
        return
    rows = [
        {
            "ticket": one.ticket.reference,
            "granted": granted(one.resolution),
            "by": desk.called(one.resolution.agent_id),
            "found": "waits for a second opinion" if one.is_hidden_from(desk.user.id) else found(desk, one),
            "notes": "" if one.is_hidden_from(desk.user.id) else one.item.notes,
        }
        for one in reversed(done)
    ]
    cards.tickets_table(pl.DataFrame(rows), [one.ticket.id for one in reversed(done)], key="open reviewed")


def upheld(desk: Desk, report: Any) -> None:
    if not report.reviewed:
        nothing("No grant of this period was reviewed.")
        return
    both = report.agreement
    with st.container(horizontal=True):
        cards.figure("Upheld", f"{report.upheld_percent:.0f} %", f"of {words.count(report.reviewed, 'reviewed grant')}")
        cards.figure("Two agree", f"{both.agreed} of {both.by_two}" if both.by_two else "–", "reviewed by two")
        cards.figure("Cohen's kappa", "not known" if both.kappa is None else f"{both.kappa:.2f}", both.in_words)
    by = st.segmented_control("By", list(VIEWS), default="agent", required=True, format_func=VIEWS.__getitem__,
                              key="by", bind="query-params")  # fmt: skip
    rows = [
        {
            VIEWS[by]: LISTED[one.name] if by == "listed" else named(desk, by, one.name),
            "reviewed": one.reviewed,
            "upheld": one.upheld,
            "share": f"{one.percent:.0f} %",
            "95 % interval": f"{one.low:.0f} to {one.high:.0f} %",
        }
        for one in report.upheld
        if one.by == by
    ]
    cards.table(pl.DataFrame(rows), right=["share", "95 % interval"])
    st.caption("What is reviewed for a reason is no fair sample of all grants: compare within one row of why reviewed.")


def money(desk: Desk, report: Any) -> None:
    if not report.compensation:
        nothing("No money was granted in this period.")
        return
    weeks = pl.DataFrame([one.model_dump() for one in report.compensation if one.by == "week"])
    weeks = weeks.with_columns(pl.col("amount").cast(pl.Float64))
    for (currency,), rows in weeks.group_by("currency", maintain_order=True):
        st.subheader(f"Granted by week, {currency}")
        every = pl.DataFrame({"name": every_week(str(rows["name"].min()), desk.app.now())})
        filled = every.join(rows, on="name", how="left").with_columns(pl.col("amount").fill_null(0))
        st.bar_chart(filled, x="name", y="amount", x_label="ISO week of the grant", y_label=str(currency), height=260)
    by = st.segmented_control("By", ["agent", "team", "reason"], default="team", required=True,
                              format_func=VIEWS.__getitem__, key="by", bind="query-params")  # fmt: skip
    rows_by = [
        {VIEWS[by]: named(desk, by, one.name), "grants": one.grants, "amount": f"{one.amount:,.2f} {one.currency}"}
        for one in report.compensation
        if one.by == by
    ]
    cards.table(pl.DataFrame(rows_by), right=["amount"])


def limits(desk: Desk, report: Any) -> None:
    if not report.advice:
        nothing("No grant under a team's limits was made in this period.")
        return
    rule, known = desk.app.policies.desk.grant_review.limits, actions.limits(desk.app)
    rows = [
        {
            "team": desk.called(one.team),
            "tier": words.plain(one.tier),
            "limit": known.get((one.team, one.tier), "–"),
            "fair sample": f"{one.upheld} of {one.reviewed} upheld",
            "95 % interval": "–" if one.low is None else f"{one.low:.0f} to {one.high:.0f} %",
            "advice": ADVICE.get(one.limit, f"too few: {rule.reviews_from} reviewed are needed"),
        }
        for one in report.advice
    ]
    cards.table(pl.DataFrame(rows), right=["limit", "95 % interval"])
    st.caption(
        f"Raise where the interval of the share upheld begins at {words.percent(rule.raise_from)} or above, lower "
        f"where it ends below {words.percent(rule.lower_below)}; only the fair sample counts. The rule: "
        "`calibration.yaml`."
    )


def described(desk: Desk, grant: Any, ticket: Any, flags: Sequence[str], *, to_ticket: bool = True) -> None:
    """A grant with all that a reviewer weighs."""
    st.text(f"{ticket.reference} · {ticket.subject or '–'}")
    st.text(granted(grant))
    facts = {
        "Granted by": f"{desk.called(grant.agent_id)}, {words.instant(grant.created_at, st.context.timezone)}",
        "Within the limit of": words.plain(grant.tier),
        "Approved by": desk.called(grant.approved_by),
        "Why eligible": words.plain(grant.why_eligible)
        + (f": {grant.why_eligible_text}" if grant.why_eligible_text else ""),
        "Flags": ", ".join(map(words.plain, flags)) or "–",
    }
    with st.container(horizontal=True):
        for label, value in facts.items():
            cards.fact(st.container(width=170), label, value)
    if grant.what_went_wrong_text:
        cards.fact(st, "What went wrong", grant.what_went_wrong_text)
    if to_ticket and st.button("Open the ticket", key=f"open {grant.id}", type="tertiary"):
        st.switch_page(pages.TICKET, query_params={"ticket": ticket.id})


def decide(desk: Desk, operation: str, one: Any) -> None:
    """The three outcomes as buttons beside the notes, for who may decide."""
    if not acting.may(desk.app, desk.user, operation):
        return
    act = acting.Act(operation, one.item.id, one.ticket.id, one.ticket.version)
    notes = f"notes {operation} {one.item.id}"
    st.text_input("Notes, for the next one with such a case", key=notes, max_chars=2_000)
    with st.container(horizontal=True):
        for outcome, label in OUTCOMES.items():
            st.button(label, key=f"{outcome} {operation} {one.item.id}", on_click=decided,
                      args=(desk, act, outcome, notes))  # fmt: skip


def decided(desk: Desk, act: acting.Act, outcome: str, notes: str) -> None:
    """What is written at the instant of the click counts, not what the page had drawn."""
    acting.act(desk.app, desk.user, act, outcome=outcome, notes=st.session_state[notes])


def draw(desk: Desk) -> None:
    """As a callback, so that the list is drawn with what is new."""
    step = lambda: actions.draw_grants(desk.app, desk.user, at=desk.app.now())  # noqa: E731
    acting.attempt(desk.app, desk.user, acting.Act("grants listed"), step)


def granted(grant: Any) -> str:
    amount = f" of {grant.amount:,.2f} {grant.currency}" if grant.amount else ""
    return f"{words.plain(grant.type).capitalize()}{amount} for {words.plain(grant.what_went_wrong)}"


def found(desk: Desk, one: Any) -> str:
    first = f"{words.plain(one.item.outcome)} by {desk.called(one.item.reviewed_by)}"
    return f"{first}; {words.plain(one.second.outcome)} by {desk.called(one.second.given_by)}" if one.second else first


def named(desk: Desk, by: str, name: str) -> str:
    return words.plain(name) if by == "reason" else desk.called(name)


def every_week(first: str, until: datetime) -> list[str]:
    """The ISO weeks from the first up to the one of this instant: a week without a grant is one with nothing."""
    year, week = first.split("-W")
    monday = datetime.fromisocalendar(int(year), int(week), 1).replace(tzinfo=UTC)
    count = max(0, (until - monday).days // 7) + 1
    days = [(monday + timedelta(weeks=n)).isocalendar() for n in range(count)]
    return [f"{day.year}-W{day.week:02d}" for day in days]


def nothing(what: str) -> None:
    """The empty state: grants are made on a ticket, and listed once a week."""
    st.info(
        f"{what} An agent who owns a ticket makes a grant on its page, or by the first command; the second lists them."
    )
    cards.command("grants propose TICKET", "grants draw")


page()
