"""A policy is a file that people change: a broken one is refused with its file, its key and the reason."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from engine.datafiles import read_yaml
from engine.errors import BadInput, NotFound

Policy = TypeVar("Policy", bound=BaseModel)


def read(path: str | Path, kind: type[Policy], *, what: str = "policy file") -> Policy:
    """The policy in a YAML file. Raises NotFound without the file, BadInput for anything that can't be used in it."""
    content = read_yaml(path, what=what)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(f"{_key(fault['loc'])}: {fault['msg']}" for fault in error.errors())
        raise BadInput(f"{path}: {faults}. Nothing of it was applied.") from None


def named(entries: dict[str, Policy], name: str, *, what: str) -> Policy:
    """The entry with this name. Raises NotFound with the names there are."""
    if name not in entries:
        raise NotFound(f"No {what} is called {name!r}; there are {', '.join(sorted(entries))}.")
    return entries[name]


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the file"
