"""Ana says of INC-2 DLP, Ben ZTNA, and takes it back: DLP again; she takes hers back, too: no product."""

from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Delivery
from engine.shared.errors import NotFound
from engine.storage.audit import verify
from pipelines import actions
from pipelines.app.container import App
from pipelines.cli import command_line
from pipelines.jobs.review import ANSWERS, WITHDRAWALS
from pipelines.jobs.triage_tickets import text_of
from tests.engine.people import AGENTS, MONDAY, TEAMS, delivered
from triage.contracts import Classification


@pytest.fixture
def desk(app: App) -> App:
    app.store.put([*TEAMS, *AGENTS])
    app.store.ingest(Delivery(tickets=(delivered(2),)), at=MONDAY)
    claim = Classification(
        id="c", ticket_id="web:2", product="SWG", urgency="low", confidence=0.4, reasoning="r", needs_review=True,
        model_used="local", created_at=MONDAY,
    )  # fmt: skip
    app.triage.store.save_classifications([text_of(app.store.ticket("INC-2"))], [claim], at=MONDAY)
    return app


def review(app: App, *words: str) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), "triage", "review", *words])


def product(app: App) -> str | None:
    return app.store.ticket("INC-2").product


def test_what_stood_before_stands_again(desk: App) -> None:
    for label, who in (("DLP", "ana"), ("ZTNA", "ben")):
        assert review(desk, "INC-2", "--label", label, "--by", who).exit_code == 0
    assert (product(desk), actions.reviewers_agree(desk)) == ("ZTNA", (1, 0))
    assert "ben took back that web:2 is about ZTNA" in review(desk, "--undo", "--by", "ben").output
    assert (product(desk), actions.reviewers_agree(desk)) == ("DLP", (0, 0))
    review(desk, "--undo", "--by", "ana")
    assert (product(desk), desk.triage.feedback.answers()) == (None, {})
    assert isinstance(review(desk, "--undo", "--by", "ana").exception, NotFound)
    assert verify(desk.store, also=[ANSWERS, WITHDRAWALS]).found == 0
