"""Who asks and who answers, as the people files say: agents, teams, contacts, companies, groups, empowerment."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, create_model

from engine.contracts import Agent, AssignmentGroup, Company, Contact, EmpowermentConfig, Team
from engine.shared.errors import BadInput, NotFound
from engine.shared.policy_file import read

PEOPLE = "people"
"""The source of people files, beside the sources of tickets."""

Person = TypeVar("Person", bound=BaseModel)


class People(NamedTuple):
    """Everybody a desk knows, in the order of the files."""

    agents: list[Agent]
    teams: list[Team]
    contacts: list[Contact]
    companies: list[Company]
    groups: list[AssignmentGroup]
    empowerment: list[EmpowermentConfig]


FILES = frozenset(f"{name}.yaml" for name in People._fields)
"""A folder of people has all of these."""


def load_people(folder: Path) -> People:
    """The six files of a people folder, each a list under its own name.

    Raises BadInput, naming file, place in the list, key and reason, for a file that is missing or can't be read, a
    value that can't be used, an id given twice, and a reference to somebody who is in none of the files.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; people come as a folder with {', '.join(sorted(FILES))}.")
    people = People(
        agents=_read(folder / "agents.yaml", Agent, key="id"),
        teams=_read(folder / "teams.yaml", Team, key="id"),
        contacts=_read(folder / "contacts.yaml", Contact, key="id"),
        companies=_read(folder / "companies.yaml", Company, key="id"),
        groups=_read(folder / "groups.yaml", AssignmentGroup, key="group_id"),
        empowerment=_read(folder / "empowerment.yaml", EmpowermentConfig, key="team_id"),
    )
    for fault in _dangling(people):
        raise BadInput(f"{folder}/{fault}; add it there or correct the reference.")
    return people


def _read(path: Path, kind: type[Person], *, key: str) -> list[Person]:
    listed = create_model(path.stem, **{path.stem: (list[kind], ...)})  # type: ignore[call-overload, valid-type]
    try:
        records: list[Person] = getattr(read(path, listed), path.stem)
    except NotFound:
        raise BadInput(f"There is no people file {path}; a folder of people has all six.") from None
    seen: set[str] = set()
    for index, name in enumerate(getattr(record, key) for record in records):
        if name in seen:
            raise BadInput(f"{path}: {path.stem}[{index}].{key}: {name} is given twice.")
        seen.add(name)
    return records


def _dangling(people: People) -> Iterator[str]:
    """References that lead nowhere, as `file: place: who is missing where`."""
    agents, teams = {agent.id for agent in people.agents}, {team.id for team in people.teams}
    companies = {company.id for company in people.companies}
    yield from _missing("agents.yaml", "teams", (agent.teams for agent in people.agents), teams, "teams.yaml")
    yield from _missing(
        "teams.yaml", "supervisor_id", ((t.supervisor_id,) for t in people.teams), agents, "agents.yaml"
    )
    yield from _missing("teams.yaml", "manager_id", ((t.manager_id,) for t in people.teams), agents, "agents.yaml")
    yield from _missing(
        "contacts.yaml", "company_id", ((c.company_id,) for c in people.contacts), companies, "companies.yaml"
    )
    yield from _missing("groups.yaml", "team_id", ((g.team_id,) for g in people.groups), teams, "teams.yaml")
    yield from _missing("empowerment.yaml", "team_id", ((e.team_id,) for e in people.empowerment), teams, "teams.yaml")


def _missing(
    file: str, key: str, named: Iterable[tuple[str | None, ...]], known: set[str], there: str
) -> Iterator[str]:
    for index, names in enumerate(named):
        for name in names:
            if name is not None and name not in known:
                yield f"{file}: {file.removesuffix('.yaml')}[{index}].{key}: {name} is not in {there}"
