"""Which ends of tickets count, and in what: a spam mail is neither resolved work nor a broken promise."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import polars as pl
from pydantic import Field, field_validator

from engine.contracts import Frozen, TicketOutcome
from engine.shared import policy_file

BEGINNING: Final = 1_000
"""Characters of a text of which a machine's first words are looked for."""
_BEFORE = r"^(?:\s*\[[^\]]{1,30}\])*\s*[\"'“«]?"
_BEFORE_TEXT = (
    r"^(?:\s|<[^<>]{0,500}>)*(?:(?:(?:hello|hi|hallo|bonjour|hola|guten tag|ciao|olá)[^,.!:\n]{0,40}"
    r"|(?:dear|sehr geehrte|liebe|cher|chère|estimad|gentile|prezad|beste|geachte)[^,.!:\n]{0,60}"
    r"|thank you for your (?:e-?mail|message)|vielen dank für ihre (?:e-?mail|nachricht))[,.!:]?\s+)*"
)
_BEGINS: Final = r"(?:^|[.!?\n]\s*)"
_ENDS: Final = r"(?:\s*(?:[.,;:!)(\n–-]|$)|\s(?:please|do|and|und|et|y|e|en|bitte|with|under|unter|mit)\s)"
_QUOTED: Final = r"(?s)\n\s*(?:>|-{3,}|_{5,}|(?:from|von|de|da|van) ?:|(?:on|am|le|el|il|em|op) .{5,120}:\n).*$"
_ANSWER: Final = r"^\s*(?:re|aw|fwd?|wg|sv|vs|rv|tr|enc|antw|res|rif|i|r)\s*:"


class Figure(StrEnum):
    """What tickets are counted in."""

    ATTAINMENT = "attainment"
    RESOLVED = "resolved"
    REOPENS = "reopens"
    CREDITS = "credits"


class MachineAnswer(Frozen):
    """Patterns of one kind of receipt: how its subject begins, and what its text has if it has any."""

    subject: str
    text: str

    @field_validator("subject", "text")
    @classmethod
    def _readable(cls, pattern: str) -> str:
        return _pattern(pattern)


class OutcomePolicy(Frozen):
    """Per figure the outcomes that count, and by what a machine's mail is known. An ended ticket without an outcome
    counts as solved."""

    counts: dict[Figure, frozenset[TicketOutcome]]
    machine_headers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    machine_subjects: tuple[str, ...] = ()
    machine_texts: tuple[str, ...] = ()
    machine_sentences: tuple[str, ...] = ()
    machine_answers: tuple[MachineAnswer, ...] = ()

    @field_validator("machine_sentences")
    @classmethod
    def _readable(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_pattern, patterns))

    def left_out(self, figure: Figure) -> list[str]:
        """The outcomes whose tickets do not count in it."""
        return sorted(set(TicketOutcome) - self.counts.get(figure, frozenset(TicketOutcome)))

    def machine_mail(self, tickets: pl.DataFrame) -> pl.Series:
        """Of tickets with `subject`, `content` and `external_metadata` (JSON text) whether a machine seems to have
        written each: a header says so (RFC 3834: `Auto-Submitted` other than `no`), or else the subject, after
        marks in brackets, or the text begins with a known phrase, whatever the case; a sentence of the text says it
        was written by itself; or subject and text are those of a receipt. A subject such as `Re: Automatic reply`
        says nothing, and a sentence below an answer's beginning or in what it quotes does not either."""
        metadata = pl.col("external_metadata").str.to_lowercase()
        subject = pl.col("subject").fill_null("").str.to_lowercase().str.replace(_BEFORE, "")
        text = pl.col("content").fill_null("").str.slice(0, BEGINNING).str.to_lowercase().str.replace(_BEFORE_TEXT, "")
        begins = [subject.str.starts_with(phrase) for phrase in self.machine_subjects]
        begins += [text.str.starts_with(phrase) for phrase in self.machine_texts]
        if self.machine_sentences:
            written_by_itself = f"(?:{'|'.join(self.machine_sentences)}){_ENDS}"
            own = text.str.replace(_QUOTED, "").str.contains(_BEGINS + written_by_itself)
            begins += [text.str.contains(f"^{written_by_itself}"), own & ~subject.str.contains(_ANSWER)]
        begins += [
            subject.str.contains(f"^(?:{kind.subject})")
            & (text.str.contains(kind.text) | (text.str.strip_chars() == ""))
            for kind in self.machine_answers
        ]
        has_header = metadata.str.contains_any([f'"{name.casefold()}"' for name in self.machine_headers])
        found = tickets.select(has_header=has_header.fill_null(value=False), begins=pl.any_horizontal(False, *begins))
        rows = found["has_header"].arg_true()
        says = [self._says_so(json.loads(text)) for text in tickets["external_metadata"].gather(rows)]
        return found["begins"].scatter(rows, says) if len(rows) else found["begins"]

    def _says_so(self, metadata: Mapping[str, Any]) -> bool:
        headers = {name.casefold(): str(value).partition(";")[0].strip().casefold() for name, value in metadata.items()}
        return any(headers.get(name.casefold()) in words for name, words in self.machine_headers.items())


def _pattern(pattern: str) -> str:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        raise ValueError(f"{pattern!r} is no regular expression: {str(error).splitlines()[-1]}") from None
    return pattern


def load(path: str | Path) -> OutcomePolicy:
    """The policy of `outcomes.yaml`. Raises NotFound or BadInput with file, key and reason."""
    return policy_file.read(path, OutcomePolicy)
