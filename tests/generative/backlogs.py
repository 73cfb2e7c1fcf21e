"""Backlogs that go wrong in every way a source can: shuffled, doubled, null, late, over DST weeks and reopenings."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from sla.contracts import UNKNOWN

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CALENDARS: dict[str, dict[str, Any]] = {
    "24x7": {"always": True},
    "ny": {
        "tz": "America/New_York",
        "weekly": {d: [["09:00", "12:00"], ["12:45", "17:00"]] for d in DAYS[:5]},
        "holidays": ["2024-03-11"],
    },
    "night": {
        "tz": "Europe/London",
        "weekly": {d: [["22:00", "06:00"]] for d in DAYS},
        "holidays": ["2024-03-31", "2024-10-29"],
        "overrides": {"2024-03-30": [["20:00", "02:30"]], "2024-10-28": []},
    },
    "island": {"tz": "Australia/Lord_Howe", "weekly": {d: [["00:00", "24:00"]] for d in DAYS}},
    "brief": {"tz": "Asia/Kathmandu", "weekly": {"sun": [["10:00", "10:30"]], "wed": [["23:00", "00:00"]]}},
    "once": {"tz": "UTC", "weekly": {}, "overrides": {"2024-03-30": [["10:00", "12:00"]]}},
    "closed": {"tz": "UTC", "weekly": {}},
}
STARTS = (datetime(2024, 3, 8, tzinfo=UTC), datetime(2024, 3, 29, tzinfo=UTC), datetime(2024, 10, 26, tzinfo=UTC))
PRIORITIES = ("critical", "high", "medium", "low")
TIERS = ("enterprise", "standard", "gold")
TYPES = ("incident", "request")
ENDINGS = ("2024-03-30T11:00:00+01:00", "2024-03-30T11:00:00", "soon", "", "2150-01-01T00:00:00Z")
"""Of a `due` event: an instant, one without a zone, none, none any more, one far away."""
STATUSES = ("new", "open", "waiting_customer", "on_hold", "resolved", "closed")


class Backlog(NamedTuple):
    tickets: list[dict[str, Any]]
    events: list[dict[str, Any]]
    policies: Any
    as_of: datetime


def maybe(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from((*values, None))


def moments(start: datetime) -> st.SearchStrategy[datetime]:
    """Quarter hours mostly (they meet business_intervals and one another), some odd seconds with a fraction."""
    quarters = st.integers(0, 9 * 96).map(lambda n: start + timedelta(minutes=15 * n))
    odd = st.integers(0, 9 * 86_400 * 1_000).map(lambda ms: start + timedelta(milliseconds=ms))
    return st.one_of(quarters, quarters, odd)


@st.composite
def ticket(draw: st.DrawFn, key: Any, start: datetime, *, plain: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": key,
        "created_at": draw(st.one_of(st.none(), *[moments(start)] * 9)),
        "priority": draw(maybe((*PRIORITIES, "unheard of"))),
        "tier": draw(maybe(TIERS)),
        "type": draw(maybe(TYPES)),
        "team": draw(maybe(("network", "mail"))),
        "channel": draw(maybe(("phone", "web"))),
    }
    if not plain and draw(st.integers(0, 3)) == 0:
        row |= {name: draw(st.one_of(st.none(), moments(start))) for name in dict.fromkeys(UNKNOWN.values())}
    return row | ({"status": draw(maybe(STATUSES))} if draw(st.booleans()) else {})


@st.composite
def event(
    draw: st.DrawFn, keys: tuple[Any, ...], start: datetime, busy: list[datetime], *, plain: bool
) -> dict[str, Any]:
    common = ("status",) * 6 + (
        "response",
        "response",
        "priority",
        "tier",
        "type",
        "pause",
        "resume",
        "accepted",
        "note",
    )
    kind = draw(
        st.sampled_from(common + ("customer_message",) * 2 + (() if plain else ("team", "channel", "due", "due")))
    )
    values = {
        "status": STATUSES,
        "priority": PRIORITIES,
        "tier": TIERS,
        "type": TYPES,
        "pause": ("vendor", "approved", "other"),
        "team": ("network", "mail", ""),
        "channel": ("web", "phone", ""),
        "due": (*(ending.isoformat() for ending in draw(st.lists(moments(start), min_size=2, max_size=2))), *ENDINGS),
    }.get(kind, ("x",))
    return {
        "ticket": draw(st.sampled_from(keys)),
        "ts": draw(st.one_of(st.none(), *[moments(start)] * 8, *[st.sampled_from(busy)] * 4)),
        "kind": kind,
        "value": draw(st.sampled_from(values * 4 + (None,))),
        "id": draw(st.one_of(st.none(), st.integers(1, 9))),
        "seq": draw(st.one_of(st.none(), st.integers(1, 4))),
    }


def targets() -> st.SearchStrategy[Any]:
    seconds = st.sampled_from((0, 1, 900, 3_600, 14_400, 28_800, 86_401, 400_000))
    return st.one_of(
        st.none(),
        seconds,
        seconds,
        st.fixed_dictionaries({"target": st.integers(1, 40), "unit": st.just("minutes")}),
        st.fixed_dictionaries({"target": st.integers(1, 3), "unit": st.just("business_days")}),
        st.fixed_dictionaries(
            {"target": seconds, "tiers": st.dictionaries(st.sampled_from(TIERS), seconds, max_size=2)}
        ),
    )


def terms() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "start_event": st.sampled_from(("created", "accepted")),
            "reopen": st.sampled_from(("new_window", "continue")),
            "priority_change": st.sampled_from(("rebase", "keep")),
            "pause_states": st.lists(st.sampled_from(("waiting_customer", "on_hold", "new")), max_size=2),
            "stop_states": st.sampled_from((["resolved", "closed"], ["closed"], ["resolved", "on_hold"])),
            "approved_pauses": st.booleans(),
            "pause_reasons": st.one_of(st.none(), st.just(["vendor"]), st.just(["approved", "vendor"])),
            "at_risk_fraction": st.sampled_from((0, 0.15, 0.25, 1)),
            "at_deadline": st.sampled_from(("at_risk", "breached")),
            "boundary": st.sampled_from(("close", "next_open")),
        },
    )


@st.composite
def policy(draw: st.DrawFn, *, plain: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"calendar": draw(st.sampled_from(tuple(CALENDARS)))}
    told_apart = (
        ("priority", PRIORITIES),
        ("tier", TIERS),
        ("type", TYPES),
        ("team", ("network",)),
        ("channel", ("web",)),
    )
    for dimension, values in told_apart[: 4 if plain else 5]:
        if draw(st.integers(0, 3)) == 0:
            row[dimension] = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2))
    row |= {"multipliers": {"enterprise": 0.5, "gold": 1.25}} if draw(st.booleans()) else {}
    row |= {"rounding": draw(st.sampled_from(("exact", "floor_minute")))}
    for clock in ("first_response", "resolution", "next_response", "next_reply"):
        if clock in ("next_response", "next_reply") and draw(st.integers(0, 2)):
            continue
        target = draw(targets())
        if not plain:
            target = (target if isinstance(target, dict) else {"target": target}) | draw(terms())
        row[clock] = target
    return row


@st.composite
def policies(draw: st.DrawFn, *, plain: bool = False) -> Any:
    def listed() -> list[dict[str, Any]]:
        return [draw(policy(plain=plain)) for _ in range(draw(st.integers(1, 3)))]

    if plain or draw(st.booleans()):
        return listed()
    later = draw(st.sampled_from(STARTS)) + timedelta(days=draw(st.integers(0, 6)), seconds=draw(st.integers(0, 9)))
    first = {"policies": listed()} | ({"valid_from": "2024-03-09"} if draw(st.booleans()) else {})
    return {"versions": [first, {"valid_from": max(later, datetime(2024, 3, 10, tzinfo=UTC)), "policies": listed()}]}


@st.composite
def backlogs(draw: st.DrawFn, *, plain: bool = False) -> Backlog:
    """`plain` keeps the default terms: what the third opinion speaks about."""
    start = draw(st.sampled_from(STARTS))
    keys: tuple[Any, ...] = draw(st.sampled_from(((1, 2, 3), ("a:1", "a:2", "b:1"))))
    tickets = [draw(ticket(key, start, plain=plain)) for key in keys[: draw(st.sampled_from((1, 1, 2, 3)))]]
    busy = draw(st.lists(moments(start), min_size=2, max_size=3))  # instants at which several things happen
    known = st.lists(event((*[t["id"] for t in tickets] * 3, keys[-1]), start, busy, plain=plain), max_size=14)
    events = draw(known)
    events = draw(st.permutations(events + [e for e in events if draw(st.integers(0, 5)) == 0]))
    as_of = draw(moments(start + timedelta(days=draw(st.integers(0, 20)))))
    return Backlog(tickets, events, draw(policies(plain=plain)), as_of)
