"""ServiceNow: incidents of the Table API come in, allocation decisions go out to a scripted REST resource.

The incident log as a file is the mapping `servicenow-csv`; both key a ticket by its number, so that they agree.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.contracts import AllocationDecision, AssignmentGroup, Delivery, GroupMetrics, GroupStatus, Location
from engine.plugins.messages import Messages
from engine.plugins.sending import Handler, external_id, require_group, words
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


class ServiceNowHandler(Handler):
    """Posts {ticket_id, group_id, group_name, rationale, confidence} (S3-03) for a transform map or scripted REST."""

    def payload(self, decision: AllocationDecision) -> dict[str, Any]:
        require_group(decision)
        return {
            "ticket_id": external_id(decision),
            "group_id": decision.group_id,
            "group_name": decision.group_name,
            "rationale": decision.rationale,
            "confidence": decision.score,
        }

    def group(self, record: Mapping[str, Any]) -> AssignmentGroup:
        """A `sys_user_group` record with the custom fields u_*; one in this desk's own words is taken as it is."""
        if "sys_id" not in record:
            return super().group(record)
        known = {
            "avg_resolution_time_hours": record.get("u_avg_resolution_hours"),
            "sla_compliance_rate": record.get("u_sla_compliance"),
            "quality_score": record.get("u_quality"),
        }
        numbers = {name: float(value) for name, value in known.items() if value not in (None, "")}
        is_active = str(record.get("active", "true")).lower() == "true"
        return AssignmentGroup(
            group_id=record["sys_id"],
            name=record.get("name") or record["sys_id"],
            location=Location(timezone=record.get("u_time_zone") or None),
            capabilities=words(record.get("u_capabilities")),
            languages=words(record.get("u_languages")) or ("en",),
            status=GroupStatus.ACTIVE if is_active else GroupStatus.INACTIVE,
            max_bandwidth=record.get("u_max_bandwidth") or 0,
            current_load=record.get("u_current_load") or 0,
            metrics=GroupMetrics(**numbers),
        )


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
EXAMPLE_GROUP = {
    "sys_id": "287ebd7d",
    "name": "Network",
    "active": "true",
    "u_capabilities": "network, connectivity",
    "u_max_bandwidth": "20",
    "u_current_load": "4",
    "u_time_zone": "America/Chicago",
    "u_avg_resolution_hours": "12.5",
}
