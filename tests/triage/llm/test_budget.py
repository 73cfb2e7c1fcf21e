"""A day's budget for hosted models is never passed, also not by two processes at once."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from tests.processes import meet
from tests.triage.conftest import MONDAY, monday
from triage.llm.budget import Budget, Limits, Spent
from triage.llm.tables import metadata

ROOM = Limits(calls=10, tokens=1000, usd=1.0)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    if request.param == "sqlite":
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'desk.db'}", connect_args={"timeout": 30})
    else:
        engine = sa.create_engine(request.getfixturevalue("new_database")())
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("limits", "granted"),
    [
        (Limits(calls=3, tokens=10_000, usd=9), 3),
        (Limits(calls=99, tokens=250, usd=9), 2),
        (Limits(calls=99, tokens=10_000, usd=0.35), 3),
        (Limits(calls=0, tokens=10_000, usd=9), 0),
    ],
)
def test_the_first_limit_reached_ends_the_day(database: sa.Engine, limits: Limits, granted: int) -> None:
    budget = Budget(database, limits, clock=monday)
    booked = [budget.reserve(tokens=100, cost=0.1) for _ in range(5)]
    assert [reservation is not None for reservation in booked] == [True] * granted + [False] * (5 - granted)
    assert budget.spent() == Spent(granted, 100 * granted, pytest.approx(0.1 * granted), 5 - granted)


def test_what_was_not_used_is_given_back(database: sa.Engine) -> None:
    budget = Budget(database, ROOM, clock=monday)
    booked = budget.reserve(tokens=1000, cost=1.0)
    assert booked is not None
    assert budget.reserve(tokens=1, cost=0.0) is None
    budget.settle(booked, tokens=40, cost=0.25)
    assert budget.spent() == Spent(1, 40, pytest.approx(0.25), 1)
    assert budget.reserve(tokens=960, cost=0.75) is not None


def test_a_new_utc_day_starts_empty(database: sa.Engine) -> None:
    budget = Budget(database, ROOM, clock=lambda: datetime(2026, 3, 2, 23, 59, tzinfo=UTC))
    assert budget.reserve(tokens=1000, cost=0.0) is not None
    assert budget.reserve(tokens=1, cost=0.0) is None
    evening = datetime(2026, 3, 2, 19, 1, tzinfo=ZoneInfo("America/New_York"))
    assert Budget(database, ROOM, clock=lambda: evening).reserve(tokens=1000, cost=0.0) is not None


def test_a_call_is_settled_on_the_day_it_was_booked(database: sa.Engine) -> None:
    times = [MONDAY]
    budget = Budget(database, ROOM, clock=lambda: times[0])
    booked = budget.reserve(tokens=500, cost=0.5)
    assert booked is not None
    times[0] = MONDAY + timedelta(days=1)
    budget.settle(booked, tokens=10, cost=0.01)
    assert budget.spent() == Spent(0, 0, 0.0, 0)
    times[0] = MONDAY
    assert budget.spent().tokens == 10


def reserve_as_process(url: str) -> int:
    engine = sa.create_engine(url, connect_args={"timeout": 30} if url.startswith("sqlite") else {})
    budget = Budget(engine, Limits(calls=25, tokens=10**6, usd=9), clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))
    meet()
    return sum(budget.reserve(tokens=1, cost=0.0) is not None for _ in range(20))


def test_two_processes_share_one_budget(database: sa.Engine, process_pool: ProcessPoolExecutor) -> None:
    given = process_pool.map(reserve_as_process, [database.url.render_as_string(hide_password=False)] * 2)
    assert sum(given) == 25
