"""BMC Helix ITSM: decisions go out to the incident form of its REST API, support groups come in."""

from collections.abc import Mapping
from typing import Any

from engine.contracts import AllocationDecision, AssignmentGroup, GroupStatus, Location
from engine.plugins.sending import Handler, external_id, require_group, words

WORK_LOG_LIMIT = 3_900
"""Characters that the work log takes."""


class BmcHandler(Handler):
    """Updates `HPD:IncidentInterface`: assigned group and a work-log line with the rationale."""

    def payload(self, decision: AllocationDecision) -> dict[str, Any]:
        require_group(decision)
        return {
            "values": {
                "Incident Number": external_id(decision),
                "Assigned Group ID": decision.group_id,
                "Assigned Group": decision.group_name,
                "z1D_WorklogDetails": f"{decision.rationale} (confidence {decision.score:.2f})"[:WORK_LOG_LIMIT],
                "z1D_View_Access": "Internal",
            }
        }

    def group(self, record: Mapping[str, Any]) -> AssignmentGroup:
        """A `CTM:Support Group` record; one in this desk's own words is taken as it is."""
        values = record.get("values", record)
        if not isinstance(values, Mapping) or "Support Group ID" not in values:
            return super().group(record)
        return AssignmentGroup(
            group_id=values["Support Group ID"],
            name=values.get("Support Group Name") or values["Support Group ID"],
            location=Location(timezone=values.get("Time Zone") or None),
            capabilities=words(values.get("Capabilities")),
            status=GroupStatus.ACTIVE if values.get("Status", "Enabled") == "Enabled" else GroupStatus.INACTIVE,
            max_bandwidth=values.get("Max Bandwidth") or 0,
            current_load=values.get("Current Load") or 0,
        )


EXAMPLE_GROUP = {
    "values": {
        "Support Group ID": "SGP000000000011",
        "Support Group Name": "Service Desk",
        "Status": "Enabled",
        "Capabilities": "network,hardware",
        "Max Bandwidth": 30,
        "Current Load": 12,
        "Time Zone": "Europe/London",
    }
}
