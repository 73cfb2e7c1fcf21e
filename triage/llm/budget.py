"""How much may be asked of hosted models in a day: calls, tokens and money, shared by every process on one database."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from pydantic import Field
from sqlalchemy import Engine, select, update

from engine.contracts import Frozen
from engine.shared.columns import insert_into
from triage.llm.tables import llm_redactions, llm_usage


class Limits(Frozen):
    """The most of each in one UTC day; the first that is used up ends the day's calls. Zero means none at all."""

    calls: Annotated[int, Field(ge=0)]
    tokens: Annotated[int, Field(ge=0)]
    usd: Annotated[float, Field(ge=0)]


class Spent(NamedTuple):
    """One day's use; `calls` are HTTP requests, `cost` is in US dollars, `refused` the calls that no longer fitted."""

    calls: int
    tokens: int
    cost: float
    refused: int


class Hidden(NamedTuple):
    """How many placeholders of one kind went out in a day, and in how many calls."""

    calls: int
    placeholders: int


class Reservation(NamedTuple):
    """What a call may cost at most, booked on its day."""

    day: str
    tokens: int
    cost: float


class Budget:
    """Every call is booked at its worst case before it is made and corrected after it: a limit is never passed.

    A process that dies in between leaves its worst case booked until midnight UTC.
    """

    def __init__(self, engine: Engine, limits: Limits, *, clock: Callable[[], datetime]) -> None:
        self.limits = limits
        self._engine, self._clock = engine, clock

    def reserve(self, *, tokens: int, cost: float, hidden: Mapping[str, int] | None = None) -> Reservation | None:
        """Book one call of at most so many tokens and US dollars, with so many placeholders of each kind in it; None
        where it does not fit any more."""
        day, most = self._today(), self.limits
        used = llm_usage.c
        fits = (
            update(llm_usage)
            .where(
                used.day == day,
                used.calls + 1 <= most.calls,
                used.tokens + tokens <= most.tokens,
                used.cost + cost <= most.usd,
            )
            .values(calls=used.calls + 1, tokens=used.tokens + tokens, cost=used.cost + cost)
        )
        with self._engine.begin() as connection:
            _start(connection, day)
            if connection.execute(fits).rowcount:
                _count(connection, day, hidden or {})
                return Reservation(day, tokens, cost)
            connection.execute(update(llm_usage).where(used.day == day).values(refused=used.refused + 1))
            return None

    def settle(self, reservation: Reservation, *, tokens: int, cost: float) -> None:
        """Put what the call has really used in the place of its worst case."""
        used = llm_usage.c
        changed = {
            "tokens": used.tokens + (tokens - reservation.tokens),
            "cost": used.cost + (cost - reservation.cost),
        }
        with self._engine.begin() as connection:
            connection.execute(update(llm_usage).where(used.day == reservation.day).values(**changed))

    def spent(self) -> Spent:
        """Today's use so far, with the worst case of calls under way."""
        used = llm_usage.c
        today = select(used.calls, used.tokens, used.cost, used.refused).where(used.day == self._today())
        with self._engine.connect() as connection:
            row = connection.execute(today).first()
        return Spent(row.calls, row.tokens, max(0.0, row.cost), row.refused) if row else Spent(0, 0, 0.0, 0)

    def hidden(self) -> dict[str, Hidden]:
        """What was hidden today, by kind."""
        rows = select(llm_redactions).where(llm_redactions.c.day == self._today()).order_by(llm_redactions.c.kind)
        with self._engine.connect() as connection:
            return {row.kind: Hidden(row.calls, row.placeholders) for row in connection.execute(rows)}

    def _today(self) -> str:
        return self._clock().astimezone(UTC).date().isoformat()


def _start(connection: Any, day: str) -> None:
    row = {"day": day, "calls": 0, "tokens": 0, "cost": 0.0, "refused": 0}
    connection.execute(insert_into(llm_usage, connection).values(row).on_conflict_do_nothing(index_elements=["day"]))


def _count(connection: Any, day: str, hidden: Mapping[str, int]) -> None:
    rows = [{"day": day, "kind": kind, "calls": 1, "placeholders": count} for kind, count in sorted(hidden.items())]
    if rows:
        new, held = insert_into(llm_redactions, connection), llm_redactions.c
        more = {"calls": held.calls + 1, "placeholders": held.placeholders + new.excluded.placeholders}
        connection.execute(new.on_conflict_do_update(index_elements=["day", "kind"], set_=more), rows)
