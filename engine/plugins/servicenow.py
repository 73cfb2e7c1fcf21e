"""ServiceNow: incidents of the Table API.

The incident log as a file is the mapping `servicenow-csv`; both key a ticket by its number, so that they agree.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.contracts import Delivery
from engine.plugins.messages import Messages
from engine.plugins.servicenow_history import PARTS, history, state_word
from engine.shared.errors import BadInput


class ServiceNowSource(Messages):
    """Incident JSON, alone or under `result`; with sysparm_display_value=all as well."""

    def parse(self, payload: Mapping[str, Any]) -> Delivery:
        listed = payload.get("result", payload)
        records = listed if isinstance(listed, list) else [listed]
        parts = [
            self.with_records(_cells(record), record, partial(history, incident=record, mapping=self.mapping))
            for record in records
        ]
        return Delivery(
            tickets=tuple(ticket for part in parts for ticket in part.tickets),
            events=tuple(event for part in parts for event in part.events),
            rejected=tuple(refused for part in parts for refused in part.rejected),
        )


def _cells(record: Any) -> dict[str, Any]:
    """Plain values; a reference field is its value, and an incident on hold says why it is (`3/1`: on its caller)."""
    if not isinstance(record, Mapping):
        raise BadInput(f"expected incident records as JSON objects, found {type(record).__name__}")
    plain: dict[str, Any] = {}
    for name, value in record.items():
        if name in PARTS:
            continue
        if isinstance(value, Mapping) and "value" in value:
            plain[name] = value["value"]
            plain[f"{name}.display_value"] = value.get("display_value")
        else:
            plain[name] = value
    if "state" in plain:
        plain["state"] = state_word(plain["state"], plain.get("hold_reason"))
    return plain


EXAMPLE_INCIDENT = {
    "result": {
        "sys_id": "9d385017c611228701d22104cc95c371",
        "number": "INC0010023",
        "short_description": "Need access to the common drive",
        "description": "The drive asks for a password since the last update.",
        "state": "3",
        "hold_reason": "1",
        "priority": "2",
        "urgency": "1",
        "impact": "2",
        "category": "network",
        "opened_at": "2026-03-02 14:05:33",
        "sys_updated_on": "2026-03-02 15:40:10",
        "resolved_at": "",
        "closed_at": "",
        "caller_id": {"link": "https://example.service-now.com/api/now/table/sys_user/681c", "value": "681c"},
        "assignment_group": {"display_value": "Network", "value": "287ebd7d"},
        "assigned_to": "",
        "contact_type": "phone",
    }
}
