from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, Table, create_engine, event, inspect, select, text

from engine.shared.errors import BadInput
from tests.triage.conftest import MONDAY
from tests.triage.enrichment.enriching import POLICY, case
from triage.enrichment.contracts import Enrichment, Related, Relation
from triage.enrichment.enrich import enrich
from triage.enrichment.store import (
    ROWS_PER_TRANSACTION,
    EnrichmentInput,
    EnrichmentStore,
)
from triage.enrichment.tables import enrichments, metadata, related_tickets
from triage.taxonomy import Taxonomy


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'desk.db'}")

    @event.listens_for(made, "connect")
    def _(connection, _record) -> None:
        connection.execute("PRAGMA foreign_keys=ON")

    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> EnrichmentStore:
    made = EnrichmentStore(engine)
    made.create_tables()
    with engine.begin() as connection:
        names = [{"id": f"t{at}"} for at in range(ROWS_PER_TRANSACTION + 3)]
        connection.execute(text("INSERT INTO tickets (id) VALUES (:id)"), names)
    return made


def told(taxonomy: Taxonomy, *keys: str, content: str = "Danke! ZTNA-301 é ☃", day: int = 0) -> list[Enrichment]:
    return enrich([case(key, content) for key in keys], POLICY, taxonomy, at=MONDAY + timedelta(days=day))


def kept(*keys: str, mark: bytes = b"\x00\xff\x01", content: str = "h") -> dict[str, EnrichmentInput]:
    return {key: EnrichmentInput(content, mark) for key in keys}


def rows(engine: Engine, table: Table) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def rows_of(found: list[Enrichment], inputs: dict[str, EnrichmentInput]) -> list[dict[str, object]]:
    """What is to be kept of them: lists as lists, with hash and signature."""
    plain = [one.model_dump() | inputs[one.ticket_id]._asdict() for one in found]
    return [{name: list(value) if isinstance(value, tuple) else value for name, value in row.items()} for row in plain]


def keys_of(engine: Engine, table: Table) -> list[str]:
    return sorted(str(row["ticket_id"]) for row in rows(engine, table))


def candidate(key: str, other: str, alike: float = 0.8) -> Related:
    return Related(ticket_id=key, other_id=other, kind=Relation.DUPLICATE, similarity=alike, reason="near-same text")


def test_an_enrichment_comes_back_as_it_was(store: EnrichmentStore, engine: Engine, taxonomy: Taxonomy) -> None:
    (one,) = told(taxonomy, "t1")
    store.save([one], inputs=kept("t1"))
    assert rows(engine, enrichments) == rows_of([one], kept("t1"))


def test_the_newest_takes_the_place_of_the_last(store: EnrichmentStore, engine: Engine, taxonomy: Taxonomy) -> None:
    store.save(told(taxonomy, "t1", "t2"), inputs=kept("t1", "t2"))
    (newer,) = told(taxonomy, "t1", content="now another text", day=1)
    store.save([newer], inputs=kept("t1", content="new"))
    (t1,) = [row for row in rows(engine, enrichments) if row["ticket_id"] == "t1"]
    assert [t1] == rows_of([newer], kept("t1", content="new"))
    assert keys_of(engine, enrichments) == ["t1", "t2"]


def test_more_than_a_transaction_is_saved(store: EnrichmentStore, engine: Engine, taxonomy: Taxonomy) -> None:
    keys = [f"t{at}" for at in range(ROWS_PER_TRANSACTION + 3)]
    store.save(told(taxonomy, *keys), inputs=kept(*keys))
    store.save_related({key: [candidate(key, "t0")] for key in keys[1:]}, at=MONDAY)
    assert keys_of(engine, enrichments) == sorted(keys)
    assert keys_of(engine, related_tickets) == sorted(keys[1:])


def test_an_enrichment_without_its_input_is_refused(store: EnrichmentStore, engine: Engine, taxonomy: Taxonomy) -> None:
    with pytest.raises(BadInput, match="t1"):
        store.save(told(taxonomy, "t1"), inputs={})
    assert keys_of(engine, enrichments) == []


def pairs(engine: Engine) -> set[tuple[str, str]]:
    return {(row["ticket_id"], row["other_id"]) for row in rows(engine, related_tickets)}


def test_candidates_are_replaced_ticket_by_ticket(store: EnrichmentStore, engine: Engine) -> None:
    store.save_related({"t2": [candidate("t2", "t0"), candidate("t2", "t1", 0.9)]}, at=MONDAY)
    store.save_related({"t3": [candidate("t3", "t0")]}, at=MONDAY)
    assert pairs(engine) == {("t2", "t0"), ("t2", "t1"), ("t3", "t0")}
    store.save_related({"t2": []}, at=MONDAY)
    assert pairs(engine) == {("t3", "t0")}


def test_a_deleted_ticket_takes_its_own_with_it(store: EnrichmentStore, engine: Engine, taxonomy: Taxonomy) -> None:
    store.save(told(taxonomy, "t1", "t2"), inputs=kept("t1", "t2"))
    store.save_related({"t2": [candidate("t2", "t1")]}, at=MONDAY)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM tickets WHERE id = 't1'"))
    assert keys_of(engine, enrichments) == ["t2"]
    assert keys_of(engine, related_tickets) == []


def test_migrations_make_the_same_tables(tmp_path: Path) -> None:
    from engine.storage import open_store

    desk = open_store(f"sqlite:///{tmp_path / 'all.db'}")
    found = inspect(desk.engine)
    for name in ("enrichments", "related_tickets"):
        assert {column["name"] for column in found.get_columns(name)} == set(metadata.tables[name].c.keys())
    desk.close()
