"""The open tickets as they are now: what the store holds, what was published of them, and their clocks moved on."""

from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import polars as pl

from engine.contracts import OPEN_STATUSES, Agent
from engine.ownership import names_of
from engine.shared.errors import NotFound
from pipelines.app.container import App
from pipelines.clock_replay import replay
from pipelines.marts import MartReader, Publication, current
from pipelines.marts.replies import questions
from pipelines.snapshot import Snapshot
from pipelines.work_queue import next_promise, runs
from sla.clocks.advance import advance
from sla.contracts import CLOCKS

if TYPE_CHECKING:
    from pipelines.app.policies import SlaRules

__all__ = ["Holder", "LiveQueue", "advance", "holder", "live_queue"]

UTC_INSTANT = pl.Datetime("us", "UTC")
STANDING = (
    "status", "priority", "tier", "type", "group_id", "assignee_id", "owner_id", "updated_at", "agreed_due_at",
)  # fmt: skip
"""Columns of a ticket in store and publication alike: where they are the same, its clocks are as published."""
STORED = (
    "id", "reference", "subject", "vip", "escalated", "requester_id", "company_id", "created_at", "version", *STANDING,
)  # fmt: skip
KNOWN = pl.Schema(
    {
        "ticket": pl.String(),
        "score": pl.Float64(),
        "score_parts": pl.String(),
        "product": pl.String(),
        "confidence": pl.Float64(),
        "needs_review": pl.Boolean(),
        "has_suggestion": pl.Boolean(),
        "waits_since": UTC_INSTANT,
    }
)
"""What is taken from the publication beside the clocks."""


class LiveQueue(NamedTuple):
    """The open tickets as of `as_of`; `published` is the publication's instant, None where there is none.

    `rows`: a row a ticket with its standing in the store (`ticket`, `reference`, `subject`, `status`, `priority`,
    `tier`, `type`, `vip`, `escalated`, `owner_id`, `assignee_id`, `group_id`, `requester_id`, `company_id`,
    `created_at`, `updated_at`, `agreed_due_at`, `version`); what the publication said (`score`, `score_parts`,
    `product`, `confidence`, `needs_review`, `has_suggestion`: null for one that came since), the highest score first;
    `customer_waits_since`; and of its promises now `next_clock`, `next_due_at`, `seconds_left`, `share_left`,
    `is_paused`, `sla_state`, in business time, null where nothing is promised. `clocks`: their running clocks, rows of
    `sla.contracts.CLOCKS`.
    """

    rows: pl.DataFrame
    clocks: pl.DataFrame
    as_of: datetime
    published: datetime | None


class Holder(NamedTuple):
    """An agent by all the names under which tickets are held, and the groups of the agent's teams."""

    names: tuple[str, ...]
    groups: tuple[str, ...]


def holder(app: App, agent_id: str) -> Holder | None:
    """None for one who is no agent."""
    agent = next(iter(app.store.all(Agent, id=agent_id)), None)
    if agent is None:
        return None
    groups = app.store.frame("assignment_groups", ["group_id", "team_id"]).iter_rows()
    return Holder(names_of(agent), tuple(group for group, team in groups if team in agent.teams))


class _Reading(NamedTuple):
    """What was read, of which publication, at which mark of the store and under which rules; its clocks as of `at`."""

    publication: Publication | None
    mark: int
    rules: "SlaRules"
    at: datetime
    tickets: pl.DataFrame
    clocks: pl.DataFrame


_READ: "WeakKeyDictionary[App, _Reading]" = WeakKeyDictionary()
_TURN = Lock()


def live_queue(app: App, *, at: datetime) -> LiveQueue:
    """The open tickets at `at`. The store is read again only after something happened or was published."""
    with _TURN:
        found = _READ.get(app)
        if found is None or not _is_current(found, app, at):
            found = _READ[app] = _read(app, at)
    clocks = _moved(found.clocks, found.rules, since=found.at, at=at)
    rows = found.tickets.join(next_promise(clocks), on="ticket", how="left", maintain_order="left")
    published = found.publication.as_of if found.publication else None
    return LiveQueue(rows, clocks.select(list(CLOCKS)), at, published)


def _is_current(found: _Reading, app: App, at: datetime) -> bool:
    is_same = found.publication == _publication(app) and found.mark == app.store.mark()
    return is_same and found.rules is app.policies.sla and found.at <= at


def _publication(app: App) -> Publication | None:
    try:
        return current(app.settings.marts_folder)
    except NotFound:
        return None


def _read(app: App, at: datetime) -> _Reading:
    mark, rules = app.store.mark(), app.policies.sla  # before what they speak of
    tickets = app.store.frame("tickets", STORED, where={"status": list(OPEN_STATUSES)}).rename({"id": "ticket"})
    try:
        with MartReader(app.settings.marts_folder) as reader:
            publication, known = reader.publication, _known(reader)
            stood, before = _standing(reader), _running(reader)
    except NotFound:
        publication, known, before = None, pl.DataFrame(schema=KNOWN), pl.DataFrame(schema=CLOCKS)
        stood = tickets.clear().select("ticket", *STANDING)
    same = tickets.join(stood, on=["ticket", *STANDING], how="semi", nulls_equal=True).select("ticket")
    changed = tickets.join(same, on="ticket", how="anti")["ticket"]
    agreed, before = tickets.select("ticket", "agreed_due_at"), before.join(same, on="ticket", how="semi")
    if publication is not None:
        before = _moved(before.join(agreed, on="ticket"), rules, since=publication.as_of, at=at)
    again, waits = _replayed(app, changed, at)
    clocks = pl.concat([before, again.join(agreed, on="ticket")], how="diagonal")
    rows = (
        tickets.join(known, on="ticket", how="left")
        .join(waits, on="ticket", how="left")
        .with_columns(customer_waits_since=pl.when(pl.col("ticket").is_in(changed.implode()))
                      .then("waits").otherwise("waits_since"))
        .drop("waits", "waits_since")
        .sort("score", "created_at", "ticket", descending=[True, False, False], nulls_last=True)
    )  # fmt: skip
    return _Reading(publication, mark, rules, at, rows, clocks)


def _moved(clocks: pl.DataFrame, rules: "SlaRules", *, since: datetime, at: datetime) -> pl.DataFrame:
    return advance(clocks, since=since, at=at, policies=rules.policies, calendars=rules.calendars)


def _replayed(app: App, changed: pl.Series, at: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The running clocks of tickets that moved on since they were published, and since when their customers wait."""
    if changed.is_empty():
        return pl.DataFrame(schema=CLOCKS), pl.DataFrame(schema={"ticket": pl.String, "waits": UTC_INSTANT})
    snapshot = Snapshot(app, at)
    tickets, events = snapshot.tickets_of(changed), snapshot.events_of(changed)
    waits = questions(events, at).select("ticket", waits="waits_since")
    return replay(tickets, events, app.policies.sla, as_of=at).filter(runs()), waits


def _running(reader: MartReader) -> pl.DataFrame:
    columns = ", ".join(f'"{name}"' for name in CLOCKS)
    found = reader.query(f"SELECT {columns} FROM sla_clocks WHERE stopped_at IS NULL AND remaining IS NOT NULL")
    return found.select(pl.col(name).cast(dtype) for name, dtype in CLOCKS.items()).filter(runs())


def _standing(reader: MartReader) -> pl.DataFrame:
    return reader.query(f"SELECT ticket, {', '.join(STANDING)} FROM tickets WHERE is_open")


def _known(reader: MartReader) -> pl.DataFrame:
    found = reader.query(
        """SELECT q.ticket, q.score, q.score_parts, q.product, q.confidence, q.needs_review, q.has_suggestion,
        r.waits_since FROM work_queue q LEFT JOIN replies r ON r.ticket = q.ticket"""
    )
    return found.select(pl.col(name).cast(dtype) for name, dtype in KNOWN.items())
