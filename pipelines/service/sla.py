"""Clocks by HTTP: of tickets that are given, of one that is kept, of all as published."""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field, StrictInt, StrictStr

from engine.access import Right, User
from engine.contracts import Priority, Status, Tier
from pipelines import actions
from pipelines.app import identity
from pipelines.clock_replay import read_events, read_tickets, replay
from pipelines.service.bodies import Closed, Moment, Name, example
from pipelines.service.callers import person
from pipelines.service.parts import parts_of
from sla.contracts import Clock, State

router = APIRouter(prefix="/sla", tags=["sla"])
READER = Annotated[User, Depends(person(Right.READ, doing="reading clocks"))]


Word = Annotated[StrictStr, Field(max_length=200)]
Key = Annotated[StrictStr, Field(min_length=1, max_length=300)]


class GivenTicket(Closed):
    """A ticket as it was created; what is left out reads as medium, standard, incident, open."""

    id: Key
    created_at: Moment
    priority: Word | None = None
    tier: Word | None = None
    type: Word | None = None
    team: Word | None = None
    channel: Word | None = None
    status: Word | None = None


class GivenEvent(Closed):
    """What happened to it: a `status`, `response`, `priority`, `pause`, … as in docs/sla.md."""

    ticket: Key
    ts: Moment
    kind: Word
    value: Word | None = None
    id: Key | None = None
    seq: Annotated[StrictInt, Field(ge=0, lt=2**53)] | None = None


class Given(Closed):
    """Tickets and their events; nothing of it is stored. `as_of` is now unless it is given."""

    model_config = example(
        {
            "tickets": [{"id": "A-1", "created_at": "2026-03-02T09:15:00Z", "priority": "high"}],
            "events": [{"ticket": "A-1", "ts": "2026-03-02T10:00:00Z", "kind": "response"}],
            "as_of": "2026-03-02T12:00:00Z",
        }
    )
    tickets: Annotated[list[GivenTicket], Field(min_length=1, max_length=1_000)]
    events: Annotated[list[GivenEvent], Field(default_factory=list, max_length=20_000)]
    as_of: Moment | None = None


class ClockRow(Closed):
    """One window of one clock; `target`, `elapsed`, `paused` and `remaining` are business seconds."""

    ticket: str
    clock: Clock
    window: int
    is_current: bool
    state: State
    target: int | None
    elapsed: int | None
    paused: int | None
    remaining: int | None
    due_at: datetime | None
    window_start: datetime | None
    stopped_at: datetime | None
    is_paused: bool
    policy: str | None
    calendar: str | None


class Clocks(Closed):
    as_of: datetime
    clocks: list[ClockRow]


class TicketClocks(Clocks):
    """`ledgers` has, by promised clock and window, every interval that was counted, paused or out of hours."""

    ticket: str
    ledgers: list[dict[str, Any]]


@router.post("/tickets")
def evaluate_given(request: Request, given: Given, reader: READER) -> Clocks:  # noqa: ARG001
    """What would these tickets' clocks show under the policies in force? Nothing is stored."""
    from sla.check.cases import read_rows
    from sla.clocks.evaluate import evaluate_all

    app = parts_of(request).app
    rules, as_of = app.policies.sla, given.as_of or app.now()
    body = given.model_dump(mode="json")
    tickets, events = read_rows(body["tickets"], body["events"])
    rows = evaluate_all(tickets, events, rules.policies, rules.calendars, as_of)
    return Clocks(as_of=as_of, clocks=[ClockRow(**row) for row in rows])


@router.get("/tickets/{ticket:path}")
def ticket_clocks(
    request: Request,
    ticket: Annotated[Name, Path()],
    reader: READER,
    as_of: Annotated[Moment | None, Query(description="Now unless it is given.")] = None,
) -> TicketClocks:
    """The clocks of one kept ticket, and the ledger behind each: why it shows what it shows."""
    app = parts_of(request).app
    at = as_of or app.now()
    found, rules = app.store.ticket(ticket), app.policies.sla
    rows = replay(
        read_tickets(app.store, ticket=found.id), read_events(app.store, rules, ticket=found.id), rules, as_of=at
    )
    ledgers = [ledger.as_data() for ledger in actions.explain(app, found.id, as_of=at)]
    identity.saw(app, reader, door="GET /sla/tickets", ticket_id=found.id)
    clocks = [ClockRow(**row) for row in rows.sort("clock", "window").iter_rows(named=True)]
    return TicketClocks(ticket=found.id, as_of=at, clocks=clocks, ledgers=ledgers)


SlaState = Literal["breached", "at_risk", "on_track", "met", "not_measured", "no_target", "no_clock"]
WORST_FIRST = get_args(SlaState)
CHOSEN = """WITH chosen AS (
 SELECT c.ticket, c.clock, c.state, list_position(?, c.state) AS place FROM sla_clocks c JOIN tickets t USING (ticket)
 WHERE c.is_current{filters}
), worst AS (SELECT ticket, list_extract(?, min(place)) AS state FROM chosen GROUP BY ticket)
"""
COUNTED = """SELECT NULL AS clock, state, count(*) AS n FROM worst WHERE list_contains(?, state) GROUP BY state
UNION ALL SELECT clock, chosen.state, count(*) FROM chosen JOIN worst USING (ticket)
 WHERE list_contains(?, worst.state) GROUP BY ALL"""


class Filters(Closed):
    """Which tickets are counted: those that fit every filter given; each may be given several times."""

    tier: list[Tier] = Field(default_factory=list, max_length=4)
    priority: list[Priority] = Field(default_factory=list, max_length=4)
    status: list[Status] = Field(default_factory=list, max_length=8)
    sla_state: list[SlaState] = Field(default_factory=list, max_length=7)


class Counts(Closed):
    """Tickets by the worst state of their current clocks, and their clocks by state. `breach_rate` is the share of the
    tickets, in per cent, that are breached; null where there are none."""

    as_of: datetime
    published_at: datetime
    total: int
    by_state: dict[State, int]
    by_clock: dict[Clock, dict[State, int]]
    breach_rate: float | None


@router.get("/dashboard")
def dashboard(request: Request, filters: Annotated[Filters, Query()], reader: READER) -> Counts:  # noqa: ARG001
    """How many tickets are in which state, all of them counted, as of the last publication."""
    marts = parts_of(request).marts()
    chosen = {name: words for name in ("tier", "priority", "status") if (words := getattr(filters, name))}
    sql = CHOSEN.format(filters="".join(f" AND list_contains(?, t.{name})" for name in chosen)) + COUNTED
    states = list(filters.sla_state or WORST_FIRST)
    words = [[str(word) for word in words] for words in chosen.values()]
    by_state: dict[State, int] = {}
    by_clock: dict[Clock, dict[State, int]] = {}
    found = marts.query(sql, [list(WORST_FIRST), *words, list(WORST_FIRST), states, states])
    for clock, state, count in found.iter_rows():
        (by_state if clock is None else by_clock.setdefault(Clock(clock), {}))[State(state)] = count
    total = sum(by_state.values())
    return Counts(
        as_of=marts.publication.as_of,
        published_at=marts.publication.published_at,
        total=total,
        by_state=by_state,
        by_clock=by_clock,
        breach_rate=round(100 * by_state.get(State.BREACHED, 0) / total, 2) if total else None,
    )
