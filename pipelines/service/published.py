"""What was last published and no use case of the desk gives: tickets outside their contract, a week's signals."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from engine.access import Right, User
from engine.cases import Backlog
from pipelines import actions
from pipelines.app import identity
from pipelines.jobs import backlogs
from pipelines.service.bodies import Closed
from pipelines.service.callers import person
from pipelines.service.parts import parts_of

router = APIRouter(prefix="/desk", tags=["published"])


class Outside(Closed):
    """A ticket that lies outside what its customer is entitled to; `company` is None where it has no name here."""

    reference: str
    company: str | None
    because: str


class Signal(Closed):
    """What the closing of a ticket tells a backlog."""

    backlog: Backlog
    ticket: str
    reference: str
    summary: str
    closed_at: datetime
    product: str | None
    category: str
    priority: str
    company_id: str | None
    csat: int | None
    nps: int | None


class Signals(Closed):
    """Those of the week that begins on `monday`."""

    monday: date
    signals: list[Signal]


@router.get("/outside")
def outside(
    request: Request, reader: Annotated[User, Depends(person(Right.READ, doing="`desk outside`"))]
) -> list[Outside]:
    """Open tickets that lie outside what their customer is entitled to, and why."""
    parts = parts_of(request)
    found = actions.outside(parts.marts())
    identity.saw(parts.app, reader, door="GET /desk/outside")
    return [Outside(reference=reference, company=company, because=why) for reference, company, why in found.iter_rows()]


@router.get("/backlogs")
def week_of_backlogs(
    request: Request,
    reader: Annotated[User, Depends(person(Right.EXPORT, doing="`backlogs export`"))],
    week: Annotated[str | None, Query(description="Such as 2026-W48; last week unless it is given.")] = None,
) -> Signals:
    """A week's signals to the backlogs of reliability, product and docs."""
    parts = parts_of(request)
    monday = backlogs.monday_of(week) if week else backlogs.week_before(parts.app, parts.app.now())
    found = backlogs.signals_of(parts.marts(), monday).select(list(Signal.model_fields))
    identity.saw(parts.app, reader, door="GET /desk/backlogs")
    return Signals(monday=monday, signals=[Signal(**row) for row in found.iter_rows(named=True)])
