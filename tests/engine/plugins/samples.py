"""Small files that plugins read, and the folder of mappings."""

import gzip
from pathlib import Path
from typing import Any

from engine.contracts import Delivery, Event, Rejected, StandardTicket
from engine.plugins.files import MappedFiles
from engine.plugins.mapping import TicketMapping
from engine.plugins.ports import SourcePlugin

MAPPINGS = Path(__file__).resolve().parents[3] / "data/mappings"


def simple(**changes: Any) -> TicketMapping:
    """Columns id, opened, and what `changes` adds."""
    columns = {"ticket_id": "id", "created_at": "opened", **changes.pop("columns", {})}
    return TicketMapping.model_validate({"source": "test", "columns": columns, **changes})


def written(folder: Path, text: str, name: str = "tickets.csv") -> Path:
    path = folder / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def whole(plugin: SourcePlugin, path: Path) -> Delivery:
    """All deliveries of a file as one."""
    parts = list(plugin.read(path))
    tickets: list[StandardTicket] = [ticket for part in parts for ticket in part.tickets]
    events: list[Event] = [event for part in parts for event in part.events]
    rejected: list[Rejected] = [refused for part in parts for refused in part.rejected]
    return Delivery(tickets=tuple(tickets), events=tuple(events), rejected=tuple(rejected))


def read(folder: Path, text: str, name: str = "tickets.csv", **changes: Any) -> Delivery:
    return whole(MappedFiles("test", mapping=simple(**changes)), written(folder, text, name))


def refusals(delivery: Delivery) -> list[tuple[int | None, str]]:
    return [(each.row, each.reason) for each in delivery.rejected]
