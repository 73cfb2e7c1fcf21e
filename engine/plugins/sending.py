"""Decisions on their way out: what every handler does alike, and the outbox file that another program empties."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.contracts import AllocationDecision, Outcome
from engine.shared.errors import BadInput, NotAllowed, Unavailable

Transport = Callable[[Mapping[str, Any], str], str]
"""Hands over (payload, key) and returns a receipt; the same key twice is one delivery."""


class OutboxHandler:
    """Decisions in this desk's own words, into a file."""

    def __init__(self, name: str = "outbox", *, send_to: Path) -> None:
        self.name, self._transport = name, to_file(send_to)

    def groups(self) -> list[dict[str, Any]]:
        raise NotAllowed("an outbox file brings no groups; `helmdesk people import FILE` does")

    def payload(self, decision: AllocationDecision) -> dict[str, Any]:
        return in_our_words(decision)

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        return self._transport(payload, key)


def in_our_words(decision: AllocationDecision) -> dict[str, Any]:
    require_group(decision)
    return decision.model_dump(mode="json")


def require_group(decision: AllocationDecision) -> None:
    if decision.outcome != Outcome.ALLOCATED or decision.group_id is None:
        raise NotAllowed(f"{decision.ticket_id} has no group to hand over ({decision.outcome}); it stays in the queue")


def external_id(decision: AllocationDecision) -> str:
    """The source's own ticket id: `INC7` of `servicenow:INC7`."""
    return decision.ticket_id.partition(":")[2] or decision.ticket_id


_LINE = b'{"key": "'
"""How every line of an outbox begins."""


def to_file(path: Path) -> Transport:
    """Appends JSON lines {"key", "payload"} to an outbox file that another program empties.

    A key that is in the file, whoever wrote it, is not written again; a line that a killed writer left half is taken
    away. Raises Unavailable where the file can't be written, BadInput for one that is no outbox.
    """
    sent: set[str] = set()
    read_to = 0

    def catch_up() -> None:
        nonlocal read_to
        with path.open("r+b") as outbox:
            outbox.seek(read_to if path.stat().st_size >= read_to else 0)
            for line in outbox:
                if _is_torn(line):
                    outbox.truncate(outbox.tell() - len(line))
                    break
                sent.add(_key_of(line, path))
                if not line.endswith(b"\n"):
                    outbox.write(b"\n")
                read_to = outbox.tell()

    def send(payload: Mapping[str, Any], key: str) -> str:
        try:
            if path.exists():
                catch_up()
            if key not in sent:
                path.parent.mkdir(parents=True, exist_ok=True)
                line = json.dumps({"key": key, "payload": payload}, ensure_ascii=False)
                with path.open("a", encoding="utf-8") as outbox:
                    outbox.write(line + "\n")
                    outbox.flush()
                    os.fsync(outbox.fileno())
        except OSError as error:
            raise Unavailable(f"{path} can't be written: {error.strerror}; it was not handed over") from error
        return f"{path.name}:{key}"

    return send


def _is_torn(line: bytes) -> bool:
    """Whether it is the beginning of a line of ours, and no more."""
    if line.endswith(b"\n"):
        return False
    try:
        json.loads(line)
    except ValueError:
        return line.startswith(_LINE) or _LINE.startswith(line)
    return False


def _key_of(line: bytes, path: Path) -> str:
    try:
        return str(json.loads(line)["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path}: not an outbox: a line is not {{key, payload}}; move the file away") from error
