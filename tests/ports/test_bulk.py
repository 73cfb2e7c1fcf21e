"""Many rows at once come back as they were given, and are refused like single ones."""

from typing import Any

import pytest

from engine.shared.errors import BadInput, Conflict, NotFound
from engine.storage.bulk import insert_rows
from engine.storage.connect import writing
from engine.storage.tables import events
from tests.ports.examples import LATER, delivery, ticket

pytestmark = pytest.mark.usefixtures("sql_only")
ODD = ["\\N", "\\", "a\tb", "a\nb\r", "\\.", "", '"', "ü ☎ 𝄞", "null", "{}"]


def row(version: int, **changes: Any) -> dict[str, Any]:
    given = {"id": f"e{version}", "ticket_id": "servicenow:INC1", "version": version, "kind": "message", "at": LATER,
             "value": None, "actor": "ana", "reason": None, "sla_effect": "none", "data": {}, "recorded_at": LATER,
             "hash": "x"}  # fmt: skip
    return given | changes


def put(store: Any, *rows: dict[str, Any]) -> None:
    with writing(store.engine) as connection:
        insert_rows(connection, events, rows)


def test_odd_values_come_back_as_they_were(store: Any) -> None:
    store.ingest(delivery(ticket()), at=LATER)
    put(store, *(row(n, value=odd, data={odd: [odd, None, 1.5]}) for n, odd in enumerate(ODD, start=2)))
    kept = store.history("servicenow:INC1")[1:]
    assert [(each.value, each.data, each.at, each.reason) for each in kept] == [
        (odd, {odd: [odd, None, 1.5]}, LATER, None) for odd in ODD
    ]


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ({"id": "e2"}, Conflict),
        ({"ticket_id": "nobody"}, NotFound),
        ({"sla_effect": "odd"}, BadInput),
        ({"at": LATER.replace(tzinfo=None)}, BadInput),
    ],
)
def test_one_bad_row_refuses_all_with_its_reason(store: Any, bad: dict[str, Any], kind: type[Exception]) -> None:
    store.ingest(delivery(ticket()), at=LATER)
    with pytest.raises(kind):
        put(store, row(2), row(3, **bad))
    assert store.counts()["events"] == 1
    put(store, row(2))
    assert store.counts()["events"] == 2
