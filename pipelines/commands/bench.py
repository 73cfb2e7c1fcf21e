"""How fast each stage is on this machine: generated tickets through a fresh desk, stage by stage, in CPU seconds."""

import json
import platform
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from engine.contracts import Delivery
from engine.shared.errors import BadInput
from pipelines.app.container import App, open_app

SEED = 7
DAYS = 90
START = date(2026, 7, 3)
PREPARED, INGEST, REPEAT = "prepare", "ingest", "ingest again"
DELIVERY = 2_000
"""Tickets that are generated and delivered at once, as a source plugin does."""
PER_TRANSACTION = 500
WRITTEN = ("tickets", "events")


class Measured(NamedTuple):
    """CPU seconds of the stages of one size, and of writing its tickets and events by plain `executemany`."""

    tickets: int
    seconds: dict[str, float]
    floor: float


def bench(sizes: list[int], console: Console | None = None, *, as_json: bool = False) -> None:
    """Print CPU seconds and tickets per second of every stage and peak memory for each size, smallest first.

    Beside ingest stands its floor: the same rows by plain `executemany` into the same tables of a fresh SQLite file.
    Memory is the process's high-water mark so far, so only a larger size can raise it. Synthetic tickets. Raises
    BadInput, before anything runs, for a size below one.
    """
    if min(sizes) < 1:
        raise BadInput(f"--tickets {min(sizes)}: there is nothing to measure; give one or more, such as --tickets 1500")
    out = console or Console()
    where = {"python": platform.python_version(), "machine": platform.machine(), "seed": SEED, "store": "fresh SQLite"}
    if as_json:
        out.print_json(json.dumps({**where, "sizes": [_report(measure(size)) for size in sorted(sizes)]}))
        return
    out.print("CPU time, Python {python}, {machine}, synthetic tickets, seed {seed}, {store}".format_map(where))
    for size in sorted(sizes):
        out.print(_table(_report(measure(size))))


def measure(size: int) -> Measured:
    """One run of every stage over `size` generated tickets in a store of its own."""
    from pipelines.jobs.cycle import STAGES, CycleRun

    seconds: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], Any]) -> Any:
        started = _cpu()
        result = work()
        seconds[stage] = seconds.get(stage, 0.0) + _cpu() - started
        return result

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        database = home / "helmdesk.db"
        with open_app(home=home, database_url=f"sqlite:///{database}") as app:
            at = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(days=DAYS)
            timed(PREPARED, lambda: _warm(app))
            waiting = deliveries(app, size)
            while delivery := timed("generate", lambda: next(waiting, None)):
                timed(INGEST, partial(app.store.ingest, delivery, at=at))
                timed(REPEAT, partial(app.store.ingest, delivery, at=at))
            floor = plain_writes(database, home / "floor.db")
            run = CycleRun(app, at)
            for name in [name for name in STAGES if name != INGEST]:
                timed(name, partial(run.stage, name))
    return Measured(size, seconds, floor)


def deliveries(app: App, size: int) -> Iterator[Delivery]:
    """Generated tickets with their histories, made as they are asked for."""
    from pipelines.samples.generate import stream

    made = stream(size, seed=SEED, start=START, days=DAYS, people=app.people)
    while some := list(islice(made, DELIVERY)):
        yield Delivery(
            tickets=tuple(one.ticket for one in some), events=tuple(event for one in some for event in one.events)
        )


def plain_writes(database: Path, target: Path) -> float:
    """CPU seconds to write the tickets and events of a SQLite store into a new file with the same tables, indexes and
    settings, 500 rows a transaction. Reading them is not counted.
    """
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode = WAL")
        copy.execute("PRAGMA synchronous = NORMAL")
        copy.execute("PRAGMA foreign_keys = ON")
        made = source.execute("SELECT sql FROM sqlite_master WHERE tbl_name IN (?, ?) AND sql IS NOT NULL", WRITTEN)
        for (statement,) in made:
            copy.execute(statement)
        return sum(_written(source.execute(f"SELECT * FROM {table}"), copy, table) for table in WRITTEN)


def _written(found: sqlite3.Cursor, copy: sqlite3.Connection, table: str) -> float:
    seconds = 0.0
    insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(found.description))})"
    while rows := found.fetchmany(PER_TRANSACTION):
        started = _cpu()
        copy.execute("BEGIN IMMEDIATE")
        copy.executemany(insert, rows)
        copy.execute("COMMIT")
        seconds += _cpu() - started
    return seconds


def _cpu() -> float:
    """CPU seconds of this process, all its threads, and the children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _warm(app: App) -> None:
    """Open the parts before the clock runs: loading a model is not a stage."""
    from pipelines.jobs.people import bring_people

    bring_people(app, app.settings.data / "people")
    app.triage.sync_knowledge()
    _ = app.triage.classifier, app.triage.drafter


def _report(measured: Measured) -> dict[str, Any]:
    size, seconds = measured.tickets, dict(measured.seconds)
    prepared = seconds.pop(PREPARED)
    stages: dict[str, dict[str, Any]] = {stage: _pace(size, used) for stage, used in seconds.items()}
    for stage in (INGEST, REPEAT):
        stages[stage] |= {"floor": _pace(size, measured.floor), "times_the_floor": _times(seconds[stage], measured)}
    return {
        "tickets": size,
        "prepare_cpu_seconds": round(prepared, 3),
        "stages": stages,
        "all_stages": _pace(size, sum(used for stage, used in seconds.items() if stage != REPEAT)),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _pace(size: int, used: float) -> dict[str, Any]:
    return {"cpu_seconds": round(used, 3), "tickets_per_second": round(size / max(used, 0.001), 1)}


def _times(used: float, measured: Measured) -> float:
    return round(used / max(measured.floor, 0.001), 2)


def _table(report: dict[str, Any]) -> Table:
    table = Table("stage", "CPU seconds", "tickets/s", title=f"{report['tickets']:,} tickets", title_justify="left")
    for stage, pace in [*report["stages"].items(), ("all stages", report["all_stages"])]:
        table.add_row(stage, *_cells(pace))
        if stage == REPEAT:
            table.add_row("  floor of both: plain executemany", *_cells(pace["floor"]))
    table.caption = (
        f"ingest takes {report['stages'][INGEST]['times_the_floor']} times its floor, again "
        f"{report['stages'][REPEAT]['times_the_floor']}; {report['prepare_cpu_seconds']:.2f} s before that to open the "
        f"models and index the knowledge, peak RSS {report['peak_rss_mib']:,} MiB; all stages without ingest again"
    )
    return table


def _cells(pace: dict[str, Any]) -> tuple[str, str]:
    return f"{pace['cpu_seconds']:.2f}", f"{pace['tickets_per_second']:,.0f}"
