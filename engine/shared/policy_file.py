"""A policy is a file that people change: a broken one is refused with its file, its key and the reason."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.shared.errors import BadInput, NotFound

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


def read_yaml(path: str | Path, *, what: str = "file") -> Any:
    """What a YAML file holds. Raises NotFound without the file; BadInput, in one line, for one that can't be read or
    gives a key twice (of which YAML would quietly keep the last). Nothing in a file is ever run."""
    import yaml  # noqa: PLC0415

    class Unique(yaml.SafeLoader):
        pass

    def mapping(loader: Unique, node: yaml.MappingNode) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if str(key.value) in seen:
                raise BadInput(f"{path}: line {key.start_mark.line + 1}: {key.value!r} is given twice.")
            seen.add(str(key.value))
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    def number(loader: Unique, node: yaml.ScalarNode) -> Any:
        if ":" in node.value:
            place = f"{path}: line {node.start_mark.line + 1}"
            raise BadInput(f"{place}: {node.value} is a number to YAML, in sixties; put it in quotes.")
        return loader.construct_yaml_float(node) if node.tag.endswith("float") else loader.construct_yaml_int(node)

    def instant(loader: Unique, node: yaml.ScalarNode) -> Any:
        try:
            return loader.construct_yaml_timestamp(node)
        except ValueError as error:
            raise BadInput(f"{path}: line {node.start_mark.line + 1}: {node.value} is no date: {error}.") from None

    Unique.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    Unique.add_constructor("tag:yaml.org,2002:int", number)
    Unique.add_constructor("tag:yaml.org,2002:float", number)
    Unique.add_constructor("tag:yaml.org,2002:timestamp", instant)
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=Unique)
    except FileNotFoundError:
        raise NotFound(f"There is no {what} {path}.") from None
    except RecursionError:
        raise BadInput(f"{path}: it is nested too deeply. Nothing of it was applied.") from None
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, OSError) as error:
        raise BadInput(f"{path}: {' '.join(str(error).split())}. Nothing of it was applied.") from None
