"""The made-up texts with what must be hidden in each, and how well that is done."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from triage.redaction.kinds import Kind
from triage.redaction.names import Names
from triage.redaction.redact import found_in

DATA: Final = Path(__file__).parent / "data" / "made_up_texts.yaml"
_MARKED = re.compile(r"⟦([A-Z]+)\|([^⟧]+)⟧")


class Gold(NamedTuple):
    """A text and, as character ranges, what must be hidden in it."""

    language: str
    text: str
    spans: tuple[tuple[int, int, str], ...]


def read_gold() -> tuple[list[Gold], Names]:
    content = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    parts = [content[part] for part in ("first", "later", "again")]
    gold = [_gold(language, text) for part in parts for language, texts in part.items() for text in texts]
    return gold, Names(content["people"], content["companies"])


def _gold(language: str, marked: str) -> Gold:
    pieces, spans, at, length = list[str](), list[tuple[int, int, str]](), 0, 0
    for match in _MARKED.finditer(marked):
        pieces += [marked[at : match.start()], match[2]]
        length += match.start() - at
        spans.append((length, length + len(match[2]), match[1]))
        length, at = length + len(match[2]), match.end()
    return Gold(language, "".join([*pieces, marked[at:]]), tuple(spans))


class Measured(NamedTuple):
    """By kind, how many values there are and how many are hidden whole; and what was hidden that should have stayed."""

    values: Counter[str]
    hidden: Counter[str]
    missed: list[str]
    wrong: list[str]


def measure(gold: list[Gold], names: Names) -> Measured:
    """By letters and digits: a sign at the end of a password, a bracket before a number may be hidden or stay."""
    values, hidden, missed, wrong = Counter[str](), Counter[str](), list[str](), list[str]()
    for entry in gold:
        found = found_in(entry.text, names, language=entry.language)
        for start, end, kind in entry.spans:
            assert kind in set(Kind)
            values[kind] += 1
            left = "".join(
                c for n, c in _letters(entry.text, start, end) if not any(s.start <= n < s.end for s in found)
            )
            if left:
                missed.append(f"{entry.language} {kind} {entry.text[start:end]!r} in {entry.text!r}")
            else:
                hidden[kind] += 1
        for span in found:
            letters = list(_letters(entry.text, span.start, span.end))
            outside = [c for n, c in letters if not any(start <= n < end for start, end, _ in entry.spans)]
            if outside:
                wrong.append(f"{entry.language} {span.kind} {entry.text[span.start : span.end]!r} in {entry.text!r}")
    return Measured(values, hidden, missed, wrong)


def _letters(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    return ((n, text[n]) for n in range(start, end) if text[n].isalnum())
