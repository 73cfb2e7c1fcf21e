"""What a publication keeps of every ticket's chain, outside the database: version and hash of its last event."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from engine.shared.errors import BadInput
from engine.storage.audit import HEADS, chain_heads, tickets_in
from engine.storage.connect import shown
from engine.storage.sql import SqlStore

FILE = "chain_heads.parquet"


class PublishedHeads(NamedTuple):
    """The heads (schema `HEADS`) of the publication in force; `fault` says why they are not as they were published."""

    folder: Path
    heads: pl.DataFrame
    fault: str | None


def write(heads: pl.DataFrame, publication: Path) -> dict[str, object]:
    """What `current.json` says of the file, by which a changed one is found."""
    file = publication / FILE
    heads.write_parquet(file, compression="zstd")
    return {"tickets": tickets_in(heads), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def read(marts: Path) -> PublishedHeads | None:
    """None where nothing was published, or nothing of the chains."""
    try:
        found = json.loads((marts / "current.json").read_text(encoding="utf-8"))
        entry, file = found.get("chain_heads"), marts / found["folder"] / FILE
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return PublishedHeads(marts, HEADS.to_frame(), f"{marts / 'current.json'} can't be read ({error})")
    if entry is None:
        return None
    try:
        if hashlib.sha256(file.read_bytes()).hexdigest() != entry["sha256"]:
            return PublishedHeads(file.parent, HEADS.to_frame(), f"{file} is not as it was published")
        return PublishedHeads(file.parent, pl.read_parquet(file).select(HEADS.names()), None)
    except (OSError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        return PublishedHeads(file.parent, HEADS.to_frame(), f"{file} can't be read ({error})")


def to_publish(store: SqlStore, marts: Path, *, warn: Callable[[str], None]) -> pl.DataFrame:
    """The heads of a new publication. `warn` hears of earlier ones that can't be gone on from."""
    last = read(marts)
    if last and last.fault:
        warn(last.fault)
    return chain_heads(store, before=last.heads if last and not last.fault else None)


def refuse_emptied(store: SqlStore, marts: Path) -> None:
    """Raises BadInput for a store without a ticket beside marts that have some: those would be lost."""
    try:
        found = json.loads((marts / "current.json").read_text(encoding="utf-8"))
        tickets = max(int(found["rows"]["tickets"]), int(found.get("chain_heads", {}).get("tickets", 0)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    if tickets and not store.tickets(limit=1):
        raise BadInput(
            f"{shown(store.url)} has no ticket, but the marts in {marts} speak of {tickets:,}: put the database back, "
            "or remove that folder to start anew; nothing was published"
        )
