"""Every kind of record comes back from every store as it was put."""

import importlib
import pkgutil
import types
import typing
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

import engine
from engine.contracts import Agent, Frozen, Team
from engine.envelopes import Envelope, EnvelopeStatus
from engine.grant_review import GrantReviewItem
from engine.kanban import Card
from engine.notifications import News, QueuedNotification
from engine.resolutions import Resolution
from engine.shared.errors import BadInput, NotFound
from engine.storage.ports import Store
from engine.storage.records import MAPPINGS, mapping_of
from engine.storage.tables import metadata
from tests.ports.examples import ANA, BEN, LATER, MONDAY, RECORDS, delivery

sql_only = pytest.mark.usefixtures("sql_only")


def key_of(record: BaseModel) -> str:
    return str(getattr(record, mapping_of(type(record)).key))


def variants(record: BaseModel) -> list[BaseModel]:
    """The record once for every word of every closed set that it has, and once with nothing that may be missing."""
    found: list[BaseModel] = []
    bare: dict[str, Any] = {}
    for name, field in type(record).model_fields.items():
        is_union = typing.get_origin(field.annotation) in {typing.Union, types.UnionType}
        kinds = typing.get_args(field.annotation) if is_union else (field.annotation,)
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, StrEnum):
                found += [record.model_copy(update={name: word}) for word in kind]
        if type(None) in kinds:
            bare[name] = None
    return [variant for variant in (*found, record.model_copy(update=bare)) if is_valid(variant)]


def is_valid(record: BaseModel) -> bool:
    """An API key, for one, is of a user or of a source."""
    try:
        type(record).model_validate(record.model_dump())
    except ValidationError:
        return False
    return True


def test_there_is_an_example_of_every_kind() -> None:
    assert {type(record) for record in RECORDS} == {mapping.kind for mapping in MAPPINGS}


def test_every_record_of_the_engine_has_its_table() -> None:
    kinds = set()
    for module in pkgutil.iter_modules(engine.__path__, "engine."):
        if not module.ispkg:
            found = vars(importlib.import_module(module.name)).values()
            kinds |= {one for one in found if isinstance(one, type) and issubclass(one, Frozen) and one is not Frozen}
    with_key = {kind for kind in kinds if "id" in kind.model_fields and kind.__module__.count(".") == 1}
    assert with_key - {Card, News} <= {mapping.kind for mapping in MAPPINGS}


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda mapping: mapping.table)
def test_every_field_has_a_column(mapping: Any) -> None:
    columns = set(metadata.tables[mapping.table].c.keys())
    assert columns | set(mapping.lists) == set(mapping.kind.model_fields)
    assert [column.name for column in metadata.tables[mapping.table].primary_key] == [mapping.key]
    for side in mapping.lists.values():
        assert {side.parent, side.column, "position"} == set(metadata.tables[side.table].c.keys())


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda mapping: mapping.table)
def test_parents_are_the_foreign_keys(mapping: Any) -> None:
    keys = metadata.tables[mapping.table].foreign_keys
    assert {key.parent.name: key.column.table.name for key in keys} == dict(mapping.parents)


def test_every_record_comes_back(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    store.put(RECORDS[::-1])
    for record in RECORDS:
        stored = store.get(type(record), key_of(record))
        assert store.all(type(record)) == [stored]
        assert stored.model_dump(exclude={"payload"}) == record.model_dump(exclude={"payload"})


def test_every_word_of_every_closed_set_is_kept(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    store.put(RECORDS)
    for record in RECORDS:
        for variant in variants(record):
            store.put([variant])
            stored = store.get(type(record), key_of(record))
            assert stored.model_dump(exclude={"payload"}) == variant.model_dump(exclude={"payload"})


def test_free_form_values_come_back_as_json(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    store.put(RECORDS)
    assert store.get(QueuedNotification, "n1").payload == {"at": str(MONDAY), "left": [1, 2]}


def test_a_record_put_again_is_replaced(store: Store) -> None:
    ana = Agent(id=ANA, email="a@desk.test", name="Ana", teams=("net", "app"), skills=("vpn",))
    store.put([ana])
    moved = ana.model_copy(update={"teams": ("app",), "skills": (), "empowerment_limit": Decimal("0.5")})
    store.put([ana, moved])
    assert store.all(Agent) == [moved]
    assert store.frame("team_members").rows() == [(ANA, 0, "app")]


def test_all_fits_every_given_field_in_the_order_of_keys(store: Store) -> None:
    names = ["Zoë", "ana", "Ben", "émile", "9"]
    agents = [Agent(id=name, email="x@y.test", name="N", is_active=name != "Ben", teams=("net",)) for name in names]
    store.put(agents)
    assert [agent.id for agent in store.all(Agent)] == sorted(names)
    assert [agent.id for agent in store.all(Agent, is_active=False, teams=("net",))] == ["Ben"]
    assert store.all(Agent, teams=("app",)) == []


def test_all_finds_what_is_missing_or_a_word(store: Store) -> None:
    store.ingest(delivery(), at=MONDAY)
    store.put(RECORDS)
    assert len(store.all(Envelope, assigned_to=None, status=EnvelopeStatus.PENDING)) == 1
    assert store.all(Envelope, accepted_at=LATER) == []
    assert len(store.all(Resolution, created_at=MONDAY, amount=Decimal("100.01"))) == 1


def test_a_field_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(BadInput, match="colour"):
        store.all(Agent, colour="red")
    with pytest.raises(BadInput, match="Frozen"):
        store.all(Frozen)


def test_a_missing_record_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match=r"no agent nobody; .*agents\.yaml"):
        store.get(Agent, "nobody")


def test_a_record_of_an_unknown_ticket_is_refused(store: Store) -> None:
    item = GrantReviewItem.model_validate({**dict(RECORDS[15]), "ticket_id": "no:1"})
    store.ingest(delivery(), at=MONDAY)
    with pytest.raises(NotFound):
        store.put([Team(id="net", name="Network"), item])
    assert store.all(Team) == []


@sql_only
def test_an_amount_is_exact_or_refused(store: Store) -> None:
    agent = Agent(id=BEN, email="x@y.test", name="Ben", empowerment_limit=Decimal("12345678901234.5678"))
    store.put([agent])
    assert store.get(Agent, BEN).empowerment_limit == agent.empowerment_limit
    with pytest.raises(BadInput, match="four decimals"):
        store.put([agent.model_copy(update={"empowerment_limit": Decimal("0.00001")})])


@sql_only
def test_records_go_when_their_ticket_goes(store: Any) -> None:
    store.ingest(delivery(), at=MONDAY)
    store.put(RECORDS)
    with store.engine.begin() as connection:
        on = "" if connection.dialect.name == "sqlite" else " ON events"
        connection.execute(sa.text(f"DROP TRIGGER events_are_kept{on}"))
        connection.execute(sa.text("DELETE FROM events"))
        connection.execute(sa.text("DELETE FROM tickets"))
    left = {mapping.table for mapping in MAPPINGS if store.counts()[mapping.table]}
    assert left == {mapping.table for mapping in MAPPINGS if "tickets" not in mapping.parents.values()}
