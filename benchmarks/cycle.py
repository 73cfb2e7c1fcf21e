"""What 20 new tickets cost: CPU seconds of `helmdesk cycle`, a process each time, on stores of several sizes.

    python -m benchmarks.cycle --sizes 1500 20000 --rounds 3

Each size gets a home of its own: generated tickets (synthetic) are taken in and one cycle with the quick embedder
makes them old. Then, with the default embedder, one cycle with 20 more warms it up, `--rounds` cycles with 20 more each
are counted, and one with nothing new. The homes are measured in turns, since CPU time on a shared machine sways.
`--flood N` adds a home where N tickets say nearly the same and so do the 20 new ones.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from engine.contracts import Delivery, StandardTicket
from pipelines.app.container import open_app
from pipelines.commands.bench import DAYS, SEED, START
from pipelines.samples.generate import stream

NEW = 20
AT = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(days=DAYS)
QUICK = {"HELMDESK_EMBEDDER": "wordllama", "HELMDESK_DRAFT_LIMIT": "1000000"}


class Home:
    """A desk of so many tickets and those that come next."""

    def __init__(self, folder: Path, tickets: int, rounds: int, *, flood: bool) -> None:
        self.folder, self.tickets, self.flood = folder, tickets, flood
        with open_app(home=folder) as app:
            from pipelines.jobs.people import bring_people

            bring_people(app, app.settings.data / "people")
            made = stream(tickets + NEW * (rounds + 1), seed=SEED, start=START, days=DAYS, people=app.people)
            ordered = sorted(made, key=lambda one: one.ticket.created_at)
        self.waiting: Iterator[Delivery] = iter(
            [
                Delivery(
                    tickets=tuple(self.worded(one.ticket) for one in some),
                    events=tuple(event for one in some for event in one.events),
                )
                for some in [ordered[:tickets], *(ordered[n : n + NEW] for n in range(tickets, len(ordered), NEW))]
            ]
        )
        self.more()
        self.cycle(QUICK)
        for file in folder.glob("knowledge.milvus.db*"):  # the index knows the embedder it was made with
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        self.more()
        self.cycle({})

    def worded(self, ticket: StandardTicket) -> StandardTicket:
        if not self.flood:
            return ticket
        text = f"disk /var on host {ticket.ticket_id} is {len(ticket.title)} % full, threshold exceeded"
        words = {"title": f"[ALERT] {text}", "description": f"Monitoring: {text}. Please check."}
        return ticket.model_copy(update=words)

    def more(self) -> None:
        with open_app(home=self.folder) as app:
            for delivery in islice(self.waiting, 1):
                app.store.ingest(delivery, at=AT)

    def cycle(self, environment: dict[str, str]) -> float:
        """CPU seconds of the whole process."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [
            sys.executable,
            "-m",
            "pipelines.cli",
            "--home",
            str(self.folder),
            "cycle",
            "--as-of",
            AT.isoformat(),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_500, 20_000])
    parser.add_argument("--flood", type=int, nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes = [(size, False) for size in given.sizes] + [(size, True) for size in given.flood]
        homes = [Home(Path(folder) / f"{size}-{flood}", size, given.rounds, flood=flood) for size, flood in sizes]
        seconds: dict[str, list[list[float]]] = {"20 new": [[] for _ in homes], "nothing new": [[] for _ in homes]}
        for _ in range(given.rounds):
            for number, home in enumerate(homes):
                home.more()
                seconds["20 new"][number].append(home.cycle({}))
        for number, home in enumerate(homes):
            seconds["nothing new"][number].append(home.cycle({}))
        for number, home in enumerate(homes):
            kind = "near-equal" if home.flood else "tickets"
            medians = ", ".join(f"{name} {statistics.median(found[number]):.2f} s" for name, found in seconds.items())
            print(f"{home.tickets:>7,} {kind}: {medians}")


if __name__ == "__main__":
    main()
