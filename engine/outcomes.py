"""Which ends of tickets count, and in what: a spam mail is neither resolved work nor a broken promise."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import polars as pl
from pydantic import Field

from engine.contracts import Frozen, TicketOutcome
from engine.shared import policy_file

BEGINNING: Final = 1_000
"""Characters of a text of which a machine's first words are looked for."""
_BEFORE = r"^(?:\s*\[[^\]]{1,30}\])*\s*[\"'“«]?"
_BEFORE_TEXT = (
    r"^(?:\s|<[^<>]{0,500}>)*(?:(?:hello|hi|hallo|dear \w+|bonjour|hola|guten tag"
    r"|thank you for your (?:e-?mail|message)|vielen dank für ihre (?:e-?mail|nachricht))[,.!]?\s+)*"
)


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
    machine_texts: tuple[str, ...] = ()

    def left_out(self, figure: Figure) -> list[str]:
        """The outcomes whose tickets do not count in it."""
        return sorted(set(TicketOutcome) - self.counts.get(figure, frozenset(TicketOutcome)))

    def machine_mail(self, tickets: pl.DataFrame) -> pl.Series:
        """Of tickets with `subject`, `content` and `external_metadata` (JSON text) whether a machine seems to have
        written each: a header says so (RFC 3834: `Auto-Submitted` other than `no`), or else the subject, after
        marks in brackets, or the text begins with a known phrase, whatever the case."""
        metadata = pl.col("external_metadata").str.to_lowercase()
        subject = pl.col("subject").fill_null("").str.to_lowercase().str.replace(_BEFORE, "")
        text = pl.col("content").fill_null("").str.slice(0, BEGINNING).str.to_lowercase().str.replace(_BEFORE_TEXT, "")
        begins = [subject.str.starts_with(phrase) for phrase in self.machine_subjects]
        begins += [text.str.starts_with(phrase) for phrase in self.machine_texts]
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
