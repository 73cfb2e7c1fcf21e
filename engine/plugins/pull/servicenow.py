"""ServiceNow: incidents of the Table API as they changed, with their field history and journal.

`GET /api/now/table/incident` by `sys_updated_on`, then `sys_id`; `sys_audit` has each change of a field,
`sys_journal_field` the comments (which the caller sees) and work notes (internal), `sys_user` and `sys_user_grmember`
say who wrote them (servicenow.com/docs, Table API; sysparm_query holds instants in UTC, as the answer does for a user
in GMT). A page may be short of rows that the user must not see, so the `Link` header says whether there are more.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from engine.plugins.pull.pages import Cursor, Onward, Page, page, start
from engine.plugins.pull.site import Account, Site, authorization

OVERLAP = timedelta(minutes=1)
PARTS = 1_000
FIELDS = ("state", "hold_reason", "priority", "assignment_group", "assigned_to")
"""Whose history is fetched."""

Row = dict[str, Any]


class ServiceNowFeed:
    """A user with a password, or an OAuth token alone."""

    source = "servicenow"

    def __init__(self, account: Account, *, wait_seconds: float = 0.5) -> None:
        self._site = Site(account, authorization(account), wait_seconds=wait_seconds)
        self.stream = f"{self._site.url} incident"

    def pages(self, cursor: Cursor | None, *, since: datetime | None, size: int) -> Iterator[Page]:
        begin = start(cursor, since, overlap=OVERLAP)
        for incidents in self._incidents(f"{begin.astimezone(UTC):%Y-%m-%d %H:%M:%S}", size):
            parts = self._parts(incidents)
            last = datetime.fromisoformat(incidents[-1]["sys_updated_on"]).replace(tzinfo=UTC)
            yield page(incidents, partial(_with, parts), _key, {"updated": last.isoformat()})

    def _incidents(self, since: str, size: int) -> Iterator[list[Row]]:
        """After each page first the rest of its last second, by sys_id, then what is later: an incident that changes
        meanwhile moves no other out of sight."""
        later = f"sys_updated_on>={since}"
        while found := self._first("incident", f"{later}^ORDERBYsys_updated_on^ORDERBYsys_id", size):
            yield found
            second, last = found[-1]["sys_updated_on"], found[-1]["sys_id"]
            rest = "sys_updated_on={}^sys_id>{}^ORDERBYsys_id"
            while same := self._first("incident", rest.format(second, last), size):
                yield same
                last = same[-1]["sys_id"]
            later = f"sys_updated_on>{second}"

    def _first(self, table: str, query: str, size: int) -> list[Row]:
        """The first rows that may be seen; none if there are none."""
        offset, onward = 0, Onward(table, is_part=True)
        while True:
            onward.to(offset)
            answer = self._site.get(f"/api/now/table/{table}", **_parameters(query, size), sysparm_offset=offset)
            if (rows := answer.objects("result")) or not answer.has_next:
                return rows
            offset += size

    def _parts(self, incidents: list[Row]) -> dict[str, Row]:
        """By sys_id: the rows of the other tables that belong to an incident."""
        ids = [row["sys_id"] for row in incidents]
        listed = ",".join(ids)
        audits = every_row(
            self._site,
            "sys_audit",
            f"tablename=incident^documentkeyIN{listed}^fieldnameIN{','.join(FIELDS)}",
            ("sys_id", "documentkey", "fieldname", "oldvalue", "newvalue", "user", "sys_created_on"),
        )
        journal = every_row(
            self._site,
            "sys_journal_field",
            f"name=incident^element_idIN{listed}^elementINcomments,work_notes",
            ("sys_id", "element_id", "element", "sys_created_by", "sys_created_on"),
        )
        people, members = self._people(sorted({str(row.get("sys_created_by")) for row in journal}))
        return {
            one: {
                "sys_audit": [row for row in audits if row.get("documentkey") == one],
                "sys_journal_field": [row for row in journal if row.get("element_id") == one],
                "sys_user": people,
                "sys_user_grmember": members,
            }
            for one in ids
        }

    def _people(self, authors: list[str]) -> tuple[list[Row], list[Row]]:
        """Who wrote, and which of them are in a group, so that they answer for the desk."""
        authors = [name for name in authors if name and not set(name) & set("^,")]  # which end a name in a query
        if not authors:
            return [], []
        people = every_row(self._site, "sys_user", f"user_nameIN{','.join(authors)}", ("sys_id", "user_name"))
        members = every_row(
            self._site, "sys_user_grmember", f"user.user_nameIN{','.join(authors)}", ("user.user_name",)
        )
        return people, members


def every_row(site: Site, table: str, query: str, fields: Iterable[str]) -> list[Row]:
    """For rows that are only added to."""
    rows: list[Row] = []
    offset, has_next, onward = 0, True, Onward(f"{table} of {query}"[:200], is_part=True)
    parameters = _parameters(f"{query}^ORDERBYsys_created_on^ORDERBYsys_id".removeprefix("^"), PARTS)
    path, names = f"/api/now/table/{table}", ",".join(fields)
    while has_next:
        onward.to(offset)
        answer = site.get(path, **parameters, sysparm_offset=offset, sysparm_fields=names)
        rows += answer.objects("result")
        offset, has_next = offset + PARTS, answer.has_next
    return rows


def _with(parts: Mapping[str, Row], incident: Row) -> Row:
    return incident | parts[incident["sys_id"]]


def _parameters(query: str, limit: int) -> dict[str, Any]:
    plain = {"sysparm_display_value": "false", "sysparm_exclude_reference_link": "true"}
    return {"sysparm_query": query, "sysparm_limit": limit, **plain}


def _key(row: Row) -> str:
    return str(row.get("number"))
