"""The weekly grant review: a sample drawn once a week, reviewed by people."""

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from pipelines.app.container import App

if TYPE_CHECKING:
    from engine.contracts import Ticket
    from engine.grant_review import GrantReviewItem, SecondOpinion
    from engine.resolutions import Resolution


class Unapproved(NamedTuple):
    """A grant that waits for an approval, and the ticket it was made on, with the flags that are set."""

    resolution: "Resolution"
    ticket: "Ticket"
    flags: tuple[str, ...]


class Listed(NamedTuple):
    """A grant on the list, and the ticket it was made on with the flags that are set; `is_for_two` reviewers, of whom
    `second` was one."""

    item: "GrantReviewItem"
    resolution: "Resolution"
    ticket: "Ticket"
    flags: tuple[str, ...]
    is_for_two: bool
    second: "SecondOpinion | None"

    def is_hidden_from(self, reader: str) -> bool:
        """Whether this reader is not shown the first outcome yet."""
        return self.item.is_hidden_from(reader, needs_second=self.is_for_two, has_second=self.second is not None)


def draw(app: App, *, at: datetime) -> int:
    """Sample the week before `at` for review, the same sample however often it is asked; returns the items added."""
    year, week, _ = at.isocalendar()
    return len(app.desk.draw_grant_review(at=at, seed=year * 100 + week))


def review_list(app: App, *, reviewed: bool = False) -> list[Listed]:
    """What waits for a review, or what was reviewed, the longest on the list first."""
    from engine.grant_review import GrantReviewItem, ReviewStatus, SecondOpinion, needs_second
    from engine.resolutions import Resolution

    status = ReviewStatus.REVIEWED if reviewed else ReviewStatus.PENDING
    items = sorted(app.store.all(GrantReviewItem, review_status=status), key=lambda item: (item.created_at, item.id))
    tickets = {ticket.id: ticket for ticket in app.store.tickets(ids={item.ticket_id for item in items})}
    grants = {grant.id: grant for grant in app.store.all(Resolution)}
    seconds = {one.item_id: one for one in app.store.all(SecondOpinion)}
    policy, flags = app.policies.desk.grant_review, _flags(app)
    return [
        Listed(item, grants[item.resolution_id], tickets[item.ticket_id], flags.get(item.ticket_id, ()),
               needs_second(item, policy=policy), seconds.get(item.id))
        for item in items
    ]  # fmt: skip


def proposed(app: App) -> "list[Resolution]":
    """Every grant ever proposed."""
    from engine.resolutions import Resolution

    return app.store.all(Resolution)


def unapproved(app: App) -> list[Unapproved]:
    """Grants that wait for somebody's approval, the longest waiting first."""
    from engine.resolutions import ApprovalStatus

    pending = [grant for grant in proposed(app) if grant.approval_status == ApprovalStatus.PENDING]
    tickets = {ticket.id: ticket for ticket in app.store.tickets(ids={grant.ticket_id for grant in pending})}
    flags = _flags(app)
    return [
        Unapproved(grant, tickets[grant.ticket_id], flags.get(grant.ticket_id, ()))
        for grant in sorted(pending, key=lambda grant: (grant.created_at, grant.id))
    ]


def _flags(app: App) -> dict[str, tuple[str, ...]]:
    """The flags that are set, by ticket."""
    set_ = app.store.frame("case_flags", ["ticket_id", "type", "cleared_at"]).filter(pl.col("cleared_at").is_null())
    by_ticket = set_.group_by("ticket_id").agg(pl.col("type").unique().sort())
    return {ticket: tuple(types) for ticket, types in by_ticket.iter_rows()}
