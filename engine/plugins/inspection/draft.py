"""From what a file holds to how it is read: a draft mapping, and the questions that only a person can answer."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from engine.plugins.inspection.columns import Column, fits
from engine.plugins.inspection.dates import Order
from engine.plugins.inspection.overview import Overview
from engine.plugins.inspection.vocabulary import POLARITY, Meaning, Vocabulary, plain
from engine.plugins.mapping import ENUMS, FIELDS, INSTANTS, LEVELS, NOTES, ROW_NUMBER, TicketMapping
from engine.shared.errors import BadInput

ALONE: Final = ("ticket_number", "outcome")
"""Fields that may share their column with another one."""
WORDED: Final = ("status", "priority", "type", "tier", "vip")
ASKED: Final = ("status", "priority")
"""Fields of which a word that resembles nothing known is asked."""
ORDERS: Final[dict[Order, str]] = {"day": "day/month", "month": "month/day", "year": "year-month-day"}
_SERIAL = (20_000.0, 80_000.0)
"""Excel's day numbers from 1954 to 2119."""


class Question(NamedTuple):
    """What is not told by the file. `guess` is taken with --yes; one without a guess stays open."""

    key: str
    text: str
    options: tuple[str, ...] = ()
    guess: str | None = None


@dataclass
class Draft:
    """A mapping as it is written, with a remark per key, and what is asked about it."""

    mapping: dict[str, Any] = field(default_factory=dict)
    remarks: dict[tuple[str, ...], str] = field(default_factory=dict)
    guessed: list[Question] = field(default_factory=list)
    """Answered by their guess."""
    open: list[Question] = field(default_factory=list)


def draft_of(
    seen: Overview, vocabulary: Vocabulary, *, answers: Mapping[str, str], take_guesses: bool, time_zone: str = "UTC"
) -> Draft:
    """The mapping of a file, as far as it is known; whole only if no question is open.

    `answers` are by the key of a question, or `field=column`, with nothing behind `=` for no column. Raises BadInput
    for an answer to nothing.
    """
    work = _Drafting(seen, vocabulary, dict(answers), take_guesses, time_zone)
    work.form()
    fields = work.fields()
    work.instants(fields)
    work.words(fields)
    work.rest(fields)
    if work.answers:
        raise BadInput(
            f"--answer {next(iter(work.answers))}=…: nothing is asked by that name; "
            f"there are {', '.join(sorted(work.asked))}, and every field of a ticket"
        )
    if not work.draft.open:
        TicketMapping.model_validate(work.draft.mapping)
    return work.draft


class _Drafting:
    """The steps of one draft; answers are taken out as they are used."""

    def __init__(
        self, seen: Overview, vocabulary: Vocabulary, answers: dict[str, str], take_guesses: bool, time_zone: str
    ) -> None:
        self.seen, self.vocabulary, self.answers = seen, vocabulary, answers
        self.take_guesses, self.time_zone = take_guesses, time_zone
        self.asked: set[str] = set()
        self.draft = Draft()

    def ask(self, question: Question) -> str | None:
        """The answer that was given, or the guess where those are taken; None leaves the question open."""
        self.asked.add(question.key)
        if question.key in self.answers:
            answer = self.answers.pop(question.key)
            if question.options and answer not in question.options:
                raise BadInput(f"--answer {question.key}={answer}: expected one of {', '.join(question.options)}")
            return answer
        if question.guess is None or not self.take_guesses:
            self.draft.open.append(question)
        else:
            self.draft.guessed.append(question)
        return question.guess

    def form(self) -> None:
        seen, mapping = self.seen, self.draft.mapping
        known = seen.export.source if seen.export else _slug(seen.path.name)
        self.asked.add("source")
        mapping["source"] = self.answers.pop("source", known)
        mapping |= seen.form.opening()
        if seen.form.guessed_encoding:
            sample = next((s for c in seen.columns for s in (c.name, *c.samples, *c.words) if not s.isascii()), "")
            mapping["encoding"] = self.answers.pop("encoding", seen.form.encoding)
            self.draft.remarks["encoding",] = f"the bytes fit it, as in {sample[:40]!r}; if letters look wrong, change it"

    def fields(self) -> dict[str, Column]:
        """Which column is which field of a ticket."""
        chosen: dict[str, Column] = {}
        if self.seen.layout == "field history":
            return chosen
        taken: set[str] = set(self._log_columns())
        for name in _ORDER:
            target = POLARITY[name][0] if name in POLARITY else name
            column = self._answered(target) if target in self.answers else self._best(name, taken)
            if column is None or target in chosen:
                continue
            chosen[target] = column
            if name in POLARITY:
                self.polarity = {**getattr(self, "polarity", {}), target: POLARITY[name][1]}
            if name not in ALONE:
                taken.add(column.name)
        self._needed(chosen)
        return chosen

    def _log_columns(self) -> list[str]:
        return [name for role, name in self.seen.roles.items() if role in {"at", "actor"}]

    def _answered(self, name: str) -> Column | None:
        column = self.answers.pop(name)
        found = self.seen.column(column)
        if column and found is None:
            known = ", ".join(each.name for each in self.seen.columns)
            raise BadInput(f"--answer {name}={column}: there is no such column; the file has {known}")
        return found

    def _best(self, name: str, taken: set[str]) -> Column | None:
        seen, is_log = self.seen, self.seen.layout == "log"
        if name == "status" and is_log and "activity" in seen.roles:
            return seen.column(seen.roles["activity"])
        ranked = [
            (rank, -column.fill, place, column)
            for place, column in enumerate(seen.columns)
            if (column.name not in taken or name in ALONE)
            and column.kind != "empty"
            and (rank := self.vocabulary.rank(name, column.name, seen.export)) is not None
            and self._suits(name, column)
        ]
        return min(ranked, key=lambda each: each[:3])[3] if ranked else None

    def _suits(self, name: str, column: Column) -> bool:
        """Whether a column can be of a field at all, whatever it is called."""
        if name in INSTANTS or name in {"first_response_due_at", "resolution_due_at"}:
            return column.kind == "date" or _is_serial(column)
        if name == "ticket_id" and self.seen.layout == "table":
            return column.distinct >= column.fill * self.seen.rows
        if name == "outcome":
            return any(self._outcome(word) not in {None, "solved"} for word in _many_words(column))
        if name in POLARITY or name in WORDED:
            return column.kind in {"word", "boolean", "number"} and bool(column.words)
        if name in LEVELS:
            return all(re.match(r"[1-5]\b", word) for word in column.words) and bool(column.words)
        return name in {"title", "description", "tags", "ticket_id", "ticket_number"} or column.kind != "date"

    def _outcome(self, word: str) -> str | None:
        found = self.vocabulary.meaning("outcome", word, self.seen.export)
        return found.word if found and found.sure else None

    def _needed(self, chosen: dict[str, Column]) -> None:
        """Without an id or a creation there is no ticket."""
        free = [each for each in self.seen.columns if each.name not in {c.name for c in chosen.values()}]
        names = tuple(each.name for each in self.seen.columns)
        if "ticket_id" not in chosen:
            unique = [each.name for each in free if each.distinct == self.seen.rows and each.kind in {"word", "text", "number"}]
            short = next((n for n in unique if max(map(len, (self.seen.column(n) or free[0]).samples)) <= 20), None)
            text = "no column is known to name the ticket, each row by another name"
            self.draft.remarks["columns", "ticket_id"] = "a guess"
            answer = self.ask(Question("ticket_id", text, (*names, ROW_NUMBER), short or ROW_NUMBER))
            if answer is not None and (column := self.seen.column(answer)):
                chosen["ticket_id"] = column
            elif answer == ROW_NUMBER:
                self.draft.remarks["columns", "ticket_id"] = "no column names the ticket: the number of its row does"
                self.by_row_number = True
        if "created_at" not in chosen and self.seen.layout == "table":
            dated = [each.name for each in free if each.kind == "date" and each.fill == 1]
            text = "no column is known to say when a ticket was created"
            answer = self.ask(Question("created_at", text, names, dated[0] if len(dated) == 1 else None))
            if answer is not None and (column := self.seen.column(answer)):
                chosen["created_at"] = column

    def instants(self, fields: Mapping[str, Column]) -> None:
        """The formats of all mapped instants, in one order of day and month."""
        columns = self._dated(fields)
        formats: dict[str, None] = {}
        order = self._order(columns)
        for column in columns:
            if column.dates is None:
                formats |= {"excel": None} if _is_serial(column) else {}
                continue
            readings = column.dates.readings
            formats |= dict.fromkeys(readings.get(order, column.dates.formats) if order else column.dates.formats)
        self.draft.mapping["dates"] = sorted(formats, key=lambda form: form.startswith("language:")) or ["iso"]
        if odd := [f"{c.name}: {c.dates.odd!r}" for c in columns if c.dates and c.dates.odd]:
            self.draft.remarks["dates",] = f"these don't fit: {'; '.join(odd)}"
        if any(not _has_zone(form) for form in formats) and not _only_zoned(columns):
            text = "the instants have no zone of their own: in which were they written (an IANA name)?"
            zone = self.ask(Question("time_zone", text, guess=self.time_zone))
            self.draft.mapping["time_zone"] = zone or self.time_zone
            self.draft.remarks["time_zone",] = "the file does not say; set the zone of the person who exported it"
        else:
            self.asked.add("time_zone")
            self.draft.mapping["time_zone"] = self.answers.pop("time_zone", self.time_zone)

    def _dated(self, fields: Mapping[str, Column]) -> list[Column]:
        found = [column for name, column in fields.items() if name in _DATED]
        at = self.seen.column(self.seen.roles.get("at", ""))
        return [*found, *([at] if at else [])]

    def _order(self, columns: Sequence[Column]) -> Order | None:
        """Of day and month in all of them: as one column shows it, or as it is answered; None if it does not matter."""
        dates = [column.dates for column in columns if column.dates]
        told: dict[Order, str] = {}
        for column in columns:
            if column.dates and not column.dates.is_ambiguous and _has_numbers(column.dates.formats):
                told.setdefault(next(iter(column.dates.readings)), column.name)
        doubtful = [column for column in columns if column.dates and column.dates.is_ambiguous]
        if len(told) > 1:
            first, second = list(told.items())[:2]
            text = (
                f"{first[1]} is written {ORDERS[first[0]]} and {second[1]} {ORDERS[second[0]]}: a file is read in one "
                "order; export both alike, or leave one of them out"
            )
            self.draft.open.append(Question(next(n for n in _DATED if n), text))
            return None
        if not doubtful or told:
            return next(iter(told), None)
        options = tuple(dict.fromkeys(order for each in dates for order in each.readings if each.is_ambiguous))
        cell = doubtful[0].samples[0]
        names = " and ".join(each.name for each in doubtful)
        text = f"{names}: every cell fits {' and '.join(ORDERS[each] for each in options)}, such as {cell!r}"
        answer = self.ask(Question("dates", text, options))
        return next((order for order in options if order == answer), None)

    def words(self, fields: Mapping[str, Column]) -> None:
        """What each word of the mapped columns means."""
        for name, column in fields.items():
            table = self._table(name, column)
            if table:
                self.draft.mapping.setdefault("values", {})[name] = table
        if self.seen.layout == "field history":
            self._history_words()

    def _table(self, name: str, column: Column) -> dict[str, Any]:
        if name == "outcome":
            found = {word: self._outcome(word) for word in _many_words(column)}
            return {word: ours for word, ours in found.items() if ours}
        if name in NOTES:
            return self._verdicts(name, column)
        if name == "vip":
            yes = {word: self.vocabulary.meaning("verdict", word, None) for word in column.words}
            return {word: found.word == "met" for word, found in yes.items() if found}
        if name in LEVELS:
            return {word: int(word[0]) for word in column.words if not word.isdigit()}
        if name == "channel" and self.seen.export:
            known = self.seen.export.words.get("channel", {})
            return {w: ours for w in column.words for ours, theirs in known.items() if plain(w) in map(plain, theirs)}
        return self._enum(name, column) if name in ENUMS else {}

    def _verdicts(self, name: str, column: Column) -> dict[str, str]:
        other = {"met": "breached", "breached": "met"}
        means = {word: self.vocabulary.meaning("verdict", word, None) for word in column.words}
        yes_is = getattr(self, "polarity", {}).get(name, "met")
        bare = all(plain(word) in _YES_NO for word in column.words)
        return {w: m.word if yes_is == "met" or not bare else other[m.word] for w, m in means.items() if m}

    def _enum(self, name: str, column: Column) -> dict[str, Any]:
        table: dict[str, Any] = {}
        nonsense = {plain(w) for w in self.seen.export.nonsense.get(name, ())} if self.seen.export else set()
        is_activity = name == "status" and self.seen.roles.get("activity") == column.name
        for word, count in column.words.items():
            if plain(word) in nonsense:
                continue
            if (ours := self._word(name, word, count, is_activity=is_activity)) is not None:
                table[word] = None if ours == NOTHING else ours
        if name in ("type", "tier") and len(table) < len(column.words):
            table["*"] = _DEFAULTS[name]
        return table

    def _word(self, name: str, word: str, count: int, *, is_activity: bool = False) -> str | None:
        found = self.vocabulary.meaning(name, word, self.seen.export)
        key = f"{name}.{word}"
        self.asked.add(key)
        if key not in self.answers and found and found.sure:
            return found.word
        if name not in ASKED and key not in self.answers:
            return found.word if found else None
        times = "once" if count == 1 else f"{count:,} times"
        options = (*ENUMS[name], *((NOTHING,) if is_activity else ()))
        guess = found.word if found else NOTHING if is_activity else None
        answer = self.ask(Question(key, f"what does {word!r} mean ({times})?", options, guess))
        self.draft.remarks["values", name, word] = "a guess" if answer == guess else "as answered"
        return answer

    def _history_words(self) -> None:
        """The words of each followed field stand in the same two columns."""

    def rest(self, fields: Mapping[str, Column]) -> None:
        """Columns, what must be there, what is left as it is."""
        seen, mapping = self.seen, self.draft.mapping
        columns = {name: fields[name].name for name in _WRITTEN if name in fields}
        if getattr(self, "by_row_number", False):
            columns = {"ticket_id": ROW_NUMBER, **columns}
        mapping["columns"] = columns
        for name, column in fields.items():
            self.draft.remarks.setdefault(("columns", name), _about(column))
        if seen.layout == "log":
            mapping["updates"] = self._updates()
        always = {"ticket_id", "created_at", "status"} & set(columns)
        mapping["required"] = [name for name in columns if name in always and _is_full(name, fields)]
        mapping["optional"] = [name for name in columns if name not in always]
        mapping["nulls"] = self._nulls()
        tags = fields.get("tags")
        separator = (seen.export.tag_separator if seen.export else None) or (_separator(tags) if tags else None)
        if separator:
            mapping["tag_separator"] = separator
        ignored = [name for name in (seen.export.ignore if seen.export else ()) if seen.column(name)]
        if ignored:
            mapping["ignore"] = ignored

    def _updates(self) -> dict[str, Any]:
        log = self.seen.export.log if self.seen.export else None
        if log is None:
            return {role: self.seen.roles[role] for role in ("at", "actor") if role in self.seen.roles}
        there = {each.name for each in self.seen.columns}
        told = {role: name for role in ("at", "order", "actor") if (name := getattr(log, role)) in there}
        return {**told, "end_facts": [name for name in log.end_facts if name in there]}

    def _nulls(self) -> list[str]:
        """Cells of this file that mean nothing."""
        known = (*self.vocabulary.nulls, *(self.seen.export.nulls if self.seen.export else ()))
        return list(dict.fromkeys(["", *(word for word in known if word)]))


NOTHING: Final = "nothing"
"""The answer for an activity of a log that is no status."""
_DEFAULTS = {"type": "incident", "tier": "standard"}
_YES_NO = {"true", "false", "yes", "no", "y", "n", "1", "0", "ja", "nein", "si", "nao", "sim", "oui", "non", "vrai",
           "faux", "verdadero", "falso", "verdadeiro", "wahr", "falsch"}  # fmt: skip
_DATED = (*INSTANTS,)
_WRITTEN = tuple(dict.fromkeys(["ticket_id", "ticket_number", "title", "description", "created_at", *sorted(FIELDS)]))
_ORDER = tuple(
    dict.fromkeys(
        [
            "ticket_id",
            "ticket_number",
            "created_at",
            "first_response_at",
            "resolved_at",
            "closed_at",
            "updated_at",
            "agreed_due_at",
            "resolution_due_at",
            "first_response_due_at",
            *POLARITY,
            "title",
            "description",
            "status",
            "priority",
            "type",
            "outcome",
            "vip",
            *LEVELS,
            "tier",
            "category",
            "channel",
            "group",
            "assignee",
            "company",
            "requester",
            "tags",
            "language",
        ]
    )
)
"""Fields as columns are given to them: the more telling first."""


def _slug(name: str) -> str:
    bare = re.sub(r"[^a-z0-9]+", "-", plain(name.split(".")[0])).strip("-")
    return bare[:50] or "tickets"


def _is_serial(column: Column) -> bool:
    """Whether it could hold the day numbers of a spreadsheet."""
    numbers = [_as_number(cell) for cell in column.samples]
    return column.kind == "number" and all(n is not None and _SERIAL[0] <= n <= _SERIAL[1] for n in numbers)


def _as_number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _has_zone(form: str) -> bool:
    return form.startswith("epoch") or any(code in form for code in ("%z", "%:z", "%#z", "%Z"))


def _only_zoned(columns: Sequence[Column]) -> bool:
    """Whether every sample carries an offset: `iso` reads both."""
    cells = [cell for column in columns for cell in column.samples]
    return bool(cells) and all(re.search(r"(Z|[+-]\d{2}:?\d{2}|1\d{9,12})$", cell) for cell in cells)


def _has_numbers(formats: Sequence[str]) -> bool:
    return any("%m" in form and not form.startswith(("%Y", "%y")) for form in formats)


def _many_words(column: Column) -> Iterator[str]:
    """The words of a column, and of tags each by itself."""
    return iter(column.words)


def _separator(column: Column) -> str | None:
    counts = {mark: sum(mark in cell for cell in column.samples) for mark in (";", "|", ",", " ")}
    return next((mark for mark, count in counts.items() if count), None)


def _is_full(name: str, fields: Mapping[str, Column]) -> bool:
    return name not in fields or fields[name].fill == 1 or name != "status"


def _about(column: Column) -> str:
    samples = ", ".join(sample.replace("\n", " ")[:30] for sample in column.samples)
    return f"{column.fill:.0%} filled: {samples}"
