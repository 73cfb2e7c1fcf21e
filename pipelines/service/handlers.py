"""The handler's system asks for decisions, and says what it did with them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Request
from pydantic import Field, model_validator
from starlette.concurrency import run_in_threadpool

from engine.access import Right
from engine.contracts import AllocationDecision, Event, Kind
from engine.shared.errors import NotAllowed, NotFound
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.allocate import allocate_one
from pipelines.jobs.cycle import CycleRun
from pipelines.service.bodies import Closed, Name, example
from pipelines.service.callers import Caller, caller
from pipelines.service.parts import Parts, parts_of

router = APIRouter(prefix="/handlers", tags=["handlers"])


class Wanted(Closed):
    """Whom to decide for: one ticket, or without it all that wait."""

    model_config = example({"ticket": "servicenow:INC0010023"}, {})
    ticket: Name | None = None


class Decided(Closed):
    """How many decisions there were, by outcome; `new` ones differ from the ticket's last. `decision` is that of the
    one ticket that was asked for."""

    allocated: int
    waiting: int
    no_skill: int
    new: int
    decision: AllocationDecision | None = None


class HandlerAnswer(Closed):
    """What the handler's system did with the last decision on a ticket."""

    model_config = example(
        {"ticket": "servicenow:INC0010023", "outcome": "accepted"},
        {"ticket": "INC0010023", "outcome": "reassigned", "group_id": "network", "reason": "on site"},
        {"ticket": "INC0010023", "outcome": "refused", "reason": "group is closed"},
    )
    ticket: Name
    outcome: Literal["accepted", "reassigned", "refused"]
    group_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    reason: Annotated[str, Field(max_length=1_000)] | None = None

    @model_validator(mode="after")
    def _group_where_it_went(self) -> "HandlerAnswer":
        if (self.outcome == "reassigned") != (self.group_id is not None):
            raise ValueError("group_id says to whom it was reassigned: give it then, and only then")
        return self


class Recorded(Closed):
    """The answer stands in the ticket's history; `new` is false where the same was there already."""

    ticket: str
    group_id: str | None
    new: bool


HandlerId = Annotated[
    str,
    Header(
        alias="X-Handler-ID", min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_-]+$", description="HELMDESK_HANDLER"
    ),
]


async def handler_caller(request: Request, handler: HandlerId, who: Annotated[Caller, Depends(caller)]) -> str:
    """Who acts: the handler in use, by the key of the source of its name, or somebody who supervises.

    Raises NotFound for a handler that is not in use, NotAllowed for others' keys.
    """
    app = parts_of(request).app
    if handler != app.handler.name:
        raise NotFound(f"{handler} is not the handler in use, which is {app.handler.name} (HELMDESK_HANDLER)")
    if who.user is not None:
        identity.require(app, who.user, Right.SUPERVISE, doing="acting for the handler")
        return who.user.id
    if who.source != handler:
        raise NotAllowed(f"this key is not one of {handler}: `helmdesk keys create --source {handler}` makes one")
    return handler


Actor = Annotated[str, Depends(handler_caller)]


@router.post("/allocate")
async def allocate(request: Request, wanted: Wanted, actor: Actor) -> Decided:  # noqa: ARG001
    """Decide who should get one ticket, or all that wait; the decisions are recorded and sent to the handler."""
    parts = parts_of(request)
    if wanted.ticket is None:
        counts = await parts.decisions.take(lambda: CycleRun(parts.app, parts.app.now()).stage("allocate"))
        return Decided.model_validate(counts)
    decision = await parts.decisions.take(lambda: _decide(parts, str(wanted.ticket)))
    counts = {name: int(decision.outcome == name) for name in ("allocated", "waiting", "no_skill")}
    return Decided(**counts, new=1, decision=decision)


def _decide(parts: Parts, ticket: str) -> AllocationDecision:
    with alone(parts.app, "allocate"):
        return allocate_one(parts.app, ticket, at=parts.app.now())


@router.post("/decisions/answer")
async def answer_decision(request: Request, answer: HandlerAnswer, actor: Actor) -> Recorded:
    """Call-back: the handler says that it accepted the last decision on a ticket, gave it to another group, or refused.

    A reassigned ticket has that group from then on; a refused one stays where it was decided, and a person sees why.
    """
    return await run_in_threadpool(_record, parts_of(request).app, answer, actor)


def _record(app: App, answer: HandlerAnswer, actor: str) -> Recorded:
    ticket = app.store.ticket(answer.ticket)
    number = len(app.store.decisions(ticket.id))
    if not number:
        raise NotAllowed(f"nothing was decided for {ticket.reference}: POST …/handlers/allocate decides")
    name = f"handler/{ticket.id}/decision/{number}/{answer.outcome}/{answer.group_id or ''}"
    moves = answer.outcome == "reassigned"
    event = Event(
        id=name,
        ticket_id=ticket.id,
        kind=Kind.GROUP if moves else Kind.MESSAGE,
        at=app.now(),
        value=answer.group_id,
        actor=actor,
        reason=answer.reason or f"{app.handler.name} {answer.outcome} the decision",
        data={"handler": app.handler.name, "handler_outcome": answer.outcome, "decision": number},
    )
    if any(known.id == name for known in app.store.history(ticket.id)):
        return Recorded(ticket=ticket.id, group_id=ticket.group_id, new=False)
    if moves:
        ticket = app.store.save(ticket.model_copy(update={"group_id": answer.group_id}), [event], at=event.at).ticket
    else:
        app.store.append([event], at=event.at)
    return Recorded(ticket=ticket.id, group_id=ticket.group_id, new=True)
