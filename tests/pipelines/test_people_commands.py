"""People come each kind by itself, from whatever table, and names met in tickets become people."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from engine.contracts import Agent, AssignmentGroup, Company, Contact, Delivery, Kind, Outcome, StandardTicket, Team
from engine.shared.errors import BadInput
from pipelines.app.container import open_app
from pipelines.app.settings import shipped_data
from pipelines.cli import command_line
from pipelines.jobs.allocate import allocate
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people, import_people
from pipelines.snapshot import Snapshot
from tests.engine.plugins.workbook_samples import workbook

AGENTS = "name;email;team;languages;max\n" + "".join(
    f"{row}\n"
    for row in (
        "Ana Sousa;ana@desk.example;Network;en, pt;20",
        "Ben Okoye;ben@desk.example;Network;en;25",
        "Mia Lang;mia@desk.example;Billing;de, en;15",
    )
)
SHARED = Path(__file__).resolve().parents[3] / "shared" / "cases" / "files" / "agents.csv"
MAPPING = shipped_data() / "mappings" / "people" / "agents.yaml"
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def run(home: Path, *words: object, code: int = 0) -> str:
    done = CliRunner().invoke(command_line, ["--home", str(home), "people", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def ticket(number: int, **given: Any) -> StandardTicket:
    return StandardTicket(ticket_id=str(number), source="web", created_at=MONDAY, **given)


def deliver(home: Path, *tickets: StandardTicket) -> None:
    with open_app(home=home) as app:
        app.store.ingest(Delivery(tickets=tickets), at=MONDAY)


def kept(home: Path, kind: type[Any]) -> list[Any]:
    with open_app(home=home) as app:
        return app.store.all(kind)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared cases are not there")
def test_the_shared_agents_are_three_people_in_two_teams(home: Path) -> None:
    assert "Agent 3, Team 2" in run(home, "import", SHARED, "--mapping", MAPPING)


@pytest.mark.parametrize("words", [(), ("--mapping", MAPPING), ("--kind", "agents")], ids=["by name", "mapped", "kind"])
def test_agents_come_alone_and_their_teams_with_them(home: Path, tmp_path: Path, words: tuple[object, ...]) -> None:
    assert run(home, "import", written(tmp_path, "agents.csv", AGENTS), *words) == "Agent 3, Team 2\n"
    ana = next(agent for agent in kept(home, Agent) if agent.id == "Ana Sousa")
    assert (ana.email, ana.teams, ana.languages, ana.max_tickets) == (
        "ana@desk.example",
        ("Network",),
        ("en", "pt"),
        20,
    )
    assert [team.id for team in kept(home, Team)] == ["Billing", "Network"]


def test_what_a_table_does_not_say_stays(home: Path, tmp_path: Path) -> None:
    run(home, "import", written(tmp_path, "agents.csv", AGENTS))
    assert "not used: phone" in run(
        home, "import", written(tmp_path, "agents.tsv", "name\tmax\tphone\nAna Sousa\t7\t1\n")
    )
    ana = next(agent for agent in kept(home, Agent) if agent.id == "Ana Sousa")
    assert (ana.max_tickets, ana.teams) == (7, ("Network",))


def test_a_bad_row_is_told_and_the_others_are_taken(home: Path, tmp_path: Path) -> None:
    table = "name,email,max\nAna,a@d.example,many\n,,\nBen,b@d.example,5\n"
    output = run(home, "import", written(tmp_path, "agents.csv", table), code=2)
    assert "row 1: max_tickets" in output
    assert [agent.id for agent in kept(home, Agent)] == ["Ben"]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("contacts.csv", "email,name,company,vip\nana@acme.example,Ana,Acme,yes\n", Contact),
        ("companies.csv", "name,tier\nAcme,enterprise\n", Company),
        ("groups.csv", "name,team,max,capabilities\nNet,Network,30,network\n", AssignmentGroup),
        ("teams.csv", "name\nNetwork\n", Team),
        ("companies.jsonl", json.dumps({"name": "Acme", "tier": "enterprise"}), Company),
    ],
)
def test_each_kind_comes_by_itself(home: Path, tmp_path: Path, name: str, text: str, kind: type[Any]) -> None:
    run(home, "import", written(tmp_path, name, text))
    assert len(kept(home, kind)) == 1


def test_a_list_of_nobody_knows_whom_asks_for_its_kind(home: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Say --kind agents or"):
        run(home, "import", written(tmp_path, "export.csv", AGENTS))


def test_absences_take_an_agents_slots(home: Path, tmp_path: Path) -> None:
    run(home, "import", written(tmp_path, "agents.csv", AGENTS))
    run(home, "import", written(tmp_path, "groups.csv", "name,max\nNetwork,99\n"))
    away = "employee;from;to;type\nben@desk.example;2026-03-02;2026-03-06;holiday\nEva;2026-03-02;2026-03-03;sick\n"
    output = run(home, "import", written(tmp_path, "absences.csv", away), code=2)
    assert "row 2: agent: there is no agent 'Eva'" in output
    with open_app(home=home) as app:
        there = [Snapshot(app, datetime(2026, 3, day, 9, tzinfo=UTC)).groups[0].max_bandwidth for day in (2, 6, 7)]
    assert there == [20, 20, 45]


def test_working_hours_name_a_calendar(home: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no calendar 'nights'; there are"):
        run(home, "import", written(tmp_path, "agents.csv", "name,shift\nAna,nights\n"))


def test_names_met_in_tickets_take_tickets_on_the_first_day(home: Path, tmp_path: Path) -> None:
    old = [ticket(number, group="Network", assignee="Ana", category="network", company="Acme") for number in range(3)]
    deliver(home, *old, ticket(8, group="Billing", assignee="Mia"), ticket(9, category="network"))
    out = tmp_path / "proposed.yaml"
    output = run(home, "propose", "--out", out)
    assert "agents         2  Ana (3), Mia (1)" in output
    assert "groups         2  Network (3), Billing (1)" in output
    assert run(home, "import", out) == "Agent 2, AssignmentGroup 2, Company 1, Team 2\n"
    assert "is known" in run(home, "propose", "--out", tmp_path / "again.yaml")
    with open_app(home=home) as app:
        snapshot = Snapshot(app, MONDAY)
        assert allocate(app, snapshot).allocated == 1
        (decision,) = app.store.decisions()
    assert (decision.outcome, decision.group_id) == (Outcome.ALLOCATED, "Network")


def test_a_proposal_is_never_written_over(home: Path, tmp_path: Path) -> None:
    deliver(home, ticket(1, group="Network"))
    with pytest.raises(BadInput, match="is there already"):
        run(home, "propose", "--out", written(tmp_path, "mine.yaml", "agents: []"))


def test_who_left_long_ago_is_proposed_as_gone(home: Path, tmp_path: Path) -> None:
    old = StandardTicket(ticket_id="0", source="web", created_at=datetime(2025, 3, 2, tzinfo=UTC), assignee="Old")
    deliver(home, old, ticket(1, assignee="New"))
    run(home, "propose", "--out", tmp_path / "p.yaml")
    agents = yaml.safe_load((tmp_path / "p.yaml").read_text(encoding="utf-8"))["agents"]
    assert {agent["id"]: agent.get("is_active", True) for agent in agents} == {"New": True, "Old": False}


def test_tickets_are_created_with_their_customers_tier(home: Path, tmp_path: Path) -> None:
    run(home, "import", written(tmp_path, "companies.csv", "name,tier\nAcme,enterprise\n"))
    export = written(tmp_path, "tickets.jsonl", ticket(1, company="Acme").model_dump_json(exclude_unset=True))
    with open_app(home=home) as app:
        ingest(app, export, source="helmdesk", at=MONDAY)
        assert app.store.ticket("web:1").tier == "enterprise"
        assert [event.kind for event in app.store.history("web:1")] == [Kind.CREATED]
    run(home, "import", written(tmp_path, "companies.csv", "name,tier\nAcme,business\n"))
    later = {**json.loads(export.read_text(encoding="utf-8")), "updated_at": "2026-03-03T09:00:00Z"}
    export.write_text(json.dumps(later), encoding="utf-8")
    with open_app(home=home) as app:
        ingest(app, export, source="helmdesk", at=MONDAY)
        assert [(event.kind, event.value) for event in app.store.history("web:1")][1:] == [(Kind.TIER, "business")]


def test_open_tickets_take_a_later_contract_when_asked_to(home: Path, tmp_path: Path) -> None:
    deliver(home, ticket(1, company="Acme"), ticket(2, company="Acme", tier="free"), ticket(3))
    table = written(tmp_path, "companies.csv", "name,tier\nAcme,enterprise\n")
    assert "1 open ticket of customers" in run(home, "import", table)
    assert "have it now" in run(home, "import", table, "--open-tickets")
    with open_app(home=home) as app:
        assert [app.store.ticket(f"web:{number}").tier for number in (1, 2, 3)] == ["enterprise", "free", "standard"]
        assert [event.kind for event in app.store.history("web:1")] == [Kind.CREATED, Kind.TIER]


def test_the_inbox_takes_a_table_of_people(home: Path, tmp_path: Path) -> None:
    with open_app(home=home) as app:
        assert bring_people(app, written(tmp_path, "agents.csv", AGENTS)) == 5
        assert import_people(app, tmp_path / "agents.csv").counts == {"Agent": 3}


def test_a_workbook_is_a_table_too(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "agents.xlsx"
    file.write_bytes(workbook({"Staff": [["name", "team", "max"], ["Ana", "Network", 20], ["Ben", "Network", 25]]}))
    assert run(home, "import", file) == "Agent 2, Team 1\n"
    assert [agent.max_tickets for agent in kept(home, Agent)] == [20, 25]


def test_a_json_array_is_a_table_too(home: Path, tmp_path: Path) -> None:
    text = json.dumps([{"name": "Ana", "team": "Network", "max": 20}])
    assert run(home, "import", written(tmp_path, "agents.json", text)) == "Agent 1, Team 1\n"
