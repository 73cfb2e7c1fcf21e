"""Triage's policy files: nothing is converted, nothing boundless, and a refusal is one short line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from tests.triage.conftest import DATA
from triage.drafting.article_policy import load_article_policy
from triage.drafting.wording import load_wording
from triage.enrichment.policy import load_enrichment_policy
from triage.feedback.policy import load_policy as load_learning_policy
from triage.llm.policy import load_policy as load_triage_policy

LOADERS: dict[str, Callable[[Path], object]] = {
    "articles": load_article_policy,
    "learning": load_learning_policy,
    "enrichment": load_enrichment_policy,
    "triage": load_triage_policy,
    "wording": load_wording,
}


def refused(folder: Path, name: str, before: str, after: str) -> str:
    text = (DATA / "policies" / f"{name}.yaml").read_text(encoding="utf-8")
    assert before in text
    file = folder / f"{name}.yaml"
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(BadInput) as told:
        LOADERS[name](file)
    return str(told.value).removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    ("name", "before", "after", "key"),
    [
        ("learning", "answers: 50", "answers: yes", "retrain.answers"),
        ("learning", "answers: 50", 'answers: "50"', "retrain.answers"),
        ("learning", "answers: 50", "answers: 50.0", "retrain.answers"),
        ("learning", "shifted_at: 0.25", "shifted_at: .inf", "drift.shifted_at"),
        ("learning", "margin: 0.05", "margin: true", "retrain.margin"),
        ("enrichment", "reach: 3", "reach: yes", "sentiment.reach"),
        ("enrichment", "weight: 2, full: 1000", "weight: 2, full: .inf", "complexity.characters.full"),
        ("enrichment", "poor_breached: 0.30", 'poor_breached: "0.30"', "customer_health.poor_breached"),
        ("enrichment", "good: [thank you", 'good: ["a\\e[31m"', "sentiment.languages.en.good[0]"),
        ("triage", "retries: 2", "retries: yes", "asking.retries"),
        ("triage", "calls: 2000", 'calls: "2000"', "budget_per_day.calls"),
        ("triage", "usd: 2.00", "usd: .inf", "budget_per_day.usd"),
        ("triage", "prompt: 0.15", "prompt: .nan", "prices.groq:openai/gpt-oss-120b.prompt"),
        ("wording", "tone: neutral", "tone: yes", "tone"),
        ("articles", "sites: [northlight.example]", "sites: [com]", "sites[0]"),
        ("articles", "emails: []", "emails: [mallory]", "contacts.emails[0]"),
    ],
)
def test_nothing_but_the_very_type_is_taken(tmp_path: Path, name: str, before: str, after: str, key: str) -> None:
    assert refused(tmp_path, name, before, after).startswith(f"{key}: ")


@pytest.mark.parametrize(
    ("name", "before", "after", "key"),
    [
        ("learning", "window_days: 28", "window_days: 1000000", "drift.window_days"),
        ("learning", "answers: 50", "answers: 1000001", "retrain.answers"),
        ("learning", "examples: 3", "examples: 101", "gaps.examples"),
        ("enrichment", "days: 90", "days: 1000000", "customer_health.days"),
        ("triage", "calls: 2000", f"calls: {10**30}", "budget_per_day.calls"),
        ("triage", "choose_from: 50", f"choose_from: {10**30}", "cascade.choose_from"),
    ],
)
def test_nothing_is_boundless(tmp_path: Path, name: str, before: str, after: str, key: str) -> None:
    assert refused(tmp_path, name, f" {before}", f" {after}").startswith(f"{key}: ")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("learning", "margin: 0.05", "margin: {}"),
        ("enrichment", "reach: 3", "reach: {}"),
        ("triage", "retries: 2", "retries: {}"),
        ("wording", "tone: neutral", "tone: {}"),
        ("learning", "margin: 0.05", "margin: 0.05\n  ? {}\n  : 1"),
    ],
)
def test_a_long_wrong_value_is_not_echoed_whole(tmp_path: Path, name: str, before: str, after: str) -> None:
    told = refused(tmp_path, name, before, after.format("x" * 20_000))
    assert "x" * 70 in told
    assert len(told) < 400
    assert told.endswith("Nothing of it was applied.")
