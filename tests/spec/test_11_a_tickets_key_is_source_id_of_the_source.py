"""INC0010023 delivered by file and by webhook is one ticket, `servicenow:INC0010023`."""

from pathlib import Path

from engine.plugins import servicenow
from engine.plugins.registry import source_plugin
from tests.engine.people import later
from tests.engine.plugins.samples import MAPPINGS
from tests.engine.plugins.test_update_logs import log
from tests.ports.memory_store import MemoryStore


def test_by_file_and_by_webhook_it_is_one(tmp_path: Path) -> None:
    by_file = log(tmp_path, ["INC0010023 | New | 29/2/2016 02:00"])
    message = servicenow.EXAMPLE_INCIDENT | {"number": "INC0010023"}
    by_webhook = source_plugin("servicenow", mappings=MAPPINGS).parse(message)
    store = MemoryStore()
    for delivery in (by_file, by_webhook):
        store.ingest(delivery, at=later(1))
    assert [ticket.id for ticket in store.tickets()] == ["servicenow:INC0010023"]
