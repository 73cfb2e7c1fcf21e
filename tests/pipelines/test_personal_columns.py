"""A column that a mapping marks as personal: its value never reaches a hosted model, wherever it stands in a ticket."""

from pathlib import Path

import pytest

from pipelines.app.container import open_app
from pipelines.jobs.ingest import ingest
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF
from tests.triage.chat_server import labelling, serving, tickets_asked

MAPPING = """\
source: acme
columns: {ticket_id: Ticket, title: Subject, description: Text, created_at: Opened, language: Language}
personal: [Badge, Site]
dates: ["%Y-%m-%d %H:%M"]
"""
TABLE = """\
Ticket,Subject,Text,Opened,Language,Badge,Site
T-1,Question of E-4471,It does not do what it should in Otterbach for e-4471.,2026-07-16 09:15,en,E-4471,Otterbach
T-2,Question,It does not do what it should in Otterbach.,2026-07-16 09:20,en,E-9,Kiel
"""


@pytest.mark.parametrize("marked", [True, False])
def test_a_personal_column_is_hidden_in_the_prompts_of_its_ticket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marked: bool
) -> None:
    mapping, file = tmp_path / "acme.yaml", tmp_path / "acme.csv"
    mapping.write_text(MAPPING if marked else MAPPING.replace("personal: [Badge, Site]\n", ""), encoding="utf-8")
    file.write_text(TABLE, encoding="utf-8")
    with serving(labelling(lambda _: "ZTNA")) as chat:
        monkeypatch.setenv("HELMDESK_LLM_BASE_URL", f"http://127.0.0.1:{chat.port}/v1")
        monkeypatch.setenv("HELMDESK_LLM_MODEL", "tiny")
        with open_app(home=tmp_path / "home", embedder="wordllama", draft_limit=0) as app:
            ingest(app, file, source="acme", mapping=mapping, at=AS_OF)
            triage_tickets(app, Snapshot(app, AS_OF))
    shown = {(t["subject"], t["content"]) for request in chat.requests for t in tickets_asked(request).values()}
    of_the_first = (
        ("Question of [PERSONAL_1]", "It does not do what it should in [PERSONAL_2] for [PERSONAL_3].")
        if marked
        else ("Question of E-4471", "It does not do what it should in Otterbach for e-4471.")
    )
    assert shown == {of_the_first, ("Question", "It does not do what it should in Otterbach.")}
