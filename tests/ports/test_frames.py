"""A table is the same frame from every store."""

from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal

from engine.shared.errors import NotFound
from engine.storage.ports import Store
from engine.storage.tables import metadata
from tests.ports.examples import ANA, HOUR, LATER, MONDAY, RECORDS, REJECTED, created, decision, delivery, event, ticket
from tests.ports.memory_store import MemoryStore
from tests.ports.racers import claim

TABLES = sorted(set(metadata.tables) - {"audit_log"})
"""The log is written by databases alone."""
UTC_INSTANT = pl.Datetime("us", "UTC")


def fill(store: Store) -> Store:
    given = delivery(
        ticket(1, vip=True, resolved_at=LATER, status="resolved", tags=("a", "é")),
        ticket(2, created_at=MONDAY - HOUR),
        events=(created(), event(data={"n": 1.5, "ü": None})),
    )
    store.ingest(given.model_copy(update={"rejected": (REJECTED,)}), at=LATER)
    claim(store, "servicenow:INC2", ANA)
    store.put(RECORDS)
    store.record_decisions([decision(1), decision(2, None)], at=LATER)
    return store


BESIDE = {"breakers", "last_runs", "outbox", "pull_cursors", "receipts"}
"""Tables that hold no records: those who write them test them."""


@pytest.fixture(scope="module")
def reference() -> dict[str, pl.DataFrame]:
    """Every table of a filled store in memory."""
    filled = fill(MemoryStore())
    return {table: filled.frame(table) for table in TABLES}


def test_frames_are_equal_over_stores(store: Store, reference: dict[str, pl.DataFrame]) -> None:
    mine = fill(store)
    for table, expected in reference.items():
        assert_frame_equal(mine.frame(table), expected)
        assert expected.height > 0 or table in BESIDE, table


def test_empty_tables_have_the_same_columns(store: Store, reference: dict[str, pl.DataFrame]) -> None:
    for table, expected in reference.items():
        found = store.frame(table)
        assert (found.schema, found.height) == (expected.schema, 0)


def test_instants_are_utc_and_booleans_are_booleans(store: Store) -> None:
    frame = fill(store).frame("tickets").sort("id")
    assert frame.schema["created_at"] == frame.schema["closed_at"] == UTC_INSTANT
    assert frame["created_at"].to_list() == [MONDAY, MONDAY - HOUR]
    assert frame["vip"].to_list() == [True, False]
    assert frame["owner_id"].to_list() == [None, ANA]


def test_values_may_start_after_a_thousand_missing_ones(store: Store) -> None:
    many = [ticket(number) for number in range(1100)]
    store.ingest(delivery(*many, ticket(9999, closed_at=LATER, status="closed", company="acme")), at=LATER)
    frame = store.frame("tickets")
    assert (frame["closed_at"].drop_nulls().to_list(), frame["company_id"].drop_nulls().to_list()) == (
        [LATER],
        ["acme"],
    )


def test_a_table_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="no_such"):
        store.frame("no_such")


@pytest.mark.usefixtures("sql_only")
def test_tables_of_other_rooms_are_read_as_well(store: Any) -> None:
    frame = store.frame("classifications")
    assert (frame.schema["created_at"], frame.schema["needs_review"], frame.schema["confidence"]) == (
        UTC_INSTANT,
        pl.Boolean(),
        pl.Float64(),
    )


def enriched(store: Any, number: int, *, complexity: float = 0, mark: bytes = b"", content_hash: str = "h") -> None:
    with store.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO enrichments (ticket_id, complexity, complexity_parts, error_codes, sentiment_phrases, "
                "urgency, urgency_reasons, signature, content_hash, created_at) VALUES (:ticket, :complexity, '[]', "
                "'[]', '[]', 'low', '[]', :mark, :hash, '2026-07-13 09:00:00.000000')"
            ),
            {"ticket": f"servicenow:INC{number}", "complexity": complexity, "mark": mark, "hash": content_hash},
        )


@pytest.mark.usefixtures("sql_only")
def test_bytes_are_read_as_they_were_written(store: Any) -> None:
    store.ingest(delivery(ticket(1)), at=MONDAY)
    mark = b"\x00\xff=\x00\xc3\x28"
    enriched(store, 1, mark=mark)
    assert store.frame("enrichments", ["content_hash", "signature"]).row(0) == ("h", mark)


@pytest.mark.usefixtures("sql_only")
def test_numbers_and_bytes_stay_beside_their_words(store: Any) -> None:
    store.ingest(delivery(*map(ticket, range(1, 6))), at=MONDAY)
    for number in (4, 2, 5, 1, 3):
        enriched(store, number, complexity=number / 7, mark=bytes([number]), content_hash=f"h{number}")
    with store.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM enrichments WHERE ticket_id = 'servicenow:INC2'"))
    some = {"ticket_id": [f"servicenow:INC{number}" for number in (1, 2, 3, 5)]}
    found = store.frame("enrichments", ["signature", "content_hash", "complexity"], where=some)
    assert sorted(found.rows()) == [(bytes([n]), f"h{n}", n / 7) for n in (1, 3, 5)]


def test_only_the_asked_columns_are_read(store: Store) -> None:
    mine, reference = fill(store), fill(MemoryStore())
    asked = ["created_at", "id", "vip"]
    assert mine.frame("tickets", asked).columns == asked
    assert_frame_equal(mine.frame("tickets", asked), reference.frame("tickets").select(asked))
    with pytest.raises(NotFound, match="no_such"):
        mine.frame("tickets", ["no_such"])


def test_rows_are_chosen_by_the_words_they_hold(store: Store) -> None:
    mine, events = fill(store), fill(MemoryStore()).frame("events")
    kinds = ["created", "it's", "ü"]
    expected = events.filter(pl.col("kind") == "created", pl.col("ticket_id") == "servicenow:INC1")
    found = mine.frame("events", ["id", "kind"], where={"kind": kinds, "ticket_id": ["servicenow:INC1"]})
    assert_frame_equal(found, expected.select("id", "kind"))
    assert found.height > 0
    assert mine.frame("events", where={"kind": ["nothing of this"]}).height == 0
    with pytest.raises(NotFound, match="no_such"):
        mine.frame("events", where={"no_such": ["x"]})


def test_rows_are_chosen_by_what_is_missing_and_by_instants(store: Store) -> None:
    mine, tickets = fill(store), fill(MemoryStore()).frame("tickets")
    free = mine.frame("tickets", ["id"], where={"owner_id": None})
    assert_frame_equal(free, tickets.filter(pl.col("owner_id").is_null()).select("id"))
    for at in (MONDAY - HOUR, MONDAY, LATER):
        later = mine.frame(
            "tickets", ["id", "created_at"], where={"status": ["new", "resolved"]}, after={"created_at": at}
        )
        wanted = pl.col("status").is_in(["new", "resolved"]) & (pl.col("created_at") > at)
        assert_frame_equal(later, tickets.filter(wanted).select("id", "created_at"))
    assert mine.frame("tickets", after={"resolved_at": MONDAY}).height == 1


def test_odd_text_is_read_as_it_was_written(store: Store) -> None:
    odd = ["", "=", "==x", "a\x1fb\nc", "ü�", "'", '"'] * 3
    given = [ticket(number, company=text or None, title=text or "-") for number, text in enumerate(odd)]
    store.ingest(delivery(*given), at=LATER)
    reference = MemoryStore()
    reference.ingest(delivery(*given), at=LATER)
    asked = ["id", "company_id", "subject", "vip", "version"]
    assert_frame_equal(store.frame("tickets", asked), reference.frame("tickets", asked))
    assert store.frame("tickets", asked)["company_id"].null_count() == 3
