"""Canned replies: which of them a ticket's words and error codes suggest."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from engine.shared.errors import BadInput, NotFound
from engine.shared.policy_file import first_wrong, read_yaml
from triage.contracts import Macro
from triage.evidence import names_code, names_phrase
from triage.sanitize import clean

CODE_WEIGHT: Final = 3
SIGNAL_WEIGHT: Final = 1
PLACEHOLDERS: Final = frozenset({"name", "reference"})

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}|[{}]")
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+|\b(?:javascript|vbscript|data):\S+", re.IGNORECASE)


def read_macros(folder: Path) -> list[Macro]:
    """All macros of all `*.yaml` in the folder, ordered by id; each file is a list.

    Raises NotFound without such a folder, BadInput with file, entry, key and reason for the first that can't be used.
    """
    if not folder.is_dir():
        raise NotFound(f"There is no folder of macros {folder.name!r}; HELMDESK_DATA says where data is")
    found: dict[str, Macro] = {}
    for file in sorted(folder.glob("*.yaml")):
        for macro in _read(file):
            if macro.id in found:
                raise BadInput(f"{file.name}: id {macro.id!r} is used by another macro; ids are unique")
            found[macro.id] = macro
    return [found[key] for key in sorted(found)]


def suggest_macros(text: str, macros: Sequence[Macro], *, limit: int = 3) -> list[Macro]:
    """The macros the text speaks for, strongest first: a named error code counts as three signals; ties by id."""
    read = " ".join(text.lower().split())
    strength = {macro.id: _strength(read, macro) for macro in macros}
    fitting = [macro for macro in macros if strength[macro.id] > 0]
    return sorted(fitting, key=lambda macro: (-strength[macro.id], macro.id))[:limit]


def _strength(text: str, macro: Macro) -> int:
    """Of a text in small letters; looking for the bare words first spares most of the exact comparisons."""
    codes = sum(code.lower() in text and names_code(text, code) for code in macro.error_codes)
    signals = sum(signal.lower() in text and names_phrase(text, signal) for signal in macro.signals)
    return CODE_WEIGHT * codes + SIGNAL_WEIGHT * signals


def _read(file: Path) -> list[Macro]:
    content = read_yaml(file, what="file of macros")
    if not isinstance(content, list):
        raise BadInput(f"{file.name}: holds no list of macros; start each with `- id:`")
    return [_macro(file, number, entry) for number, entry in enumerate(content, start=1)]


def _macro(file: Path, number: int, entry: object) -> Macro:
    try:
        macro = Macro.model_validate(entry)
    except ValidationError as error:
        raise BadInput(f"{file.name}: entry {number}: {first_wrong(error, whole='the entry')}") from error
    if unfit := _unfit(macro):
        raise BadInput(f"{file.name}: entry {number}: {unfit}")
    return macro


def _unfit(macro: Macro) -> str:
    """What no canned reply may hold, by its key; empty for none."""
    text = f"{macro.title}\n{macro.text}"
    foreign = {found.group(1) for found in _PLACEHOLDER.finditer(text)} - PLACEHOLDERS
    if foreign:
        return f"text: only {{name}} and {{reference}} are filled in, not {sorted(map(str, foreign))[0]!r}"
    if clean(text, limit=len(text) + 1).split() != text.split():
        return "text: holds markup or hidden characters; write plain text"
    links = [*_LINK.findall(text), *([macro.runbook] if macro.runbook else [])]
    unsafe = next((link for link in links if not link.lower().startswith("https://")), None)
    return f"runbook: {unsafe!r} is no https link" if unsafe else ""
