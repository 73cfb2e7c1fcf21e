"""Opened on 13 December, "solved" on 14 April before: closed, its end unknown."""

from engine.contracts import Status
from engine.plugins.files import one_record
from engine.plugins.mapping import TicketMapping

MAPPING = TicketMapping(
    source="crm",
    columns={"ticket_id": "id", "created_at": "opened", "resolved_at": "solved", "status": "state"},
    values={"status": {"closed": "closed"}},
)


def test_the_ticket_comes_in_without_it() -> None:
    record = {"id": "T-3", "opened": "2025-12-13T16:30:00Z", "solved": "2025-04-14T10:00:00Z", "state": "closed"}
    (ticket,) = one_record(record, MAPPING, "export").tickets
    assert (ticket.status, ticket.resolved_at) == (Status.CLOSED, None)
    assert "resolved_at" in ticket.external_metadata["dropped"]
