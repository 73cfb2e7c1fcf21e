"""A few generated tickets and the shipped people: enough of a desk for the jobs' tests."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines import actions
from pipelines.app.container import App, open_app
from pipelines.app.people_files import load_people
from pipelines.app.settings import shipped_data
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.jobs.publish import publish
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.samples.generate import generate
from pipelines.snapshot import Snapshot

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


@contextmanager
def triaged_desk(home: Path) -> Iterator[App]:
    """Sixty tickets classified and drafted, and published; people checked twenty claims and judged six drafts."""
    with open_app(home=home, embedder="wordllama") as app:
        bring_people(app, app.settings.data / "people")
        ingest(app, write_export(home / "export", 60), source="helmdesk", at=AS_OF)
        triage_tickets(app, Snapshot(app, AS_OF))
        claims = Snapshot(app, AS_OF).latest_claims.rename({"ticket": "ticket_id"}).sort("ticket_id").head(20)
        for place, (ticket, product) in enumerate(claims.select("ticket_id", "product").iter_rows()):
            actions.answer_review(app, ticket, label="GENERAL" if place % 4 == 0 else product, by="ana")
        written = Snapshot(app, AS_OF).latest_drafts.filter("grounded").sort("ticket").head(6)
        for place, ticket in enumerate(written["ticket"]):
            done: dict[str, Any] = [{}, {"sent": "Something else altogether."}, {"rejected": "off topic"}][place % 3]
            actions.record_feedback(app, ticket, by="ben", **done)
        publish(app, Snapshot(app, app.now()))
        yield app
