import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triage.enrichment.enriching import POLICY, case
from triage.enrichment.complexity import amounts, complexity_of
from triage.enrichment.policy import Weighed
from triage.taxonomy import Taxonomy

RULES = POLICY.complexity
NAMES = list(RULES.parts)
COUNTS = st.fixed_dictionaries(dict.fromkeys(NAMES, st.integers(0, 10**9)))
NOTHING = dict.fromkeys(NAMES, 0)


def test_nothing_is_not_complex() -> None:
    assert complexity_of(NOTHING, RULES).score == 0


def test_everything_in_full_is_one() -> None:
    assert complexity_of(dict.fromkeys(NAMES, 10**6), RULES).score == pytest.approx(1)


@given(COUNTS)
def test_parts_add_up_to_the_score(found: dict[str, int]) -> None:
    score, parts = complexity_of(found, RULES)
    assert 0 <= score <= 1
    assert sum(part.adds for part in parts) == pytest.approx(score)
    assert [part.name for part in parts] == NAMES


@given(COUNTS, st.sampled_from(NAMES), st.integers(1, 1000))
def test_more_never_makes_it_simpler(found: dict[str, int], name: str, more: int) -> None:
    assert complexity_of(found | {name: found[name] + more}, RULES).score >= complexity_of(found, RULES).score


def test_a_weight_counts_for_its_share() -> None:
    rules = RULES.model_copy(update={name: Weighed(weight=0, full=1) for name in NAMES})
    rules = rules.model_copy(update={"reopened": Weighed(weight=3, full=2), "messages": Weighed(weight=1, full=4)})
    assert complexity_of(NOTHING | {"reopened": 1, "messages": 4}, rules).score == pytest.approx(0.75 * 0.5 + 0.25)


def test_amounts_are_counted_from_text_and_thread(taxonomy: Taxonomy) -> None:
    text = "ZTNA-301 and CASB-114. Why? And how??\n2026-07-07T07:53:57Z down\n  at com.example.Main(Main.java:3)"
    found = amounts(text, case("a", text, messages=4, reopened=1), taxonomy)
    assert found == {
        "characters": len(text), "error_codes": 2, "products": 2, "questions": 2, "log_lines": 2, "messages": 4,
        "reopened": 1,
    }  # fmt: skip
