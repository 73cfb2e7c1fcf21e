"""`helmdesk ticket show`: what happened, told once, and the reply that triage would send."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from engine.contracts import AllocationDecision, Delivery, Event, Kind, Outcome, StandardTicket
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.triage_tickets import text_of
from tests.pipelines.small_desk import AS_OF
from triage.contracts import Citation, Suggestion


def shown(app: App) -> Any:
    return (
        CliRunner()
        .invoke(command_line, ["--home", str(app.settings.home), "ticket", "show", "INC-1"])
        .output.splitlines()
    )


def fill(app: App, *events: Event) -> None:
    made = StandardTicket(ticket_id="INC-1", source="demo", title="VPN", created_at=AS_OF - timedelta(days=1))
    app.store.ingest(Delivery(tickets=(made,), events=events), at=AS_OF)


def message(number: int, actor: str = "ana") -> Event:
    return Event(id=f"m{number}", ticket_id="demo:INC-1", kind=Kind.MESSAGE, at=AS_OF, actor=actor)


def test_the_same_at_one_instant_is_one_line(tmp_path: Path) -> None:
    with open_app(home=tmp_path) as app:
        fill(app, message(1), message(2), message(3), message(4, actor="ben"))
        told = [line for line in shown(app) if "message" in line]
    assert [line.endswith("message (3 times)") for line in told] == [True, False]


def test_an_allocation_without_a_group_says_so(tmp_path: Path) -> None:
    with open_app(home=tmp_path) as app:
        fill(app)
        none = AllocationDecision(ticket_id="demo:INC-1", decided_at=AS_OF, outcome=Outcome.NO_SKILL, rationale="r")
        app.store.record_decisions([none], at=AS_OF)
        assert shown(app)[-1].endswith("allocation     found no group for it")


def test_the_newest_draft_is_shown_with_its_sources_and_no_control_character(tmp_path: Path) -> None:
    with open_app(home=tmp_path) as app:
        fill(app)
        cited = Citation(index=1, article_id="a", title="Restart", url="https://help.example/1", snippet="s")
        drafts = [
            Suggestion(id=f"s{n}", ticket_id="demo:INC-1", text=f"Hello,\n\n{n}\x1b[2J [1].", grounded=True,
                       citations=(cited,), model_used="extractive", created_at=AS_OF + timedelta(hours=n))
            for n in (1, 2)
        ]  # fmt: skip
        for draft in drafts:
            app.triage.store.save_suggestions([text_of(app.store.ticket("INC-1"))], [draft], at=draft.created_at)
        told = shown(app)
    start = told.index("draft of 2026-07-17 17:00Z by extractive")
    assert told[start + 1 : start + 5] == [
        "    Hello,",
        "",
        "    2�[2J [1].",
        "    [1] Restart  https://help.example/1",
    ]
