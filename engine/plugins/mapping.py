"""How another system's words become ours: which column is which field, which value means what. A data file."""

import codecs
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, ValidationError, field_validator, model_validator

from engine.contracts import (
    Frozen,
    Priority,
    Responses,
    StandardTicket,
    Status,
    TicketOutcome,
    TicketType,
    Tier,
    Verdict,
)
from engine.shared import policy_file

INSTANTS = (
    "created_at",
    "updated_at",
    "first_response_at",
    "resolved_at",
    "closed_at",
    "agreed_due_at",
    "first_response_due_at",
    "resolution_due_at",
)
ENUMS: dict[str, tuple[str, ...]] = {
    "status": tuple(Status),
    "priority": tuple(Priority),
    "tier": tuple(Tier),
    "type": tuple(TicketType),
}
NOTES: dict[str, tuple[str, ...]] = {
    "outcome": tuple(TicketOutcome),
    "first_response_verdict": tuple(Verdict),
    "resolution_verdict": tuple(Verdict),
}
"""As ENUMS, but a word that no table lists means nothing, and its row stays."""
VERDICTS = {
    "first_response_verdict": "first_response",
    "resolution_verdict": "resolution",
    "first_response_due_at": "first_response_due_at",
    "resolution_due_at": "resolution_due_at",
}
"""Fields of a mapping that say what the source's own SLA says, and where a ticket's `source_verdict` has them."""
LEVELS = ("urgency", "impact")
PLACES = {"latitude": "lat", "longitude": "lng", "timezone": "timezone", "place": "name"}
NO_FIELDS = {"source", "requester_location", "source_verdict", "responses", "external_metadata"}
FIELDS = (set(StandardTicket.model_fields) - NO_FIELDS) | set(PLACES) | set(VERDICTS)
ANY_OTHER = "*"
NAMED_FORMATS = ("iso", "epoch_s", "epoch_ms")


class Updates(Frozen):
    """For files with one row per update of a ticket (an event log) instead of one per ticket."""

    at: str
    """Column: when the update was made."""
    order: str | None = None
    """Column with a whole number that orders updates of one instant."""
    actor: str | None = None
    """Column: who made the update."""
    end_facts: tuple[str, ...] = ()
    """Columns that hold on every row what was known only at the end; kept apart, so that nobody learns from them."""


class OutcomeWord(Frozen):
    """A word in a column, as the whole cell or one of its tags, that says how a ticket ended."""

    column: str
    word: str
    outcome: TicketOutcome


class TicketMapping(Frozen):
    """One file in `data/mappings`; `example.yaml` explains every key."""

    source: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=50)
    columns: dict[str, str]
    values: dict[str, dict[str, str | int | bool]] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    dates: tuple[str, ...] = ("iso",)
    time_zone: str = "UTC"
    nulls: tuple[str, ...] = ("",)
    required: tuple[str, ...] = ("ticket_id", "created_at")
    optional: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    tag_separator: str = Field(default=",", min_length=1)
    updates: Updates | None = None
    outcomes: tuple[OutcomeWord, ...] = ()
    """The first that holds, where the column of `outcome` says nothing."""
    first_response: Literal["column", "replies", "first_touch", "untold"] | None = None
    """From what it follows when a ticket was first answered; None: from the column of first_response_at, if any."""

    @property
    def responses(self) -> Responses:
        """What the source tells of answers, as declared or as its columns show."""
        declared = self.first_response or ("column" if "first_response_at" in self.columns else "untold")
        return Responses.REPLIES if declared == "first_touch" else Responses(declared)

    @field_validator("values", mode="before")
    @classmethod
    def _text_keys(cls, tables: Any) -> Any:
        if not isinstance(tables, dict):
            return tables
        return {field: _with_text_keys(field, table) for field, table in tables.items()}

    @field_validator("columns", "constants", "required", "optional", "values")
    @classmethod
    def _known_fields(cls, named: Any) -> Any:
        if unknown := sorted(set(named) - FIELDS):
            raise ValueError(f"{unknown[0]!r} is no field of a ticket; fields are {', '.join(sorted(FIELDS))}")
        return named

    @field_validator("dates")
    @classmethod
    def _working_formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for form in formats:
            if form not in NAMED_FORMATS and not _works(form):
                raise ValueError(f"{form!r} is no date format; use strftime codes like %d/%m/%Y %H:%M, or iso, epoch_s")
        return formats

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"{name!r} is not an IANA time zone") from error
        return name

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError as error:
            raise ValueError(f"{name!r} is no text encoding; common ones are utf-8, cp1252, utf-16") from error
        return name

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = set(self.columns) | set(self.constants)
        if missing := [field for field in (*self.required, "ticket_id", "created_at") if field not in given]:
            raise ValueError(f"columns: nothing is mapped to the required field {missing[0]!r}")
        if twice := sorted(set(self.columns) & set(self.constants)):
            raise ValueError(f"constants: {twice[0]!r} has a column already")
        if both := sorted(set(self.columns.values()) & set(self.ignore)):
            raise ValueError(f"ignore: {both[0]!r} is mapped as well")
        for field, table in self.values.items():
            allowed = (ENUMS | NOTES).get(field)
            if allowed and (odd := sorted({str(word) for word in table.values()} - set(allowed))):
                raise ValueError(f"values.{field}: {odd[0]!r} is none of {', '.join(allowed)}")
        self._check_constants()
        return self

    def _check_constants(self) -> None:
        given = {"ticket_id": "1", "created_at": "2000-01-01T00:00:00Z", **self.constants}
        place = {PLACES[name]: given.pop(name) for name in PLACES if name in given}
        verdict = {VERDICTS[name]: given.pop(name) for name in VERDICTS if name in given}
        own = {"source": self.source, "requester_location": place, "source_verdict": verdict}
        try:
            StandardTicket.model_validate(own | given)
        except ValidationError as error:
            raise ValueError(f"constants: {policy_file.all_wrong(error)}") from error


def load_mapping(path: str | Path) -> TicketMapping:
    """The mapping in a file. Raises NotFound without it, BadInput with file, key and reason if it can't be used."""
    return policy_file.read(path, TicketMapping, what="mapping file")


def _with_text_keys(field: str, table: Any) -> Any:
    if not isinstance(table, dict):
        return table
    if any(isinstance(key, bool) for key in table):
        raise ValueError(f"{field}: YAML reads yes, no, on, off, true and false as booleans; put that key in quotes")
    return {str(key).strip().lower(): value for key, value in table.items()}


def _works(form: str) -> bool:
    """Whether a format reads back a date that it wrote."""
    probe = pl.Series(["2016-02-29T13:16:00Z"]).str.to_datetime("%+", time_zone="UTC")
    try:
        back = probe.dt.to_string(form).str.to_datetime(form, strict=False)
        return back.dt.date().to_list() == probe.dt.date().to_list()
    except (pl.exceptions.PolarsError, ValueError):
        return False
