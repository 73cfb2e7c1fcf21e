"""The weekly report on its way to who is to read it: once a week and person, through the outbox as every notice."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from engine.access import User
from engine.contracts import Agent
from engine.notices import INBOX, Notice
from engine.storage.outbox import NOTICES, Parcel
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.figures import words
from pipelines.jobs.notices import mark_sent, parcel_of
from pipelines.jobs.weekly_report.as_html import as_html, can_draw
from pipelines.jobs.weekly_report.as_pdf import as_pdf
from pipelines.jobs.weekly_report.figures import WeeklyReport
from pipelines.jobs.weekly_report.page import as_text, page_of, week_in_words


class Posted(NamedTuple):
    """The keys of notices that wait in the outbox from now on, how many the inbox took, how many people had theirs
    before, and who can't be reached: without a channel, and no agent with an inbox."""

    waiting: tuple[str, ...] = ()
    in_inbox: int = 0
    before: int = 0
    unreached: tuple[str, ...] = ()


def recipients(app: App) -> list[User]:
    """Who has one of the policy's roles and may export."""
    roles = app.desk.policies.notifications.weekly_report.roles
    return [
        user
        for user in identity.users(app)
        if roles.intersection(user.roles) and identity.has(app, user, identity.Right.EXPORT)
    ]


def post(app: App, report: WeeklyReport, *, at: datetime) -> Posted:
    """Write the notices of a week's report; whoever has one of this week, sent or waiting, gets no second one. All in
    one transaction. Raises Busy if somebody else is at it."""
    with alone(app, "weekly report"):
        return _post(app, report, at)


def _post(app: App, report: WeeklyReport, at: datetime) -> Posted:
    channel = app.desk.policies.notifications.weekly_report.channel
    destination = f"{NOTICES}{channel}" if channel in app.settings.notify_urls else INBOX
    everybody = {notice_id(user, report): user for user in recipients(app)}
    before = {one.id for key in everybody for one in app.store.all(Notice, id=key)}
    agents = {agent.id for agent in app.store.all(Agent)}
    new = {key: user for key, user in everybody.items() if key not in before}
    reached = {key: user for key, user in new.items() if destination != INBOX or user.id in agents}
    notices = list(_notices(reached, report, channel=channel, destination=destination, at=at))
    parcels = list(_parcels(app, notices, reached, report)) if destination != INBOX else []
    with app.store.transaction() as connection:
        app.store.put(notices, within=connection)
        app.outbox.queue_notices(parcels, at=at, within=connection)
        for notice in notices if destination == INBOX else ():
            mark_sent(app, notice.id, at=at, within=connection)
    return Posted(
        waiting=tuple(parcel.key for parcel in parcels),
        in_inbox=len(notices) - len(parcels),
        before=len(before),
        unreached=tuple(user.name for key, user in new.items() if key not in reached),
    )


def notice_id(user: User, report: WeeklyReport) -> str:
    return f"{user.id}/weekly-report-{report.monday}"


def _notices(
    to: dict[str, User], report: WeeklyReport, *, channel: str, destination: str, at: datetime
) -> Iterator[Notice]:
    week = report.weeks.row(-1, named=True)
    subject = f"Weekly report, {week_in_words(report)}"
    if week["share_met"] is not None:
        subject = f"{subject}: {words.percent(week['share_met'])} of promises kept"
    text = as_text(page_of(report))
    for key, user in to.items():
        yield Notice(id=key, agent_id=user.id, channel=channel, destination=destination, subject=subject, text=text,
                     news=1, created_at=at)  # fmt: skip


def _parcels(app: App, notices: list[Notice], to: dict[str, User], report: WeeklyReport) -> Iterator[Parcel]:
    page = page_of(report)
    shared: dict[str, Any] = {"html": as_html(page, in_a_mail=True)}
    if can_draw():
        content = b64encode(as_pdf(page, app.settings.data / "fonts")).decode()
        name = f"weekly-report-{report.monday}.pdf"
        shared["attachments"] = [{"name": name, "type": "application/pdf", "content": content}]
    return (parcel_of(one, to[one.id].name, to[one.id].email or "", **shared) for one in notices)
