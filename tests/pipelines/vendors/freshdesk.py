"""Freshdesk's tickets and conversations."""

import re
from base64 import b64encode
from datetime import datetime
from typing import Any

from tests.pipelines.vendors.system import MINUTE, TOKEN, Json, Vendor


class Freshdesk(Vendor):
    source = "freshdesk"
    account = "Basic " + b64encode(f"{TOKEN}:X".encode()).decode()

    def settings(self) -> dict[str, str]:
        return {"HELMDESK_FRESHDESK_URL": self.url, "HELMDESK_FRESHDESK_TOKEN": TOKEN}

    def ticket(self, number: int, at: datetime) -> Json:
        def stamp(minutes: float) -> str:
            return f"{at + minutes * MINUTE:%Y-%m-%dT%H:%M:%SZ}"

        def said(place: int, who: int, minutes: float, *, incoming: bool = False, private: bool = False) -> Json:
            return {"id": number * 100 + place, "user_id": who, "incoming": incoming, "private": private,
                    "created_at": stamp(minutes)}  # fmt: skip

        spoken = [said(1, 5, -50, private=True), said(2, 5, -40), said(3, 129, -20, incoming=True),
                  said(4, 130, -15, incoming=True)]  # fmt: skip
        return {"id": number, "subject": f"Ticket {number}", "description_text": "…", "status": 4, "priority": 2,
                "source": 1, "type": None, "requester_id": 129, "group_id": None, "tags": [], "spam": False,
                "created_at": stamp(-60), "updated_at": stamp(0), "due_by": stamp(600), "fr_due_by": stamp(60),
                "stats": {"first_responded_at": stamp(-40), "resolved_at": stamp(-10), "closed_at": None},
                "conversations": spoken}  # fmt: skip

    def touch(self, number: int, at: datetime) -> None:
        self.tickets[number - 1]["updated_at"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        if path == "/api/v2/tickets":
            assert (asked["order_by"], asked["order_type"]) == ("updated_at", "asc")
            since = [each for each in self.tickets if each["updated_at"] >= asked["updated_since"]]
            found = sorted(since, key=lambda each: (each["updated_at"], each["id"]))
            part = [{n: v for n, v in each.items() if n != "conversations"} for each in self._part(found, path, asked)]
            self.page_served()
            return part
        named = re.fullmatch(r"/api/v2/tickets/(\d+)/conversations", path)
        ticket = next((each for each in self.tickets if named and str(each["id"]) == named[1]), None)
        return None if ticket is None else self._part(ticket["conversations"], path, {**asked, "per_page": "3"})

    def _part(self, found: list[Json], path: str, asked: dict[str, str]) -> list[Json]:
        page, size = int(asked["page"]), int(asked["per_page"])
        if page * size < len(found):
            self.headers = {"Link": f'<{self.url}{path}?page={page + 1}>; rel="next"'}
        return found[(page - 1) * size : page * size]
