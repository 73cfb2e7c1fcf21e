"""What a record holds stands in its event: a row that was changed or removed is found, and what is older is counted."""

from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from engine import access, cases, envelopes, escalations, grant_review, lessons, notifications, resolutions
from engine.contracts import Event
from engine.storage import statements
from engine.storage.audit import LOG, SEALED_FROM, Audit, chain_heads, seal_from_now_on, verify
from engine.storage.audit_log import Entry
from engine.storage.outbox import Outbox, Parcel
from engine.storage.records import mapping_of
from engine.storage.sql import SqlStore
from tests.ports.examples import LATER, MONDAY, RECORDS, created, decision, delivery, event, ticket

pytestmark = pytest.mark.usefixtures("sql_only")
ONE = "servicenow:INC1"
SEALED = (
    resolutions.Resolution,
    grant_review.GrantReviewItem,
    grant_review.Lesson,
    notifications.QueuedNotification,
    cases.Incident,
    cases.LinkedIncident,
    cases.AffectedResource,
    cases.Evidence,
    cases.LinkedRunbook,
    cases.Survey,
    cases.FeedbackSignal,
    escalations.Escalation,
    lessons.LessonReview,
    access.User,
    access.ApiKey,
)
GUARDED = {"events": ("events_stay", "events_are_kept"), "audit_log": ("audit_log_stays", "audit_log_is_kept")}


class Handler:
    name = "servicenow"

    def payload(self, decision: Any) -> dict[str, Any]:
        return {"group": decision.group_id, "score": decision.score}


@pytest.fixture
def desk(store: Any) -> SqlStore:
    """A ticket with a grant, its review, a notice and a decision on its way; a user and a key."""
    assert isinstance(store, SqlStore)
    store.ingest(delivery(ticket(1), events=(created(),)), at=MONDAY)
    of_ticket = [r for r in RECORDS if isinstance(r, (*SEALED[:-2], envelopes.Envelope))]
    store.save(store.ticket(ONE), [event(), event(hours=2)], at=LATER, records=of_ticket)
    store.put([r for r in RECORDS if isinstance(r, access.User)], entry=Entry("user_set", LATER, "a", "adm", {}))
    store.put([r for r in RECORDS if isinstance(r, access.ApiKey)])
    store.record_decisions([decision()], at=LATER, destination=Handler())
    Outbox(store.engine).queue_suggestions([Parcel("jira", ONE, f"{ONE}/draft/1", {"text": "é"})], at=LATER)
    return store


def tamper(store: SqlStore, *statements: str) -> None:
    """As somebody would who owns the database: triggers and foreign keys dropped first."""
    with store.engine.connect() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        if on_sqlite:
            connection.connection.execute("PRAGMA foreign_keys = OFF")
        for table, names in GUARDED.items():
            for name in names:
                connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {name}" + ("" if on_sqlite else f" ON {table}")))
        if not on_sqlite:
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))
        connection.commit()
    store.close()


def found(audit: Audit) -> list[tuple[str, str]]:
    return [(one.ticket, one.what) for one in audit.broken]


def test_untouched_records_agree(desk: SqlStore) -> None:
    audit = verify(desk, chain_heads(desk))
    assert (audit.found, audit.broken, dict(audit.not_covered)) == (0, [], {})
    assert audit.records == len(SEALED) + 3  # a decision, and two parcels


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("resolutions", "amount = '0.0100'"),
        ("resolutions", "approved_by = 'eve'"),
        ("calibration_items", "outcome = 'revised'"),
        ("calibration_items", "reviewed_at = '2020-01-01 00:00:00.000000'"),
        ("lessons", "text = 'x'"),
        ("notification_queue", "agent_id = 'eve'"),
        ("notification_queue", "payload = '{}'"),
        ("users", "roles = '[\"admin\"]'"),
        ("users", "is_active = (1 = 0)"),
        ("api_keys", f"digest = '{'1' * 64}'"),
        ("api_keys", "revoked_at = NULL"),
        ("allocation_decisions", "confidence = 0.123"),
        ("allocation_decisions", "group_id = 'g-eve'"),
        ("allocation_decisions", "alternatives = '[]'"),
        ("outbox", 'payload = \'{"group": "g-eve"}\''),
        ("outbox", "created_at = '2020-01-01 00:00:00.000000'"),
    ],
)
def test_a_changed_value_is_found_with_its_record(desk: SqlStore, table: str, change: str) -> None:
    is_named_by_content = table == "allocation_decisions"  # then it is one that is gone and one that was put in
    rows = 2 if table == "outbox" or is_named_by_content else 1
    tamper(desk, f"UPDATE {table} SET {change}")
    audit = verify(desk)
    assert (audit.found, len(audit.broken)) == (rows, rows)
    assert all(f"its record {table}/" in what for _, what in found(audit))
    assert sum("was changed" in what for _, what in found(audit)) == (1 if is_named_by_content else rows)


@pytest.mark.parametrize(
    "table", ["resolutions", "calibration_items", "lessons", "notification_queue", "users", "api_keys",
              "allocation_decisions", "outbox"],
)  # fmt: skip
def test_a_removed_row_is_found(desk: SqlStore, table: str) -> None:
    tamper(desk, f"DELETE FROM {table}")
    audit = verify(desk)
    assert audit.found == (2 if table == "outbox" else 1)
    assert all(f"its record {table}/" in what and "removed" in what for _, what in found(audit))


@pytest.mark.parametrize("garbage", ["roles = 'no json'", "roles = ''", "name = x'ff'"])
def test_garbage_in_a_row_is_named_and_stops_nothing(desk: SqlStore, garbage: str) -> None:
    if desk.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL takes no garbage")
    tamper(desk, f"UPDATE users SET {garbage}")
    assert [what for _, what in found(verify(desk))] == ["its record users/agent:ana was changed"]


def test_a_changed_record_is_that_of_its_newest_event(desk: SqlStore) -> None:
    (grant,) = desk.all(resolutions.Resolution)
    moved = grant.model_copy(update={"why_eligible_text": "the contract"})
    desk.save(desk.ticket(ONE), [event(hours=3)], at=LATER, records=[moved])
    assert verify(desk).found == 0
    tamper(desk, f"UPDATE resolutions SET why_eligible_text = '{grant.why_eligible_text}'")
    assert (verify(desk).broken[0].ticket, verify(desk).found) == (ONE, 1)


def test_what_becomes_of_a_notice_is_no_change(desk: SqlStore) -> None:
    tamper(desk, f"UPDATE notification_queue SET sent_at = '{LATER}', batch_id = 'b'",
           f"UPDATE outbox SET state = 'sent', sent_at = '{LATER}', attempts = 3")  # fmt: skip
    assert verify(desk).found == 0


def put_in(store: SqlStore) -> None:
    """Past the store's own way, which seals: rows as SQL puts them in."""
    with store.transaction() as connection:
        statements.put(connection, [r for r in RECORDS if isinstance(r, (*SEALED, envelopes.Envelope))])


def test_a_row_that_was_put_in_is_broken(store: Any) -> None:
    store.ingest(delivery(ticket(1), events=(created(),)), at=MONDAY)
    put_in(store)
    audit = verify(store)
    assert (audit.found, audit.records, dict(audit.not_covered)) == (len(SEALED), 0, {})
    assert (LOG, "its record users/agent:ana is not sealed: it was put in by something else than the desk") in found(
        audit
    )


def old_home(store: SqlStore) -> None:
    """As homes are that were kept before all of it was sealed."""
    store.ingest(delivery(ticket(1), events=(created(),)), at=MONDAY)
    put_in(store)
    tamper(store, "DELETE FROM audit_log")


def test_of_an_earlier_version_what_no_event_speaks_of_is_counted_as_not_covered(store: Any) -> None:
    old_home(store)
    audit = verify(store)
    assert (audit.found, audit.records, set(audit.not_covered.values())) == (0, 0, {1})
    assert set(audit.not_covered) == {mapping_of(kind).table for kind in SEALED}


def test_an_earlier_version_is_sealed_as_it_is_found_and_from_then_on(store: Any) -> None:
    old_home(store)
    for _ in range(2):
        seal_from_now_on(store.engine)
    audit = verify(store)
    assert (audit.found, audit.records, dict(audit.not_covered)) == (0, len(SEALED), {})
    said = store.frame("audit_log").filter(pl.col("kind") == SEALED_FROM)
    assert (said.height, said["at"].null_count()) == (2, 0)  # what was found, and the tables
    tamper(store, "UPDATE users SET name = 'Eve'")
    assert [what for _, what in found(verify(store))] == ["its record users/agent:ana was changed"]


def test_what_was_changed_before_is_not_sealed_as_found(desk: SqlStore) -> None:
    tamper(desk, "UPDATE resolutions SET amount = '0.0100'", f"DELETE FROM audit_log WHERE kind = '{SEALED_FROM}'")
    seal_from_now_on(desk.engine)
    assert any("its record resolutions/" in what for _, what in found(verify(desk)))


def test_a_record_beside_an_event_that_is_known_is_sealed_in_the_log(desk: SqlStore) -> None:
    (notice,) = desk.all(notifications.QueuedNotification)
    again = Event(ticket_id=ONE, kind=created().kind, at=MONDAY, id=created().id)
    changed = notice.model_copy(update={"payload": {"n": 1}})
    desk.append([again], at=LATER)
    desk.put([changed])
    assert verify(desk).found == 0
    tamper(desk, "UPDATE notification_queue SET event_type = 'x'")
    assert verify(desk).found == 1


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE audit_log SET actor = 'eve' WHERE version = 2", "was changed"),
        ("UPDATE audit_log SET data = '{}' WHERE version = 1", "was changed"),
        ("DELETE FROM audit_log WHERE version = 2", "missing"),
    ],
)
def test_the_log_is_walked_like_a_ticket(desk: SqlStore, statement: str, what: str) -> None:
    tamper(desk, statement)
    broken = [one.what for one in verify(desk).broken if one.ticket == LOG and "is not sealed" not in one.what]
    assert what in broken[0]


def test_a_shortened_log_shows_by_what_was_published(desk: SqlStore) -> None:
    heads = chain_heads(desk)
    tamper(desk, "DELETE FROM audit_log WHERE version > 2")
    assert (LOG, 3) in [one[:2] for one in verify(desk, heads).broken]
    assert chain_heads(desk, before=heads).equals(heads)


def test_the_database_itself_keeps_the_log(desk: SqlStore) -> None:
    for statement in ("UPDATE audit_log SET actor = 'eve'", "DELETE FROM audit_log"):
        with pytest.raises(sa.exc.IntegrityError, match="never changes"), desk.engine.begin() as connection:
            connection.execute(sa.text(statement))
