"""What waits, by page: the numbers in the navigation."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import polars as pl
import streamlit as st

from dashboards import acting, opening, queue_parts
from engine.shared.errors import HelmdeskError
from pipelines import actions
from pipelines.app.container import App
from pipelines.app.identity import User
from pipelines.figures import verdict
from pipelines.live_alerts import WAITS, live_alerts
from pipelines.live_queue import holder, live_queue
from pipelines.marts import MartReader

SECONDS = 10
"""What others did shows in a count at most so late; what the reader did, and a page that is loaded anew, at once."""
COUNTED = "what waits"


class Counted(NamedTuple):
    size: int | None
    acts: int
    until: float


def waiting(app: App, user: User, url: str) -> int | None:
    """How many things wait on the page; None for a page without a count, or where there is nothing to count yet.

    The count is held in the session, which begins with each load of the page."""
    reader = opening.marts(app)
    if url not in COUNTS or reader is None:
        return None
    held: dict[tuple[str, ...], Counted] = st.session_state.setdefault(COUNTED, {})
    of, acts, now = (url, user.id, str(reader.publication.folder)), acting.acts(), time.monotonic()
    if of not in held or held[of].acts != acts or held[of].until < now:
        held[of] = Counted(_count(app, reader, user, url), acts, now + SECONDS)
    return held[of].size


def _count(app: App, reader: MartReader, user: User, url: str) -> int | None:
    try:
        return COUNTS[url](app, reader, user)
    except HelmdeskError:
        return None


def late(app: App, _: MartReader, __: User) -> int:
    return verdict.standing(live_queue(app, at=app.now()).rows).late


def mine(app: App, _: MartReader, user: User) -> int:
    own = holder(app, user.id)
    rows = live_queue(app, at=app.now()).rows
    return rows.filter(queue_parts.Whose(own.names, own.groups).fits()).height if own else 0


def alerts(app: App, _: MartReader, __: User) -> int:
    queue = live_queue(app, at=app.now())
    return live_alerts(app, queue, since=queue.as_of).filter(pl.col("state") == WAITS).height


def for_review(app: App, reader: MartReader, _: User) -> int:
    found, answers = _answers_of_store(app, reader)
    return max(found - app.triage.feedback.tickets_answered(after=answers), 0)


@st.cache_data(
    max_entries=2,
    show_spinner=False,
    hash_funcs={
        App: lambda app: str(app.settings.home),
        MartReader: lambda reader: str(reader.publication.folder),
    },
)
def _answers_of_store(app: App, _: MartReader) -> tuple[int, int]:
    """How many tickets waited for an answer when a publication was first read, and how many answers there were."""
    return len(actions.review_queue(app)), app.triage.feedback.answer_count()


def unread(app: App, _: MartReader, user: User) -> int:
    return len(app.desk.inbox(by=user.id, unread=True))


def failed(app: App, _: MartReader, __: User) -> int:
    return sum(look.total for look in actions.look_for_failures(app).values())


def grants(app: App, _: MartReader, __: User) -> int:
    return app.store.frame("calibration_items", ["id"], where={"review_status": {"pending"}}).height


COUNTS: Mapping[str, Callable[[App, MartReader, User], int]] = {
    "now": late,
    "alerts": alerts,
    "queue": mine,
    "review": for_review,
    "inbox": unread,
    "failed": failed,
    "grants": grants,
}
