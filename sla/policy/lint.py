"""A policy file read twice: words nobody uses, policies nobody reaches, and units a calendar can't count."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from engine.contracts import Priority, Status, TicketType, Tier
from engine.shared.errors import BadInput
from engine.shared.policy_file import shortened, shown
from sla.calendar.calendars import Calendar
from sla.contracts import Clock
from sla.policy.model import WAITING, Policies, Policy, Unit, Version, calendar_named, with_round_the_clock

_STATES = ("pause_states", "stop_states")
OURS: Mapping[str, frozenset[str]] = {
    "priority": frozenset(Priority),
    "tier": frozenset(Tier),
    "type": frozenset(TicketType),
    "status": frozenset(Status) | WAITING | {"open", "pending_vendor"},
}
"""The words that need no introduction; a file lists its own under `words`: {tier: [premium], priority: [sev1]}."""


class Word(NamedTuple):
    """A word in a file, where it stands, and what it speaks of: a key of `OURS`."""

    path: str
    kind: str
    word: str


def proofread(content: Any, policies: Policies) -> None:
    """Raises BadInput for a word that is neither ours nor listed under `words`, for a policy that an earlier one always
    comes before, and for a clock that nothing stops. `content` is what `policies` were parsed from."""
    own = _own_words(content)
    for path, kind, word in _words_of(content):
        if word not in OURS[kind] and word not in own.get(kind, ()):
            known = ", ".join(sorted(OURS[kind]))
            raise BadInput(f"{path}: {shown(word)} is no {kind}; use {known}, or list it under words.{kind}")
    for prefix, version in _versions(content, policies):
        _all_reached(version, prefix)
        for i, policy in enumerate(version.policies):
            _all_end(policy, f"{prefix}policies[{i}]")


def calendars_fit(policies: Policies, calendars: Mapping[str, Calendar]) -> None:
    """Raises BadInput, with the key, for a calendar that isn't there or has no working day to count business days."""
    named = with_round_the_clock(calendars)
    for number, version in enumerate(policies.versions):
        prefix = f"versions[{number}]." if len(policies.versions) > 1 else ""
        for i, policy in enumerate(version.policies):
            _calendars_of(policy, named, f"{prefix}policies[{i}]")


def _calendars_of(policy: Policy, calendars: Mapping[str, Calendar], path: str) -> None:
    for clock, target in policy.targets.items():
        for amount in (target.base, *target.cells.values()):
            if amount is None:
                continue
            try:
                calendar = calendar_named(target.calendar_of(amount), calendars, policy.name)
            except BadInput as error:
                raise BadInput(f"{path}.{clock}.calendar: {error}") from error
            if amount.unit == Unit.BUSINESS_DAYS and not calendar.working_day:
                raise BadInput(
                    f"{path}.{clock}.calendar: {shown(calendar.name)} has no working day to count business days by; "
                    "give it weekly hours or a working_day"
                )


def _own_words(content: Any) -> Mapping[str, list[str]]:
    own = content.get("words", {}) if isinstance(content, Mapping) else {}
    if not isinstance(own, Mapping):
        raise BadInput(f"words: expected a mapping of {', '.join(OURS)} to words, got {shown(own)}")
    for kind, words in own.items():
        if kind not in OURS:
            raise BadInput(f"words.{shortened(kind)}: unknown key; known are {', '.join(OURS)}")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise BadInput(f"words.{kind}: expected a list of words, got {shown(words)}")
    return own


def _words_of(content: Any) -> Iterator[Word]:
    """Every priority, tier, type and status of a content that has been parsed."""
    for prefix, version in _lists(content):
        yield from _tiers(version, prefix)
        for clock, terms in (version.get("clocks") or {}).items():
            yield from _statuses(terms or {}, f"{prefix}clocks.{clock}.")
        for i, policy in enumerate(version["policies"]):
            yield from _words_of_policy(policy, f"{prefix}policies[{i}].")


def _words_of_policy(policy: Mapping[str, Any], path: str) -> Iterator[Word]:
    yield from _tiers(policy, path)
    given = {k: v for k, v in policy.items() if k in OURS} | {**(policy.get("match") or {})}
    for kind, values in given.items():
        for value in (values if isinstance(values, list) else [values]) if kind in OURS else []:
            yield from [Word(f"{path}{kind}", kind, value)] if value is not None else []
    for clock in (clock.value for clock in Clock):
        if isinstance(target := policy.get(clock), Mapping):
            yield from _tiers(target, f"{path}{clock}.")
            yield from _statuses(target, f"{path}{clock}.")


def _tiers(content: Mapping[str, Any], path: str) -> Iterator[Word]:
    for key in ("multipliers", "tiers"):
        for tier in content.get(key) or {}:
            yield Word(f"{path}{key}.{tier}", "tier", str(tier))


def _statuses(content: Mapping[str, Any], path: str) -> Iterator[Word]:
    for key in _STATES:
        for status in content.get(key) or []:
            yield Word(f"{path}{key}", "status", status)


def _lists(content: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(content, Mapping):
        return [("", {"policies": content})]
    if "versions" in content:
        return [(f"versions[{i}].", version) for i, version in enumerate(content["versions"])]
    return [("", content)]


def _versions(content: Any, policies: Policies) -> Iterator[tuple[str, Version]]:
    return zip((prefix for prefix, _ in _lists(content)), policies.versions, strict=True)


def _all_reached(version: Version, prefix: str) -> None:
    for i, policy in enumerate(version.policies):
        before = next((p for p in version.policies[:i] if _takes_all_of(p, policy)), None)
        if before is not None:
            raise BadInput(
                f"{prefix}policies[{i}]: {shown(policy.name)} is never reached, {shown(before.name)} above it matches "
                "everything it could; move it up, or narrow the other"
            )


def _all_end(policy: Policy, path: str) -> None:
    for clock, target in policy.targets.items():
        if not target.terms.stop_states:
            raise BadInput(f"{path}.{clock}.stop_states: empty; nothing would ever stop the clock")
        if both := sorted(target.terms.stop_states & target.terms.pause_states):
            raise BadInput(f"{path}.{clock}.pause_states: {both[0]!r} stops the clock; it can't pause it as well")


def _takes_all_of(earlier: Policy, later: Policy) -> bool:
    """Whether every ticket that fits the later one fits the earlier one."""
    return all(key in later.match and later.match[key] <= values for key, values in earlier.match.items())
