"""Zendesk's incremental export, audits and comments."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from tests.pipelines.vendors.system import MINUTE, TOKEN, Json, Vendor


class Zendesk(Vendor):
    """The incremental export; a page of audits has two."""

    source = "zendesk"
    account = "Basic " + b64encode(f"desk@example.com/token:{TOKEN}".encode()).decode()

    def ticket(self, number: int, at: datetime) -> Json:
        def stamp(minutes: float) -> str:
            return f"{at + minutes * MINUTE:%Y-%m-%dT%H:%M:%SZ}"

        def audit(place: int, who: int, minutes: float, *events: Json, via: str = "web") -> Json:
            named = [
                {"id": number * 1000 + place * 10 + n, "author_id": who, **event} for n, event in enumerate(events)
            ]
            return {"id": number * 100 + place, "ticket_id": number, "author_id": who, "created_at": stamp(minutes),
                    "via": {"channel": via}, "events": named}  # fmt: skip

        def said(*, public: bool = True) -> Json:
            return {"type": "Comment", "public": public, "body": "…"}

        def moved(before: str, after: str) -> Json:
            return {"type": "Change", "field_name": "status", "previous_value": before, "value": after}

        audits = [
            audit(0, 10, -60, said(), {"type": "Create", "field_name": "status", "value": "new"}),
            audit(1, -1, -59, said(), via="rule"),
            audit(2, 20, -50, said(public=False), moved("new", "open")),
            audit(3, 20, -40, said(), moved("open", "pending")),
            audit(4, 11, -20, said(), moved("pending", "open")),
            audit(5, 20, -10, moved("open", "solved")),
        ]
        return {"id": number, "subject": f"Ticket {number}", "description": "…", "status": "solved", "priority": None,
                "type": None, "requester_id": 10, "via": {"channel": "email"}, "tags": [], "group_id": 5,
                "created_at": stamp(-60), "updated_at": stamp(0), "audits": audits}  # fmt: skip

    def touch(self, number: int, at: datetime) -> None:
        self.tickets[number - 1]["updated_at"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        if path == "/api/v2/incremental/tickets/cursor.json":
            return self._export(asked)
        named = re.fullmatch(r"/api/v2/tickets/(\d+)(?:/(audits|comments))?\.json", path)
        ticket = next((each for each in self.tickets if named and str(each["id"]) == named[1]), None)
        if ticket is None or named is None:
            return None
        if method == "PUT":
            self.notes.append((named[1], content))
            event = {
                "id": 9_000_000 + len(self.notes),
                "type": "Comment",
                "author_id": 20,
                **content["ticket"]["comment"],
            }
            ticket["audits"].append({"id": 9_000_000 + len(self.notes), "author_id": 20, "via": {"channel": "api"},
                                     "created_at": "2026-03-03T09:00:00Z", "events": [event]})  # fmt: skip
            return {"ticket": {"id": ticket["id"]}}
        if named[2] == "comments":
            spoken = [event for audit in ticket["audits"] for event in audit["events"] if event["type"] == "Comment"]
            return {"comments": spoken[::-1], "meta": {"has_more": False}}
        begin = int(asked.get("page[after]") or 0)
        meta = {"has_more": begin + 2 < len(ticket["audits"]), "after_cursor": str(begin + 2)}
        return {"audits": ticket["audits"][begin : begin + 2], "users": [], "meta": meta}

    def _export(self, asked: dict[str, str]) -> Any:
        users = [{"id": 10, "role": "end-user"}, {"id": 11, "role": "end-user"}, {"id": 20, "role": "agent"}]
        start = asked.get("cursor") or f"{datetime.fromtimestamp(int(asked['start_time']), UTC):%Y-%m-%dT%H:%M:%SZ}|"
        found = sorted(self.tickets, key=self._place)
        later = [each for each in found if self._place(each) > start][: int(asked["per_page"])]
        last = self._place(later[-1]) if later else start
        self.page_served()
        shown = [{name: value for name, value in each.items() if name != "audits"} for each in later]
        is_last = not later or last == self._place(found[-1])
        return {"tickets": shown, "users": users, "after_cursor": last, "before_cursor": None, "end_of_stream": is_last}

    def _place(self, ticket: Json) -> str:
        return f"{ticket['updated_at']}|{ticket['id']:09}"
