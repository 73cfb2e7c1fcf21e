"""ServiceNow: `PATCH /api/now/table/{table}/{sys_id}` with assignment_group; groups are `sys_user_group`, their load is
counted by `GET /api/now/stats/{table}` (servicenow.com/docs, Table API and Aggregate API)."""

from collections.abc import Mapping
from typing import Any

from engine.plugins.handlers.system import Group, SystemHandler
from engine.plugins.ports import Refused
from engine.plugins.pull.notes import ServiceNowNotes, is_sys_id
from engine.plugins.pull.servicenow import every_row
from engine.plugins.pull.site import Account

ANSWER = "sysparm_exclude_reference_link=true&sysparm_fields=sys_id,assignment_group"


class ServiceNowHandler(SystemHandler):
    """A user with a password, or an OAuth token alone. `groups` and `open` are encoded queries: which groups there are
    to give to, and which tickets of the table are load."""

    def __init__(
        self,
        name: str,
        *,
        send_to: Account,
        table: str = "incident",
        groups: str = "",
        open: str = "active=true",
        columns: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, ServiceNowNotes(send_to, table=table), columns)
        self._table, self._groups, self._open = table, groups, open

    def _read_groups(self) -> list[dict[str, Any]]:
        load = self._load()
        fields = ("sys_id", "name", "active", *self._columns)
        return [
            {
                "group_id": row["sys_id"],
                "name": row.get("name") or row["sys_id"],
                "status": "active" if row.get("active", "true") == "true" else "inactive",
                "current_load": load.get(row["sys_id"], 0),
                **self._further(row),
            }
            for row in every_row(self._site, "sys_user_group", self._groups, fields)
        ]

    def _load(self) -> dict[str, int]:
        parameters = {"sysparm_query": f"{self._open}^assignment_groupISNOTEMPTY", "sysparm_count": "true"}
        path = f"/api/now/stats/{self._table}"
        rows = self._site.get(path, **parameters, sysparm_group_by="assignment_group").objects("result")
        return {row["groupby_fields"][0]["value"]: int(row["stats"]["count"]) for row in rows}

    def _assign(self, place: str, group: Group) -> None:
        wanted = self._sys_id(group)
        path = f"/api/now/table/{self._table}/{place}?{ANSWER}"
        answer = self._site.send("PATCH", path, {"assignment_group": wanted})
        if (there := _assigned(answer)) != wanted:
            raise Refused(
                f"{self._site.url} leaves {self._table} {place} with the group {there or 'none'}, not {group.name}; "
                "may HELMDESK_HANDLER_USER write assignment_group?"
            )

    def _sys_id(self, group: Group) -> str:
        """Its sys_id, by which or by the name it must be there: a reference to nothing would be taken as it is."""
        field, value = ("sys_id", group.id) if is_sys_id(group.id) else ("name", group.name)
        parameters = {"sysparm_query": f"{field}={value}", "sysparm_fields": "sys_id,name", "sysparm_limit": 2}
        answer = self._site.get("/api/now/table/sys_user_group", **parameters)
        found = [row for row in answer.objects("result") if row.get(field) == value]
        if len(found) != 1:
            raise Refused(f"{self._site.url} has {len(found)} groups with the {field} {value}; it takes one")
        return str(found[0]["sys_id"])


def _assigned(answer: Any) -> str:
    record = answer.get("result") if isinstance(answer, dict) else None
    there = record.get("assignment_group") if isinstance(record, dict) else None
    return str(there.get("value") if isinstance(there, dict) else there or "")
