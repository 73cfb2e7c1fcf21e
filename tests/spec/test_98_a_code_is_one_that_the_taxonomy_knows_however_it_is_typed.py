"""ZTNA-301 in several writings, and a number that is none."""

import pytest

from pipelines.app.settings import shipped_data
from triage.evidence import error_codes
from triage.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy(shipped_data() / "taxonomies" / "products.yaml")


@pytest.mark.parametrize(
    "typed", ["ztna 301", "ZTNA\u2013301", "ztna301", "ZTNA-\n301", "\uff3a\uff34\uff2e\uff21-301"]
)
def test_it_is_found_however_it_is_typed(typed: str) -> None:
    assert list(error_codes(f"We see {typed} today", TAXONOMY)) == ["ZTNA-301"]


@pytest.mark.parametrize("typed", ["ztna-0301", "ZTNA-999", "zone 301"])
def test_another_number_is_none(typed: str) -> None:
    assert error_codes(f"We see {typed} today", TAXONOMY) == {}
