"""The same export twice: the second reports only skipped, and what it refused again."""

from pathlib import Path

import pytest

from engine.contracts import Delivery, IngestReport, Kind
from tests.engine.people import MONDAY, delivered, later
from tests.engine.plugins.test_update_logs import log
from tests.ports.memory_store import MemoryStore


def test_the_second_export_is_only_skipped(tmp_path: Path) -> None:
    export, store = log(tmp_path, ["1 | New | 29/2/2016 02:00", "2 | Active | soon", "3 | New | ?"]), MemoryStore()
    first = store.ingest(export, at=later(1))
    assert (first.created, first.rejected) == (1, 2)
    assert store.ingest(export, at=later(2)) == IngestReport(skipped=1, rejected=2)


@pytest.mark.parametrize(
    ("field", "kind"),
    [("priority", Kind.PRIORITY), ("tier", Kind.TIER), ("type", Kind.TYPE), ("group", Kind.GROUP),
     ("assignee", Kind.ASSIGNEE), ("channel", Kind.CHANNEL)],
)  # fmt: skip
def test_each_of_these_becomes_an_event(field: str, kind: Kind) -> None:
    store, value = MemoryStore(), {"priority": "high", "tier": "free", "type": "problem"}.get(field, "phone")
    store.ingest(Delivery(tickets=(delivered(1, updated_at=MONDAY),)), at=later(2))
    store.ingest(Delivery(tickets=(delivered(1, updated_at=later(1), **{field: value}),)), at=later(2))
    assert [(event.value, event.at) for event in store.history("web:1") if event.kind == kind] == [(value, later(1))]


def test_a_newer_status_without_history_becomes_an_event() -> None:
    store = MemoryStore()
    for status, at in (("new", MONDAY), ("in_progress", MONDAY), ("resolved", later(1))):
        store.ingest(Delivery(tickets=(delivered(1, status=status, updated_at=at),)), at=later(2))
    moves = [(event.value, event.at) for event in store.history("web:1") if event.kind == Kind.STATUS]
    assert moves == [("resolved", later(1))]
