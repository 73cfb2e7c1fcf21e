"""Who is named in tickets and is nobody yet: agents, groups and companies, as a file to correct and import."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import polars as pl
import yaml

from engine.contracts import Agent

GONE_AFTER = timedelta(days=90)
"""Whose last ticket was touched so long before the newest one is proposed as no longer there."""
BELONGS = 0.1
"""From this share of a person's tickets on, a group is one of the person's own."""
MOST_WORDS = 20

Proposed = Mapping[str, list[tuple[dict[str, Any], int]]]
"""By kind: records as `people import` takes them, each with the number of tickets that name it."""


class Known(NamedTuple):
    """The ids there are."""

    agents: Collection[str]
    groups: Collection[str]
    companies: Collection[str]


def proposed(tickets: pl.DataFrame, known: Known) -> Proposed:
    """The names in the store's tickets that are none of these ids, the commonest first.

    A group that is proposed is a team of the same name, with the categories and languages of its tickets, and slots
    for the people that are proposed or known for it: as many as an agent has by default.
    """
    agents = [record for record in _agents(tickets) if record[0]["id"] not in known.agents]
    groups = [record for record in _groups(tickets) if record[0]["group_id"] not in known.groups]
    companies = [
        ({"id": name, "name": name, "tier": "standard"}, count)
        for name, count in _counted(tickets, "company_id")
        if name not in known.companies
    ]
    return {"agents": agents, "groups": groups, "companies": companies}


def _counted(tickets: pl.DataFrame, column: str) -> list[tuple[str, int]]:
    named = tickets.filter(pl.col(column).str.strip_chars() != "").group_by(column).len()
    return named.sort("len", column, descending=[True, False]).rows()


def _agents(tickets: pl.DataFrame) -> list[tuple[dict[str, Any], int]]:
    mine = tickets.filter(pl.col("assignee_id").str.strip_chars() != "")
    cut = tickets["updated_at"].max()
    last = dict(mine.group_by("assignee_id").agg(pl.col("updated_at").max()).iter_rows())
    in_groups = mine.drop_nulls("group_id").group_by("assignee_id", "group_id").len().sort("assignee_id", "group_id")
    teams: dict[str, list[tuple[str, int]]] = {}
    for agent, group, count in in_groups.iter_rows():
        teams.setdefault(agent, []).append((group, count))
    return [
        (
            {
                "id": name,
                "name": name,
                "teams": [group for group, some in teams.get(name, []) if some >= BELONGS * count],
                "max_tickets": Agent.model_fields["max_tickets"].default,
            }
            | ({} if cut is None or last[name] >= cut - GONE_AFTER else {"is_active": False}),  # type: ignore[operator]
            count,
        )
        for name, count in _counted(tickets, "assignee_id")
    ]


def _groups(tickets: pl.DataFrame) -> list[tuple[dict[str, Any], int]]:
    people = {name: sum(name in agent["teams"] and agent.get("is_active", True) for agent, _ in _agents(tickets))
              for name, _ in _counted(tickets, "group_id")}  # fmt: skip
    each = Agent.model_fields["max_tickets"].default
    return [
        (
            {
                "group_id": name,
                "name": name,
                "team_id": name,
                "max_bandwidth": each * max(people[name], 1),
                "capabilities": _words(tickets, name, "category"),
                "languages": _words(tickets, name, "language") or ["en"],
            },
            count,
        )
        for name, count in _counted(tickets, "group_id")
    ]


def _words(tickets: pl.DataFrame, group: str, column: str) -> list[str]:
    words = _counted(tickets.filter(pl.col("group_id") == group), column)
    return sorted(word for word, _ in words[:MOST_WORDS] if word not in ("other", "und"))


def as_yaml(found: Proposed, *, tickets: int, command: str) -> str:
    """The file: a record a line, with the number of tickets that name it."""
    lines = [f"# Names met in {tickets:,} tickets that are nobody's yet. Correct what is wrong (tiers, maxima, teams,",
             "# e-mail addresses; take out who is not of the desk), then:", f"#   {command}"]  # fmt: skip
    for kind, records in found.items():
        if records:
            lines += ["", f"{kind}:", *(f"  - {_line(record)}  # {count:,} tickets" for record, count in records)]
    return "\n".join(lines) + "\n"


def _line(record: dict[str, Any]) -> str:
    return yaml.safe_dump(record, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**9).strip()
