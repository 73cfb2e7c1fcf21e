"""From what a file holds to how it is read: a draft mapping with a remark for whoever looks it over."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.plugins.inspection.columns import Column
from engine.plugins.inspection.dates import Order
from engine.plugins.inspection.fields import DUE, Fields, fields_of, is_serial
from engine.plugins.inspection.overview import Overview
from engine.plugins.inspection.questions import Question, Questions, checked
from engine.plugins.inspection.vocabulary import Vocabulary, plain
from engine.plugins.mapping import ENUMS, INSTANTS, LEVELS, ROW_NUMBER, VERDICTS, TicketMapping
from engine.plugins.spreadsheet_habits import is_total

Remarks = dict[tuple[str, ...], str]
"""By the path of a key."""

NOTHING: Final = "nothing"
"""The answer for an activity of a log that leaves the status as it is."""
NEVER_USUAL: Final = ("status", "priority")
"""Fields of which an unknown word is a question; of others it means the usual or stays as it is."""
USUAL: Final = {"type": "incident", "tier": "standard"}
ORDERS: Final[dict[Order, str]] = {"day": "day/month", "month": "month/day", "year": "year-month-day"}
_OFFSET: Final = re.compile(r"(Z|[+-]\d{2}:?\d{2}|[A-Z]{3,4}|\d{10,13})$")


class Draft(NamedTuple):
    mapping: dict[str, Any]
    """As it is written; can be used if nothing is open."""
    remarks: Remarks
    guessed: list[Question]
    open: list[Question]


def draft_of(
    seen: Overview, vocabulary: Vocabulary, *, answers: Mapping[str, str], take_guesses: bool, time_zone: str
) -> Draft:
    """The mapping of a file, as far as it is known; whole if no question is open.

    `answers` are by the key of a question, or `field=column`, with nothing behind `=` for no column; `time_zone` is the
    guess for instants without one. Raises BadInput for an answer that does not fit.
    """
    questions = Questions(answers, take_guesses=take_guesses)
    fields = fields_of(seen, vocabulary, questions)
    remarks: Remarks = {("columns", name): _about(column) for name, column in fields.columns.items()}
    mapping = _form(seen, questions, remarks)
    mapping |= _layout(seen, fields)
    mapping["values"] = _values(seen, fields, vocabulary, questions, remarks)
    mapping |= _instants(seen, fields, questions, remarks, time_zone)
    mapping |= _cells(seen, fields)
    mapping |= _outcomes(seen, fields, vocabulary, mapping["values"], mapping.get("tag_separator", ","))
    questions.check()
    mapping = {key: value for key, value in mapping.items() if value not in ({}, [])}
    if not questions.open:
        TicketMapping.model_validate(mapping)
    return Draft(mapping, remarks, questions.guessed, questions.open)


def _form(seen: Overview, questions: Questions, remarks: Remarks) -> dict[str, Any]:
    bare = re.sub(r"[^a-z0-9]+", "-", plain(seen.path.name.split(".")[0])).strip("-")[:50]
    source = questions.given("source") or (seen.export.source if seen.export else bare or "tickets")
    opening = seen.form.opening()
    if "encoding" in seen.form.doubts:
        sample = next((s for c in seen.columns for s in (c.name, *c.samples, *c.words) if not s.isascii()), "")
        remarks["encoding",] = f"as in {sample[:40]!r}; if letters look wrong, set another"
    for key in {"sheet", "records"} & set(seen.form.doubts):
        remarks[key,] = "a guess: there are more"
    return {"source": source, **opening}


def _layout(seen: Overview, fields: Fields) -> dict[str, Any]:
    """Which column is which field, and what makes the file a log or a history of fields."""
    roles = dict(seen.roles)
    if seen.layout == "field history":
        history = {key: roles[key] for key in ("ticket", "field", "from", "to", "at") if key in roles}
        return {"history": history | ({"by": roles["actor"]} if "actor" in roles else {})}
    columns = {name: _path(name, column) for name, column in fields.columns.items()}
    if fields.by_row_number:
        columns = {"ticket_id": ROW_NUMBER, **columns}
    if seen.layout == "table":
        return {"columns": columns}
    log = seen.export.log if seen.export else None
    if log is None:
        return {"columns": columns, "updates": {role: roles[role] for role in ("at", "actor") if role in roles}}
    there = {each.name for each in seen.columns}
    columns_of_log = {role: name for role in ("at", "order", "actor") if (name := getattr(log, role)) in there}
    facts = [name for name in log.end_facts if name in there and name not in columns.values()]
    first = {"first_response": seen.export.first_response} if seen.export and seen.export.first_response else {}
    return {"columns": columns, "updates": {**columns_of_log, "end_facts": facts}, **first}


def _path(name: str, column: Column) -> str:
    """Of a list of objects, what these are called."""
    if column.kind != "list" or name not in {"tags", "category"} or column.name.endswith("]"):
        return column.name
    first = next((each for cell in column.samples for each in _listed(cell) if isinstance(each, dict)), {})
    key = next((key for key in ("name", "title", "value", "key") if key in first), None)
    return f"{column.name}[].{key}" if key else column.name


def _listed(cell: str) -> list[Any]:
    try:
        found = json.loads(cell)
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def _values(
    seen: Overview, fields: Fields, vocabulary: Vocabulary, questions: Questions, remarks: Remarks
) -> dict[str, dict[str, Any]]:
    """What each word of the mapped columns means."""
    words = _Words(seen, fields, vocabulary, questions, remarks)
    by_field = {name: column.words for name, column in fields.columns.items()}
    by_field |= words.of_history()
    return {name: table for name, counts in by_field.items() if (table := words.table(name, counts))}


class _Words(NamedTuple):
    seen: Overview
    fields: Fields
    vocabulary: Vocabulary
    questions: Questions
    remarks: Remarks

    def of_history(self) -> dict[str, dict[str, int]]:
        """Field: the words that a history of fields has for it, of those whose words are listed."""
        return {
            ours: words
            for theirs, words in self.seen.history_words.items()
            if (ours := self.vocabulary.field_of(theirs)) in ENUMS
        }

    def table(self, name: str, words: Mapping[str, int]) -> dict[str, Any]:
        if name in ENUMS:
            return self._enum(name, words)
        if name in LEVELS:
            return {word: int(word[0]) for word in words if not word.isdigit()}
        vocabulary, export = self.vocabulary, self.seen.export
        tables: dict[str, Callable[[str], Any]] = {
            "outcome": lambda word: vocabulary.outcome(word, export),
            "channel": lambda word: vocabulary.listed(name, word, export),
            "vip": lambda word: {"met": True, "breached": False}.get(vocabulary.verdict(word) or ""),
            **dict.fromkeys(VERDICTS, lambda word: self._verdict(self.fields.yes_means.get(name, "met"), word)),
        }
        means = {word: tables[name](word) for word in words} if name in tables else {}
        return {word: ours for word, ours in means.items() if ours is not None}

    def _verdict(self, yes_means: str, word: str) -> str | None:
        found = self.vocabulary.verdict(word)
        turned = {"met": "breached", "breached": "met"} if yes_means == "breached" else {}
        return turned.get(found or "", found) if self.vocabulary.is_yes_or_no(word) else found

    def _enum(self, name: str, words: Mapping[str, int]) -> dict[str, Any]:
        nonsense = {plain(word) for word in self.seen.export.nonsense.get(name, ())} if self.seen.export else set()
        answers = {
            word: self._word(name, word, count)
            for word, count in words.items()
            if plain(word) not in nonsense and not is_total(word)
        }
        table = {word: None if ours == NOTHING else ours for word, ours in answers.items() if ours is not None}
        unlisted = {USUAL[name]} if name in USUAL and len(table) < len(words) else set()
        return table | dict.fromkeys(["*"] if unlisted else [], USUAL.get(name))

    def _word(self, name: str, word: str, count: int) -> str | None:
        found, key = self.vocabulary.meaning(name, word, self.seen.export), f"{name}.{word}"
        given = self.questions.given(key)
        if given is None and (name not in NEVER_USUAL or (found and found.sure)):
            return found.word if found else None
        is_activity = name == "status" and "activity" in self.seen.roles
        question = Question(
            key,
            f"what does the {name} {word!r} mean, which {'one row has' if count == 1 else f'{count:,} rows have'}?",
            (*ENUMS[name], *([NOTHING] if is_activity else [])),
            found.word if found else NOTHING if is_activity else None,
        )
        self.remarks["values", name, word] = "a guess" if given is None else "as answered"
        return checked(question, given) if given is not None else self.questions.ask(question)


def _instants(seen: Overview, fields: Fields, questions: Questions, remarks: Remarks, time_zone: str) -> dict[str, Any]:
    """How instants are written and in which zone."""
    at = seen.column(seen.roles.get("at", ""))
    columns = [column for name, column in fields.columns.items() if name in (*INSTANTS, *DUE)] + ([at] if at else [])
    formats = _formats(columns, _order(columns, questions))
    if odd := [f"{c.name} {c.dates.odd!r}" for c in columns if c.dates and c.dates.odd]:
        remarks["dates",] = f"not read so: {', '.join(odd)}"
    known = questions.given("time_zone")
    if all(_OFFSET.search(cell) for column in columns for cell in column.samples):
        return {"dates": formats, "time_zone": known or time_zone}
    if known is None:
        remarks["time_zone",] = "the file does not tell it: that of the person who exported it"
        text = "in which time zone were the instants written (an IANA name, such as Europe/Berlin)?"
        known = questions.ask(Question("time_zone", text, guess=time_zone))
    return {"dates": formats, "time_zone": known or time_zone}


def _formats(columns: Sequence[Column], order: Order | None) -> list[str]:
    formats: dict[str, None] = {}
    for column in columns:
        if column.dates is None:
            formats |= {"excel": None} if is_serial(column) else {}
        else:
            readings = column.dates.readings
            formats |= dict.fromkeys(readings[order] if order and order in readings else column.dates.formats)
    return sorted(formats, key=lambda form: form.startswith("language:")) or ["iso"]


def _order(columns: Sequence[Column], questions: Questions) -> Order | None:
    """Of day and month, one for the file: as a column shows it, or as it is answered; None if it does not matter."""
    shown: dict[Order, str] = {}
    for column in columns:
        if column.dates and len(column.dates.readings) == 1 and any("%m" in form for form in column.dates.formats):
            shown.setdefault(next(iter(column.dates.readings)), column.name)
    shown.pop("year", None)
    if len(shown) > 1:
        text = (
            f"{shown['day']} is written day/month and {shown['month']} month/day, and a file is read in one order: "
            f"export both alike, or leave one out (--answer FIELD= leaves out the column of a field)"
        )
        questions.open.append(Question("dates", text))
        return None
    doubtful = [(column, column.dates) for column in columns if column.dates and column.dates.is_ambiguous]
    if shown or not doubtful:
        return next(iter(shown), None)
    options = tuple(dict.fromkeys(order for _, dates in doubtful for order in dates.readings))
    names, written = " and ".join(column.name for column, _ in doubtful), " and ".join(ORDERS[o] for o in options)
    text = f"{names}: every cell can be read as {written}, such as {doubtful[0][0].samples[0]!r}; which is it?"
    answer = questions.ask(Question("dates", text, options))
    return next((order for order in options if order == answer), None)


def _cells(seen: Overview, fields: Fields) -> dict[str, Any]:
    """What must be there, what means nothing, what is left out."""
    needed = [name for name in ("ticket_id", "created_at", "status") if name in fields.columns or name == "ticket_id"]
    export = seen.export
    separator = export.tag_separator if export else None
    if (tags := fields.columns.get("tags")) and not separator:
        separator = next((mark for mark in (";", "|") if any(mark in cell for cell in tags.samples)), None)
    return {
        "required": needed if seen.layout != "field history" else [],
        "optional": [name for name in fields.columns if name not in needed],
        "nulls": sorted({"", *(cell for column in seen.columns for cell in column.nulls)}),
        "ignore": [name for name in (export.ignore if export else ()) if seen.column(name)],
    } | ({"tag_separator": separator} if separator else {})


def _outcomes(
    seen: Overview, fields: Fields, vocabulary: Vocabulary, values: dict[str, dict[str, Any]], separator: str
) -> dict[str, Any]:
    """Where else it stands how a ticket ended: by further columns, by the status, by one of several tags. Then that it
    was solved is left to its end, as another column may say more."""
    export, chosen = seen.export, fields.columns.get("outcome")
    named = [word for words in (export.words.get("outcome", {}) if export else {}).values() for word in words]
    found = []
    for column in seen.columns if seen.layout == "table" else ():
        is_status = column == fields.columns.get("status")
        if not is_status and vocabulary.rank("outcome", column.name, export) is None:
            continue
        parts = [part for cell in column.words for part in (cell, *cell.split(separator))]
        for word in dict.fromkeys([*parts, *([] if is_status else named)]):
            outcome = vocabulary.outcome(word, export)
            is_there = column == chosen and word in values.get("outcome", {})
            if outcome not in {None, "solved"} and not is_there:
                found.append({"column": column.name, "word": word.strip(), "outcome": outcome})
    if found and "outcome" in values:
        values["outcome"] = {word: ours for word, ours in values["outcome"].items() if ours != "solved"}
    return {"outcomes": found}


def _about(column: Column) -> str:
    return f"{column.fill:.0%} filled: {', '.join(' '.join(sample.split())[:30] for sample in column.samples)}"
