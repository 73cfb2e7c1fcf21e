"""Any address that takes decisions in this desk's own words as JSON, with an `Idempotency-Key`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from engine.contracts import AllocationDecision
from engine.plugins.posting import to_url
from engine.plugins.pull.site import Account, Site, authorization
from engine.plugins.sending import in_our_words


class WebhookHandler:
    """Others override `payload`."""

    def __init__(self, name: str = "webhook", *, send_to: Account) -> None:
        self.name = name
        self._transport = to_url(send_to.url, authorization=authorization(send_to))
        self._site = Site(send_to, authorization(send_to), patience=timedelta(0))

    def groups(self) -> list[dict[str, Any]]:
        """`GET {address}/groups`: a list, alone or under `groups`."""
        return self._site.get("/groups").objects("groups")

    def payload(self, decision: AllocationDecision) -> dict[str, Any]:
        return in_our_words(decision)

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        return self._transport(payload, key)
