"""A policy is a file that people change: a broken one is refused with its file, its key and the reason."""

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from reprlib import Repr
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from engine.shared.errors import BadInput, NotFound
from engine.shared.no_links import open_bytes

if TYPE_CHECKING:
    import yaml

LARGEST: Final = 4 * 1024**2
"""Bytes of a YAML file; the largest that ships has 22 KB."""
LONGEST_SHOWN: Final = 80
DEEPEST: Final = 100
MOST_REPEATED: Final = 10_000
"""Values that the aliases of a file may stand for; the shipped files stay below 200."""

_REPR: Final = Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 3 * LONGEST_SHOWN  # it cuts out the middle
_REPR.maxlevel = 2

Policy = TypeVar("Policy", bound=BaseModel)


def read(path: str | Path, kind: type[Policy], *, what: str = "policy file") -> Policy:
    """The policy in a YAML file. Raises NotFound without the file, BadInput for anything that can't be used in it."""
    content = read_yaml(path, what=what)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise refusal(path, first_wrong(error)) from None


def refusal(path: str | Path, why: object) -> BadInput:
    """What is wrong with a file, in one line."""
    return BadInput(f"{path}: {' '.join(str(why).split()).removesuffix('.')}. Nothing of it was applied.")


def named(entries: dict[str, Policy], name: str, *, what: str) -> Policy:
    """The entry with this name. Raises NotFound with the names there are."""
    if name not in entries:
        raise NotFound(f"No {what} is called {name!r}; there are {', '.join(sorted(entries))}.")
    return entries[name]


def first_wrong(error: ValidationError, *, whole: str = "the whole file", under: str = "") -> str:
    """The first key that is wrong, why, the beginning of what was given, and how many more keys are wrong; the key is
    a path from `under`."""
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{_fault(error.errors()[0], under or whole, under)}{more}"


def all_wrong(error: ValidationError, *, whole: str = "the whole row") -> str:
    """Every key that is wrong and why, as `first_wrong` says it."""
    return "; ".join(_fault(fault, whole) for fault in error.errors())


def _fault(fault: Mapping[str, Any], whole: str, under: str = "") -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault["loc"]]
    key = shortened((under + "".join(steps)).removeprefix(".")) if steps else whole
    reason, value = fault["msg"].removeprefix("Value error, "), fault["input"]
    names_value = fault["type"] == "value_error" and (isinstance(value, dict | list) or str(value) in reason)
    given = "" if names_value or fault["type"] == "missing" else f", got {shown(value)}"
    return f"{key}: {reason}{given}"


def shown(value: Any) -> str:
    """A value for a message: what it is, but never all of a large one."""
    return shortened(_REPR.repr(value))


def shortened(text: object) -> str:
    """On one line, at most 80 characters of it."""
    line = "".join(character if character.isprintable() else "�" for character in str(text))
    return line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + "…"


def read_yaml(path: str | Path, *, what: str = "file") -> Any:
    """What a YAML file holds. Raises NotFound without the file, BadInput like `parse_yaml`."""
    try:
        with open_bytes(Path(path)) as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no {what} {path}.") from None
    except (ValueError, OSError) as error:
        raise refusal(path, error) from None
    return parse_yaml(text_of(content, path), str(path))


def text_of(content: bytes, path: str | Path) -> str:
    """The text in a file's bytes. Raises BadInput for more than LARGEST, and for what is not UTF-8."""
    if len(content) > LARGEST:
        raise refusal(path, f"it is larger than {LARGEST >> 20} MB")
    try:
        return content.decode("utf-8")
    except ValueError as error:
        raise refusal(path, error) from None


def parse_yaml(text: str, path: str) -> Any:
    """What a YAML text holds. Raises BadInput, in one line that names `path`, for one that can't be read, nests deeper
    than 100 (the C parser would overflow its stack), repeats more than 10,000 values by aliases (a few lines can stand
    for billions) or gives a key twice (of which YAML would quietly keep the last). Nothing in it is ever run."""
    import yaml  # noqa: PLC0415

    class Unique(yaml.CSafeLoader):
        pass

    def refused(node: yaml.Node, why: str) -> BadInput:
        return refusal(path, f"line {node.start_mark.line + 1}: {why}")

    def mapping(loader: Unique, node: yaml.MappingNode) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if str(key.value) in seen:
                raise refused(key, f"{shown(key.value)} is given twice")
            seen.add(str(key.value))
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    def number(loader: Unique, node: yaml.ScalarNode) -> Any:
        if ":" in node.value:
            raise refused(node, f"{shortened(node.value)} is a number to YAML, in sixties; put it in quotes")
        return loader.construct_yaml_float(node) if node.tag.endswith("float") else loader.construct_yaml_int(node)

    def instant(loader: Unique, node: yaml.ScalarNode) -> Any:
        try:
            return loader.construct_yaml_timestamp(node)
        except ValueError as error:
            raise refused(node, f"{shortened(node.value)} is no date: {error}") from None

    Unique.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    Unique.add_constructor("tag:yaml.org,2002:int", number)
    Unique.add_constructor("tag:yaml.org,2002:float", number)
    Unique.add_constructor("tag:yaml.org,2002:timestamp", instant)
    try:
        if too := _too_much(yaml.parse(text, Loader=Unique)):
            raise refusal(path, too)
        return yaml.load(text, Loader=Unique)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise refusal(path, str(error).replace('in "<unicode string>", line', "at line")) from None


def _too_much(events: "Iterable[yaml.Event]") -> str | None:
    """Why a text is too much to be built, by counting what its aliases stand for."""
    import yaml  # noqa: PLC0415

    values, repeated = 0, 0
    known: dict[str | None, tuple[int, int]] = {}  # how many values an anchor holds, and how deep they nest
    begun: list[tuple[str | None, int]] = []
    reached = [0]  # the deepest level within each collection that is begun
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in {anchor for anchor, _ in begun}:
                return f"&{event.anchor} holds itself"
            size, depth = known.get(event.anchor, (1, 0))
            values, repeated = values + size, repeated + size
            reached[-1] = max(reached[-1], len(begun) + depth)
        elif isinstance(event, yaml.CollectionStartEvent):
            begun.append((event.anchor, values))
            reached.append(len(begun))
            values += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            (anchor, before), deepest = begun.pop(), reached.pop()
            reached[-1] = max(reached[-1], deepest)
            known[anchor] = values - before, deepest - len(begun)
        elif isinstance(event, yaml.ScalarEvent):
            known[event.anchor] = 1, 0
            values += 1
        if repeated > MOST_REPEATED:
            return f"its aliases stand for more than {MOST_REPEATED:,} values"
        if reached[-1] > DEEPEST:
            return "it is nested too deeply"
    return None
