"""W-1 arrives without created_at at 15:29:59: 202, receipt 1, undated 1; its clocks start at 15:29:59."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.app import identity
from pipelines.snapshot import Snapshot
from tests.pipelines.service.conftest import Served, desk, listening

CAME_AT = datetime(2026, 3, 2, 15, 29, 59, tzinfo=UTC)
W1 = {"ticket_id": "W-1", "title": "VPN drops", "description": "every hour since Monday"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with desk(tmp_path) as app:
        monkeypatch.setattr(app, "now", lambda: CAME_AT)
        keys = {"webhook": identity.create_key(app, by=identity.local_user(app), source="webhook")}
        with listening(app) as url:
            yield Served(url, app, keys, ticket="")


def posted(served: Served, body: dict[str, Any]) -> tuple[Any, ...]:
    answer = served.post_ticket(body)
    found = answer.json()
    assert served.app.receipts.status(found["receipt"], source="webhook").received_at == CAME_AT
    return answer.status_code, found["receipt"], found["duplicate"], found["undated"]


def starts(served: Served) -> Any:
    served.eventually(lambda: served.app.receipts.counts().get("ingested"))
    clocks = Snapshot(served.app, CAME_AT).clocks.filter(ticket="webhook:W-1")
    [start] = clocks["window_start"].unique()
    return start


def test_what_has_no_creation_was_created_when_it_came(served: Served) -> None:
    assert posted(served, W1) == (202, 1, False, 1)
    assert starts(served) == CAME_AT
    assert posted(served, W1) == (202, 1, True, 1)


def test_what_was_updated_before_was_created_then(served: Served) -> None:
    posted(served, W1 | {"updated_at": "2026-03-02T09:15:00Z"})
    assert starts(served) == CAME_AT.replace(hour=9, minute=15, second=0)
