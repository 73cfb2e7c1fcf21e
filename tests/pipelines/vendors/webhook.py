"""A system that takes decisions in the desk's own words: one key is one delivery, a ticket it knows is needed."""

from datetime import datetime
from typing import Any

from tests.pipelines.vendors.system import Json, Vendor


class Webhook(Vendor):
    source = "webhook"

    def __init__(self, tickets: int = 0, *, minutes: float = 1) -> None:
        super().__init__(tickets, minutes=minutes)
        self.keys: set[str] = set()

    def ticket(self, number: int, at: datetime) -> Json:
        return {"id": f"webhook:{number}", "group": None}

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        if path == "/groups":
            load = sum(ticket["group"] == "Network" for ticket in self.tickets)
            return {"groups": [{"group_id": "Network", "name": "Network", "max_bandwidth": 5, "current_load": load}]}
        ticket = next((each for each in self.tickets if each["id"] == content["ticket_id"]), None)
        if ticket is None or self.key in self.keys:
            return ticket and {}
        self.keys.add(self.key)
        ticket["group"] = content["group_id"]
        self.notes.append((ticket["id"], content))
        return {}
