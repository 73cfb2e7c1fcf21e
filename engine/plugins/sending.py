"""Decisions on their way out: what every handler does alike, and the outbox file that another program empties."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.contracts import AllocationDecision, AssignmentGroup, Outcome
from engine.shared.errors import BadInput, NotAllowed, Unavailable
from engine.shared.policy_file import all_wrong

Records = Callable[[], Sequence[Mapping[str, Any]]]
"""Group records as the handler's system writes them."""

Transport = Callable[[Mapping[str, Any], str], str]
"""Hands over (payload, key) and returns a receipt; the same key twice is one delivery."""


class Handler:
    """A handler of decisions in this desk's own words; others override `payload` and `group`."""

    def __init__(self, name: str = "outbox", *, records: Records, transport: Transport) -> None:
        self.name, self._records, self._transport = name, records, transport

    def groups(self) -> list[AssignmentGroup]:
        """Raises BadInput with the number and the fault of a record that is no group."""
        made = []
        for number, record in enumerate(self._records(), start=1):
            try:
                made.append(self.group(record))
            except (ValueError, TypeError) as error:
                reason = all_wrong(error) if isinstance(error, ValidationError) else str(error)
                raise BadInput(f"{self.name}: group record {number}: {reason}") from error
        return made

    def group(self, record: Mapping[str, Any]) -> AssignmentGroup:
        return AssignmentGroup.model_validate(record)

    def payload(self, decision: AllocationDecision) -> dict[str, Any]:
        require_group(decision)
        return decision.model_dump(mode="json")

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        return self._transport(payload, key)


def require_group(decision: AllocationDecision) -> None:
    if decision.outcome != Outcome.ALLOCATED or decision.group_id is None:
        raise NotAllowed(f"{decision.ticket_id} has no group to hand over ({decision.outcome}); it stays in the queue")


def external_id(decision: AllocationDecision) -> str:
    """The source's own ticket id: `INC7` of `servicenow:INC7`."""
    return decision.ticket_id.partition(":")[2] or decision.ticket_id


def words(text: Any) -> tuple[str, ...]:
    """`a, b` or ["a", "b"] as a tuple; nothing as an empty one."""
    listed = text.split(",") if isinstance(text, str) else (text or ())
    return tuple(word for word in (str(each).strip() for each in listed) if word)


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
