"""Text and JSON as every database takes them, so that what is read is what was written."""

import json
import re
from math import isfinite
from typing import Any

from pydantic import BaseModel

from engine.shared.errors import BadInput

_LARGE = 2**63
_EMPTY: dict[type, str] = {dict: "{}", list: "[]", tuple: "[]"}
_REFUSED = re.compile("[\x00\ud800-\udfff]")


def is_text(name: str) -> bool:
    """Whether it holds nothing that PostgreSQL or UTF-8 refuse; what does is no name of anything kept."""
    return "\x00" not in name and (name.isascii() or not _REFUSED.search(name))


def clean(text: str) -> str:
    """Text without the characters that PostgreSQL or UTF-8 refuse (NUL, half a surrogate pair): each becomes `�`."""
    return text if is_text(text) else _REFUSED.sub("\ufffd", text)


def is_json(value: Any) -> bool:
    """Whether JSON gives the value back as it is, from any database; False may only mean that it is not sure."""
    try:
        return _is_json(value)
    except RecursionError:
        return False


def _is_json(value: Any) -> bool:
    match value:
        case dict():
            plain = type(value) is dict and all(type(name) is str and is_text(name) for name in value)
            return plain and all(map(_is_json, value.values()))
        case list():
            return type(value) is list and all(map(_is_json, value))
        case str():
            return type(value) is str and is_text(value)
        case int():
            return type(value) in {int, bool} and -_LARGE < value < _LARGE
        case float():
            return isfinite(value)
        case _:
            return value is None


def as_json(value: Any) -> str:
    """JSON in ASCII. Raises BadInput for what JSON does not have (NaN, infinity, a cycle)."""
    if not value and type(value) in _EMPTY:
        return _EMPTY[type(value)]
    try:
        text = _encode(value)
    except (ValueError, TypeError) as error:
        raise BadInput(f"This can't be kept as JSON ({error}): {str(value)[:200]}") from None
    if "\\u0000" in text or "\\ud" in text:
        text = json.dumps(_cleaned(json.loads(text)))
    return text


def jsonable(value: Any) -> Any:
    """A value as JSON gives it back: tuples are lists, keys are text, instants and amounts are written out."""
    return value if is_json(value) else json.loads(as_json(value))


def nearest_json(value: Any) -> Any:
    """A value as near as JSON comes to it: a number that JSON does not have is its name."""
    return _cleaned(json.loads(json.dumps(value, default=_plain), parse_constant=str))


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


_encode = json.JSONEncoder(allow_nan=False, default=_plain).encode


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case list():
            return [_cleaned(item) for item in value]
        case dict():
            return {clean(name): _cleaned(item) for name, item in value.items()}
        case _:
            return value
