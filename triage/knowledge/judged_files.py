"""A judged collection as files in the layout of BEIR: documents, queries, and which document answers which query."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from engine.shared.errors import BadInput, NotFound
from engine.shared.tabular import json_lines, utf8_text
from triage.contracts import Article
from triage.knowledge.retrieval_measures import Judged, with_answers

COLUMNS = ("query-id", "corpus-id", "score")
_GRADE = re.compile(r"([+-]?[0-9]{1,4})(?:\.0*)?")


def read_corpus(file: Path) -> list[Article]:
    """Documents of `corpus.jsonl` (`_id`, `title`, `text`) as articles; one without either is kept and never found.

    Raises NotFound without the file, BadInput with the line for what is no document, no id or one given twice.
    """
    return [
        Article(id=key, title=_text(row, "title"), url=f"corpus:{key}", text=_text(row, "text"))
        for key, row in _rows(file, ("_id", "text"))
    ]


def read_queries(file: Path) -> dict[str, str]:
    """Texts of `queries.jsonl` (`_id`, `text`) by id. Raises as `read_corpus`."""
    return {key: _text(row, "text") for key, row in _rows(file, ("_id", "text"))}


class Judgements(NamedTuple):
    """Grades of known queries; how many judged queries nobody asks, and how many judged documents are not there."""

    grades: Judged
    unknown_queries: int
    unknown_documents: int


def read_judgements(file: Path, queries: set[str], documents: set[str]) -> Judgements:
    """Grades of `qrels.tsv` (query-id, corpus-id, score, with a header), or of a file without one: these three, or the
    four of trec_eval (query, iteration, document, grade, by tabs or spaces).

    A judged query that nobody asks is left out; a judged document that is not there stays, as one that can't be found.
    Both as trec_eval does.
    Raises NotFound without the file; BadInput for a column missing or given twice, with the line for another number of
    columns, a grade that is no whole number of one to four digits and a pair with two grades; and for a file that knows
    no query or no document of these, or finds nothing relevant.
    """
    judged: dict[str, dict[str, int]] = {}
    strange: set[str] = set()
    lines = [(number, cells) for number, cells in enumerate(_cells(utf8_text(_checked(file))), start=1) if any(cells)]
    places, first = _places(file, lines[0][1] if lines else [])
    for number, cells in lines[first:]:
        grade = _GRADE.fullmatch(cells[places[2]].strip()) if len(cells) == len(lines[0][1]) else None
        if grade is None:
            raise BadInput(f"{file.name}, line {number}: needs a query id, a document id and a whole number of at most "
                           "four digits, by tabs")  # fmt: skip
        query, document = (cells[place].strip() for place in places[:2])
        if query not in queries:
            strange.add(query)
            continue
        value = int(grade.group(1))
        if judged.setdefault(query, {}).setdefault(document, value) != value:
            raise BadInput(f"{file.name}, line {number}: {query!r} and {document!r} have another grade above; keep one")
    return Judgements(judged, len(strange), _absent(file, judged, strange, documents))


def _absent(file: Path, judged: Judged, strange: set[str], documents: set[str]) -> int:
    """How many judged documents are not there."""
    if strange and not judged:
        raise BadInput(
            f"{file.name}: there is no query {min(strange)!r}, nor any other it judges; are these its queries?"
        )
    if not with_answers(judged):
        raise BadInput(f"{file.name} judges no document relevant to any query; a grade above 0 says relevant")
    named = {document for grades in judged.values() for document in grades}
    if not named & documents:
        raise BadInput(
            f"{file.name}: there is no document {min(named)!r}, nor any other it judges; is this its corpus?"
        )
    return len(named - documents)


def _cells(text: str) -> list[list[str]]:
    lines = text.splitlines()
    is_tabbed = "\t" in next((line for line in lines if line.strip()), "")
    return [line.split("\t") if is_tabbed else line.split() for line in lines]


def _places(file: Path, head: list[str]) -> tuple[list[int], int]:
    """Where the columns stand, and which line is the first that judges."""
    if len(head) in (3, 4) and _GRADE.fullmatch(head[-1].strip()):
        return [0, len(head) - 2, len(head) - 1], 0
    names = [name.strip().lower() for name in head]
    if missing := [name for name in COLUMNS if name not in names]:
        raise BadInput(f"{file.name} has no column {missing[0]!r}; its first line names {', '.join(COLUMNS)}, by tabs")
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise BadInput(f"{file.name} has the column {twice[0]!r} twice; keep one")
    return [names.index(name) for name in COLUMNS], 1


def _rows(file: Path, fields: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    seen: set[str] = set()
    for number, row in json_lines(_checked(file)):
        if any(field not in row for field in fields):
            raise BadInput(f"{file.name}, line {number}: has no {' or no '.join(fields)}; each line has both")
        key = str(row["_id"])
        if key in seen:
            raise BadInput(f"{file.name}, line {number}: the id {key!r} is given twice")
        seen.add(key)
        yield key, row
    if not seen:
        raise BadInput(f"{file.name} is empty; each line is a JSON object with {' and '.join(fields)}")


def _text(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _checked(file: Path) -> Path:
    if file.is_dir():
        raise BadInput(f"{file} is a folder; name a file in it")
    if not file.is_file():
        raise NotFound(f"There is no file {file}; give corpus.jsonl, queries.jsonl and a qrels .tsv")
    return file
