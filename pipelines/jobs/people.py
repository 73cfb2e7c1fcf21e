"""Agents, teams, customers and assignment groups: a folder of people files, or each kind by itself from one file."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from engine.contracts import Agent, AssignmentGroup, Company, Contact, Event, Kind, SlaEffect, Team, Ticket, Tier
from engine.contracts.ticket import OPEN_STATUSES
from engine.customers import customers, standing
from engine.desk import own_assigned
from engine.ownership import by_name
from engine.shared.errors import BadInput
from engine.shared.policy_file import all_wrong, read_yaml
from pipelines.app.container import App
from pipelines.app.people_files import load_people
from pipelines.app.people_mapping import ABSENCES, KINDS, key_of, load_people_mapping, read_table, records


class Brought(NamedTuple):
    """How many records of which kind are now kept, the rows that could not be, and the columns that were not used."""

    counts: dict[str, int]
    refused: list[str]
    unused: list[str]


def bring_people(app: App, path: Path, *, mapping: Path | None = None) -> int:
    """As `import_people`, with what was refused in the log; returns how many records are kept. Raises BadInput, too,
    where nothing could be used."""
    brought = import_people(app, path, mapping=mapping)
    for line in brought.refused:
        app.log.warning("people refused", file=str(path), reason=line)
    if brought.refused and not brought.counts:
        raise BadInput(f"{path}: nobody in it can be used: {brought.refused[0]}")
    return sum(brought.counts.values())


def import_people(app: App, path: Path, *, mapping: Path | None = None, kind: str | None = None) -> Brought:
    """Insert or change everybody in a folder of people files, in a YAML or JSON file with lists of some kinds, or in a
    table of one kind (by a mapping, or by the usual names of columns).

    What a table does not say of somebody stays as it is kept. Teams that an agent or a group names are there from then
    on. Raises BadInput before anything is stored.
    """
    if path.is_dir():
        folder = [record for part in load_people(path) for record in part]
        return _store(app, folder, [], [])
    if path.suffix.casefold() in (".yaml", ".yml") or _is_document(path):
        found: list[BaseModel | str] = []
        for name, listed in _document(path).items():
            found += _records(app, name, dict(enumerate(listed, start=1)), f"{name}: ")
        return _with_teams(app, found, [])
    read = read_table(path, load_people_mapping(mapping) if mapping else None, kind=kind)
    found = [*read.refused, *_records(app, read.kind, read.rows, "")]
    return _with_teams(app, found, read.unused)


def bring_groups(app: App, rows: Sequence[Mapping[str, Any]]) -> Brought:
    """As `import_people`, groups as a handler's system lists them."""
    return _with_teams(app, [*_records(app, "groups", dict(enumerate(rows, start=1)), "group, ")], [])


def _is_document(path: Path) -> bool:
    if path.suffix.casefold() != ".json" or not path.is_file():
        return False
    held = read_yaml(path, what="file of people")
    return isinstance(held, dict) and not {*held}.isdisjoint([*KINDS, ABSENCES])


def _document(path: Path) -> Mapping[str, list[dict[str, Any]]]:
    held = read_yaml(path, what="file of people")
    known = [*KINDS, ABSENCES]
    if not isinstance(held, dict) or (odd := [str(name) for name in held if name not in known]):
        odd_one = f"{odd[0]!r} is none; " if isinstance(held, dict) else ""
        raise BadInput(f"{path}: {odd_one}a file of people has lists named {', '.join(known)}")
    for name, listed in held.items():
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise BadInput(f"{path}: {name}: expected a list of records")
    return held


def _records(app: App, kind: str, rows: Mapping[int, Mapping[str, Any]], place: str) -> Iterable[BaseModel | str]:
    made = _absent(app, rows) if kind == ABSENCES else records(kind, rows, _known(app, kind))
    return [f"{place}{one}" if isinstance(one, str) else one for one in made]


def _known(app: App, kind: str) -> dict[str, BaseModel]:
    return {getattr(record, key_of(kind)): record for record in app.store.all(KINDS[kind])}


def _absent(app: App, rows: Mapping[int, Mapping[str, Any]]) -> Iterable[BaseModel | str]:
    """The agents that the rows name, by id, e-mail address or name, with these absences in place of all they had."""
    agents = app.store.all(Agent)
    named = by_name(agents)
    away: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number, row in rows.items():
        agent = named.get(str(row.get("agent", "")).casefold())
        absence = {name: value for name, value in row.items() if name != "agent"}
        try:
            if agent is None:
                yield f"row {number}: agent: there is no agent {row.get('agent')!r}"
            elif Agent.model_validate({**agent.model_dump(), "absences": [absence]}):
                away[agent.id].append(absence)
        except ValidationError as error:
            yield f"row {number}: {all_wrong(error)}"
    for agent in agents:
        if agent.id in away:
            yield Agent.model_validate({**agent.model_dump(), "absences": away[agent.id]})


def _with_teams(app: App, found: Sequence[BaseModel | str], unused: list[str]) -> Brought:
    refused = [one for one in found if isinstance(one, str)]
    made = [one for one in found if not isinstance(one, str)]
    named = {team for one in made if isinstance(one, Agent) for team in one.teams}
    named |= {one.team_id for one in made if isinstance(one, AssignmentGroup) and one.team_id}
    there = {one.id for one in [*app.store.all(Team), *made] if isinstance(one, Team)}
    return _store(app, [*made, *(Team(id=name, name=name) for name in sorted(named - there))], refused, unused)


def _store(app: App, made: Sequence[BaseModel], refused: list[str], unused: list[str]) -> Brought:
    calendars = app.policies.sla.calendars
    for one in made:
        if isinstance(one, Agent) and one.shift is not None and one.shift not in calendars:
            raise BadInput(f"{one.id}: shift: there is no calendar {one.shift!r}; there are {', '.join(calendars)}")
    app.store.put(made)
    if any(isinstance(one, Agent) for one in made):
        own_assigned(app.store, at=app.now())
    return Brought(dict(Counter(type(one).__name__ for one in made)), refused, unused)


def unsettled(app: App) -> list[Ticket]:
    """Open tickets at the default tier and no VIP's, as their customer's contract says they should be."""
    known = customers(app.store.all(Contact), app.store.all(Company))
    found = []
    for ticket in app.store.tickets(statuses=sorted(OPEN_STATUSES)):
        now = standing(ticket.requester_id, ticket.company_id, known)
        moved = {name: value for name, value in now.items() if getattr(ticket, name) != value}
        if ticket.tier == Tier.STANDARD and not ticket.vip and moved:
            found.append(ticket.model_copy(update=moved))
    return found


def settle(app: App, tickets: Sequence[Ticket], *, at: datetime) -> None:
    """Keep these tickets as they are given, each with the event of its change."""
    for ticket in tickets:
        tier = Event(
            ticket_id=ticket.id,
            kind=Kind.TIER,
            at=at,
            value=ticket.tier,
            actor=app.settings.actor,
            reason="the contract of its customer",
            sla_effect=SlaEffect.REBASE,
        )
        vip = Event(ticket_id=ticket.id, kind=Kind.CHANGED, at=at, actor=app.settings.actor, data={"fields": ["vip"]})
        changes = [tier] * (ticket.tier != Tier.STANDARD) + [vip] * ticket.vip
        app.store.save(ticket.model_copy(update={"updated_at": max(at, ticket.updated_at)}), changes, at=at)
