"""Making it good: propose a grant, approve it, and review each week what was granted."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from engine import cases, flags, grant_report, grant_review, resolutions
from engine.access import View
from engine.contracts import Agent, EmpowermentConfig
from engine.desk.use_case import UseCase, key_of
from engine.shared.errors import NotAllowed


class Grants(UseCase):
    """Empowerment with accountability."""

    def propose_resolution(
        self, ticket_id: str, claim: resolutions.Claim, *, by: str, at: datetime, team_id: str | None = None
    ) -> resolutions.Resolution:
        """Document a grant as the owner, under the limits of a team of one's own; above them it waits for approval. A
        VIP flag of one's own raises no limit."""
        ticket, at = self.load(ticket_id, at)
        marks = [one for one in self.flags_of(ticket) if one.type != flags.FlagType.VIP or one.added_by != by]
        agent, active = self.agent(by), flags.active(marks)
        granted = resolutions.propose(
            ticket,
            claim,
            key=key_of(ticket, "resolution"),
            by=agent,
            limits=self._limits(agent, team_id),
            at=at,
            policy=self.policies.grants,
            flags=active,
            before=self.store.all(resolutions.Resolution, ticket_id=ticket.id),
        )
        item = self._certain_item(granted.resolution, active, at)
        self.keep(granted.ticket, granted.events, granted.resolution, *item, at=at)
        return granted.resolution

    def approve_resolution(
        self, resolution_id: str, *, by: str, at: datetime, is_approved: bool = True, reason: str | None = None
    ) -> resolutions.Resolution:
        """Approve a grant above the agent's limit, or refuse it, as somebody else with the right."""
        resolution, ticket, at = self.load_with(resolutions.Resolution, resolution_id, at)
        decided = resolutions.decide(
            ticket, resolution, by=self.agent(by), at=at, is_approved=is_approved, reason=reason
        )
        self.keep(decided.ticket, decided.events, decided.resolution, at=at)
        return decided.resolution

    def draw_grant_review(self, *, at: datetime, seed: int | str) -> list[grant_review.GrantReviewItem]:
        """List grants of the week before for review; returns the new items. Asking again with one seed adds none."""
        since, until = grant_review.week_before(at)
        granted = self.store.all(resolutions.Resolution)
        complaints = [survey.ticket_id for survey in self.store.all(cases.Survey, is_complaint=True)]
        items = grant_review.weekly_queue(
            granted,
            seed=str(seed),
            since=since,
            until=until,
            at=at,
            policy=self.policies.grant_review,
            flags=_by_ticket(self.store.all(flags.CaseFlag)),
            calibrated_flags=self.policies.grants.calibrated_flags,
            complaints=complaints,
            listed={item.resolution_id for item in self.store.all(grant_review.GrantReviewItem)},
        )
        for item in items:
            self._list(item, at)
        return items

    def review_grant(
        self, item_id: str, *, by: str, outcome: grant_review.ReviewOutcome, at: datetime, notes: str = ""
    ) -> grant_review.GrantReviewItem:
        """Keep what a review of a grant found, once, with the lesson for the next such case."""
        item, ticket, at = self.load_with(grant_review.GrantReviewItem, item_id, at)
        resolution = self.store.get(resolutions.Resolution, item.resolution_id)
        done = grant_review.review(
            ticket,
            item,
            resolution,
            by=self.agent(by),
            outcome=outcome,
            notes=notes,
            at=at,
            policy=self.policies.grant_review,
        )
        self.keep(done.ticket, done.events, done.item, done.resolution, done.lesson, at=at)
        return done.item

    def second_opinion(
        self, item_id: str, *, by: str, outcome: grant_review.ReviewOutcome, at: datetime, notes: str = ""
    ) -> grant_review.SecondOpinion:
        """Keep what a second reviewer finds in a reviewed grant, without knowing the first outcome; it changes none."""
        item, ticket, at = self.load_with(grant_review.GrantReviewItem, item_id, at)
        views = self.store.all(View, user_id=by, ticket_id=ticket.id)
        done = grant_review.second_opinion(
            ticket,
            item,
            self.store.get(resolutions.Resolution, item.resolution_id),
            by=self.agent(by),
            outcome=outcome,
            notes=notes,
            at=at,
            policy=self.policies.grant_review,
            given=self.store.all(grant_review.SecondOpinion, item_id=item.id),
            seen=[view.at for view in views],
        )
        self.keep(done.ticket, done.events, done.opinion, at=at)
        return done.opinion

    def grant_review_report(self, *, since: datetime, until: datetime) -> grant_report.GrantReviewReport:
        """Grants made from `since` up to before `until`, with their reviews."""
        granted = [r for r in self.store.all(resolutions.Resolution) if since <= r.created_at < until]
        of_period = {r.id for r in granted}
        items = [i for i in self.store.all(grant_review.GrantReviewItem) if i.resolution_id in of_period]
        opinions = self.store.all(grant_review.SecondOpinion)
        return grant_report.report(items, granted, opinions=opinions, policy=self.policies.grant_review)

    def _list(self, item: grant_review.GrantReviewItem, at: datetime) -> None:
        resolution, ticket, at = self.load_with(resolutions.Resolution, item.resolution_id, at)
        waiting = resolution.model_copy(update={"calibration_status": resolutions.GrantReviewStatus.PENDING})
        self.keep(ticket, [grant_review.listed_event(item, at=at)], item, waiting, at=at)

    def _limits(self, agent: Agent, team_id: str | None) -> EmpowermentConfig:
        team = team_id or next(iter(agent.teams), None)
        if team is None or team not in agent.teams:
            raise NotAllowed(f"{agent.name} can only grant under the limits of a team of theirs, not of {team}.")
        return self.store.get(EmpowermentConfig, team)

    def _certain_item(
        self, resolution: resolutions.Resolution, active: Collection[flags.FlagType], at: datetime
    ) -> list[grant_review.GrantReviewItem]:
        """Tier 3 and flagged grants are listed at once, if a review is asked of them at all."""
        if resolution.calibration_status != resolutions.GrantReviewStatus.PENDING:
            return []
        calibrated = self.policies.grants.calibrated_flags
        reason = grant_review.certain_reason(resolution, {resolution.ticket_id: active}, calibrated)
        return [grant_review.item_for(resolution, reason=reason, at=at)] if reason else []


def _by_ticket(marks: Iterable[flags.CaseFlag]) -> dict[str, set[flags.FlagType]]:
    found: dict[str, set[flags.FlagType]] = defaultdict(set)
    for flag in marks:
        if flag.is_active:
            found[flag.ticket_id].add(flag.type)
    return found
