"""Calendars as data: reading them, and refusing what can't be one with the key that is wrong."""

import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.shared.errors import BadInput
from engine.shared.policy_file import read_yaml, refusal, shortened, shown
from sla.calendar.business_intervals import Window
from sla.calendar.calendars import WEEKDAYS, Calendar
from sla.calendar.utc_offsets import DAY
from sla.policy.amounts import text
from sla.policy.model import ROUND_THE_CLOCK

_KEYS = ("tz", "weekly", "holidays", "overrides", "always", "country", "subdivision", "working_day", "description")
_HOURS = ("weekly", "holidays", "overrides", "country", "working_day")
_OF_A_MACHINE = re.compile(r"localtime$|posixrules$|Factory$|posix/|right/")
"""Files beside the zones that mean something else on every machine, or count leap seconds."""
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def load(path: str | Path) -> dict[str, Calendar]:
    """Calendars by name from a YAML file {calendars: {name: …}}, or {name: …}.

    Raises BadInput with file, key path and reason (NotFound without the file), also for what `read` would
    make something of but nobody means: windows of one day that overlap, a `24x7` that closes.
    """
    return checked(read_yaml(path, what="file of calendars"), path)


def checked(content: Any, path: str | Path) -> dict[str, Calendar]:
    """What a file of calendars holds, read as `load` does; `path` names it in an error."""
    try:
        calendars = parse_all(_listed(content))
        for calendar in calendars.values():
            _means_it(calendar)
    except BadInput as error:
        raise refusal(path, error) from error
    return calendars


def _listed(content: Any) -> Any:
    if not isinstance(content, Mapping) or "calendars" not in content:
        return content
    if unknown := [shortened(key) for key in content if key != "calendars"]:
        raise BadInput(f"{unknown[0]}: unknown key; a file has only calendars at its top")
    return content["calendars"]


def _means_it(calendar: Calendar) -> None:
    if calendar.name == ROUND_THE_CLOCK and not calendar.always:
        raise BadInput(f"{ROUND_THE_CLOCK}.always: has to be true, wall-clock targets are counted on it")
    days = {f"weekly.{day}": windows for day, windows in zip(WEEKDAYS, calendar.weekly, strict=True)}
    days |= {f"overrides.{day}": windows for day, windows in calendar.overrides.items()}
    for key, windows in days.items():
        if any(later[0] < earlier[1] for earlier, later in pairwise(sorted(windows))):
            raise BadInput(f"{calendar.name}.{key}: two windows overlap; write them as one")


def parse_all(calendars: Mapping[str, Any]) -> dict[str, Calendar]:
    """Calendars by name; those that are ready pass through."""
    if not isinstance(calendars, Mapping):
        raise BadInput(f"calendars: expected a mapping of name to calendar, got {_shown(calendars)}")
    if odd := [n for n in calendars if not isinstance(n, str) or not n.strip()]:
        raise BadInput(f"calendars.{shortened(odd[0])}: a name is text, got {_shown(odd[0])}; put it in quotes")
    named = {text(n, f"calendars.{shortened(n)}"): calendar for n, calendar in calendars.items()}
    return {n: c if isinstance(c, Calendar) else read(c, name=n) for n, c in named.items()}


def read(mapping: Mapping[str, Any], *, name: str = "calendar") -> Calendar:
    """A calendar from its data form. Raises BadInput that names the key path.

    Keys: `tz`; `weekly` {mon: [["09:00", "17:00"], …]} (end ≤ start runs into the next day, "24:00" is midnight);
    `holidays` [date] or {date: name}; `overrides` {date: windows}, an empty list for none; `always: true`;
    `country` and `subdivision` for public holidays; `working_day` "08:00" where days differ in length.
    """
    if not isinstance(mapping, Mapping):
        raise BadInput(f"{name}: expected a mapping, got {_shown(mapping)}")
    if unknown := sorted(shortened(k) for k in mapping if k not in _KEYS):
        raise BadInput(f"{name}.{unknown[0]}: unknown key; known are {', '.join(_KEYS)}")
    if empty := [k for k in ("tz", "weekly", "always") if k in mapping and mapping[k] is None]:
        raise BadInput(f"{name}.{empty[0]}: nothing stands behind it; fill it in or remove it")
    _name(mapping.get("description"), f"{name}.description")
    always = mapping.get("always", False)
    if not isinstance(always, bool):
        raise BadInput(f"{name}.always: expected true or false, got {_shown(always)}")
    if always and (extra := [k for k in _HOURS if mapping.get(k)]):
        raise BadInput(f"{name}.{extra[0]}: a calendar with always: true has no other hours; remove one of the two")
    if not always and "weekly" not in mapping and "overrides" not in mapping:
        raise BadInput(f"{name}.weekly: missing; give weekly hours, {{}} for none, or always: true")
    return Calendar(
        name,
        tz=_zone(mapping.get("tz", "UTC"), f"{name}.tz"),
        weekly=_weekly(mapping.get("weekly", {}), f"{name}.weekly"),
        holidays=_holidays(mapping.get("holidays"), f"{name}.holidays"),
        overrides=_overrides(mapping.get("overrides"), f"{name}.overrides"),
        always=always,
        country=_country(mapping, name),
        working_day=_length(mapping.get("working_day"), f"{name}.working_day"),
    )


def _zone(tz: Any, path: str) -> str:
    try:
        if isinstance(tz, str) and not _OF_A_MACHINE.match(tz):
            return ZoneInfo(tz).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise BadInput(f"{path}: {shown(tz)} is no IANA time zone, for example Europe/Berlin")


def _weekly(weekly: Any, path: str) -> tuple[tuple[Window, ...], ...]:
    if not isinstance(weekly, Mapping):
        raise BadInput(f"{path}: expected a mapping of weekday to windows, got {_shown(weekly)}")
    if unknown := [d for d in weekly if d not in WEEKDAYS]:
        raise BadInput(f"{path}.{shortened(unknown[0])}: no such weekday; use {', '.join(WEEKDAYS)}")
    return tuple(_windows(weekly.get(day), f"{path}.{day}") for day in WEEKDAYS)


def _windows(windows: Any, path: str) -> tuple[Window, ...]:
    if not isinstance(windows, list | tuple | None):
        raise BadInput(f'{path}: expected a list of windows like ["09:00", "17:00"], got {_shown(windows)}')
    return tuple(_window(w, f"{path}[{i}]") for i, w in enumerate(windows or ()))


def _window(window: Any, path: str) -> Window:
    if isinstance(window, str):
        window = re.split(r"\s*[-–]\s*", window.strip())
    if not isinstance(window, list | tuple) or len(window) != 2:
        raise BadInput(f'{path}: expected two times like ["09:00", "17:00"], got {_shown(window)}')
    start, end = _time(window[0], f"{path}[0]"), _time(window[1], f"{path}[1]")
    if start == DAY:
        raise BadInput(f"{path}[0]: a window can't start at 24:00; use 00:00 of the next day")
    return start, end if end > start else end + DAY


def _time(value: Any, path: str) -> int:
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (99, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or total > DAY:
        raise BadInput(f'{path}: expected a time of day in quotes, "00:00" to "24:00", got {_shown(value)}')
    return total


def _holidays(holidays: Any, path: str) -> dict[date, str]:
    if holidays is None:
        return {}
    if isinstance(holidays, Mapping):
        return {_date(d, f"{path}.{d}"): _name(n, f"{path}.{d}") for d, n in holidays.items()}
    if not isinstance(holidays, list | tuple):
        raise BadInput(f"{path}: expected a list of dates or a mapping of date to name, got {_shown(holidays)}")
    return {_date(d, f"{path}[{i}]"): "" for i, d in enumerate(holidays)}


def _name(value: Any, path: str) -> str:
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{path}: expected text, got {_shown(value)}; put it in quotes")
    return value or ""


def _overrides(overrides: Any, path: str) -> dict[date, tuple[Window, ...]]:
    if overrides is None:
        return {}
    if not isinstance(overrides, Mapping):
        raise BadInput(f"{path}: expected a mapping of date to windows, got {_shown(overrides)}")
    return {_date(d, f"{path}.{d}"): _windows(w, f"{path}.{d}") for d, w in overrides.items()}


def _date(value: Any, path: str) -> date:
    try:
        return value if type(value) is date else date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{path}: expected a date like 2024-12-25, got {_shown(value)}") from error


def _country(mapping: Mapping[str, Any], name: str) -> tuple[str, str | None] | None:
    country, subdivision = mapping.get("country"), mapping.get("subdivision")
    if country is None:
        if subdivision is not None:
            raise BadInput(f"{name}.subdivision: needs a country beside it")
        return None
    import holidays  # noqa: PLC0415

    known = holidays.list_supported_countries()
    if not isinstance(country, str) or country not in known:
        quotes = "; put it in quotes" if isinstance(country, bool) else ""
        raise BadInput(
            f"{name}.country: no public holidays are known for {_shown(country)}; use a code like DE or US{quotes}"
        )
    if subdivision is not None and str(subdivision) not in known[country]:
        raise BadInput(
            f"{name}.subdivision: {country} has {', '.join(known[country]) or 'none'}, not {shown(subdivision)}"
        )
    return country, None if subdivision is None else str(subdivision)


def _length(value: Any, path: str) -> int | None:
    if value is not None and _time(value, path) == 0:
        raise BadInput(f"{path}: a working day has to have a length, got {_shown(value)}")
    return None if value is None else _time(value, path)


def _shown(value: Any) -> str:
    return f"{shown(value)} ({type(value).__name__})"
