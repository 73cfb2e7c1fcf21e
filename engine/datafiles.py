"""A data file that people edit, read strictly: what is wrong with it is one line that names it."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

from engine.errors import BadInput, NotFound


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
