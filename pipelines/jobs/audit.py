"""What an auditor asks: who did what, who viewed what, how a ticket came about, whether all stands as recorded."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.access import Right, User, View
from engine.contracts import RecordedEvent, Ticket, first_broken_link
from engine.shared.errors import NotFound
from engine.storage.audit import Audit
from engine.storage.audit import verify as walk
from engine.storage.newest import Leaf, newest
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.jobs.export import EXPORTED
from pipelines.jobs.phrases import PHRASES
from pipelines.jobs.review import ANSWERS, FEEDBACK, WITHDRAWALS
from pipelines.marts import chain_heads
from pipelines.marts.chain_heads import PublishedHeads

LISTED = 100
LOG = ("version", "kind", "at", "subject", "actor", "data")
ACTS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "users and keys": ("audit_log", ("user_set", "key_created", "key_revoked")),
        "learned phrases": ("audit_log", ("phrase_accepted", "phrase_refused")),
        "grants": ("events", ("resolution", "approval", "calibration")),
        "transfers": ("events", ("transferred",)),
        "exports": ("audit_log", (EXPORTED,)),
        "sent and recorded": ("audit_log", ("records", "allocation", "suggestion", "notice")),
    }
)
"""What one may ask for, where it stands, and by which kinds."""
COVERED = (ANSWERS, WITHDRAWALS, FEEDBACK, PHRASES)
"""Tables of triage whose rows are sealed."""


class Verified(NamedTuple):
    """What a walk over everything found, and the publication that it was held against, if there is one."""

    audit: Audit
    last: PublishedHeads | None

    @property
    def is_whole(self) -> bool:
        return not self.audit.found and not (self.last and self.last.fault)


class Chain(NamedTuple):
    """What happened to a ticket as far as its reader may know, and the version of the first event that was altered."""

    ticket: Ticket
    history: list[RecordedEvent]
    broken_at: int | None


def verify(app: App) -> Verified:
    """Walk every chain and hold it against the last publication, and records against what the history says of them; the
    first LISTED broken places are listed."""
    last = chain_heads.read(app.settings.marts_folder)
    return Verified(walk(app.store, last.heads if last else None, also=COVERED, limit=LISTED), last)


def acts(app: App, user: User, of: str, *, actor: str | None = None, page: int = 1, size: int = 50) -> Leaf:
    """Who did what of one of ACTS, the newest first: kind, at, actor, data, and `subject` (or `ticket_id` and `value`).
    Raises NotAllowed."""
    identity.require(app, user, Right.AUDIT, doing="reading who did what")
    table, kinds = ACTS[of]
    where = {"kind": kinds} | ({"actor": (actor,)} if actor else {})
    if table == "audit_log":
        return newest(app.store.engine, table, LOG, by=("version",), page=page, size=size, where=where)
    columns = ("kind", "at", "actor", "ticket_id", "value", "reason", "data")
    by = ("at", "ticket_id", "version")
    return _with_references(app, newest(app.store.engine, table, columns, by=by, page=page, size=size, where=where))


def views(
    app: App,
    user: User,
    *,
    viewer: str | None = None,
    ticket: str | None = None,
    day: date | None = None,
    page: int = 1,
    size: int = 50,
) -> Leaf:
    """Who viewed customer data, the latest first; `day` is the desk's. Raises NotAllowed."""
    identity.require(app, user, Right.AUDIT, doing="reading who viewed what")
    app.view_log.write()
    where = {"user_id": (viewer,)} if viewer else {}
    where |= {"ticket_id": (_key(app, ticket),)} if ticket else {}
    zone = ZoneInfo(app.settings.desk_zone)
    since = datetime.combine(day, time(), zone) if day else None
    until = datetime.combine(day + timedelta(days=1), time(), zone) if day else None
    found = newest(
        app.store.engine, "views", list(View.model_fields), by=("at", "id"), page=page, size=size, where=where,
        since=since, until=until,
    )  # fmt: skip
    return _with_references(app, found)


def chain(app: App, user: User, ticket: str) -> Chain:
    """The history of a ticket by its key, reference or id, and whether its chain is whole. Raises NotAllowed, and
    NotFound."""
    identity.require(app, user, Right.AUDIT, doing="reading a ticket's chain")
    found = app.store.ticket(ticket)
    return Chain(found, app.desk.read_history(found.id, reader=user), first_broken_link(app.store.history(found.id)))


def _with_references(app: App, leaf: Leaf) -> Leaf:
    """Each row with the `reference` of its ticket; the key of one that is gone, None where there is no ticket."""
    keys = {row["ticket_id"] for row in leaf.rows if row["ticket_id"]}
    known = dict(app.store.frame("tickets", ["id", "reference"], where={"id": keys}).iter_rows()) if keys else {}
    rows = [row | {"reference": known.get(row["ticket_id"], row["ticket_id"])} for row in leaf.rows]
    return Leaf(rows, leaf.total)


def _key(app: App, ticket: str) -> str:
    """One that is gone was viewed all the same."""
    try:
        return app.store.ticket(ticket).id
    except NotFound:
        return ticket
