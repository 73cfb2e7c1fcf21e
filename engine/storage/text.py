"""Text and JSON as every database takes them, so that what is read is what was written."""

import json
import re
from typing import Any

from pydantic import BaseModel

from engine.shared.errors import BadInput

_REFUSED = re.compile("[\x00\ud800-\udfff]")


def is_text(name: str) -> bool:
    """Whether it holds nothing that PostgreSQL or UTF-8 refuse; what does is no name of anything kept."""
    return not _REFUSED.search(name)


def clean(text: str) -> str:
    """Text without the characters that PostgreSQL or UTF-8 refuse (NUL, half a surrogate pair): each becomes `�`."""
    return _REFUSED.sub("\ufffd", text)


def as_json(value: Any) -> str:
    """JSON in ASCII. Raises BadInput for what JSON does not have (NaN, infinity, a cycle)."""
    try:
        text = json.dumps(value, ensure_ascii=True, allow_nan=False, default=_plain)
    except (ValueError, TypeError) as error:
        raise BadInput(f"This can't be kept as JSON ({error}): {str(value)[:200]}") from None
    if "\\u0000" in text or "\\ud" in text:
        text = json.dumps(_cleaned(json.loads(text)))
    return text


def jsonable(value: Any) -> Any:
    """A value as JSON gives it back: tuples are lists, keys are text, instants and amounts are written out."""
    return json.loads(as_json(value))


def nearest_json(value: Any) -> Any:
    """A value as near as JSON comes to it: a number that JSON does not have is its name."""
    return _cleaned(json.loads(json.dumps(value, default=_plain), parse_constant=str))


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


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
