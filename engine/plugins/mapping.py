"""How another system's words become ours: which column is which field, which value means what. A data file."""

import codecs
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

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
from engine.plugins import instants
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
ROLES = ("customer", "agent", "colleague", "automation")
"""Who wrote a comment: the requester, a person of the desk, somebody else of the requester's side, a program."""
COMMENT_WORDS: dict[str, tuple[str, ...]] = {"author_role": ROLES, "public": ("True", "False")}
"""Words of comments and users, beside the fields of a ticket."""
HISTORY_FIELDS = ("status", "priority", "tier", "type", "group", "assignee")
"""Fields whose changes are history,"""
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
ROW_NUMBER = "(row)"
"""As the column of ticket_id: the number of the row."""
LATER = INSTANTS[1:]
"""One that can't be read, or lies before the creation, is dropped, and its ticket stays."""
AUTO = "auto"


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


class History(Frozen):
    """For files with one row per changed field of a ticket: columns, and their words for the fields."""

    model_config = ConfigDict(populate_by_name=True)

    ticket: str
    field: str
    before: str | None = Field(default=None, alias="from")
    """Column: the value until then; a row without one tells the first value."""
    after: str = Field(alias="to")
    at: str
    by: str | None = None
    fields: dict[str, str] = Field(default_factory=dict)

    @field_validator("fields", mode="before")
    @classmethod
    def _text_keys(cls, words: Any) -> Any:
        return _with_text_keys("fields", words)

    @field_validator("fields")
    @classmethod
    def _followed(cls, words: dict[str, str]) -> dict[str, str]:
        if odd := sorted(set(words.values()) - set(HISTORY_FIELDS)):
            raise ValueError(f"{odd[0]!r} has no history; fields with one are {', '.join(HISTORY_FIELDS)}")
        return words


class Comments(Frozen):
    """For files with one row per comment: columns."""

    ticket: str
    at: str
    author: str
    public: str | None = None
    """Column: whether the customer sees it; without it all do."""
    author_role: str | None = None
    """Column: who wrote it; without it, the requester is known and those whom the table of users names."""
    id: str | None = None


class Users(Frozen):
    """For a file with one row per person: columns."""

    id: str
    name: str | None = None
    """Column: what stands in place of the id from then on."""
    author_role: str | None = None


class Tables(Frozen):
    """For a folder of files that belong together: which are which, as patterns of names (`*_comments.csv`)."""

    tickets: str
    history: str | None = None
    comments: str | None = None
    users: str | None = None


def _as_share(text: Any) -> Any:
    """`50%` is .5."""
    if isinstance(text, str) and text.strip().endswith("%"):
        try:
            return float(text.strip().removesuffix("%")) / 100
        except ValueError:
            return text
    return text


Share = Annotated[float, BeforeValidator(_as_share), Field(ge=0, le=1)]
"""A part of a whole, written 0.5 or 50%."""


class Expected(Frozen):
    """What a file must hold at least; with less of it nothing is taken in."""

    rows: int = Field(default=0, ge=0)
    """Tickets that can be read."""
    known: dict[str, Share] = Field(default_factory=dict)
    """Field: share of the tickets that have it."""

    @field_validator("known")
    @classmethod
    def _of_tickets(cls, shares: dict[str, float]) -> dict[str, float]:
        return cast("dict[str, float]", _fields_only(shares, set(StandardTicket.model_fields)))


class TicketMapping(Frozen):
    """One file in `data/mappings`; `example.yaml` explains every key."""

    source: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=50)
    columns: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str | int | bool | None]] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    dates: tuple[str, ...] = ("iso",)
    day_first: bool | None = None
    """The order of day and month in `language:` dates that have both as numbers; None: as the other formats have it."""
    zone_names: dict[str, str] = Field(default_factory=dict)
    """Offsets of names that `%Z` meets, beside the known ones."""
    time_zone: str = "UTC"
    durations: dict[str, str] = Field(default_factory=dict)
    """Instants that their column tells as time since the creation, with the unit."""
    nulls: tuple[str, ...] = ("",)
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    """Columns whose values are hidden from hosted models, wherever they stand in the ticket's text."""
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", pattern=r"^(?s:.|auto)$")
    skip_rows: int = Field(default=0, ge=0)
    sheet: str | None = None
    records: str | None = Field(default=None, pattern=r"^[^.\[\]]+(\.[^.\[\]]+)*$")
    tag_separator: str = Field(default=",", min_length=1)
    updates: Updates | None = None
    outcomes: tuple[OutcomeWord, ...] = ()
    """The first that holds, where the column of `outcome` says nothing."""
    history: History | None = None
    comments: Comments | None = None
    users: Users | None = None
    tables: Tables | None = None
    first_response: Literal["column", "replies", "first_touch", "none"] | None = None
    """From what it follows when a ticket was first answered; None: from the column of first_response_at, if any."""
    expect: Expected = Field(default_factory=Expected)

    @property
    def responses(self) -> Responses:
        """What the source tells of answers, as declared or as its columns show."""
        shown = "replies" if self.comments else "column" if "first_response_at" in self.columns else "none"
        declared = self.first_response or shown
        return Responses.REPLIES if declared == "first_touch" else Responses(declared)

    @property
    def writing(self) -> instants.Writing:
        return instants.Writing(self.dates, self.time_zone, self.day_first, self.zone_names)

    @property
    def form(self) -> dict[str, Any]:
        """How a file of this source is opened (`tables.open_table`)."""
        return {name: getattr(self, name) for name in ("encoding", "delimiter", "skip_rows", "sheet", "records")}

    @field_validator("values", mode="before")
    @classmethod
    def _text_keys(cls, tables: Any) -> Any:
        if not isinstance(tables, dict):
            return tables
        return {field: _with_text_keys(field, table) for field, table in tables.items()}

    @field_validator("columns", "constants", "required", "optional")
    @classmethod
    def _known_fields(cls, named: Any) -> Any:
        return _fields_only(named, FIELDS)

    @field_validator("values")
    @classmethod
    def _known_tables(cls, named: Any) -> Any:
        return _fields_only(named, FIELDS | set(COMMENT_WORDS))

    @field_validator("dates")
    @classmethod
    def _working_formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if why := next(filter(None, map(instants.wrong_format, formats)), None) or instants.two_orders(formats):
            raise ValueError(why)
        return formats

    @field_validator("zone_names")
    @classmethod
    def _offsets(cls, names: dict[str, str]) -> dict[str, str]:
        if odd := next((name for name, offset in names.items() if not instants.is_offset(offset)), None):
            raise ValueError(f"{odd}: {names[odd]!r} is no offset like +05:30")
        return {name.upper(): offset for name, offset in names.items()}

    @field_validator("durations")
    @classmethod
    def _units(cls, units: dict[str, str]) -> dict[str, str]:
        for field, unit in units.items():
            if field not in LATER:
                raise ValueError(f"{field!r} is no later instant of a ticket; those are {', '.join(LATER)}")
            if "business" in unit or "working" in unit:
                raise ValueError(f"{field}: business time has no instant without the source's own calendar; map one")
            if unit not in instants.UNITS:
                raise ValueError(f"{field}: {unit!r} is no unit; those are {', '.join(instants.UNITS)}")
        return units

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
            codecs.lookup("utf-8" if name == AUTO else name)
        except LookupError as error:
            raise ValueError(f"{name!r} is no text encoding; common ones are utf-8, cp1252, utf-16, or auto") from error
        return name

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = set(self.columns) | set(self.constants)
        if missing := [field for field in (*self._always(), *self.required) if field not in given]:
            raise ValueError(f"columns: nothing is mapped to the required field {missing[0]!r}")
        if twice := sorted(set(self.columns) & set(self.constants)):
            raise ValueError(f"constants: {twice[0]!r} has a column already")
        if both := sorted(set(self.columns.values()) & set(self.ignore)):
            raise ValueError(f"ignore: {both[0]!r} is mapped as well")
        if ROW_NUMBER in [column for field, column in self.columns.items() if field != "ticket_id"]:
            raise ValueError(f"columns: only ticket_id can be {ROW_NUMBER}")
        if unmapped := sorted(set(self.durations) - set(self.columns)):
            raise ValueError(f"durations: {unmapped[0]!r} has no column")
        self._check_words()
        self._check_tables()
        self._check_constants()
        return self

    def _always(self) -> tuple[str, ...]:
        """Fields that need a column in this kind of file; an event log's first row tells the creation."""
        if self.history and not self.tables:
            return ()
        return ("ticket_id",) if self.updates else ("ticket_id", "created_at")

    def _check_words(self) -> None:
        for field, table in self.values.items():
            if None in table.values() and not (self.updates and field == "status"):
                raise ValueError(f"values.{field}: only in an event log may a word of the status mean nothing (null)")
            allowed = (ENUMS | NOTES | COMMENT_WORDS).get(field)
            if allowed and (odd := sorted({str(word) for word in table.values() if word is not None} - set(allowed))):
                raise ValueError(f"values.{field}: {odd[0]!r} is none of {', '.join(allowed)}")

    def _check_tables(self) -> None:
        if self.updates and (self.history or self.tables):
            raise ValueError("updates: an event log tells its history itself; leave `history` and `tables` out")
        for name in ("history", "comments", "users"):
            described, listed = getattr(self, name), getattr(self.tables, name, None)
            if bool(described) != bool(listed) and (self.tables or name != "history"):
                raise ValueError(f"{name}: give its columns under `{name}` and its files under `tables.{name}`")
        if self.history and not self.tables and self.columns:
            raise ValueError("columns: a file of changed fields has those of `history`; other files go under `tables`")
        if self.comments and not (self.comments.author_role or (self.users and self.users.author_role)):
            raise ValueError("comments: map author_role, here or in `users`; who is of the desk is not guessed")

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


def _fields_only(named: Any, known: set[str]) -> Any:
    if unknown := sorted(set(named) - known):
        raise ValueError(f"{unknown[0]!r} is no field of a ticket; fields are {', '.join(sorted(known))}")
    return named
