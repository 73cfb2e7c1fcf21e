"""A summary says in words who takes the tickets and what the drafts rest on, and counts as a person would."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.commands.next_steps import allocation, counted, drafts, later_answers, of_then
from pipelines.commands.summary import show
from pipelines.marts import MartReader
from tests.dashboards.marts_by_hand import published

GROUP = {
    "group_id": "g", "group_name": "Front [desk]", "status": "active", "capacity": 3, "load_before": 1, "allocated": 0,
    "load_after": 1, "utilisation": 1 / 3,
}  # fmt: skip


def desk(home: Path, outcomes: dict[str, str], *groups: dict[str, Any], **placed: Any) -> MartReader:
    """A publication of open tickets, each with the outcome of its last decision."""
    tickets = [{"ticket": f"web:{name}", "reference": name, "is_open": True} | placed for name in outcomes]
    decided = [{"ticket": f"web:{name}", "outcome": outcome} for name, outcome in outcomes.items()]
    return published(home, tickets=tickets, allocations=decided, group_load=groups)


@pytest.mark.parametrize(
    ("outcomes", "groups", "said"),
    [
        ({}, [GROUP], "nothing to allocate"),
        ({}, [], "there are no groups yet: `helmdesk people propose` names those met in tickets"),
        ({"A": "no_skill"}, [], "names those met in tickets; 1 ticket waits for one"),
        ({"A": "no_skill", "B": "no_skill"}, [GROUP], "2 tickets have no group with the skill: A, B"),
        ({"A": "no_skill"}, [GROUP], "no group takes a ticket; 1 ticket has no group with the skill: A"),
        ({"A": "waiting"}, [GROUP | {"status": "inactive"}], "no group takes a ticket: none of 1 group is active"),
        ({"A": "allocated", "B": "waiting"}, [GROUP], "1 ticket given to a group; 1 ticket waits: no group with the"),
        ({f"T{n}": "no_skill" for n in range(7)}, [GROUP], ": T0, T1, T2, T3, T4 and 2 more"),
    ],
)
def test_allocation_is_told_in_words(
    outcomes: dict[str, str], groups: list[dict[str, Any]], said: str, tmp_path: Path
) -> None:
    with desk(tmp_path, outcomes, *groups) as marts:
        assert said in allocation(marts)


@pytest.mark.parametrize("moved", [{"is_open": False}, {"group_id": "g"}, {"owner_id": "ana"}])
def test_ticket_that_somebody_took_waits_no_longer(moved: dict[str, Any], tmp_path: Path) -> None:
    with desk(tmp_path, {"A": "no_skill"}, GROUP, **moved) as marts:
        assert allocation(marts) == "nothing to allocate"


@pytest.mark.parametrize(
    ("grounded", "every", "said"),
    [
        (0, 0, "no reply was drafted"),
        (1, 1, "the one draft is grounded in the knowledge base"),
        (4, 4, "all 4 drafts are grounded in the knowledge base"),
        (0, 1, "the one draft is not grounded in the knowledge base, and says so"),
        (0, 3, "none of 3 drafts is grounded in the knowledge base, and each says so"),
        (1, 2, "1 of 2 drafts is grounded in the knowledge base; the other one says so"),
        (1_200, 1_500, "1,200 of 1,500 drafts are grounded in the knowledge base; the other 300 say so"),
    ],
)
def test_drafts_are_counted_as_a_person_would(grounded: int, every: int, said: str) -> None:
    assert drafts(grounded, every) == said


def test_numbers_have_their_plurals() -> None:
    assert [counted(n, "ticket") for n in (0, 1, 1_500)] == ["0 tickets", "1 ticket", "1,500 tickets"]


def test_desk_without_people_has_no_empty_table(tmp_path: Path) -> None:
    out = StringIO()
    with desk(tmp_path, {"A": "no_skill"}) as marts:
        show(marts, Console(file=out, width=200))
    assert "slots" not in out.getvalue()
    assert "there are no groups yet: `helmdesk people propose`" in out.getvalue()


def test_names_are_shown_as_they_are_written(tmp_path: Path) -> None:
    out = StringIO()
    with desk(tmp_path, {"[/A]": "no_skill"}, GROUP) as marts:
        show(marts, Console(file=out, width=200))
    assert "Front [desk]" in out.getvalue()
    assert "no group with the skill: [/A]" in " ".join(out.getvalue().split())


def test_look_at_the_past_says_how_to_come_back(tmp_path: Path) -> None:
    with desk(tmp_path, {}) as marts:
        said = of_then(marts.publication, "--home here ")
        assert f"{marts.publication.as_of:%Y-%m-%d %H:%M} UTC; `helmdesk --home here cycle` brings back" in said
    assert "`helmdesk publish`" in later_answers()
