"""A small desk with claims and people's answers to them, as the doors of review see it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Delivery, StandardTicket, Status
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.triage_tickets import text_of
from tests.pipelines.small_desk import AS_OF
from triage.contracts import Classification
from triage.feedback.reviews import is_spot_check


def delivered(
    number: int, title: str = "Help", text: str = "Something.", status: Status = Status.NEW
) -> StandardTicket:
    return StandardTicket(ticket_id=f"INC-{number}", source="northlight", ticket_number=f"INC-{number}", title=title,
                          description=text, created_at=AS_OF, status=status)  # fmt: skip


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    with open_app(home=tmp_path, embedder="wordllama") as opened:
        yield opened


def claimed(app: App, count: int, *, unsure: int = 0) -> None:
    """So many tickets, every second one closed; claimed SWG, surely but for the last few."""
    states = (Status.NEW, Status.CLOSED)
    app.store.ingest(Delivery(tickets=tuple(delivered(n, status=states[n % 2]) for n in range(count))), at=AS_OF)
    texts = [text_of(ticket) for ticket in app.store.tickets()]
    last = {f"northlight:INC-{n}" for n in range(count - unsure, count)}
    claims = [
        Classification(id=f"c-{one.ticket_id}", ticket_id=one.ticket_id, product="SWG", urgency="low",
                       confidence=0.4 if one.ticket_id in last else 0.9, reasoning="says SWG",
                       needs_review=one.ticket_id in last, model_used="local", created_at=AS_OF)
        for one in texts
    ]  # fmt: skip
    app.triage.store.save_classifications(texts, claims, at=AS_OF)


def drawn(app: App) -> set[str]:
    policy = app.policies.learning.honest_slice
    every = app.triage.feedback.sure(lambda _: True)
    return {claim.ticket_id for claim, _ in every if is_spot_check(claim, policy)}


def run(app: App, *words: object) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), "triage", *map(str, words)])
