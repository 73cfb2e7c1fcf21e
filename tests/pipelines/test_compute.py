"""A backlog in partitions gives the clocks of the whole, on threads and on Dask."""

from collections.abc import Callable
from functools import partial

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.shared.errors import Unavailable
from pipelines.app.people_files import load_people
from pipelines.app.settings import shipped_data
from pipelines.clock_replay import evaluated
from pipelines.compute import over_partitions, partitioned, parts_for
from pipelines.samples.generate import generate
from sla.policy.calendar_files import load as load_calendars
from sla.policy.parser import load as load_policies
from tests.pipelines.small_desk import AS_OF, START

Part = tuple[pl.DataFrame, pl.DataFrame]


@pytest.fixture(scope="module")
def backlog() -> Part:
    sample = generate(300, seed=5, start=START, days=14, people=load_people(shipped_data() / "people"))
    tickets = pl.DataFrame(
        {"id": [t.key for t in sample.tickets], "created_at": [t.created_at for t in sample.tickets]}
    )
    rows = [(e.ticket_id, e.at, e.kind.value, e.value) for e in sample.events]
    return tickets, pl.DataFrame(rows, schema=["ticket", "ts", "kind", "value"], orient="row")


def work() -> Callable[[Part], pl.DataFrame]:
    """What the job sends to each partition, policies and calendars with it."""
    policies = shipped_data() / "policies"
    targets, calendars = load_policies(policies / "sla/default.yaml"), load_calendars(policies / "calendars.yaml")
    return partial(evaluated, policies=targets, calendars=calendars, as_of=AS_OF)


def cut(backlog: Part, parts: int) -> list[Part]:
    tickets, events = backlog
    return list(zip(partitioned(tickets, "id", parts), partitioned(events, "ticket", parts), strict=True))


def ordered(clocks: pl.DataFrame) -> pl.DataFrame:
    return clocks.sort("ticket", "clock", "window")


def test_partitions_together_are_the_whole(backlog: Part) -> None:
    assert parts_for(0) == parts_for(250_000) == 1
    assert parts_for(250_001) == 2
    assert_frame_equal(ordered(over_partitions(work(), cut(backlog, 4))), ordered(work()(backlog)))


@pytest.mark.slow
def test_dask_gives_the_same_clocks(backlog: Part) -> None:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://", dashboard_address=None, host="127.0.0.1"
    ) as one:
        found = over_partitions(work(), cut(backlog, 4), dask_address=one.scheduler_address)
    assert_frame_equal(ordered(found), ordered(work()(backlog)))


def test_absent_scheduler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.compute.CONNECT_SECONDS", 1)
    with pytest.raises(Unavailable, match=r"tcp://127\.0\.0\.1:9"):
        over_partitions(work(), [], dask_address="tcp://127.0.0.1:9")
