"""Canned replies: which of them a ticket's words and error codes suggest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from engine.errors import BadInput, NotFound
from triage.contracts import Macro
from triage.evidence import names_code, names_phrase

CODE_WEIGHT: Final = 3
SIGNAL_WEIGHT: Final = 1


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
    strength = {macro.id: _strength(text, macro) for macro in macros}
    fitting = [macro for macro in macros if strength[macro.id] > 0]
    return sorted(fitting, key=lambda macro: (-strength[macro.id], macro.id))[:limit]


def _strength(text: str, macro: Macro) -> int:
    codes = sum(names_code(text, code) for code in macro.error_codes)
    signals = sum(names_phrase(text, signal) for signal in macro.signals)
    return CODE_WEIGHT * codes + SIGNAL_WEIGHT * signals


def _read(file: Path) -> list[Macro]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise BadInput(f"{file.name} is not readable YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, list):
        raise BadInput(f"{file.name}: holds no list of macros; start each with `- id:`")
    return [_macro(file, number, entry) for number, entry in enumerate(content, start=1)]


def _macro(file: Path, number: int, entry: object) -> Macro:
    try:
        return Macro.model_validate(entry)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"])) or "the entry"
        raise BadInput(f"{file.name}: entry {number}: {key}: {problem['msg']}") from error
