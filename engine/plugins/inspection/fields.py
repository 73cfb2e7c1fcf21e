"""Which column of a file is which field of a ticket: by what it is called, if it holds what the field needs."""

import re
from typing import Final, NamedTuple

from engine.plugins.inspection.columns import Column
from engine.plugins.inspection.overview import Overview
from engine.plugins.inspection.questions import Question, Questions
from engine.plugins.inspection.vocabulary import POLARITY, Vocabulary
from engine.plugins.mapping import ENUMS, INSTANTS, LEVELS, ROW_NUMBER
from engine.shared.errors import BadInput

DUE: Final = ("agreed_due_at", "resolution_due_at", "first_response_due_at")
ORDER: Final = (
    *("ticket_id", "ticket_number"),
    *dict.fromkeys((*INSTANTS, *DUE)),
    *POLARITY,
    *("title", "description", "status", "priority", "type", "outcome", "vip", *LEVELS, "tier"),
    *("category", "channel", "group", "assignee", "company", "requester", "tags", "language"),
)
"""Fields as columns are given to them, the more telling first."""
SHARING: Final = ("ticket_number", "outcome")
"""Fields whose column may be another field's as well."""
MOSTLY: Final = 0.5
"""Share of a table's rows with an id of their own, at least; a later row of a ticket is refused."""
DAMAGED: Final = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)
"""What Excel makes of a long number."""
_SERIALS: Final = (20_000.0, 80_000.0)
"""Excel's day numbers of 1954 to 2119."""


class Fields(NamedTuple):
    columns: dict[str, Column]
    """By field of a mapping."""
    yes_means: dict[str, str]
    """Verdict that a yes in this field's column stands for."""
    by_row_number: bool = False
    """Whether no column names the ticket, and the number of its row does."""


def fields_of(seen: Overview, vocabulary: Vocabulary, questions: Questions) -> Fields:
    """Raises BadInput for an answer that names no column."""
    chosen: dict[str, Column] = {}
    yes_means: dict[str, str] = {}
    taken = {name for role, name in seen.roles.items() if role != "ticket"}
    for name in ORDER if seen.layout != "field history" else ():
        target, means = POLARITY.get(name, (name, None))
        answer = questions.given(target)
        column = _best(name, taken, seen, vocabulary) if answer is None else _named(answer, target, seen)
        if column is None or target in chosen:
            continue
        chosen[target] = column
        yes_means |= {target: means} if means else {}
        taken |= {column.name} - {"" if name in SHARING else None}
    return _with_needed(Fields(chosen, yes_means), seen, vocabulary, questions)


def is_serial(column: Column) -> bool:
    """Whether it could hold the day numbers of a spreadsheet."""
    numbers = [float(cell.replace(",", ".")) for cell in column.samples] if column.kind == "number" else []
    return bool(numbers) and all(_SERIALS[0] <= number <= _SERIALS[1] for number in numbers)


def _named(answer: str, name: str, seen: Overview) -> Column | None:
    """The column of an answer; nothing behind `=` is no column."""
    found = seen.column(answer)
    if answer and found is None:
        known = ", ".join(each.name for each in seen.columns)
        raise BadInput(f"--answer {name}={answer}: there is no such column; the file has {known}")
    return found


def _best(name: str, taken: set[str], seen: Overview, vocabulary: Vocabulary) -> Column | None:
    if name == "status" and "activity" in seen.roles:
        return seen.column(seen.roles["activity"])
    ranked = [
        ((name == "ticket_id" and not _is_unique(column, seen), rank, -column.fill), place, column)
        for place, column in enumerate(seen.columns)
        if column.kind != "empty" and (column.name not in taken or name in SHARING)
        if (rank := vocabulary.rank(name, column.name, seen.export)) is not None
        and _suits(name, column, seen, vocabulary)
    ]
    return min(ranked, key=lambda each: each[:2])[2] if ranked else None


def _suits(name: str, column: Column, seen: Overview, vocabulary: Vocabulary) -> bool:
    """Whether a column can be of a field, whatever it is called."""
    words = column.words
    if name in INSTANTS or name in DUE:
        return column.kind == "date" or is_serial(column)
    if name == "ticket_id" and seen.layout == "table":
        damaged = all(DAMAGED.fullmatch(cell) for cell in column.samples)
        return not damaged and column.distinct >= MOSTLY * column.fill * seen.rows
    if name == "outcome":
        return any(vocabulary.outcome(word, seen.export) not in {None, "solved"} for word in words)
    if name in LEVELS:
        return bool(words) and all(re.match(r"[1-5]\b", word) for word in words)
    return bool(words) if name in POLARITY or name in ENUMS or name == "vip" else column.kind != "date"


def _with_needed(fields: Fields, seen: Overview, vocabulary: Vocabulary, questions: Questions) -> Fields:
    """Without a name and a creation there is no ticket: what is not known of them is asked."""
    columns = fields.columns
    if "ticket_id" not in columns and seen.layout == "table":
        answer = questions.ask(_which_id(seen, vocabulary))
        if answer == ROW_NUMBER:
            fields = fields._replace(by_row_number=True)
        elif answer and (column := seen.column(answer)):
            columns["ticket_id"] = column
    if "created_at" not in columns and seen.layout == "table":
        names = [each.name for each in seen.columns if each.kind == "date" and each not in columns.values()]
        text = "no column is known to tell when a ticket was created; which does?"
        answer = questions.ask(Question("created_at", text, tuple(names), names[0] if len(names) == 1 else None))
        if answer and (column := seen.column(answer)):
            columns["created_at"] = column
    return fields


def _which_id(seen: Overview, vocabulary: Vocabulary) -> Question:
    """Asked where no column names the tickets; where one is called so and can't be it, nothing is guessed."""
    options = (*(each.name for each in seen.columns if each.fill == 1 and _is_unique(each, seen)), ROW_NUMBER)
    called = [each for each in seen.columns if vocabulary.rank("ticket_id", each.name, seen.export) is not None]
    if not called:
        text = "no column is called as one that names the ticket; which does, or (row) for the number of its row?"
        return Question("ticket_id", text, options, ROW_NUMBER)
    name, cell = called[0].name, next(iter(called[0].samples), "")
    if DAMAGED.fullmatch(cell):
        why = f"Excel wrote {cell} for different ids: export again with the column {name} as text;"
    else:
        why = f"{name} names the same ticket in most rows, and no columns tell when its status changed;"
    return Question("ticket_id", f"{why} name another column, or (row) for the number of its row.", options)


def _is_unique(column: Column, seen: Overview) -> bool:
    return column.distinct >= column.fill * seen.rows
