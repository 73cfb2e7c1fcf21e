"""INC-1 shouts and stays high; INC-2 tells of harm and is critical."""

import pytest

from pipelines.app.settings import shipped_data
from triage.taxonomy import load_taxonomy
from triage.urgency import urgency_of

TAXONOMY = load_taxonomy(shipped_data() / "taxonomies" / "products.yaml")


@pytest.mark.parametrize(
    ("text", "level"),
    [("URGENT!!! URGENT!!!", "high"), ("DRINGEND!!!", "high"), ("Production is down for all users", "critical")],
)
def test_only_harm_makes_critical(text: str, level: str) -> None:
    assert urgency_of(text, priority="high", tier=None, taxonomy=TAXONOMY).level == level
