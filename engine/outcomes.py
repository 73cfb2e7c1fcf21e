"""Which ends of tickets count, and in what: a spam mail is neither resolved work nor a broken promise."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl
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

    def machine_mail(self, tickets: pl.DataFrame) -> pl.Series:
        """Of tickets with `subject` and `external_metadata` (JSON text) whether a machine seems to have written each:
        a header says so (RFC 3834: `Auto-Submitted` other than `no`), or else the subject begins with a known phrase,
        whatever the case."""
        metadata = pl.col("external_metadata").str.to_lowercase()
        begins = [pl.col("subject").str.to_lowercase().str.starts_with(phrase) for phrase in self.machine_subjects]
        has_header = metadata.str.contains_any([f'"{name.casefold()}"' for name in self.machine_headers])
        found = tickets.select(has_header=has_header.fill_null(value=False), begins=pl.any_horizontal(False, *begins))
        rows = found["has_header"].arg_true()
        says = [self._says_so(json.loads(text)) for text in tickets["external_metadata"].gather(rows)]
        return found["begins"].scatter(rows, says) if len(rows) else found["begins"]

    def _says_so(self, metadata: Mapping[str, Any]) -> bool:
        headers = {name.casefold(): str(value).partition(";")[0].strip().casefold() for name, value in metadata.items()}
        return any(headers.get(name.casefold()) in words for name, words in self.machine_headers.items())


def load(path: str | Path) -> OutcomePolicy:
    """The policy of `outcomes.yaml`. Raises NotFound or BadInput with file, key and reason."""
    return policy_file.read(path, OutcomePolicy)
