"""Whichever policy is broken, the same words refuse it: file, key, reason, the value given, what became of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.plugins.mapping import load_mapping
from engine.shared.errors import BadInput
from pipelines.app.people_files import load_people
from sla.alerting.alerts import load_policy as load_alerts
from sla.policy.parser import load as load_sla


def _people(path: Path) -> object:
    (path.parent / "agents.yaml").write_bytes(path.read_bytes())
    return load_people(path.parent)


@pytest.mark.parametrize(
    ("load", "content", "said"),
    [
        (load_alerts, "rules: []\ndigest: {over: -1}",
         "digest.over: Input should be greater than or equal to 0, got -1"),
        (load_alerts, "rules: 5", "rules: Input should be a valid tuple, got 5"),
        (
            load_sla,
            "policies: [{resolution: {target: 5, at_risk_fraction: 7}}]",
            "policies[0].resolution.at_risk_fraction: Input should be less than or equal to 1, got '7'",
        ),
        (load_mapping, "source: crm\ncolumns: {ticket_id: n, created_at: c}\ndelimiter: ''",
         "delimiter: String should match pattern '^(?s:.|auto)$', got ''"),
        (_people, "agents: [{id: a}, 5]", "agents[0].email: Field required (and 2 more)"),
        (_people, "agents: 5", "agents: Input should be a valid list, got 5"),
    ],
)  # fmt: skip
def test_every_policy_is_refused_in_the_same_words(
    load: Callable[[Path], object], content: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(BadInput) as refused:
        load(file)
    assert str(refused.value).partition(".yaml: ")[2] == f"{said}. Nothing of it was applied."
