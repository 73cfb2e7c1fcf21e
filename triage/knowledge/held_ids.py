"""The ids of the articles in an index file, known without opening it while its files are as they were."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.shared.whole_file import whole_file


def read_ids(file: Path, index: Path) -> list[str] | None:
    """None where they were never written, or the index has changed since."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return [str(one) for one in known["ids"]] if known["state"] == state_of(index) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write_ids(file: Path, ids: Sequence[str], *, state: str) -> None:
    """Of an index in this state. Where nothing can be written they are asked for again."""
    with suppress(OSError), whole_file(file) as unfinished:
        unfinished.write_text(json.dumps({"state": state, "ids": list(ids)}), encoding="utf-8")


def state_of(index: Path) -> str:
    """SHA-256 over the name, size and time of change of each file of the index; opening it changes none."""
    stats = sorted((str(one.relative_to(index)), one.stat()) for one in index.rglob("*") if one.is_file())
    return hashlib.sha256(repr([(name, at.st_size, at.st_mtime_ns) for name, at in stats]).encode()).hexdigest()
