"""BMC Helix ITSM: the login and three forms of the AR System REST API."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from tests.pipelines.vendors.system import TOKEN, Json, Vendor

NETWORK, MAIL = "SGP000000000011", "SGP000000000012"


class Bmc(Vendor):
    """An answer has two entries at most. `token` is the one that is good; a login makes another."""

    source = "bmc"

    def __init__(self, tickets: int = 0, *, minutes: float = 1) -> None:
        super().__init__(tickets, minutes=minutes)
        self.token, self.logins, self.password = "", 0, TOKEN
        self.groups = [
            {"Support Group ID": group, "Support Group Name": name, "Company": "Calbro", "Support Organization": "IT",
             "Status": status, "Skills": "network"}
            for group, name, status in ((NETWORK, "Network", "Enabled"), (MAIL, "Mail", "Disabled"),
                                        ("SGP000000000013", "Disks", "Enabled"))
        ]  # fmt: skip
        self.work_logs: list[Json] = []

    def ticket(self, number: int, at: datetime) -> Json:
        return {"Request ID": f"INC9{number:04}|INC9{number:04}", "Incident Number": f"INC{number:012}",
                "Status": "New", "Assigned Group ID": None}  # fmt: skip

    def lets_in(self, path: str, authorization: str | None) -> bool:
        return path == "/api/jwt/login" or bool(self.token and authorization == f"AR-JWT {self.token}")

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        if path == "/api/jwt/login":
            if content != {"username": "desk@example.com", "password": self.password}:
                return 401, '[{"messageType": "ERROR", "messageNumber": 623}]'
            self.logins += 1
            self.token = f"jwt.{self.logins}"
            return self.token
        form, _, entry = unquote(path.removeprefix("/api/arsys/v1/entry/")).partition("/")
        match (method, form):
            case ("PUT", "HPD:IncidentInterface"):
                row = next((row for row in self.tickets if row["Request ID"] == entry), None)
                if row is None:
                    return None
                row |= content["values"]
                return {}
            case ("POST", "HPD:WorkLog"):
                self.work_logs.append(content["values"])
                self.notes.append((content["values"]["Incident Number"], content["values"]))
                return {}
            case ("GET", "HPD:IncidentInterface"):
                return self._page(self.tickets, asked)
            case ("GET", "CTM:Support Group"):
                return self._page(self.groups, asked)
            case ("GET", "HPD:WorkLog"):
                assert asked["sort"] == "Submit Date.desc"
                return self._page(self.work_logs[::-1], asked)
        return None

    def _page(self, rows: list[Json], asked: dict[str, str]) -> Json:
        if named := re.fullmatch(r"'([^']+)' = \"(.*)\"", asked.get("q", "")):
            rows = [row for row in rows if row[named[1]] == named[2].replace('""', '"')]
        elif "q" in asked:
            assert asked["q"] == "'Status' < \"Resolved\""
        fields = asked["fields"].removeprefix("values(").removesuffix(")").split(",")
        offset = int(asked.get("offset", 0))
        part = [{"values": {name: row.get(name) for name in fields}} for row in rows[offset : offset + 2]]
        return {"entries": part, "_links": {"next": [{"href": "…"}]} if offset + 2 < len(rows) else {}}
