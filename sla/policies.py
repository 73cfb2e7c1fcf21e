"""SLA policies as data: reading the files, and refusing a bad one with its file, key path and reason."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from engine.datafiles import read_yaml
from engine.errors import BadInput
from sla.contracts import Clock
from sla.promises import (
    DEFAULT_TERMS,
    WALL_UNITS,
    Amount,
    Dims,
    Policies,
    Policy,
    Rounding,
    Target,
    Terms,
    Unit,
    Version,
)

_CLOCKS = tuple(clock.value for clock in Clock)
_VERSION_KEYS = ("valid_from", "calendar", "rounding", "multipliers", "clocks", "policies")
_FILE_KEYS = ("name", "source", "description", "versions", *_VERSION_KEYS)
_SHARED_KEYS = ("calendar", "rounding", "multipliers", "at_risk_fraction")
_POLICY_KEYS = ("name", "match", *Dims._fields, *_SHARED_KEYS, *_CLOCKS)
_TARGET_KEYS = ("target", "unit", "calendar", "rounding", "multipliers", "tiers", *Terms.model_fields)
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), Unit.SECONDS),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), Unit.MINUTES),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), Unit.HOURS),
    **dict.fromkeys(("d", "day", "days"), Unit.DAYS),
    **dict.fromkeys(("business_minute", "business_minutes", "business_min"), Unit.BUSINESS_MINUTES),
    **dict.fromkeys(("business_hour", "business_hours", "business_h"), Unit.BUSINESS_HOURS),
    **dict.fromkeys(("business_day", "business_days", "business_d"), Unit.BUSINESS_DAYS),
}


def load(path: str | Path) -> Policies:
    """A policy file (YAML). Raises BadInput with file, key path and reason; nothing of a bad file is used."""
    file = Path(path)
    content = read_yaml(file, what="SLA policy")
    try:
        return parse(content, name=file.stem)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from error


def parse(content: Any, *, name: str = "policies") -> Policies:
    """Policies from their data form: a list of policies, or a mapping with them under `policies` or in `versions`.

    A policy is `match` (or the dimensions beside it: priority, tier, type, team, channel, one value or a list) and per
    clock a target: seconds, "15 min", "2 business days", null for none, or {target, unit, calendar, tiers, …terms}.
    """
    if isinstance(content, Policies):
        return content
    if isinstance(content, list | tuple):
        content = {"policies": content}
    _known(content, _FILE_KEYS, "")
    versions = content.get("versions")
    if versions is None:
        read = [_version({k: v for k, v in content.items() if k in _VERSION_KEYS}, "")]
    elif any(k in content for k in _VERSION_KEYS):
        raise BadInput("versions: give either versions or one list of policies, not both")
    else:
        read = [_version(v, f"versions[{i}].") for i, v in enumerate(_list(versions, "versions"))]
    starts = [v.valid_from or datetime.min.replace(tzinfo=UTC) for v in read]
    if starts != sorted(set(starts)):
        raise BadInput("versions: each needs a later valid_from than the one before")
    return Policies(name=str(content.get("name", name)), source=str(content.get("source", "")), versions=tuple(read))


def _version(content: Any, path: str) -> Version:
    _known(content, _VERSION_KEYS, path)
    clocks = content.get("clocks") or {}
    _known(clocks, _CLOCKS, f"{path}clocks.")
    terms = {c: _terms(DEFAULT_TERMS[c], clocks.get(c.value) or {}, f"{path}clocks.{c.value}") for c in Clock}
    defaults = {k: content[k] for k in ("calendar", "rounding", "multipliers") if content.get(k) is not None}
    listed = _list(content.get("policies"), f"{path}policies")
    if not listed:
        raise BadInput(f"{path}policies: empty; give at least one policy")
    policies = [_policy(p, f"{path}policies[{i}]", i, defaults, terms) for i, p in enumerate(listed)]
    names = [p.name for p in policies]
    if repeated := [n for n in names if names.count(n) > 1]:
        raise BadInput(f"{path}policies: two are named {repeated[0]!r}; reports could not tell them apart")
    return Version(
        valid_from=_instant(content.get("valid_from"), f"{path}valid_from"), terms=terms, policies=tuple(policies)
    )


def _policy(content: Any, path: str, index: int, defaults: Mapping[str, Any], terms: Mapping[Clock, Terms]) -> Policy:
    _known(content, _POLICY_KEYS, f"{path}.")
    match = _match(content, path)
    shared = {**defaults, **{k: content[k] for k in _SHARED_KEYS if content.get(k) is not None}}
    targets = {
        clock: _target(content[clock.value], f"{path}.{clock.value}", shared, terms[clock])
        for clock in Clock
        if clock.value in content
    }
    spoken = " ".join("/".join(sorted(values)) for values in match.values()) or "everyone"
    return Policy(name=str(content.get("name") or f"{index + 1} {spoken}"), match=match, targets=targets)


def _match(content: Mapping[str, Any], path: str) -> dict[str, frozenset[str]]:
    given = content.get("match") or {}
    _known(given, Dims._fields, f"{path}.match.")
    given = {**{k: content[k] for k in Dims._fields if content.get(k) is not None}, **given}
    match = {}
    for key, value in given.items():
        values = value if isinstance(value, list | tuple) else [value]
        if not values or not all(isinstance(v, str) for v in values):
            raise BadInput(f"{path}.{key}: expected a name or a list of names, got {value!r}")
        match[key] = frozenset(values)
    return match


def _target(content: Any, path: str, shared: Mapping[str, Any], terms: Terms) -> Target:
    if not isinstance(content, Mapping):
        content = {"target": content}
    _known(content, _TARGET_KEYS, f"{path}.")
    tiers = content.get("tiers") or {}
    if not isinstance(tiers, Mapping):
        raise BadInput(f"{path}.tiers: expected a mapping of tier to target, got {tiers!r}")
    base = _amount(content.get("target"), content.get("unit"), path)
    cells = {str(tier): _amount(cell, content.get("unit"), f"{path}.tiers.{tier}") for tier, cell in tiers.items()}
    calendar = content.get("calendar", shared.get("calendar"))
    _calendar_fits(content, calendar, [a for a in (base, *cells.values()) if a], path)
    rounding = content.get("rounding", shared.get("rounding", "exact"))
    if rounding not in get_args(Rounding):
        raise BadInput(f"{path}.rounding: expected {' or '.join(get_args(Rounding))}, got {rounding!r}")
    inherited = {"at_risk_fraction": shared["at_risk_fraction"]} if "at_risk_fraction" in shared else {}
    return Target(
        base=base,
        cells=cells,
        multipliers=_multipliers(content.get("multipliers", shared.get("multipliers", {})), f"{path}.multipliers"),
        rounding=rounding,
        calendar=None if calendar is None else str(calendar),
        terms=_terms(terms, {**inherited, **{k: v for k, v in content.items() if k in Terms.model_fields}}, path),
    )


def _calendar_fits(content: Mapping[str, Any], calendar: Any, amounts: list[Amount], path: str) -> None:
    business = [a for a in amounts if a.unit.value.startswith("business")]
    if calendar is None and (lost := [a.unit.value for a in business if a.calendar is None]):
        raise BadInput(f"{path}.calendar: missing; {lost[0]} need one")
    if content.get("calendar") is not None and amounts and all(a.unit in WALL_UNITS for a in amounts):
        unit = amounts[0].unit.value
        raise BadInput(f"{path}.calendar: {unit} run round the clock; write business_{unit} to count on {calendar!r}")


def _amount(value: Any, unit: Any, path: str) -> Amount | None:
    calendar = None
    if isinstance(value, Mapping):
        _known(value, ("target", "unit", "calendar"), f"{path}.")
        value, unit, calendar = value.get("target"), value.get("unit", unit), value.get("calendar")
    if value is None:
        return None
    if isinstance(value, str) and (found := re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z][A-Za-z _]*?)\s*", value)):
        value, unit = found[1], re.sub(r"\s+", "_", found[2].lower()).replace("biz_", "business_")
    known = Unit.SECONDS if unit is None else _UNITS.get(str(unit))
    if known is None:
        raise BadInput(f"{path}: {unit!r} is no unit; use {', '.join(u.value for u in Unit)}")
    return Amount(value=_number(value, path), unit=known, calendar=calendar)


def _multipliers(value: Any, path: str) -> dict[str, Fraction]:
    if not isinstance(value, Mapping):
        raise BadInput(f"{path}: expected a mapping of tier to number, got {value!r}")
    return {str(tier): _number(number, f"{path}.{tier}") for tier, number in value.items()}


def _number(value: Any, path: str) -> Fraction:
    try:
        number = Fraction(str(value)) if not isinstance(value, bool) else None
    except (ValueError, ZeroDivisionError):
        number = None
    if number is None or number < 0:
        raise BadInput(f'{path}: expected an amount like 900, "15 min" or "2 business days", got {value!r}')
    return number


def _terms(defaults: Terms, given: Mapping[str, Any], path: str) -> Terms:
    _known(given, tuple(Terms.model_fields), f"{path}.")
    named = {k: str(v) if k == "at_risk_fraction" else v for k, v in given.items()}
    try:
        return Terms.model_validate({**defaults.model_dump(), **named})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([path, *(str(part) for part in first["loc"])])
        raise BadInput(f"{where}: {first['msg']}, got {first['input']!r}") from error


def _instant(value: Any, path: str) -> datetime | None:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    except ValueError as error:
        raise BadInput(f"{path}: expected a date like 2024-01-01, got {value!r}") from error
    if value is not None and not isinstance(value, datetime):
        raise BadInput(f"{path}: expected a date like 2024-01-01, got {value!r}")
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise BadInput(f"{path}: expected a list, got {value!r}")
    return list(value)


def _known(content: Any, keys: tuple[str, ...], path: str) -> None:
    if not isinstance(content, Mapping):
        raise BadInput(f"{path.rstrip('.') or 'file'}: expected a mapping, got {content!r}")
    if unknown := [str(k) for k in content if k not in keys]:
        raise BadInput(f"{path}{unknown[0]}: unknown key; known are {', '.join(keys)}")
