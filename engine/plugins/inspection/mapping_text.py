"""A draft mapping as YAML for people: what it is, each key on a line, a remark where one is due."""

from collections.abc import Mapping
from typing import Any

import yaml

from engine.plugins.inspection.draft import Draft, Remarks
from engine.plugins.inspection.overview import Overview

OWN_LINES = ("columns", "values", "updates", "history")


def mapping_text(draft: Draft, seen: Overview) -> str:
    """The YAML of a mapping; reading it gives the draft again."""
    known = f"an export of {seen.export.name}" if seen.export else f"a {seen.layout}"
    rows = f"{seen.rows:,} rows" if seen.is_whole else f"its first {seen.rows:,} rows"
    used = {*draft.mapping.get("columns", {}).values(), *seen.roles.values(), *draft.mapping.get("ignore", ())}
    left = [each.name for each in seen.columns if each.name not in used]
    lines = [
        f"# Drafted by `helmdesk inspect` from {_one_line(seen.path.name)}, {known}, {rows}.",
        "# Look it over: a guess says that it is one. Every key is explained in data/mappings/example.yaml.",
    ]
    for key, value in draft.mapping.items():
        lines += _lines(key, value, (key,), draft.remarks)
    if left:
        lines.append(f"# Kept in external_metadata as they are: {_one_line(', '.join(left))}")
    return "\n".join(lines) + "\n"


def _lines(key: str, value: Any, path: tuple[str, ...], remarks: Remarks) -> list[str]:
    indent = "  " * (len(path) - 1)
    remark = f" # {_one_line(remarks[path])}" if path in remarks else ""
    if isinstance(value, Mapping) and (key in OWN_LINES or path[0] == "values"):
        inner = [line for name, each in value.items() for line in _lines(name, each, (*path, name), remarks)]
        return [f"{indent}{_flow(key)}:{remark}", *inner]
    return [f"{indent}{_flow(key)}: {_flow(value)}{remark}"]


def _flow(value: Any) -> str:
    """A value on one line."""
    text = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=float("inf"))
    return text.strip().removeprefix("[").removesuffix("]")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
