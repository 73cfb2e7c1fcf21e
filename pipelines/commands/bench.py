"""How fast each stage is on this machine: generated tickets through a fresh app, stage by stage."""

import platform
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.contracts import Delivery
from engine.shared.errors import BadInput
from pipelines.app.container import App, open_app

SEED = 7
DAYS = 90
START = date(2026, 7, 3)
PREPARED = "prepare"


def bench(sizes: list[int], console: Console | None = None) -> None:
    """Print tickets per second of every stage and peak memory for each size, smallest first.

    Memory is the process's high-water mark so far, so only a larger size can raise it. Synthetic tickets. Raises
    BadInput, before anything runs, for a size below one.
    """
    if min(sizes) < 1:
        raise BadInput(f"--tickets {min(sizes)}: there is nothing to measure; give one or more, such as --tickets 1500")
    out = console or Console()
    out.print(f"Python {platform.python_version()}, {platform.machine()}, synthetic tickets, seed {SEED}, fresh SQLite")
    for size in sorted(sizes):
        out.print(_table(size, _measure(size)))


def _table(size: int, measured: dict[str, float]) -> Table:
    table = Table("stage", "seconds", "tickets/s", title=f"{size:,} tickets", title_justify="left")
    prepared = measured.pop(PREPARED)
    for stage, seconds in measured.items():
        table.add_row(stage, f"{seconds:.2f}", f"{size / seconds:,.0f}")
    total = sum(measured.values())
    table.add_row("all stages", f"{total:.2f}", f"{size / total:,.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table.caption = f"{prepared:.2f} s before that to open the models and index the knowledge, peak RSS {peak:,.0f} MiB"
    return table


def _measure(size: int) -> dict[str, float]:
    from pipelines.jobs.allocate import allocate
    from pipelines.jobs.evaluate_sla import evaluate_sla
    from pipelines.jobs.publish import publish
    from pipelines.jobs.triage_tickets import classify, draft
    from pipelines.samples.generate import generate

    measured: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = work()
        measured[stage] = time.perf_counter() - started
        return result

    with tempfile.TemporaryDirectory() as folder, open_app(home=Path(folder)) as app:
        at = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(days=DAYS)
        timed(PREPARED, lambda: _warm(app))
        sample = timed("generate", lambda: generate(size, seed=SEED, start=START, days=DAYS, people=app.people))
        delivery = Delivery(tickets=tuple(sample.tickets), events=tuple(sample.events))
        timed("ingest", lambda: app.store.ingest(delivery, at=at))
        timed("classify", lambda: classify(app, at=at))
        timed(f"draft (≤ {app.settings.draft_limit})", lambda: draft(app, at=at))
        timed("allocate", lambda: allocate(app, at=at))
        evaluated = timed("evaluate SLA", lambda: evaluate_sla(app, as_of=at))
        timed("publish", lambda: publish(app, as_of=at, clocks=evaluated.clocks))
    return measured


def _warm(app: App) -> None:
    """Open the parts before the clock runs: loading a model is not a stage."""
    from pipelines.jobs.people import bring_people

    bring_people(app, app.settings.data / "people")
    app.triage.sync_knowledge()
    _ = app.triage.classifier, app.triage.drafter
