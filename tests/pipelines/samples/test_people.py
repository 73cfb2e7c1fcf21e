"""The people files say who asks and who answers; a broken one is refused with file, place and reason."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from engine.contracts import GroupStatus, Role
from engine.shared.errors import BadInput
from pipelines.app.people_files import People, load_people

SHIPPED = Path(__file__).resolve().parents[3] / "data" / "people"
PRODUCTS = {"CASB", "SWG", "ZTNA", "DLP", "SSPM", "CFW", "GENERAL"}


@pytest.fixture(scope="module")
def people() -> People:
    return load_people(SHIPPED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "people"))


def edit(folder: Path, name: str, change: Callable[[list[dict]], object]) -> None:
    path = folder / f"{name}.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(content[name])
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def test_there_are_enough_of_everybody(people: People) -> None:
    assert len(people.agents) >= 24
    assert len(people.teams) >= 7
    assert len(people.companies) >= 40
    assert len(people.contacts) >= 80
    assert len(people.groups) >= 10
    assert {config.team_id for config in people.empowerment} == {team.id for team in people.teams}


def test_every_product_has_a_group_and_agents(people: People) -> None:
    active = [group for group in people.groups if group.status is GroupStatus.ACTIVE]
    assert {word for group in active for word in group.capabilities} >= PRODUCTS
    assert {skill for agent in people.agents if agent.is_active for skill in agent.skills} >= PRODUCTS


def test_groups_work_on_several_continents(people: People) -> None:
    continents = {(group.location.timezone or "").partition("/")[0] for group in people.groups}
    assert continents >= {"Europe", "America", "Asia", "Africa", "Australia"}
    assert sum(group.is_vendor for group in people.groups) == 1
    assert sum(group.status is GroupStatus.INACTIVE for group in people.groups) == 1


def test_shifts_are_calendars(people: People) -> None:
    calendars = yaml.safe_load((SHIPPED.parent / "policies" / "calendars.yaml").read_text(encoding="utf-8"))
    assert {group.shift for group in people.groups} <= set(calendars["calendars"])


def test_teams_are_led(people: People) -> None:
    roles = {agent.id: agent.role for agent in people.agents}
    assert all(roles[team.supervisor_id or ""] is Role.TEAM_LEAD for team in people.teams)
    assert all(roles[team.manager_id or ""] is Role.MANAGER for team in people.teams)


def test_contacts_have_the_tier_of_their_company(people: People) -> None:
    tiers = {company.id: company.tier for company in people.companies}
    assert all(contact.tier == tiers[contact.company_id or ""] for contact in people.contacts)
    assert any(contact.vip for contact in people.contacts)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("agents", lambda rows: rows[3].update(role="boss"), r"agents\.yaml: agents\[3\]\.role: "),
        ("groups", lambda rows: rows[2]["location"].update(lat=True), r"groups\.yaml: groups\[2\]\.location\.lat: "),
        ("contacts", lambda rows: rows[1].pop("email"), r"contacts\.yaml: contacts\[1\]\.email: "),
        (
            "companies",
            lambda rows: rows.append(rows[0]),
            r"companies\.yaml: companies\[46\]\.id: CO-001 is given twice",
        ),
        (
            "contacts",
            lambda rows: rows[5].update(company_id="CO-9"),
            r"contacts\[5\]\.company_id: CO-9 is not in companies",
        ),
        ("agents", lambda rows: rows[0].update(teams=["team-x"]), r"agents\[0\]\.teams: team-x is not in teams\.yaml"),
        (
            "groups",
            lambda rows: rows[0].update(team_id="team-x"),
            r"groups\[0\]\.team_id: team-x is not in teams\.yaml",
        ),
        ("teams", lambda rows: rows[0].update(manager_id="A"), r"teams\[0\]\.manager_id: A is not in agents\.yaml"),
        ("teams", lambda rows: rows.insert(0, "no team"), r"teams\.yaml: teams\[0\]: "),
    ],
)
def test_a_fault_is_named_with_its_place(folder: Path, name: str, change: Callable, said: str) -> None:
    edit(folder, name, change)
    with pytest.raises(BadInput, match=said):
        load_people(folder)


@pytest.mark.parametrize("content", ["", "agents: 5", "other: []", "agents: [", "[]"])
def test_a_file_without_its_list_is_refused(folder: Path, content: str) -> None:
    (folder / "agents.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=r"agents\.yaml"):
        load_people(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "teams.yaml").unlink()
    with pytest.raises(BadInput, match=r"no people file .*teams\.yaml"):
        load_people(folder)
