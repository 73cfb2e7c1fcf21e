"""The last four weeks at the sample's desk: what its people did, through the desk's own use cases, each at its instant.

Claims are those that triage makes and alerts those that the evaluator calls for, on the tickets as they were then;
people's answers and words are drawn from a seed (`pipelines.samples.past`).
"""

import csv
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

import polars as pl

from engine import cases
from engine.contracts import Agent, EmpowermentConfig, Event, Role, Status, Team, Ticket
from engine.flags import FlagType
from engine.grant_review import GrantReviewItem, ReviewOutcome, ReviewStatus, needs_second
from engine.kanban import ColumnField, KanbanView, WipMode
from engine.notices import Notice
from engine.resolutions import ApprovalStatus, Claim, EmpowermentTier, Resolution
from engine.shared.errors import BadInput
from engine.tasks import TaskStatus
from pipelines.app.container import App
from pipelines.jobs import review
from pipelines.jobs.demo_alerts import ended_at, raise_of_then
from pipelines.jobs.grant_review import draw
from pipelines.jobs.notices import post_due
from pipelines.jobs.triage_tickets import classify, draft
from pipelines.samples import past
from pipelines.snapshot import Snapshot
from triage.feedback.reviews import is_spot_check

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DRAFTED = (2, 4, 8, 12, 14, 20, 22)
"""Days from the beginning of the past on which drafts were written of which is known what became of them."""
DRAFTS, REVIEWS, GRANTS, SURVEYS, SOLVED, FLAGS = 20, 150, 72, 110, 22, 6

Thing = TypeVar("Thing")
Act = Callable[[datetime], "Iterable[Later] | None"]
Later = tuple[datetime, Act]
"""What somebody does at an instant; something may follow from it."""


def live_through(app: App, as_of: datetime, labels: Path) -> None:
    """Write the past of a desk whose tickets were just taken in, up to `as_of`, once.

    `labels` says what they are about. Raises BadInput where an earlier run was stopped halfway.
    """
    if app.store.all(KanbanView):  # they are written last
        return
    if app.store.all(cases.Survey):
        raise BadInput(f"{app.settings.home} has half a past, its demo was stopped: remove it and run the demo again")
    app.store.ingest(past.last_night(app.people, as_of=as_of, known=app.store.ticket_count()), at=app.now())
    snapshot = Snapshot(app, as_of)
    with labels.open(encoding="utf-8", newline="") as rows:
        truth = {row["external_id"]: row["product"] for row in csv.DictReader(rows)}
    desk = DeskOfThen(app, snapshot, truth)
    desk.triage_in_time()
    desk.surveys()
    play([*desk.answers(), *desk.grants(), *desk.work(), *desk.inboxes()], until=as_of)
    raise_of_then(app, Snapshot(app, as_of), desk.since)
    desk.save_views()


def play(acts: Iterable[Later], *, until: datetime) -> None:
    """Everything in the order of time, and what follows from it; what would come later than `until` does not."""
    order = count()
    waiting = [(at, next(order), act) for at, act in acts]
    heapq.heapify(waiting)
    while waiting:
        at, _, act = heapq.heappop(waiting)
        if at <= until:
            for later, following in act(at) or ():
                heapq.heappush(waiting, (later, next(order), following))


class SurveyNote(NamedTuple):
    """What a customer answered, as the store keeps it."""

    ticket: Ticket
    events: tuple[Event, ...]
    records: tuple[cases.Survey, ...]


class DeskOfThen:
    """The people and tickets of the past, and what is drawn of them."""

    def __init__(self, app: App, snapshot: Snapshot, truth: dict[str, str]) -> None:
        self.app, self.desk, self.truth, self.rng = app, app.desk, truth, Random(past.SEED)
        self.as_of, self.since = snapshot.as_of, snapshot.as_of - past.WEEKS * 7 * DAY
        self.tickets = snapshot.tickets_now.with_columns(ended_at=ended_at()).sort("created_at", "ticket")
        self.agents = {agent.id: agent for agent in app.store.all(Agent) if agent.is_active}
        self.teams = {team.id: team for team in app.store.all(Team)}
        self.limits = {limit.team_id: limit for limit in app.store.all(EmpowermentConfig)}
        self.closed = [one for one in self._owned(Status.CLOSED) if one.updated_at > self.since]
        self.held = self._owned(Status.IN_PROGRESS)
        is_late = (pl.col("clock") == "resolution") & pl.col("is_current") & (pl.col("state") == "breached")
        self.late = set(snapshot.clocks.filter(is_late)["ticket"].cast(pl.String))
        self.drafted: list[str] = []

    def _owned(self, status: Status) -> list[Ticket]:
        return [one for one in self.app.store.tickets(statuses=[status]) if one.owner_id in self.agents]

    def soon(self, at: datetime, most: timedelta) -> datetime:
        """Within `most` after an instant, to the second."""
        return at + timedelta(seconds=self.rng.randrange(60, int(most.total_seconds())))

    def some(self, among: Sequence[Thing], most: int) -> list[Thing]:
        return self.rng.sample(among, min(most, len(among)))

    def triage_in_time(self) -> None:
        """What came before the past is classified by the quick part of the classifier, each later ticket by the second
        morning after it came; on some of them replies are drafted."""
        from triage.local_cascade import quickest

        taken_in, created = self.since, pl.col("created_at")
        archive = self.tickets.filter(created <= taken_in, pl.col("ended_at") <= taken_in)
        classify(self.app, archive, at=taken_in, by=quickest(self.app.triage.local_classifier))
        classify(self.app, self.tickets.filter(created <= taken_in), at=taken_in)
        for day in range(2, past.WEEKS * 7 + 1, 2):
            at = self.since + day * DAY
            classify(self.app, self.tickets.filter(created > taken_in, created <= at), at=at)
            taken_in = at
            if day in DRAFTED:
                has_one = pl.col("ticket").is_in(self.drafted)
                waited = self.tickets.filter(
                    created <= at, created > at - 8 * DAY, pl.col("ended_at") > at + HOUR, ~has_one
                )
                chosen = sorted(self.some(waited["ticket"].to_list(), DRAFTS))
                then = waited.filter(pl.col("ticket").is_in(chosen)).with_columns(status=pl.lit(Status.NEW.value))
                draft(self.app, then, at=at)
                self.drafted += chosen

    def answers(self) -> Iterator[Later]:
        """What people said of claims, the unsure ones first, and what became of drafts."""
        ended = dict(self.tickets.drop_nulls("ended_at").select("ticket", "ended_at").iter_rows())
        latest = [*self.app.triage.store.latest([*ended]).values()]
        claims = [one for one in latest if one.created_at > self.since]
        self.rng.shuffle(claims)
        names = dict(self.tickets.select("ticket", "external_id").iter_rows())
        drawn = [one for one in latest if is_spot_check(one, self.app.policies.learning.honest_slice)]
        unsure_first = sorted(claims, key=lambda one: not one.needs_review)[:REVIEWS]
        for claim in dict.fromkeys([*unsure_first, *drawn]):
            for by in self.some(sorted(self.agents), 2 if self.rng.random() < past.SECOND else 1):
                label = past.answer(self.rng, self.truth[names[claim.ticket_id]])
                at = self.soon(max(claim.created_at, self.since), 34 * HOUR)
                yield at, partial(self._review, claim.ticket_id, label, by)
        for key, made in self.app.triage.store.latest_suggestions(self.drafted).items():
            if made.grounded:
                at = self.soon(made.created_at, min(6 * HOUR, ended[key] - made.created_at))
                yield at, partial(self._judge, key, made.text)

    def _review(self, key: str, label: str, by: str, at: datetime) -> None:
        review.answer_review(self.app, key, label=label, by=by, at=at)

    def _judge(self, key: str, text: str, at: datetime) -> None:
        by = self.app.store.ticket(key).owner_id or self.rng.choice(sorted(self.agents))
        luck = self.rng.random()
        rejected = self.rng.choice(past.REJECTED) if luck > past.SENT + past.EDITED else None
        edited = text.replace(*self.rng.choice(past.EDITS), 1) if luck > past.SENT and rejected is None else None
        review.record_feedback(self.app, key, by=by, at=at, sent=edited, rejected=rejected)

    def grants(self) -> Iterator[Later]:
        """Credits after a case was closed, approvals of those above the limit, and each Monday's grant review."""
        for ticket in self.some(self.closed, GRANTS):
            yield self.soon(ticket.updated_at + DAY, 30 * HOUR), partial(self._grant, ticket)
        mondays = (self.since + day * DAY for day in range(past.WEEKS * 7))
        yield from ((at, self._draw) for at in mondays if at.weekday() == 0)

    def _grant(self, ticket: Ticket, at: datetime) -> Iterator[Later]:
        owner = self.agents[str(ticket.owner_id)]
        limits = self.limits[owner.teams[0]]
        chosen = self.rng.choices(past.GRANTS, weights=past.ODDS_OF_GRANTS)[0]
        amount = Decimal(str(chosen.share)) * min(limits.tier1_limit, owner.empowerment_limit)
        about = chosen._asdict() | {"amount": amount or None, "currency": limits.currency}
        claim = Claim.model_validate({name: value for name, value in about.items() if name != "share"})
        made = self.desk.propose_resolution(ticket.id, claim, by=owner.id, at=at)
        if made.approval_status == ApprovalStatus.PENDING and (by := self._approver(made)):
            yield self.soon(at, 20 * HOUR), partial(self._approve, made, by)

    def _approver(self, grant: Resolution) -> str | None:
        """The team's lead, for what only a manager may grant its manager; never who asks."""
        team = self.teams[str(grant.team_id)]
        lead = None if grant.tier == EmpowermentTier.MANAGER else team.supervisor_id
        return next((one for one in (lead, team.manager_id) if one in self.agents and one != grant.agent_id), None)

    def _approve(self, grant: Resolution, by: str, at: datetime) -> None:
        is_approved = self.rng.random() < past.APPROVES
        why = self.rng.choice(past.APPROVED if is_approved else past.REFUSED)
        self.desk.approve_resolution(grant.id, by=by, at=at, is_approved=is_approved, reason=why)

    def _draw(self, at: datetime) -> Iterator[Later]:
        """The week's list; all of it is reviewed within three days, but that of the last week."""
        draw(self.app, at=at)
        for item in self.app.store.all(GrantReviewItem, review_status=ReviewStatus.PENDING):
            grant = self.app.store.get(Resolution, item.resolution_id)
            if grant.is_granted and at < self.as_of - 7 * DAY:
                by, other = self.some(self._reviewers(grant), 2)
                yield self.soon(at, 3 * DAY), partial(self._look_at, item, by, other)

    def _reviewers(self, grant: Resolution) -> list[str]:
        leads = [agent.id for agent in self.agents.values() if agent.role in (Role.TEAM_LEAD, Role.MANAGER)]
        return [each for each in leads if each not in (grant.agent_id, grant.approved_by)]

    def _look_at(self, item: GrantReviewItem, by: str, other: str, at: datetime) -> Iterator[Later]:
        outcome = past.drawn(self.rng, past.ODDS_OF_REVIEWS)
        notes = self.rng.choice(past.REVIEWED[outcome])
        self.desk.review_grant(item.id, by=by, outcome=ReviewOutcome(outcome), notes=notes, at=at)
        if needs_second(item, policy=self.app.policies.desk.grant_review):
            second = outcome if self.rng.random() < past.AGREES else past.drawn(self.rng, past.ODDS_OF_REVIEWS)
            yield self.soon(at, 2 * DAY), partial(self._look_too, item.id, other, second)

    def _look_too(self, item: str, by: str, outcome: str, at: datetime) -> None:
        notes = self.rng.choice(past.REVIEWED[outcome])
        self.desk.second_opinion(item, by=by, outcome=ReviewOutcome(outcome), notes=notes, at=at)

    def surveys(self) -> None:
        """What customers answered within a day of the end of their ticket."""
        chosen = self.app.store.tickets(ids=[ticket.id for ticket in self.some(self.closed, SURVEYS)])
        self.app.store.note([self._survey(ticket) for ticket in chosen], at=self.app.now())

    def _survey(self, ticket: Ticket) -> SurveyNote:
        csat = past.drawn(self.rng, past.ODDS_OF_SCORES)
        nps = self.rng.randint(*past.RECOMMENDS[csat]) if self.rng.random() < past.SAYS_NPS else None
        words = self.rng.choice(past.COMMENTS[csat])
        at = min(self.soon(ticket.updated_at, DAY), self.as_of)
        answers = cases.Answers(csat=csat, nps=nps, is_complaint=csat == 1, comment=words)
        made = cases.survey(ticket, answers, at=at)
        event = cases.added(ticket, "survey", f"CSAT {csat}", key=made.id, by=str(ticket.requester_id), at=at)
        return SurveyNote(ticket, (event,), (made,))

    def work(self) -> Iterator[Later]:
        """On what is still in work experts are asked, tasks shared out, flags and reminders set; in the last day some
        of what was late anyway is solved, so that no promise is kept or broken by it."""
        day_ago = self.as_of - 23 * HOUR
        late = [one for one in self.held if one.id in self.late and one.updated_at < day_ago]
        solved = self.some(late, SOLVED)
        for ticket in solved:
            yield self.soon(day_ago, 22 * HOUR), partial(self._solve, ticket)
        left = [one for one in self.held if one not in solved]
        for place, ticket in enumerate(left):
            begins = max(ticket.updated_at + HOUR, self.as_of - 9 * DAY)
            act = (self._ask, self._ask, self._share_out, self._remember)[place % 4]
            yield self.soon(begins, max((self.as_of - begins) / 3, HOUR)), partial(act, ticket)
        for ticket in self.some(left, FLAGS):
            yield self.soon(max(ticket.updated_at, self.as_of - DAY), 8 * HOUR), partial(self._flag, ticket)

    def _solve(self, ticket: Ticket, at: datetime) -> None:
        self.desk.resolve(ticket.id, by=str(ticket.owner_id), summary=self.rng.choice(past.SOLVED), at=at)

    def _ask(self, ticket: Ticket, at: datetime) -> Iterator[Later]:
        others = [one.id for one in self.agents.values() if one.role == Role.AGENT and one.id != ticket.owner_id]
        expert, (question, found) = self.rng.choice(others), self.rng.choice(past.QUESTIONS)
        made = self.desk.open_envelope(ticket.id, by=str(ticket.owner_id), reason=question, at=at, assigned_to=expert)
        if self.rng.random() < past.TAKES:
            yield self.soon(at, 5 * HOUR), partial(self._take, made.id, expert, found)

    def _take(self, envelope: str, expert: str, found: str, at: datetime) -> Iterator[Later]:
        self.desk.accept_envelope(envelope, by=expert, at=at)
        if self.rng.random() < past.TAKES:
            yield self.soon(at, DAY), partial(self._find, envelope, expert, found)

    def _find(self, envelope: str, expert: str, found: str, at: datetime) -> None:
        self.desk.complete_envelope(envelope, by=expert, summary=found, at=at)

    def _share_out(self, ticket: Ticket, at: datetime) -> Iterator[Later]:
        owner, to = str(ticket.owner_id), self.rng.choice(sorted(self.agents))
        due = at + self.rng.randrange(1, 5) * DAY
        title = self.rng.choice(past.TASKS)
        made = self.desk.add_task(ticket.id, title=title, by=owner, assigned_to=to, due_date=due, at=at)
        steps = [TaskStatus.IN_PROGRESS, TaskStatus.DONE][: self.rng.randrange(3)]
        yield from ((at + n * 3 * HOUR, partial(self._move, made.id, step, to)) for n, step in enumerate(steps, 1))

    def _move(self, task: str, step: TaskStatus, by: str, at: datetime) -> None:
        self.desk.move_task(task, to=step, by=by, at=at)

    def _remember(self, ticket: Ticket, at: datetime) -> None:
        words, when = self.rng.choice(past.REMINDERS), self.as_of + self.rng.randrange(-8, 40) * HOUR
        self.desk.remind(ticket.id, by=str(ticket.owner_id), trigger_at=max(when, at + HOUR), message=words, at=at)

    def _flag(self, ticket: Ticket, at: datetime) -> None:
        kind, reason = self.rng.choice(past.FLAGS)
        self.desk.add_flag(ticket.id, type=FlagType(kind), by=str(ticket.owner_id), reason=reason, at=at)

    def inboxes(self) -> Iterator[Later]:
        """News become notices twice a day; what is older than a day was read, of the rest about a half."""
        for day in range(past.WEEKS * 7):
            for hour in (1, 7):
                yield self.since + day * DAY + hour * HOUR, self._post
        yield self.as_of, self._read

    def _post(self, at: datetime) -> None:
        post_due(self.app, at=at)

    def _read(self, at: datetime) -> None:
        for notice in self.app.store.all(Notice):
            if notice.created_at < at - DAY or self.rng.random() < past.READ:
                read = min(self.soon(notice.created_at, 6 * HOUR), at)
                self.desk.mark_read(by=notice.agent_id, at=read, notice_ids=[notice.id])

    def save_views(self) -> None:
        led = [team for team in self.teams.values() if team.id in self.agents[str(team.supervisor_id)].teams]
        for view, team in zip(past.VIEWS, led, strict=False):
            self.desk.save_view(
                name=view.name, by=str(team.supervisor_id), team=team.id, columns=ColumnField(view.columns),
                lanes=ColumnField(view.lanes) if view.lanes else None, limits=view.limits,
                limits_are=WipMode(view.limits_are),
            )  # fmt: skip
