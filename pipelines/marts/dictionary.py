"""The data dictionary and the README's table of marts, made of what the marts declare: `uv run poe dictionary`."""

import re
from pathlib import Path

import dataframely as dy

from engine.access import Right
from pipelines.marts.mart import Mart
from pipelines.marts.registry import MARTS, SUBJECTS, leads

README, DICTIONARY = Path("README.md"), Path("docs/data-dictionary.md")
_TABLE = re.compile(r"\| mart \| the question it answers \|\n(?:\|.*\n)+")
_TYPES: dict[type[dy.Column], str] = {
    dy.String: "text", dy.Int64: "whole number", dy.Float64: "number", dy.Bool: "yes or no", dy.Datetime: "instant",
    dy.Date: "date",
}  # fmt: skip
_OPENING = """\
# Data dictionary

Every column of every mart: made from `pipelines/marts/` by `uv run poe dictionary`. A column is never null unless its
type says so. Business seconds are seconds of working time on the clock's own calendar; instants are in UTC, to the
microsecond. A publication whose rows break a rule of their mart (keys unique, nothing outside its bounds, every → key
in the mart it leads to) is not put in force.
"""


def dictionary() -> str:
    """The text of `docs/data-dictionary.md`."""
    return "\n".join([_OPENING, *(_section(name, mart) for name, mart in MARTS.items())])


def with_table(readme: str) -> str:
    """A README with the table of marts as it should be: one row for what is read together."""
    rows = [
        f"| {', '.join(f'`{name}`' for name in marts)} | {' '.join(mart.question for mart in marts.values())} |\n"
        for marts in SUBJECTS
    ]
    table = "".join(["| mart | the question it answers |\n", "|---|---|\n", *rows])
    return _TABLE.sub(lambda _: table, readme)


def _section(name: str, mart: Mart) -> str:
    others = dict(leads(mart))
    rows = [_row(column, about, others.get(column)) for column, about in mart.rules.columns().items()]
    head = ["| column | type | unit | meaning | key |", "|---|---|---|---|---|"]
    takes = [] if mart.right == Right.READ else [f"Takes the right `{mart.right}`.\n"]
    return "\n".join([f"## {name}\n", f"{mart.question}\n", *takes, *head, *rows, ""])


def _row(name: str, about: dy.Column, other: str | None) -> str:
    kind = _TYPES[type(about)] + " or null" * about.nullable
    unit = (about.metadata or {}).get("unit", "")
    key = " ".join(["key"] * about.primary_key + ([f"→ `{other}`"] if other else []))
    return f"| `{name}` | {kind} | {unit} | {about.description} | {key} |"


if __name__ == "__main__":
    DICTIONARY.write_text(dictionary(), encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
