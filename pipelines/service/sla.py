"""Clocks by HTTP: of tickets that are given, of one that is kept, of all as published."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr

from engine.access import Right, User
from engine.contracts import Priority, Status, Tier
from pipelines import actions
from pipelines.app import identity
from pipelines.clock_replay import read_events, read_tickets, replay
from pipelines.service.callers import person
from pipelines.service.handlers import Name
from pipelines.service.parts import parts_of
from sla.contracts import Clock, State

router = APIRouter(prefix="/sla", tags=["sla"])
READER = Annotated[User, Depends(person(Right.READ, doing="reading clocks"))]


def _written(value: Any) -> Any:
    if not isinstance(value, str | datetime):
        raise ValueError("an instant is text such as 2026-03-02T09:15:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
Word = Annotated[StrictStr, Field(max_length=200)]
Key = Annotated[StrictStr, Field(min_length=1, max_length=300)]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "tickets": [{"id": "A-1", "created_at": "2026-03-02T09:15:00Z", "priority": "high"}],
                    "events": [{"ticket": "A-1", "ts": "2026-03-02T10:00:00Z", "kind": "response"}],
                    "as_of": "2026-03-02T12:00:00Z",
                }
            ]
        }
    )
    tickets: Annotated[list[GivenTicket], Field(min_length=1, max_length=1_000)]
    events: Annotated[list[GivenEvent], Field(max_length=20_000)] = []
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
    """`ledgers` has, for each window of each promised clock, every interval that was counted, paused or out of hours."""

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


@router.get("/tickets/{ticket}")
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
    rows = replay(read_tickets(app.store, ticket=found.id), read_events(app.store, rules, ticket=found.id), rules, as_of=at)
    ledgers = [ledger.as_data() for ledger in actions.explain(app, found.id, as_of=at)]
    identity.saw(app, reader, door="GET /sla/tickets", ticket_id=found.id)
    clocks = [ClockRow(**row) for row in rows.sort("clock", "window").iter_rows(named=True)]
    return TicketClocks(ticket=found.id, as_of=at, clocks=clocks, ledgers=ledgers)


class Counts(Closed):
    """Tickets by the worst state of their current clocks; `breach_rate` is the share of them, in per cent, that are
    breached, null where there are none."""

    as_of: datetime
    published_at: datetime
    total: int
    by_state: dict[State, int]
    by_clock: dict[Clock, dict[State, int]]
    breach_rate: float | None


SlaState = Literal["on_track", "at_risk", "breached", "met", "not_measured", "no_target", "no_clock"]
WORST_FIRST = ("breached", "at_risk", "on_track", "met", "not_measured", "no_target", "no_clock")
CHOSEN = """SELECT c.ticket, c.clock, c.state, list_position(?, c.state) AS place
 FROM sla_clocks c JOIN tickets t USING (ticket) WHERE c.is_current"""


@router.get("/dashboard")
def dashboard(
    request: Request,
    reader: READER,  # noqa: ARG001
    tier: Annotated[list[Tier], Query(max_length=4)] = [],  # noqa: B006
    priority: Annotated[list[Priority], Query(max_length=4)] = [],  # noqa: B006
    status: Annotated[list[Status], Query(max_length=8)] = [],  # noqa: B006
    sla_state: Annotated[list[SlaState], Query(max_length=7)] = [],  # noqa: B006
) -> Counts:
    """How many tickets are in which state, all of them counted, as of the last publication."""
    marts = parts_of(request).marts()
    values: list[object] = [list(WORST_FIRST)]
    sql = CHOSEN
    for column, words in (("t.tier", tier), ("t.priority", priority), ("t.status", status)):
        if words:
            sql += f" AND list_contains(?, {column})"
            values.append([str(word) for word in words])
    whole = f"WITH chosen AS ({sql}), worst AS (SELECT ticket, list_extract(?, min(place)) AS state FROM chosen GROUP BY ticket)"
    values.append(list(WORST_FIRST))
    if sla_state:
        whole += ", kept AS (SELECT * FROM worst WHERE list_contains(?, state))"
        values.append(list(sla_state))
    names = "kept" if sla_state else "worst"
    found = marts.query(
        f"{whole} SELECT NULL AS clock, state, count(*) AS n FROM {names} GROUP BY state"
        f" UNION ALL SELECT clock, chosen.state, count(*) FROM chosen JOIN {names} USING (ticket) GROUP BY ALL",
        values,
    )
    by_state: dict[State, int] = {}
    by_clock: dict[Clock, dict[State, int]] = {}
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
