from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, inspect, text

from engine.shared.errors import BadInput
from tests.triage.conftest import MONDAY
from tests.triage.enrichment.enriching import POLICY, case
from triage.enrichment.contracts import Enrichment, Related, Relation
from triage.enrichment.enrich import enrich
from triage.enrichment.store import ROWS_PER_TRANSACTION, EnrichmentStore, Kept
from triage.enrichment.tables import metadata
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


def kept(*keys: str, mark: bytes = b"\x00\xff\x01", content: str = "h") -> dict[str, Kept]:
    return {key: Kept(content, mark) for key in keys}


def candidate(key: str, other: str, alike: float = 0.8) -> Related:
    return Related(ticket_id=key, other_id=other, kind=Relation.DUPLICATE, similarity=alike, reason="near-same text")


def test_an_enrichment_comes_back_as_it_was(store: EnrichmentStore, taxonomy: Taxonomy) -> None:
    (one,) = told(taxonomy, "t1")
    store.save([one], inputs=kept("t1"))
    assert store.enrichment("t1") == one
    assert store.enrichment("t2") is None
    assert store.kept() == kept("t1")


def test_the_newest_takes_the_place_of_the_last(store: EnrichmentStore, taxonomy: Taxonomy) -> None:
    store.save(told(taxonomy, "t1", "t2"), inputs=kept("t1", "t2"))
    (newer,) = told(taxonomy, "t1", content="now another text", day=1)
    store.save([newer], inputs=kept("t1", content="new"))
    assert store.enrichment("t1") == newer
    assert store.frame()["ticket_id"].to_list() == ["t2", "t1"]
    assert store.kept()["t1"].content_hash == "new"


def test_more_than_a_transaction_is_saved_and_found(store: EnrichmentStore, taxonomy: Taxonomy) -> None:
    keys = [f"t{at}" for at in range(ROWS_PER_TRANSACTION + 3)]
    store.save(told(taxonomy, *keys), inputs=kept(*keys))
    store.save_related({key: [candidate(key, "t0")] for key in keys[1:]}, at=MONDAY)
    assert len(store.kept()) == len(keys)
    assert store.pointing_at(keys) == set(keys[1:])


def test_an_enrichment_without_its_input_is_refused(store: EnrichmentStore, taxonomy: Taxonomy) -> None:
    with pytest.raises(BadInput, match="t1"):
        store.save(told(taxonomy, "t1"), inputs={})
    assert store.kept() == {}


def pairs(store: EnrichmentStore) -> set[tuple[str, str]]:
    return set(store.related_frame().select("ticket_id", "other_id").rows())


def test_candidates_are_replaced_ticket_by_ticket(store: EnrichmentStore) -> None:
    store.save_related({"t2": [candidate("t2", "t0"), candidate("t2", "t1", 0.9)]}, at=MONDAY)
    store.save_related({"t3": [candidate("t3", "t0")]}, at=MONDAY)
    assert pairs(store) == {("t2", "t0"), ("t2", "t1"), ("t3", "t0")}
    store.save_related({"t2": []}, at=MONDAY)
    assert pairs(store) == {("t3", "t0")}
    assert store.pointing_at(["t0", "t1"]) == {"t3"}


def test_a_deleted_ticket_takes_its_own_with_it(store: EnrichmentStore, engine: Engine, taxonomy: Taxonomy) -> None:
    store.save(told(taxonomy, "t1", "t2"), inputs=kept("t1", "t2"))
    store.save_related({"t2": [candidate("t2", "t1")]}, at=MONDAY)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM tickets WHERE id = 't1'"))
    assert list(store.kept()) == ["t2"]
    assert store.related_frame().is_empty()


def test_frames_know_what_was_told_by_then(store: EnrichmentStore, taxonomy: Taxonomy) -> None:
    store.save([*told(taxonomy, "t1"), *told(taxonomy, "t2", day=2)], inputs=kept("t1", "t2"))
    store.save_related({"t2": [candidate("t2", "t1")]}, at=MONDAY + timedelta(days=2))
    by_then = MONDAY + timedelta(days=1)
    assert store.frame(as_of=by_then)["ticket_id"].to_list() == ["t1"]
    assert store.related_frame(as_of=by_then).is_empty()
    assert store.frame()["error_codes"].to_list() == ['["ZTNA-301"]'] * 2


def test_migrations_make_the_same_tables(tmp_path: Path) -> None:
    from engine.storage import open_store

    desk = open_store(f"sqlite:///{tmp_path / 'all.db'}")
    found = inspect(desk.engine)
    for name in ("enrichments", "related_tickets"):
        assert {column["name"] for column in found.get_columns(name)} == set(metadata.tables[name].c.keys())
    assert EnrichmentStore(desk.engine).kept() == {}
    desk.close()
