"""A policy is a file that people change: a broken one is refused with its file, its key and the reason."""

from collections.abc import Hashable
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from engine.shared.errors import BadInput, NotFound

LONGEST_SHOWN: Final = 80
DEEPEST: Final = 100

Policy = TypeVar("Policy", bound=BaseModel)


def read(path: str | Path, kind: type[Policy], *, what: str = "policy file") -> Policy:
    """The policy in a YAML file. Raises NotFound without the file, BadInput for anything that can't be used in it."""
    content = read_yaml(path, what=what)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise BadInput(f"{path}: {first_wrong(error)}. Nothing of it was applied.") from None


def named(entries: dict[str, Policy], name: str, *, what: str) -> Policy:
    """The entry with this name. Raises NotFound with the names there are."""
    if name not in entries:
        raise NotFound(f"No {what} is called {name!r}; there are {', '.join(sorted(entries))}.")
    return entries[name]


def first_wrong(error: ValidationError, *, whole: str = "the whole file") -> str:
    """The first key that is wrong, why, the beginning of what was given, and how many more keys are wrong."""
    fault = error.errors()[0]
    key = shortened(".".join(map(str, fault["loc"]))) or whole
    given = "" if fault["type"] in {"value_error", "missing"} else f", got {shortened(repr(fault['input']))}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{key}: {fault['msg'].removeprefix('Value error, ')}{given}{more}"


def shortened(text: str) -> str:
    """On one line, at most 80 characters of it."""
    line = "".join(character if character.isprintable() else "�" for character in text)
    return line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + "…"


def read_yaml(path: str | Path, *, what: str = "file") -> Any:
    """What a YAML file holds. Raises NotFound without the file, BadInput like `parse_yaml`."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"There is no {what} {path}.") from None
    except (ValueError, OSError) as error:
        raise BadInput(f"{path}: {' '.join(str(error).split())}. Nothing of it was applied.") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, path: str) -> Any:
    """What a YAML text holds. Raises BadInput, in one line that names `path`, for one that can't be read, nests deeper
    than 100 (the C parser would overflow its stack) or gives a key twice (of which YAML would quietly keep the last).
    Nothing in it is ever run."""
    import yaml  # noqa: PLC0415

    class Unique(yaml.CSafeLoader):
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
        starts = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
        steps = (
            isinstance(event, starts) - isinstance(event, yaml.CollectionEndEvent)
            for event in yaml.parse(text, Loader=Unique)
        )
        if any(depth > DEEPEST for depth in accumulate(steps)):
            raise BadInput(f"{path}: it is nested too deeply. Nothing of it was applied.")
        return yaml.load(text, Loader=Unique)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        said = " ".join(str(error).split()).replace('in "<unicode string>", line', "at line")
        raise BadInput(f"{path}: {said}. Nothing of it was applied.") from None
