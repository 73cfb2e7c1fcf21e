"""One cycle: the store is read once, the clocks are replayed once, and no stage that fails holds up another."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner, Result

from engine.contracts import AssignmentGroup, Delivery, Event, Kind, StandardTicket
from engine.shared.errors import StageFailed
from engine.storage import connect
from engine.storage.sql import SqlStore
from pipelines.app.container import App, open_app
from pipelines.cli import command_line, exit_code
from pipelines.jobs.allocate import allocate
from pipelines.jobs.cycle import STAGES, CycleRun, cycle, repeat
from pipelines.marts import MartReader, current
from pipelines.snapshot import Snapshot
from sla.clocks.batch import evaluate as clocks
from tests.pipelines.small_desk import AS_OF, fill_inbox
from tests.pipelines.test_locks import another_process
from tests.pipelines.test_repeat import Enough, Pauses

QUICK = {"embedder": "wordllama"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_app(home=tmp_path, **QUICK) as opened:
        opened.store.put([AssignmentGroup(group_id="g", name="G", max_bandwidth=99)])
        yield opened


def command(app: App, *words: str) -> Result:
    """Within this process, so that what it reads can be counted."""
    return CliRunner().invoke(
        command_line, ["--home", str(app.settings.home), *words], env={"HELMDESK_EMBEDDER": "wordllama"}
    )


class Reads(Counter[str]):
    """Whole tables read from a store, and evaluations of clocks; what is asked by key is not counted, nor is a look at
    the versions alone."""

    def watch(self, patched: pytest.MonkeyPatch) -> "Reads":
        frame, tickets, evaluate = SqlStore.frame, SqlStore.tickets, clocks.evaluate

        def counted_frame(store: SqlStore, table: str, *given: Any, **options: Any) -> pl.DataFrame:
            where = options.get("where") or {}
            columns = given[0] if given else options.get("columns")
            if not {"id", "ticket_id"} & where.keys() and columns != ["id", "version"]:
                self[table] += 1
            return frame(store, table, *given, **options)

        def counted_tickets(store: SqlStore, **given: Any) -> Any:
            if given.get("ids") is None and given.get("limit") is None:
                self["tickets"] += 1
            return tickets(store, **given)

        def counted_evaluate(*given: Any) -> pl.DataFrame:
            self["evaluations"] += 1
            return evaluate(*given)

        patched.setattr(SqlStore, "frame", counted_frame)
        patched.setattr(SqlStore, "tickets", counted_tickets)
        patched.setattr(clocks, "evaluate", counted_evaluate)
        return self


ONCE = {"tickets": 1, "events": 1, "evaluations": 1}


def test_a_cycle_reads_tickets_and_events_once_and_evaluates_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_inbox(app.settings.home, tickets=40)
    for _ in range(2):
        reads = Reads()
        with monkeypatch.context() as patched:
            reads.watch(patched)
            assert command(app, "cycle", "--as-of", AS_OF.isoformat()).exit_code == 0
        assert {name: reads[name] for name in ONCE} == ONCE


def test_snapshot_of_each_stage_is_what_a_fresh_read_gives(app: App) -> None:
    fill_inbox(app.settings.home, tickets=120)
    run = CycleRun(app, AS_OF)
    for name in STAGES:
        run.stage(name)
        fresh = Snapshot(app, AS_OF)
        run.snapshot = run.snapshot.caught_up()
        for part, handed_on in list(vars(run.snapshot).items()):
            if isinstance(handed_on, pl.DataFrame):
                assert_frame_equal(handed_on, getattr(fresh, part), check_row_order=False)
        _ = [getattr(run.snapshot, part) for part in READ]
    assert run.counts["allocate"]["allocated"] > 0
    assert run.counts["enrich"]["enriched"] == run.counts["triage"]["classified"] == 120


READ = ("standings", "tickets", "ticket_clocks", "queue", "latest_claims", "latest_drafts", "latest_decisions",
        "enrichments", "related", "alerts")  # fmt: skip


def test_clocks_follow_the_group_that_a_ticket_is_given_where_a_promise_depends_on_the_team(
    app: App, tmp_path: Path
) -> None:
    import shutil

    from pipelines.app.settings import shipped_data

    data = tmp_path / "own"
    shutil.copytree(shipped_data(), data, ignore=shutil.ignore_patterns("tickets", "knowledge"))
    (data / "knowledge").mkdir()
    file = data / "policies" / "sla" / "default.yaml"
    text = file.read_text(encoding="utf-8")
    assert "policies:\n" in text
    own = "policies:\n  - {name: ours, team: g, resolution: 1h, first_response: 5m}\n"
    file.write_text(text.replace("policies:\n", own, 1), encoding="utf-8")
    fill_inbox(app.settings.home, tickets=120)
    with open_app(home=tmp_path, data=data, **QUICK) as own_app:
        run = CycleRun(own_app, AS_OF)
        for name in STAGES:
            run.stage(name)
        assert "ours" in run.snapshot.clocks["policy"]
        assert_frame_equal(run.snapshot.clocks, Snapshot(own_app, AS_OF).clocks, check_row_order=False)


def test_a_failing_stage_holds_up_no_other_and_is_the_exit_code(app: App) -> None:
    fill_inbox(app.settings.home, tickets=12)
    home = str(app.settings.home)
    nowhere = {"HELMDESK_HANDLER": "servicenow", "HELMDESK_EMBEDDER": "wordllama"}
    done = CliRunner().invoke(command_line, ["--home", home, "cycle", "--as-of", AS_OF.isoformat()], env=nowhere)
    assert isinstance(done.exception, StageFailed)
    assert exit_code(done.exception) == 11 + list(STAGES).index("allocate") == 15
    assert str(done.exception).startswith("allocate: HELMDESK_HANDLER=servicenow needs HELMDESK_HANDLER_URL")
    assert "deliver: HELMDESK_HANDLER" in str(done.exception)
    assert "(done: ingest, triage, evaluate, enrich, publish)" in str(done.exception)
    assert current(app.settings.marts_folder).rows["tickets"] == 12


def test_what_a_broken_stage_kept_is_in_the_next_ones_snapshot(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_inbox(app.settings.home, tickets=12)
    run = CycleRun(app, AS_OF)
    run.stage("ingest")
    monkeypatch.setattr("pipelines.jobs.triage_tickets.draft", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.stage("triage")
    assert run.snapshot.latest_claims.height == 12
    run.stage("publish")
    with pytest.raises(StageFailed, match=r"triage: ZeroDivisionError .*\(done: ingest, publish\)"):
        run.check()


def test_a_stage_that_somebody_else_does_is_left_out(app: App) -> None:
    fill_inbox(app.settings.home, tickets=12)
    with another_process(app.settings.store_url, "evaluate"):
        cycle(app, as_of=AS_OF).close()
    assert app.store.frame("sla_alerts").is_empty()
    assert app.store.frame("classifications").height == 12
    cycle(app, as_of=AS_OF + timedelta(seconds=1)).close()
    assert not app.store.frame("sla_alerts").is_empty()


def test_rounds_go_on_when_a_locked_store_is_free_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "BUSY_TIMEOUT_MS", 50)
    said = list[str]()
    with open_app(home=tmp_path, **QUICK) as app:
        fill_inbox(tmp_path, tickets=6)
        assert app.store.counts()["tickets"] == 0
        with closing(sqlite3.connect(tmp_path / "helmdesk.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            pauses = Pauses(lambda: other.execute("ROLLBACK"))
            with pytest.raises(Enough):
                repeat(app, every=timedelta(minutes=1), wait=pauses, report=said.append)
        assert ["failed" in line for line in said] == [True, False]
        assert "is locked" in said[0]
        assert app.store.counts()["tickets"] == 6


def meanwhile(app: App, **changes: Any) -> None:
    """Another process takes in what became of the first ticket while a cycle is between two stages."""
    first = min(app.store.tickets(), key=lambda ticket: ticket.id)
    given = StandardTicket(
        ticket_id=first.external_id, source=first.source, title=first.subject, created_at=first.created_at,
        updated_at=AS_OF, **changes,
    )  # fmt: skip
    solved = Event(ticket_id=first.id, kind=Kind.STATUS, at=AS_OF - timedelta(hours=1), value="resolved", id="solved")
    app.store.ingest(Delivery(tickets=(given,), events=(solved,)), at=AS_OF)


def test_a_ticket_that_is_solved_while_triage_runs_is_solved_in_every_mart(app: App) -> None:
    opened = StandardTicket(ticket_id="1", source="web", title="VPN down", created_at=AS_OF - timedelta(hours=3))
    app.store.ingest(Delivery(tickets=(opened,)), at=AS_OF)
    run = CycleRun(app, AS_OF)
    run.stage("ingest")
    run.stage("triage")
    assert "tickets_now" in vars(run.snapshot)
    meanwhile(app, status="resolved", resolved_at=AS_OF - timedelta(hours=1))
    for name in ("evaluate", "enrich", "allocate", "publish"):
        run.stage(name)
    with MartReader(app.settings.marts_folder) as reader:
        assert reader.frame("tickets")["is_open"].to_list() == [False]
        assert reader.frame("sla_clocks").filter(clock="resolution")["state"].to_list() == ["met"]
        assert reader.frame("volume")["open_at_end"].to_list()[-1] == 0
        assert reader.frame("work_queue").is_empty()


def test_a_group_that_was_filled_while_triage_ran_gets_no_more(app: App) -> None:
    app.store.put([AssignmentGroup(group_id="g", name="G", max_bandwidth=1)])
    given = [
        StandardTicket(ticket_id=key, source="web", title="Invoice", created_at=AS_OF - timedelta(hours=3))
        for key in "123"
    ]
    app.store.ingest(Delivery(tickets=tuple(given)), at=AS_OF)
    run = CycleRun(app, AS_OF)
    run.stage("ingest")
    run.stage("triage")
    elsewhere = allocate(app, Snapshot(app, AS_OF)).allocated
    run.stage("evaluate")
    here = run.stage("allocate")["allocated"]
    assert (elsewhere, here) == (1, 0)
    assert app.store.frame("tickets")["group_id"].drop_nulls().len() == 1


def test_what_the_desk_notes_by_itself_makes_nothing_anew(app: App) -> None:
    fill_inbox(app.settings.home, tickets=20)
    run = CycleRun(app, AS_OF)
    for name in ("ingest", "triage", "evaluate"):
        run.stage(name)
    clocks = run.snapshot.clocks
    app.store.append([Event(ticket_id=app.store.tickets()[0].id, kind=Kind.REMINDER, at=AS_OF)], at=AS_OF)
    assert run.snapshot.caught_up().clocks is clocks
