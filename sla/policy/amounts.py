"""Amounts of time as people write them: "15 min", "2 business days", 900; read exactly, or refused with the key."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from engine.shared.errors import BadInput
from engine.shared.policy_file import shortened, shown
from sla.policy.model import LENGTH, WALL_UNITS, Amount, Unit

CENTURY = 100 * 366 * 86_400
"""Seconds: no target is longer."""
_PLAIN = re.compile(r"-?\d{1,18}(\.\d{1,18})?|\d{1,9}/[1-9]\d{0,8}")
_MOST = 1_000
"""No multiplier is larger."""
_HALF = re.compile("[\ud800-\udfff]")
"""What an escape leaves of a character that was cut in two."""
_LONGEST = 1_000
"""Characters of a text in a file."""
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), Unit.SECONDS),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), Unit.MINUTES),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), Unit.HOURS),
    **dict.fromkeys(("d", "day", "days"), Unit.DAYS),
    **dict.fromkeys(("business_minute", "business_minutes", "business_min"), Unit.BUSINESS_MINUTES),
    **dict.fromkeys(("business_hour", "business_hours", "business_h"), Unit.BUSINESS_HOURS),
    **dict.fromkeys(("business_day", "business_days", "business_d"), Unit.BUSINESS_DAYS),
}


def round_the_clock(unit: Unit, calendar: Any, path: str) -> BadInput:
    return BadInput(f"{path}.calendar: {unit} run round the clock; write business_{unit} to count on {shown(calendar)}")


def amount(value: Any, unit: Any, path: str) -> Amount | None:
    """`unit` is the one above, for a bare number; a time that is written out brings its own."""
    own, calendar = None, None
    if isinstance(value, Mapping):
        known_keys(value, ("target", "unit", "calendar"), f"{path}.")
        value, own, calendar = value.get("target"), value.get("unit"), value.get("calendar")
    known = Unit.SECONDS if own is None and unit is None else _unit(unit if own is None else own, path)
    if value is None:
        return None
    if isinstance(value, str) and (found := re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z][A-Za-z _]*?)\s*", value)):
        value, written = found[1], _unit(re.sub(r"\s+", "_", found[2].lower()).replace("biz_", "business_"), path)
        if own is not None and written != known:
            raise BadInput(f"{path}.unit: {shown(own)} contradicts the {written} of the target; give one of the two")
        known = written
    if calendar is not None and known in WALL_UNITS:
        raise round_the_clock(known, calendar, path)
    number = _number(value, path)
    length = 86_400 if known == Unit.BUSINESS_DAYS else LENGTH[known.removeprefix("business_")]
    if number * length > CENTURY:
        raise BadInput(f"{path}: no target is longer than a century, got {shown(value)} {known}")
    return Amount(value=number, unit=known, calendar=None if calendar is None else text(calendar, f"{path}.calendar"))


def _unit(unit: Any, path: str) -> Unit:
    if str(unit) not in _UNITS:
        raise BadInput(f"{path}: {shown(unit)} is no unit; use {', '.join(u.value for u in Unit)}")
    return _UNITS[str(unit)]


def multipliers(value: Any, path: str) -> dict[str, Fraction]:
    if not isinstance(value, Mapping):
        raise BadInput(f"{path}: expected a mapping of tier to number, got {shown(value)}")
    return {
        text(str(tier), f"{path}.{shortened(tier)}"): _multiplier(number, f"{path}.{shortened(tier)}")
        for tier, number in value.items()
    }


def _multiplier(value: Any, path: str) -> Fraction:
    number = _exact(value)
    if number is None or not 0 < number <= _MOST:
        raise BadInput(f"{path}: expected a number above 0 and up to {_MOST}, got {shown(value)}")
    return number


def _number(value: Any, path: str) -> Fraction:
    number = _exact(value)
    if number is None or number < 0:
        raise BadInput(f'{path}: expected an amount like 900, "15 min" or "2 business days", got {shown(value)}')
    return number


def _exact(value: Any) -> Fraction | None:
    """The number as written, 0.1 as a tenth; None for what is none, or is none that anybody would write."""
    if isinstance(value, str) and not _PLAIN.fullmatch(value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return Fraction(str(value).strip())
    except ValueError:
        return None


def text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"{path}: expected text, got {shown(value)}; put it in quotes")
    if len(value) > _LONGEST:
        raise BadInput(f"{path}: has {len(value):,} characters; {_LONGEST:,} are the most")
    if _HALF.search(value):
        raise BadInput(f"{path}: {shown(value)} holds half a character; write it again")
    return value


def known_keys(content: Any, keys: tuple[str, ...], path: str) -> None:
    if not isinstance(content, Mapping):
        raise BadInput(f"{path.rstrip('.') or 'file'}: expected a mapping, got {shown(content)}")
    if unknown := [shortened(k) for k in content if k not in keys]:
        raise BadInput(f"{path}{unknown[0]}: unknown key; known are {', '.join(keys)}")
