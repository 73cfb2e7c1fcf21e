"""ServiceNow's Table API."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.pipelines.vendors.system import MINUTE, Json, Vendor

NETWORK, MAIL = "a" * 32, "b" * 32


class ServiceNow(Vendor):
    """The Table API on six tables. Rows of callers whom the user must not see are taken out of their page. Nobody may
    write the group of a `locked` incident: it is left as it is."""

    source = "servicenow"

    def __init__(self, tickets: int = 0, *, minutes: float = 1) -> None:
        self.tables: dict[str, list[Json]] = {
            "incident": [], "sys_audit": [], "sys_journal_field": [],
            "sys_user": [{"sys_id": "u-cal", "user_name": "cal"}, {"sys_id": "u-ana", "user_name": "ana"},
                         {"sys_id": "u-bea", "user_name": "bea"}],
            "sys_user_grmember": [{"sys_id": "m1", "user.user_name": "ana"}],
            "sys_user_group": [{"sys_id": NETWORK, "name": "Network", "active": "true", "u_skills": "network, vpn"},
                               {"sys_id": MAIL, "name": "Mail", "active": "false"}],
        }  # fmt: skip
        self.locked: set[str] = set()
        super().__init__(tickets, minutes=minutes)
        self.tables["incident"] = self.tickets

    def ticket(self, number: int, at: datetime) -> Json:
        one, rows = f"{number:032x}", self.tables

        def stamp(minutes: float) -> str:
            return f"{at + minutes * MINUTE:%Y-%m-%d %H:%M:%S}"

        steps = [
            ("state", "1", "2", -40),
            ("state", "2", "3", -30),
            ("hold_reason", "", "1", -30),
            ("state", "3", "2", -20),
            ("hold_reason", "1", "", -20),
            ("priority", "3", "2", -15),
            ("state", "2", "6", -10),
        ]
        rows["sys_audit"] += [
            {"sys_id": f"a{number:04}{place}", "tablename": "incident", "documentkey": one, "fieldname": field,
             "oldvalue": before, "newvalue": after, "user": "ana", "sys_created_on": stamp(minutes)}
            for place, (field, before, after, minutes) in enumerate(steps)
        ]  # fmt: skip
        said = [
            ("comments", "bea", -50),
            ("work_notes", "ana", -45),
            ("comments", "ana", -35),
            ("comments", "cal", -25),
        ]
        rows["sys_journal_field"] += [
            {"sys_id": f"j{number:04}{place}", "name": "incident", "element_id": one, "element": element, "value": "…",
             "sys_created_by": who, "sys_created_on": stamp(minutes)}
            for place, (element, who, minutes) in enumerate(said)
        ]  # fmt: skip
        return {"sys_id": one, "number": f"INC{number:07}", "short_description": f"Ticket {number}", "state": "6",
                "hold_reason": "", "priority": "2", "caller_id": "u-cal", "opened_at": stamp(-60),
                "sys_updated_on": stamp(0), "sys_created_on": stamp(-60),
                "resolved_at": stamp(-10), "closed_at": ""}  # fmt: skip

    def touch(self, number: int, at: datetime) -> None:
        self.tickets[number - 1]["sys_updated_on"] = f"{at:%Y-%m-%d %H:%M:%S}"

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        table, _, one = path.removeprefix("/api/now/table/").partition("/")
        if path == "/api/now/stats/incident":
            assert asked["sysparm_query"] == "active=true^assignment_groupISNOTEMPTY"
            counts = Counter(row["assignment_group"] for row in self.tickets if row.get("assignment_group"))
            return {"result": [{"stats": {"count": str(count)},
                                "groupby_fields": [{"field": asked["sysparm_group_by"], "value": group}]}
                               for group, count in counts.items()]}  # fmt: skip
        if method == "PATCH":
            row = next((row for row in self.tickets if row["sys_id"] == one), None)
            if row is None:
                return None
            if "work_notes" not in content:
                if one not in self.locked:
                    row |= content
                return {"result": {"sys_id": one, "assignment_group": row.get("assignment_group", "")}}
            self.notes.append((one, content))
            entry = {"sys_id": f"n{len(self.notes)}", "name": "incident", "element_id": one, "element": "work_notes",
                   "value": content["work_notes"], "sys_created_by": "desk",
                   "sys_created_on": "2026-03-03 09:00:00"}  # fmt: skip
            self.tables["sys_journal_field"].append(entry)
            return {"result": {"sys_id": one}}
        if table not in self.tables or one:
            return None
        found = _queried(self.tables[table], asked["sysparm_query"])
        offset, limit = int(asked.get("sysparm_offset", 0)), int(asked["sysparm_limit"])
        part = [row for row in found[offset : offset + limit] if row.get("caller_id") != "u-hidden"]
        if offset + limit < len(found):
            self.headers = {"Link": f'<{self.url}{path}?sysparm_offset={offset + limit}>;rel="next"'}
        if table == "incident":
            self.page_served()
        if fields := asked.get("sysparm_fields"):
            part = [{name: row[name] for name in fields.split(",") if name in row} for row in part]
        return {"result": part}


def _queried(rows: list[Json], query: str) -> list[Json]:
    """An encoded query of conditions joined by ^ (and), then ORDERBY."""
    tests: dict[str, Callable[[str, str], bool]] = {
        "IN": lambda value, words: value in words.split(","), ">=": lambda value, word: value >= word,
        ">": lambda value, word: value > word, "=": lambda value, word: value == word,
    }  # fmt: skip
    order: list[tuple[str, bool]] = []
    for part in query.split("^"):
        if part.startswith("ORDERBY"):
            order.append((part.removeprefix("ORDERBYDESC").removeprefix("ORDERBY"), "DESC" in part))
            continue
        named = re.fullmatch(r"([a-z_.]+)(IN|>=|>|=)(.*)", part)
        assert named is not None, part
        rows = [row for row in rows if named[1] in row and tests[named[2]](row[named[1]], named[3])]
    for name, down in reversed(order):
        rows = sorted(rows, key=lambda row: row.get(name, ""), reverse=down)
    return rows
