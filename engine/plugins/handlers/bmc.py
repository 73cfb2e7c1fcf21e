"""BMC Helix ITSM: the assigned group by `PUT /api/arsys/v1/entry/HPD:IncidentInterface/{id}`, the reason as a work log
(docs.bmc.com, AR System REST API; The platform REST API references; HelpDesk_Modify_Service).

`POST /api/jwt/login` gives a token for an hour; a token that is no longer good is renewed once for a request.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from engine.plugins.handlers.system import Group, SystemHandler
from engine.plugins.ports import LockedOut, Refused, TryLater
from engine.plugins.pull.notes import NONE, PARTS, Notes
from engine.plugins.pull.pages import Onward
from engine.plugins.pull.site import Account, Site

ENTRIES = "/api/arsys/v1/entry"
GROUPS = "CTM:Support Group"
WORK_LOG = "HPD:WorkLog"
PAGE = 1_000


class BmcSite(Site):
    """A user and the password as token."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, "", patience=NONE)
        self._account, self._token = account, ""

    def _fetch(self, method: str, path: str, **content: Any) -> Any:
        had_one = bool(self._token)
        self._token = self._token or self._login()
        try:
            return super()._fetch(method, path, **content, headers={"Authorization": f"AR-JWT {self._token}"})
        except LockedOut:
            self._token = ""
            if not had_one:
                raise
            return self._fetch(method, path, **content)

    def _login(self) -> str:
        form = {"username": self._account.user, "password": self._account.token}
        token = super()._fetch("POST", "/api/jwt/login", data=form).content.decode("ascii", "replace").strip()
        if not token.isascii() or not token or any(letter.isspace() for letter in token):
            raise TryLater(f"{self.url} answers POST /api/jwt/login with no token; is it the right address?")
        return token

    def entries(self, form: str, query: str, fields: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        """The values of every entry of a form, or of those that a qualification chooses, a page at a time."""
        parameters = {"fields": f"values({','.join(fields)})", "limit": PAGE, **({"q": query} if query else {})}
        offset, onward = 0, Onward(form, is_part=True)
        while True:
            onward.to(offset)
            answer = self.get(_path(form), **parameters, offset=offset)
            found = answer.objects("entries")
            yield from (dict(entry.get("values") or {}) for entry in found)
            if not found or "next" not in (answer.value("_links") or {}):
                return
            offset += len(found)

    def one(self, form: str, field: str, value: str, fields: tuple[str, ...]) -> dict[str, Any]:
        """Raises Refused where there is none, or more than one."""
        found = [row for row in self.entries(form, _is(field, value), fields) if row.get(field) == value]
        if len(found) != 1:
            raise Refused(f"{self.url} has {len(found)} entries of {form} with the {field} {value}; it takes one")
        return found[0]


class BmcNotes(Notes):
    """Work logs of an incident, which is called by its number."""

    site: BmcSite

    def place(self, ticket: str) -> str:
        return ticket

    def newest(self, ticket: str) -> list[dict[str, Any]]:
        fields, query = ("Detailed Description",), _is("Incident Number", ticket)
        parameters = {"q": query, "fields": f"values({fields[0]})", "sort": "Submit Date.desc", "limit": PARTS}
        return self.site.get(_path(WORK_LOG), **parameters).objects("entries")

    def write(self, ticket: str, text: str) -> None:
        values = {
            "Incident Number": ticket,
            "Work Log Type": "General Information",
            "Description": "Allocation",
            "Detailed Description": text,
            "View Access": "Internal",
            "Secure Work Log": "No",
        }
        self.site.send("POST", _path(WORK_LOG), {"values": values})


class BmcHandler(SystemHandler):
    """`form` holds the incidents; `groups` and `open` are qualifications: which support groups there are to give to,
    and which incidents are load. `values` are written with the group, such as a status."""

    def __init__(
        self,
        name: str,
        *,
        send_to: Account,
        form: str = "HPD:IncidentInterface",
        groups: str = "",
        open: str = "'Status' < \"Resolved\"",
        values: Mapping[str, Any] | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self._bmc = BmcSite(send_to)
        super().__init__(name, BmcNotes(name, self._bmc), columns)
        self._form, self._groups, self._open, self._values = form, groups, open, dict(values or {})

    def _read_groups(self) -> list[dict[str, Any]]:
        assigned = self._bmc.entries(self._form, self._open, ("Assigned Group ID",))
        load = Counter(row.get("Assigned Group ID") for row in assigned)
        fields = ("Support Group ID", "Support Group Name", "Status", *self._columns)
        return [
            {
                "group_id": row["Support Group ID"],
                "name": row.get("Support Group Name") or row["Support Group ID"],
                "status": "active" if row.get("Status", "Enabled") == "Enabled" else "inactive",
                "current_load": load[row["Support Group ID"]],
                **self._further(row),
            }
            for row in self._bmc.entries(GROUPS, self._groups, fields)
        ]

    def _assign(self, place: str, group: Group) -> None:
        fields = ("Support Group ID", "Support Group Name", "Company", "Support Organization")
        there = self._bmc.one(GROUPS, "Support Group ID", group.id, fields)
        incident = self._bmc.one(self._form, "Incident Number", place, ("Request ID", "Incident Number"))
        values = {
            "z1D Action": "MODIFY",
            "Assigned Support Company": there.get("Company"),
            "Assigned Support Organization": there.get("Support Organization"),
            "Assigned Group": there.get("Support Group Name"),
            "Assigned Group ID": group.id,
            **self._values,
        }
        self._bmc.send("PUT", f"{_path(self._form)}/{quote(str(incident['Request ID']), safe='')}", {"values": values})


def _path(form: str) -> str:
    return f"{ENTRIES}/{quote(form, safe=':')}"


def _is(field: str, value: str) -> str:
    """A qualification of AR System; quotes are doubled in it."""
    doubled = value.replace('"', '""')
    return f"'{field}' = \"{doubled}\""
