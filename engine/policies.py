"""A policy is a file that people change: a broken one is refused with its file, its key and the reason."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.errors import BadInput, NotFound

Policy = TypeVar("Policy", bound=BaseModel)


def read(path: str | Path, kind: type[Policy]) -> Policy:
    """The policy in a YAML file. Raises NotFound without the file, BadInput for anything that can't be used in it."""
    content = _parse(Path(path))
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


def _parse(path: Path) -> Any:
    import yaml  # noqa: PLC0415

    class Unique(yaml.SafeLoader):
        """Refuses a key given twice, of which YAML would quietly keep the last."""

    def mapping(loader: Unique, node: yaml.MappingNode) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise BadInput(f"{path}: line {key.start_mark.line + 1}: {key.value!r} is given twice.")
            seen.add(key.value)
        return loader.construct_mapping(node, deep=True)

    Unique.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=Unique)
    except FileNotFoundError:
        raise NotFound(f"There is no policy file {path}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{path}: {' '.join(str(error).split())}. Nothing of it was applied.") from None


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the file"
