"""The parts of the queue divide the open tickets: each is in exactly one, at every boundary."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import queue_parts
from dashboards.queue_parts import Whose
from engine.contracts import OPEN_STATUSES

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SCHEMA = {
    "ticket": pl.String(), "reference": pl.String(), "subject": pl.String(), "status": pl.String(),
    "priority": pl.String(), "tier": pl.String(), "group_id": pl.String(), "owner_id": pl.String(),
    "assignee_id": pl.String(), "sla_state": pl.String(), "customer_waits_since": pl.Datetime("us", "UTC"),
}  # fmt: skip


def rows(*held: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "reference": "INC-1", "subject": "Slow VPN", "status": "in_progress", "priority": "high", "tier": "standard",
        "group_id": "g-1", "owner_id": "ana", "sla_state": "on_track",
    }  # fmt: skip
    filled = [{name: ({"ticket": str(n)} | usual | one).get(name) for name in SCHEMA} for n, one in enumerate(held)]
    return pl.DataFrame(filled, schema=SCHEMA)


LATE, RISK = {"sla_state": "breached"}, {"sla_state": "at_risk"}
WROTE, WAITS, FREE = {"customer_waits_since": NOON}, {"status": "waiting_vendor"}, {"owner_id": None}


@pytest.mark.parametrize(
    ("one", "part"),
    [
        ({}, "work"),
        ({"sla_state": None}, "work"),
        ({"status": "new"}, "work"),
        (FREE, "unassigned"),
        (FREE | {"assignee_id": "ana@example.com"}, "work"),
        (FREE | WAITS, "waiting"),
        (WAITS, "waiting"),
        (WAITS | WROTE, "answered"),
        (WROTE | FREE, "answered"),
        (WROTE | RISK, "risk"),
        (RISK | FREE | WAITS, "risk"),
        (LATE | WROTE | FREE | WAITS, "late"),
    ],
)
def test_first_part_that_holds_is_the_one(one: dict[str, Any], part: str) -> None:
    assert rows(one).select(queue_parts.part()).item() == part
    assert queue_parts.sizes(rows(one)) == {name: int(name == part) for name in queue_parts.PARTS}


TICKET = st.fixed_dictionaries(
    {
        "status": st.sampled_from(sorted(OPEN_STATUSES)),
        "owner_id": st.sampled_from([None, "ana"]),
        "assignee_id": st.sampled_from([None, "ben"]),
        "sla_state": st.sampled_from([None, "on_track", "at_risk", "breached"]),
        "customer_waits_since": st.sampled_from([None, NOON]),
    }
)


@given(st.lists(TICKET, max_size=9))
def test_parts_divide(tickets: list[dict[str, Any]]) -> None:
    assert sum(queue_parts.sizes(rows(*tickets)).values()) == len(tickets)


@pytest.mark.parametrize(
    ("whose", "tickets"),
    [
        (Whose(), ["0", "1", "2", "3", "4"]),
        (Whose(("ana", "Ana@Example.com"), ("g-1",)), ["0", "1", "2"]),
        (Whose(("ana",), ()), ["0"]),
        (Whose(None, ("g-1",)), ["0", "2"]),
        (Whose(()), ["2", "3"]),
        (Whose((), ()), []),
    ],
)
def test_whose_tickets(whose: Whose, tickets: list[str]) -> None:
    desk = rows(
        {},
        FREE | {"assignee_id": "ana@example.com", "group_id": None},
        FREE,
        FREE | {"group_id": "g-2"},
        {"owner_id": "ben", "group_id": "g-2"},
    )
    assert desk.filter(whose.fits())["ticket"].to_list() == tickets


def test_filters_and_words_narrow() -> None:
    desk = rows({}, {"priority": "low"}, {"subject": "Mail (down)", "reference": "INC-77"})

    def found(text: str = "", **filters: str | None) -> list[str]:
        return queue_parts.chosen(desk, Whose(), filters, text)["ticket"].to_list()

    assert found(priority="high", group=None) == ["0", "2"]
    assert found("mail (") == found(" inc-77 ") == ["2"]
    assert found("vpn", priority="low") == ["1"]
