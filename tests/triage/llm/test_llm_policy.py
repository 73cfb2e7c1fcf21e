"""The policy of hosted models is refused by file and key, and prices what it does not know as dear."""

from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from tests.triage.conftest import DATA
from triage.llm.policy import load_policy

FILE = DATA / "policies" / "triage.yaml"


@pytest.mark.parametrize(
    ("line", "wrong", "reason"),
    [
        ("max_share: 0.30", "max_share: 30", "cascade.max_share"),
        ("calls: 2000", "calls: many", "budget_per_day.calls"),
        ("retries: 2 ", "retrys: 2 ", "asking"),
    ],
)
def test_a_wrong_policy_is_refused_by_key(tmp_path: Path, line: str, wrong: str, reason: str) -> None:
    file = tmp_path / "triage.yaml"
    file.write_text(FILE.read_text(encoding="utf-8").replace(line, wrong), encoding="utf-8")
    with pytest.raises(BadInput, match=rf"triage\.yaml: {reason}"):
        load_policy(file)


@pytest.mark.parametrize(
    ("model", "prompt"), [("openai:gpt-4o-mini", 0.15), ("compatible:anything", 0.0), ("openai:dear", 5.0)]
)
def test_an_unlisted_model_is_dear(model: str, prompt: float) -> None:
    assert load_policy(FILE).price(model).prompt == prompt
