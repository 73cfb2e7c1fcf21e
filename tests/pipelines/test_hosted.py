"""A base URL is all it takes: tickets go to that server and its word is weighed; without one nothing leaves."""

from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from pipelines.app.container import open_app
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF, write_export
from tests.triage.chat_server import labelling, serving
from triage.contracts import TicketText

TICKET = TicketText(ticket_id="desk:1", subject="Question", content="It does not do what it should.")


def test_base_url_sends_uncertain_tickets_to_that_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(labelling(lambda _: "ZTNA")) as chat:
        monkeypatch.setenv("HELMDESK_LLM_BASE_URL", f"http://127.0.0.1:{chat.port}/v1")
        monkeypatch.setenv("HELMDESK_LLM_MODEL", "tiny")
        with open_app(home=tmp_path, embedder="wordllama") as app:
            (claim,) = app.triage.classifier.classify([TICKET])
            assert app.triage.llm_budget.spent().calls == 1
    assert (claim.product, claim.model_used, len(chat.requests)) == ("ZTNA", "compatible:tiny", 1)


def test_a_run_says_what_became_of_the_tickets_it_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(labelling(lambda _: "ZTNA")) as chat:
        monkeypatch.setenv("HELMDESK_LLM_BASE_URL", f"http://127.0.0.1:{chat.port}/v1")
        monkeypatch.setenv("HELMDESK_LLM_MODEL", "tiny")
        with open_app(home=tmp_path, embedder="wordllama", draft_limit=0) as app:
            bring_people(app, app.settings.data / "people")
            ingest(app, write_export(tmp_path / "export", 40), source="helmdesk", at=AS_OF)
            done = triage_tickets(app, Snapshot(app, AS_OF))
    assert done.classified == 40
    assert sum(done.hosted.get(name, 0) for name in ("local", "hosted", "taken over")) == 40
    assert done.hosted["hosted"] > 0


def test_without_key_or_url_the_local_models_answer(tmp_path: Path) -> None:
    with open_app(home=tmp_path, embedder="wordllama") as app:
        assert app.triage.hosted_models == []
        assert app.triage.classifier.name.startswith("local:")


def test_base_url_without_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    with open_app(home=tmp_path) as app, pytest.raises(BadInput, match="HELMDESK_LLM_MODEL"):
        _ = app.triage.classifier


def test_groq_comes_first_and_openai_is_the_fallback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_GROQ_API_KEY", "set-on-purpose")
    monkeypatch.setenv("HELMDESK_OPENAI_API_KEY", "set-on-purpose")
    with open_app(home=tmp_path, embedder="wordllama") as app:
        assert [model.name.split(":")[0] for model in app.triage.hosted_models] == ["groq", "openai"]
