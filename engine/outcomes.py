"""Which ends of tickets count, and in what: a spam mail is neither resolved work nor a broken promise."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from engine.contracts import Frozen, TicketOutcome
from engine.shared import policy_file


class Figure(StrEnum):
    """What tickets are counted in."""

    ATTAINMENT = "attainment"
    RESOLVED = "resolved"
    REOPENS = "reopens"
    CREDITS = "credits"


class OutcomePolicy(Frozen):
    """Per figure the outcomes that count, and by what a machine's mail is known. An ended ticket without an outcome
    counts as solved."""

    counts: dict[Figure, frozenset[TicketOutcome]]
    machine_headers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    machine_subjects: tuple[str, ...] = ()

    def left_out(self, figure: Figure) -> list[str]:
        """The outcomes whose tickets do not count in it."""
        return sorted(set(TicketOutcome) - self.counts.get(figure, frozenset(TicketOutcome)))

    def is_machine_mail(self, subject: str, metadata: Mapping[str, Any]) -> bool:
        """Whether a machine wrote it: a header says so (RFC 3834: `Auto-Submitted` other than `no`), or else the
        subject begins with a known phrase, whatever its case."""
        headers = {name.casefold(): str(value).strip().casefold() for name, value in metadata.items()}
        for name, words in self.machine_headers.items():
            value = headers.get(name.casefold())
            if value is not None and (value in words or any(value.startswith(f"{word};") for word in words)):
                return True
        plain = " ".join(subject.casefold().split())
        return plain.startswith(self.machine_subjects)


def load(path: str | Path) -> OutcomePolicy:
    """The policy of `outcomes.yaml`. Raises NotFound or BadInput with file, key and reason."""
    return policy_file.read(path, OutcomePolicy)
