"""How near ingest comes to its floor: CPU seconds beside plain `executemany` of the same rows, in turns.

    python -m benchmarks.ingest --tickets 3000 --rounds 5

Each round takes generated tickets into a fresh SQLite store, the same delivery again, and then writes the rows that
the store now holds into the same tables of another file, 500 a transaction. Medians of the rounds' ratios, since CPU
time on a shared machine sways; generating is not counted.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from engine.contracts import Delivery, IngestReport
from engine.storage import open_store
from pipelines.app.container import open_app
from pipelines.commands.bench import DAYS, START, deliveries, plain_writes


class Round(NamedTuple):
    """CPU seconds."""

    ingest: float
    repeat: float
    floor: float


def generated(tickets: int) -> list[Delivery]:
    from pipelines.jobs.people import bring_people

    with tempfile.TemporaryDirectory() as folder, open_app(home=Path(folder)) as app:
        bring_people(app, app.settings.data / "people")
        return list(deliveries(app, tickets))


def one_round(given: list[Delivery]) -> Round:
    """Raises AssertionError if the second delivery was not all known."""
    at = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(days=DAYS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "helmdesk.db"
        store = open_store(f"sqlite:///{file}")
        try:
            ingest, _ = timed(lambda: [store.ingest(delivery, at=at) for delivery in given])
            repeat, reports = timed(lambda: [store.ingest(delivery, at=at) for delivery in given])
        finally:
            store.close()
        assert sum(reports, IngestReport()) == IngestReport(skipped=sum(len(each.tickets) for each in given))
        return Round(ingest, repeat, plain_writes(file, Path(folder) / "floor.db"))


def timed(work: Callable[[], list[IngestReport]]) -> tuple[float, list[IngestReport]]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    sample = generated(given.tickets)
    rounds = [one_round(sample) for _ in range(given.rounds)]
    for name in Round._fields:
        seconds = statistics.median(getattr(each, name) for each in rounds)
        times = statistics.median(getattr(each, name) / each.floor for each in rounds)
        print(f"{name:>7}  {seconds:6.2f} s  {given.tickets / seconds:8,.0f} tickets/s  {times:5.2f} × the floor")


if __name__ == "__main__":
    main()
