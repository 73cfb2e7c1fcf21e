"""A few generated tickets and the shipped people: enough of a desk for the jobs' tests."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

from pipelines.app.people_files import load_people
from pipelines.app.settings import shipped_data
from pipelines.samples.generate import generate

AS_OF = datetime(2026, 7, 17, 15, tzinfo=UTC)
START = date(2026, 7, 3)


def sample_lines(tickets: int) -> tuple[str, str]:
    """`tickets.jsonl` and `events.jsonl` of a fortnight, synthetic."""
    sample = generate(tickets, seed=11, start=START, days=14, people=load_people(shipped_data() / "people"))
    lines = ("\n".join(item.model_dump_json() for item in items) + "\n" for items in (sample.tickets, sample.events))
    return next(lines), next(lines)


def write_export(folder: Path, tickets: int) -> Path:
    """A folder as the source `helmdesk` reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(("tickets.jsonl", "events.jsonl"), sample_lines(tickets), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def fill_inbox(home: Path, tickets: int) -> Path:
    return write_export(home / "inbox" / "helmdesk" / "export-1", tickets)


def first_ticket(folder: Path) -> str:
    line = (folder / "tickets.jsonl").read_text(encoding="utf-8").splitlines()[0]
    ticket = json.loads(line)
    return f"{ticket['source']}:{ticket['ticket_id']}"
