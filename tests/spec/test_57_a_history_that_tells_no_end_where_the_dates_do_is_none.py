"""SUP-9 was imported as Done, resolved 2 March 11:00, with an empty changelog: resolved at 11:00, not at creation."""

from datetime import datetime
from typing import Any

import pytest

from engine.contracts import Ticket
from engine.plugins.registry import source_plugin
from engine.storage.ports import Store
from tests.engine.people import later
from tests.engine.plugins.samples import MAPPINGS

ELEVEN, HALF_PAST_TEN = later(2), later(1.5)
DONE = {
    "id": "1", "created": HALF_PAST_TEN.isoformat(),
    "items": [{"field": "status", "fromString": "Open", "toString": "Done"}],
}  # fmt: skip


def imported(store: Store, *changes: dict[str, Any]) -> Ticket:
    fields = {
        "summary": "Printer", "status": {"name": "Done"}, "created": later(0).isoformat(),
        "updated": ELEVEN.isoformat(), "resolutiondate": ELEVEN.isoformat(),
    }  # fmt: skip
    issue = {"key": "SUP-9", "fields": fields, "changelog": {"histories": list(changes), "total": len(changes)}}
    store.ingest(source_plugin("jira", mappings=MAPPINGS).parse({"issue": issue}), at=later(3))
    return store.ticket("jira:SUP-9")


@pytest.mark.parametrize(("changes", "resolved_at"), [((), ELEVEN), ((DONE,), HALF_PAST_TEN)])
def test_dates_tell_the_end_that_the_changelog_does_not(
    store: Store, changes: tuple[dict[str, Any], ...], resolved_at: datetime
) -> None:
    ticket = imported(store, *changes)
    assert (ticket.status, ticket.resolved_at) == ("resolved", resolved_at)
