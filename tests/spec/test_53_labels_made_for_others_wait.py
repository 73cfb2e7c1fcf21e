"""Labels made for one source's tickets don't count unseen on another's."""

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.contracts import Delivery, StandardTicket
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs.triage_tickets import FOREIGN, triage_tickets
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF

SUBJECT = "DLP-401 credit card numbers are reported that are none"


def deliver(app: App, source: str) -> str:
    ticket = StandardTicket(ticket_id="1", source=source, title=SUBJECT, created_at=AS_OF - timedelta(hours=1))
    app.store.ingest(Delivery(tickets=(ticket,)), at=AS_OF)
    return ticket.key


def triaged(app: App, *tickets: str) -> tuple[list[bool], list[str]]:
    """Whether the newest claim on each needs review, and what was logged."""
    with capture_logs() as lines:
        triage_tickets(app, Snapshot(app, AS_OF))
    latest = app.triage.store.latest(tickets)
    return [latest[ticket].needs_review for ticket in tickets], [line["event"] for line in lines]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    monkeypatch.setenv("HELMDESK_DRAFT_LIMIT", "0")
    return tmp_path


def own_taxonomy(folder: Path) -> Path:
    file = folder / "own.yaml"
    shipped = (shipped_data() / "taxonomies" / "products.yaml").read_text(encoding="utf-8")
    file.write_text("\n".join(line for line in shipped.splitlines() if not line.startswith("sources:")), "utf-8")
    return file


def test_claims_on_another_source_wait_for_a_person(home: Path) -> None:
    with open_app(home=home) as app:
        ours, theirs = deliver(app, "northlight"), deliver(app, "glpi")
        review, lines = triaged(app, ours, theirs)
        claim = app.triage.store.latest([theirs])[theirs]
    assert review == [False, True]
    assert claim.product == "DLP"
    assert claim.reasoning.endswith(f"For a person, because {FOREIGN}.")
    assert ["1 of glpi" in line and "helmdesk triage train" in line for line in lines] == [True]


def test_an_own_taxonomy_claims_held_tickets_anew(home: Path) -> None:
    with open_app(home=home) as app:
        theirs = deliver(app, "glpi")
        triaged(app, theirs)
    with open_app(home=home, taxonomy=str(own_taxonomy(home))) as app:
        review, lines = triaged(app, theirs)
        assert (review, lines) == ([False], [])
        assert len(app.triage.store.history(theirs)) == 2
        triaged(app, theirs)
        assert len(app.triage.store.history(theirs)) == 2


def test_a_held_claim_is_made_once(home: Path) -> None:
    with open_app(home=home) as app:
        theirs = deliver(app, "glpi")
        triaged(app, theirs)
        triaged(app, theirs)
        assert len(app.triage.store.history(theirs)) == 1
