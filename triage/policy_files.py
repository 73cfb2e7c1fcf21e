"""Triage's policy files, proofread: nothing is converted, and what is refused is named in one short line."""

from pathlib import Path
from typing import Final, TypeVar

from pydantic import ConfigDict, ValidationError

from engine.contracts import Frozen
from engine.shared.errors import BadInput
from engine.shared.policy_file import read_yaml

LONGEST_SHOWN: Final = 80


class Policy(Frozen):
    """A part of a policy file: a count is a whole number, a share is finite; nothing is converted."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Policy)


def read_policy(path: Path, model: type[Model], *, what: str) -> Model:
    """Raises NotFound without the file, BadInput with file, key, reason and the beginning of what was given."""
    try:
        return model.model_validate(read_yaml(path, what=what))
    except ValidationError as error:
        first = error.errors()[0]
        key = shortened(".".join(map(str, first["loc"]))) or "the whole file"
        given = "" if first["type"] == "value_error" else f", got {shortened(repr(first['input']))}"
        reason = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"{path}: {key}: {reason}{given}. Nothing of it was applied.") from None


def shortened(text: str) -> str:
    """On one line, at most 80 characters of it."""
    line = "".join(character if character.isprintable() else "�" for character in text)
    return line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + "…"
