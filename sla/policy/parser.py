"""SLA policies as data: reading the files, and refusing a bad one with its file, key path and reason."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError

from engine.shared.errors import BadInput
from engine.shared.policy_file import first_wrong, read_yaml, refusal, shortened, shown
from sla.calendar.calendars import Calendar
from sla.contracts import Clock
from sla.policy.amounts import amount, known_keys, multipliers, round_the_clock, text
from sla.policy.lint import calendars_fit, proofread
from sla.policy.model import (
    DEFAULT_TERMS,
    WALL_UNITS,
    Amount,
    Dims,
    Policies,
    Policy,
    Rounding,
    Target,
    Terms,
    Version,
)

_CLOCKS = tuple(clock.value for clock in Clock)
_VERSION_KEYS = ("valid_from", "calendar", "rounding", "multipliers", "clocks", "policies")
_FILE_KEYS = ("name", "source", "description", "words", "versions", *_VERSION_KEYS)
_SHARED_KEYS = ("calendar", "rounding", "multipliers", "at_risk_fraction")
_POLICY_KEYS = ("name", "match", *Dims._fields, *_SHARED_KEYS, *_CLOCKS)
_TARGET_KEYS = ("target", "unit", "calendar", "rounding", "multipliers", "tiers", *Terms.model_fields)


def load(path: str | Path, calendars: Mapping[str, Calendar] | None = None) -> Policies:
    """A policy file (YAML), proofread; with `calendars` also whether those it names are there and can count its units.

    Raises BadInput with file, key path and reason (NotFound without the file); nothing of a bad file is used.
    """
    return checked(read_yaml(path, what="SLA policy"), path, calendars)


def checked(content: Any, path: str | Path, calendars: Mapping[str, Calendar] | None = None) -> Policies:
    """What a policy file holds, read as `load` does; `path` names it in an error."""
    file = Path(path)
    try:
        policies = parse(content, name=file.stem)
        proofread(content, policies)
        if calendars is not None:
            calendars_fit(policies, calendars)
    except BadInput as error:
        raise refusal(file, error) from error
    return policies


def parse(content: Any, *, name: str = "policies") -> Policies:
    """Policies from their data form: a list of policies, or a mapping with them under `policies` or in `versions`.

    A policy is `match` (or the dimensions beside it: priority, tier, type, team, channel, one value or a list) and per
    clock a target: seconds, "15 min", "2 business days", null for none, or {target, unit, calendar, tiers, …terms}.
    Any word may stand for a priority, tier, type or status; `load` takes only those that are known.
    """
    if isinstance(content, Policies):
        return content
    if isinstance(content, list | tuple):
        content = {"policies": content}
    known_keys(content, _FILE_KEYS, "")
    if "versions" not in content:
        read = [_version({k: v for k, v in content.items() if k in _VERSION_KEYS}, "")]
    elif any(k in content for k in _VERSION_KEYS):
        raise BadInput("versions: give either versions or one list of policies, not both")
    else:
        read = [_version(v, f"versions[{i}].") for i, v in enumerate(_list(content["versions"], "versions"))]
    starts = [v.valid_from or datetime.min.replace(tzinfo=UTC) for v in read]
    for i in range(1, len(starts)):
        if starts[i] <= starts[i - 1]:
            raise BadInput(f"versions[{i}].valid_from: has to be a later valid_from than the one before")
    about = {key: text(content[key], key) for key in ("name", "source", "description") if key in content}
    return Policies(name=about.get("name", name), source=about.get("source", ""), versions=tuple(read))


class _Shared(NamedTuple):
    """What targets inherit from their policy, and policies from their list."""

    calendar: str | None = None
    rounding: Rounding = "exact"
    multipliers: Mapping[str, Fraction] = {}
    at_risk_fraction: Any = None

    def under(self, content: Mapping[str, Any], path: str) -> "_Shared":
        """The same with what stands here; null says nothing."""
        given = {key: content[key] for key in self._fields if content.get(key) is not None}
        return self._replace(**{key: _SHARED[key](value, f"{path}{key}") for key, value in given.items()})


def _version(content: Any, path: str) -> Version:
    known_keys(content, _VERSION_KEYS, path)
    clocks = _mapping(content.get("clocks"), f"{path}clocks")
    known_keys(clocks, _CLOCKS, f"{path}clocks.")
    terms = {
        c: _terms(DEFAULT_TERMS[c], _mapping(clocks.get(c.value), f"{path}clocks.{c.value}"), f"{path}clocks.{c.value}")
        for c in Clock
    }
    shared = _Shared().under(content, path)
    listed = _list(content.get("policies"), f"{path}policies")
    policies = [_policy(p, f"{path}policies[{i}]", i, shared, terms) for i, p in enumerate(listed)]
    names = [p.name for p in policies]
    if repeated := [n for n in names if names.count(n) > 1]:
        raise BadInput(f"{path}policies: two are named {shown(repeated[0])}; reports could not tell them apart")
    return Version(
        valid_from=_instant(content.get("valid_from"), f"{path}valid_from"), terms=terms, policies=tuple(policies)
    )


def _policy(content: Any, path: str, index: int, above: _Shared, terms: Mapping[Clock, Terms]) -> Policy:
    known_keys(content, _POLICY_KEYS, f"{path}.")
    match = _match(content, path)
    shared = above.under(content, f"{path}.")
    targets = {
        clock: _target(content[clock.value], f"{path}.{clock.value}", shared, terms[clock])
        for clock in Clock
        if clock.value in content
    }
    customers = " ".join("/".join(sorted(values)) for values in match.values()) or "everyone"
    name = text(content["name"], f"{path}.name") if "name" in content else f"{index + 1} {customers}"
    return Policy(name=name, match=match, targets=targets)


def _match(content: Mapping[str, Any], path: str) -> dict[str, frozenset[str]]:
    given = _mapping(content.get("match"), f"{path}.match")
    known_keys(given, Dims._fields, f"{path}.match.")
    beside = {k: content[k] for k in Dims._fields if content.get(k) is not None}
    if twice := [k for k in beside if k in given]:
        raise BadInput(f"{path}.{twice[0]}: stands in match as well; give it once")
    match = {}
    for key, value in {**beside, **given}.items():
        values = value if isinstance(value, list | tuple) else [value]
        if not values or not all(isinstance(v, str) and v.strip() for v in values):
            raise BadInput(f"{path}.{key}: expected a name or a list of names, got {shown(value)}")
        match[key] = frozenset(text(value, f"{path}.{key}") for value in values)
    return match


def _target(content: Any, path: str, above: _Shared, terms: Terms) -> Target:
    if not isinstance(content, Mapping):
        content = {"target": content}
    known_keys(content, _TARGET_KEYS, f"{path}.")
    shared = above.under({k: v for k, v in content.items() if k != "at_risk_fraction"}, f"{path}.")
    tiers = _mapping(content.get("tiers"), f"{path}.tiers")
    base = amount({k: content[k] for k in ("target", "unit") if k in content}, None, path)
    named = {text(str(tier), f"{path}.tiers.{shortened(tier)}"): cell for tier, cell in tiers.items()}
    cells = {tier: amount(cell, content.get("unit"), f"{path}.tiers.{tier}") for tier, cell in named.items()}
    _calendar_fits(content, shared.calendar, [a for a in (base, *cells.values()) if a], path)
    inherited = {} if above.at_risk_fraction is None else {"at_risk_fraction": above.at_risk_fraction}
    return Target(
        base=base,
        cells=cells,
        multipliers=shared.multipliers,
        rounding=shared.rounding,
        calendar=shared.calendar,
        terms=_terms(terms, {**inherited, **{k: v for k, v in content.items() if k in Terms.model_fields}}, path),
    )


def _calendar_fits(content: Mapping[str, Any], calendar: str | None, amounts: list[Amount], path: str) -> None:
    business = [a for a in amounts if a.unit.value.startswith("business")]
    if calendar is None and (lost := [a.unit.value for a in business if a.calendar is None]):
        raise BadInput(f"{path}.calendar: missing; {lost[0]} need one")
    if content.get("calendar") is not None and amounts and all(a.unit in WALL_UNITS for a in amounts):
        raise round_the_clock(amounts[0].unit, calendar, path)


def _terms(defaults: Terms, given: Mapping[str, Any], path: str) -> Terms:
    known_keys(given, tuple(Terms.model_fields), f"{path}.")
    named = {k: str(v) if k == "at_risk_fraction" else v for k, v in given.items()}
    try:
        return Terms.model_validate({**defaults.model_dump(), **named})
    except ValidationError as error:
        raise BadInput(first_wrong(error, under=path)) from error


def _at_risk_fraction(value: Any, path: str) -> Any:
    return _terms(Terms(), {"at_risk_fraction": value}, path.removesuffix(".at_risk_fraction")).at_risk_fraction


def _rounding(value: Any, path: str) -> Any:
    if value not in get_args(Rounding):
        raise BadInput(f"{path}: expected {' or '.join(get_args(Rounding))}, got {shown(value)}")
    return value


_SHARED: Mapping[str, Callable[[Any, str], Any]] = {
    "calendar": text,
    "rounding": _rounding,
    "multipliers": multipliers,
    "at_risk_fraction": _at_risk_fraction,
}


def _instant(value: Any, path: str) -> datetime | None:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, datetime):
            return (value.replace(tzinfo=UTC) if value.tzinfo is None else value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{path}: expected a date like 2024-01-01, got {shown(value)}") from error
    if value is not None:
        raise BadInput(f"{path}: expected a date like 2024-01-01, got {shown(value)}")
    return None


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise BadInput(f"{path}: expected a list, got {shown(value)}")
    if not value:
        raise BadInput(f"{path}: empty; give at least one")
    return list(value)


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise BadInput(f"{path}: expected a mapping, got {shown(value)}")
    return value or {}
