"""One kind of people from any table: which column is which field, which value means what.

Without a mapping the columns are found by their usual names. People, teams, groups and companies without an id of their
own are called by their name, as tickets call them; contacts by their e-mail address.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, Field, ValidationError, field_validator

from engine.contracts import Agent, AssignmentGroup, Company, Contact, Frozen, Team
from engine.plugins.tables import ROW, open_table
from engine.shared import policy_file
from engine.shared.dialect import delimiters_of
from engine.shared.errors import BadInput

ABSENCES = "absences"
KINDS: Final[Mapping[str, type[BaseModel]]] = {
    "agents": Agent, "teams": Team, "contacts": Contact, "companies": Company, "groups": AssignmentGroup
}  # fmt: skip
KEYS: Final = {"groups": "group_id"}
"""The field that names a record; of the other kinds `id`."""
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    **{kind: tuple(model.model_fields) for kind, model in KINDS.items()},
    ABSENCES: ("agent", "from", "to", "kind"),
}
GUESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("full_name", "display_name", "title", "group_name", "team_name", "company_name"),
    "email": ("e_mail", "mail", "email_address", "work_email"),
    "teams": ("team", "group", "groups", "department", "queue"),
    "skills": ("skill",),
    "capabilities": ("capability", "skills"),
    "languages": ("language",),
    "language": ("languages", "locale"),
    "certifications": ("certification", "certificates"),
    "max_tickets": ("max", "capacity", "limit", "maximum"),
    "max_bandwidth": ("max", "capacity", "slots", "limit", "maximum"),
    "timezone": ("time_zone", "tz"),
    "is_active": ("active",),
    "shift": ("working_hours", "calendar", "schedule"),
    "tier": ("contract", "plan", "contract_tier"),
    "company_id": ("company", "organization", "organisation", "account", "customer"),
    "team_id": ("team",),
    "agent": ("agent_id", "name", "employee", "person", "email"),
    "from": ("start", "starts_at", "begin", "start_date", "first_day"),
    "to": ("end", "until", "ends_at", "end_date", "last_day"),
    "kind": ("type", "reason"),
}
"""Usual names of the column of a field, beside the field's own; capitals, spaces and hyphens do not count."""


class PeopleMapping(Frozen):
    """One file in `data/mappings/people`; `agents.yaml` explains every key."""

    kind: str
    columns: dict[str, str]
    values: dict[str, dict[str, str | int | bool]] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    separator: str = Field(default=",", min_length=1)
    dates: tuple[str, ...] = ("iso",)
    encoding: str = "utf-8"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in FIELDS:
            raise ValueError(f"{kind!r} is none of {', '.join(FIELDS)}")
        return kind

    @field_validator("columns", "constants", "values")
    @classmethod
    def _of_the_kind(cls, named: Any, info: Any) -> Any:
        known = FIELDS.get(info.data.get("kind", ""), ())
        if known and (odd := sorted(set(named) - set(known))):
            raise ValueError(f"{odd[0]!r} is no field of {info.data['kind']}; fields are {', '.join(known)}")
        return named


class Read(NamedTuple):
    """What a table says: of each row the fields that it gives, by its number; and the columns nobody asked for."""

    kind: str
    rows: dict[int, dict[str, Any]]
    refused: list[str]
    unused: list[str]


def load_people_mapping(file: Path) -> PeopleMapping:
    """Raises NotFound without it, BadInput with file, key and reason if it can't be used."""
    return policy_file.read(file, PeopleMapping, what="mapping file of people")


def read_table(file: Path, mapping: PeopleMapping | None = None, *, kind: str | None = None) -> Read:
    """Raises BadInput for a file that is no table, a column that is not there, and where the kind stays unknown."""
    encoding, delimiter = (mapping.encoding, mapping.delimiter) if mapping else ("utf-8", None)
    table = open_table(file, encoding=encoding, delimiter=delimiter or _delimiter(file, encoding))
    mapping = mapping or _guessed(file, table.columns, kind)
    if absent := [column for column in mapping.columns.values() if column not in table.columns]:
        raise BadInput(f"{file}: there is no column {absent[0]!r}; the file has {', '.join(table.columns)}")
    rows, refused = {}, []
    for batch in table.batches():
        refused += [f"row {fault.row}: {fault.reason}" for fault in batch.faulty]
        for row in batch.frame.iter_rows(named=True):
            given = {field: (row[column] or "").strip() for field, column in mapping.columns.items()}
            if any(given.values()):
                rows[row[ROW]] = _typed({field: cell for field, cell in given.items() if cell}, mapping)
    return Read(mapping.kind, rows, refused, sorted(set(table.columns) - set(mapping.columns.values())))


def _guessed(file: Path, columns: Sequence[str], kind: str | None) -> PeopleMapping:
    kind = kind or next((kind for kind in FIELDS if kind in file.stem.casefold()), None)
    if kind is None:
        raise BadInput(f"{file}: whom does it list? Say --kind {' or '.join(FIELDS)}, or name the file so")
    if kind not in FIELDS:
        raise BadInput(f"--kind {kind!r} is none of {', '.join(FIELDS)}")
    there = {_folded(column): column for column in reversed(columns)}
    named = ((field, (field, *GUESSES.get(field, ()))) for field in FIELDS[kind])
    found = {field: there[name] for field, names in named for name in names if name in there}
    found |= {field: there[field] for field in FIELDS[kind] if field in there}
    if not found:
        raise BadInput(f"{file}: no column has the usual name of a field of {kind}, such as name; give a --mapping")
    return PeopleMapping(kind=kind, columns=found)


def _typed(cells: Mapping[str, str], mapping: PeopleMapping) -> dict[str, Any]:
    fields: dict[str, Any] = dict(mapping.constants)
    for field, cell in cells.items():
        table = {str(word).casefold(): meaning for word, meaning in mapping.values.get(field, {}).items()}
        if _is_list(mapping.kind, field):
            words = [word.strip() for word in cell.split(mapping.separator) if word.strip()]
            fields[field] = [str(table.get(word.casefold(), word)) for word in words]
        elif field in ("from", "to"):
            fields[field] = _dated(cell, mapping.dates)
        else:
            fields[field] = table.get(cell.casefold(), cell)
    return fields


def _is_list(kind: str, field: str) -> bool:
    return kind in KINDS and KINDS[kind].model_fields[field].annotation == tuple[str, ...]


def _dated(cell: str, formats: Sequence[str]) -> str:
    """By the first format that fits, a day as a day; as it is where none does."""
    for form in formats:
        try:
            found = datetime.fromisoformat(cell) if form == "iso" else datetime.strptime(cell, form)  # noqa: DTZ007
        except ValueError:
            continue
        is_day = len(cell) <= 10 if form == "iso" else "%H" not in form
        return (found.date() if is_day else found).isoformat()
    return cell


def _delimiter(file: Path, encoding: str) -> str:
    is_table = file.name.casefold().endswith(".csv") and file.exists()
    return next(iter(delimiters_of(file, encoding)), ",") if is_table else ","


def _folded(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def key_of(kind: str) -> str:
    return KEYS.get(kind, "id")


def named(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """With the id and what else the kind can't be without. Raises BadInput where nothing names it."""
    key, full = key_of(kind), dict(fields)
    ways = ("email", "name") if kind == "contacts" else ("name", "email")
    name = full.get(key) or next((full[way] for way in ways if full.get(way)), None)
    if name is None:
        raise BadInput(f"nothing names it: give {key} or name")
    full = {key: name, "name": full.get("name") or name, **full}
    if kind in ("agents", "contacts"):
        full = {"email": name if "@" in str(name) else "", **full}
    return full


def records(
    kind: str, rows: Mapping[int, Mapping[str, Any]], known: Mapping[str, BaseModel]
) -> Iterator[BaseModel | str]:
    """A record a row, or why there is none: what the row says, over what is `known` by id, over the defaults."""
    for number, row in rows.items():
        try:
            key = str(row.get(key_of(kind)) or named(kind, row)[key_of(kind)])
            before = known[key].model_dump() if key in known else {}
            yield KINDS[kind].model_validate({**before, **(row if before else named(kind, row))})
        except ValidationError as error:
            yield f"row {number}: {policy_file.all_wrong(error)}"
        except BadInput as error:
            yield f"row {number}: {error}"
