"""A broken policy is refused with its file, its key and the reason; the shipped ones all hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import alert_matrix, lifecycle, ownership, priority, rules
from engine.shared.errors import BadInput, NotFound
from tests.engine.people import POLICIES, policies_in

Loader = Callable[[Path], Any]

BROKEN: list[tuple[Loader, str, str]] = [
    (ownership.load, "leave_days_over: soon", "leave_days_over: Input should be a valid integer"),
    (ownership.load, "leave_day_over: 3", "leave_day_over: Extra inputs"),
    (ownership.load, "leave_days_over: 3\nleave_days_over: 30", "line 2: 'leave_days_over' is given twice"),
    (ownership.load, "leave_days_over: [", "expected node content at line"),
    (ownership.load, "", "the whole file: Input should be a valid dictionary"),
    (
        lifecycle.load,
        "presets: {a: {source: x, transitions: {new: [open]}}}",
        "presets.a.transitions",
    ),
    (lifecycle.load, "presets: {a: {source: x, transitions: {new: [closed]}}}", "no row for closed"),
    (priority.load, "presets: {a: {source: x, base: {high: 1}}}", "base has no value for critical, low, medium"),
    (alert_matrix.load, "presets: {a: {source: x, priorities: {}}}", "no row for critical, high, low, medium"),
    (rules.load, "rules: [{name: a}]", "rules[0].trigger: Field required"),
]


@pytest.mark.parametrize(("load", "text", "said"), BROKEN)
def test_broken_policy_is_refused_by_key(load: Loader, text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_missing_policy_says_which() -> None:
    with pytest.raises(NotFound, match=r"nowhere\.yaml"):
        ownership.load("nowhere.yaml")


@pytest.mark.parametrize("preset", ["canonical", "itil-next", "companyos", "aigenius"])
def test_shipped_policies_hold_with_every_lifecycle(preset: str) -> None:
    policies = policies_in(POLICIES, lifecycle_preset=preset)
    assert policies.lifecycle.source
    assert policies.rules.rules


@pytest.mark.parametrize("preset", ["canonical", "itil-next-code", "feature-map", "seed"])
def test_shipped_policies_hold_with_every_priority_preset(preset: str) -> None:
    assert policies_in(POLICIES, priority_preset=preset).priority.name == preset
