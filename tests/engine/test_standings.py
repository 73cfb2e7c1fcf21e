"""How a ticket stood is what a plain walk of its events says."""

from datetime import datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts import OPEN_STATUSES
from engine.standings import STANDINGS, standings
from tests.engine.people import MONDAY

CREATED = {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}
SAYS = {
    "status": ("new", "in_progress", "waiting_vendor", "resolved", "closed"),
    "priority": ("high", "low"),
    "tier": ("gold",),
    "type": ("request",),
    "group": ("net", "mail", None),
    "allocated": ("cloud", None),
    "assignee": ("ana", "ben", "", None),
    "accepted": ("ana", None),
    "transferred": ("ben", None),
    "released": (None,),
    "pause": ("vendor", None),
    "resume": (None,),
    "response": (None,),
    "message": ("hello",),
}
MOMENT = st.integers(-8, 40).map(lambda quarters: MONDAY + timedelta(seconds=0.25 * quarters))
EVENT = st.sampled_from(sorted(SAYS)).flatmap(
    lambda kind: st.fixed_dictionaries({"kind": st.just(kind), "value": st.sampled_from(SAYS[kind]), "at": MOMENT})
)


def second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def walk(events: list[dict[str, Any]], as_of: datetime) -> list[dict[str, Any]]:
    """One ticket of Monday, created for `net` and `eve`, now `now_group` and `now_agent`."""
    kinds = {event["kind"] for event in events if event["value"] is not None or event["kind"] != "allocated"}
    now: dict[str, Any] = dict(CREATED) | {
        "group_id": "net" if kinds & {"group", "allocated"} else "now_group",
        "holder": "eve" if "assignee" in kinds else "now_agent",
        "hold": None,
    }
    rows = [{"since": MONDAY, "kind": "created", "value": "new", "actor": "web", **now}]
    for event in sorted(events, key=lambda event: second(event["at"])):
        kind, value, actor = event["kind"], event["value"], event["actor"]
        is_open = now["status"] in OPEN_STATUSES
        match kind:
            case "message":
                continue
            case "status" | "priority" | "tier" | "type":
                now[kind] = value
                now["hold"] = None if now["status"] in ("resolved", "closed") and kind == "status" else now["hold"]
            case "allocated" if value is None:
                continue
            case "group" | "allocated":
                now["group_id"] = value
            case "assignee" | "transferred":
                now["holder"] = value or None
            case "accepted":
                now["holder"] = value or actor
            case "released":
                now["holder"] = None
            case "pause" if is_open:
                now["hold"] = value or ""
            case "resume":
                now["hold"] = None
        since = max(MONDAY, second(event["at"]))
        if since <= second(as_of):
            rows.append({"since": since, "kind": kind, "value": value, "actor": actor, **now})
    ends = [*(row["since"] for row in rows[1:]), None]
    return [
        {"ticket": "t", "place": place, "until": until, **row}
        for place, (row, until) in enumerate(zip(rows, ends, strict=True))
    ]


def tables(events: list[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    born = {f"created_{name}": value for name, value in CREATED.items()}
    ticket = {"ticket": "t", "created_at": MONDAY, "group_id": "now_group", "assignee_id": "now_agent", **born}
    birth = {
        "kind": "created",
        "value": None,
        "at": MONDAY,
        "actor": "web",
        "data": '{"group": "net", "assignee": "eve"}',
    }
    rows = [{"ticket": "t", "version": n, "data": "{}", **row} for n, row in enumerate([birth, *events], start=1)]
    texts = dict.fromkeys(("ticket", "kind", "value", "actor", "data"), pl.String)
    instants = {"at": pl.Datetime("us", "UTC")}
    stranger = {**rows[0], "ticket": "unknown"}
    return (
        pl.DataFrame([ticket], schema_overrides={"created_at": pl.Datetime("us", "UTC")}),
        pl.DataFrame([stranger, *reversed(rows)], schema_overrides={**texts, **instants}),
    )


@given(st.lists(EVENT, max_size=12), MOMENT.filter(lambda at: at >= MONDAY))
def test_standings_are_those_of_a_plain_walk(events: list[dict[str, Any]], as_of: datetime) -> None:
    by = [{**event, "actor": f"agent-{n}"} for n, event in enumerate(events)]
    found = standings(*tables(by), as_of)
    assert found.schema == STANDINGS
    assert found.to_dicts() == [{name: row[name] for name in STANDINGS} for row in walk(by, as_of)]


def test_without_an_instant_all_that_happened_counts() -> None:
    happened = {"kind": "status", "value": "closed", "at": MONDAY + timedelta(days=9), "actor": "ana"}
    assert standings(*tables([happened]), None)["status"].to_list() == ["new", "closed"]


def test_a_ticket_of_tomorrow_has_no_standing_today() -> None:
    assert standings(*tables([]), MONDAY - timedelta(seconds=1)).is_empty()
