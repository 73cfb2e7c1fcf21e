"""Who gets the ticket: filters first, then the weighted sum; and the reasons in words."""

from typing import Any

import pytest

from engine.allocation.decide import decide, weighted_sum
from engine.allocation.explain import why
from engine.contracts import AssignmentGroup, GroupStatus, Outcome
from tests.engine.allocation.desk import NEW_YORK, NOON, group, policy, ticket

NAMES = ("availability", "bandwidth", "velocity", "performance", "proximity", "cultural_fit", "timezone")
SAMPLE = (0.85, 0.90, 0.88, 0.92, 0.78, 0.95, 0.88)


@pytest.mark.parametrize(
    ("preset", "vector", "composite"),
    [
        ("hld-v2", SAMPLE, 0.877),
        ("hld-v1", SAMPLE, 0.8834),
        ("hld-v2", (0.85, 0.90, 0.88, 0.92, 0.98, 0.90, 1.00), 0.9005),
        ("hld-v2", (0.65, 0.75, 0.82, 0.88, 0.45, 0.85, 0.80), 0.7425),
    ],
)
def test_composites_of_the_design_documents(preset: str, vector: tuple[float, ...], composite: float) -> None:
    values = dict(zip(NAMES, vector, strict=True))
    assert weighted_sum(values, policy(preset).effective_weights) == pytest.approx(composite)


def verdicts(groups: list[AssignmentGroup], **given: Any) -> dict[str, str | None]:
    made = decide(ticket(category="network", **given), groups, policy(language_required=True), NOON)
    return {a.group_id: a.excluded for a in made.alternatives}


NETWORK = ("Network",)


def test_hard_filters_say_why() -> None:
    groups = [
        group("fit", capabilities=NETWORK, languages=("fr",)),
        group("full", capabilities=NETWORK, languages=("fr",), free=0),
        group("idle", capabilities=NETWORK, languages=("fr",), status=GroupStatus.INACTIVE),
        group("mute", capabilities=NETWORK),
        group("paint", capabilities=("paint",)),
    ]
    assert verdicts(groups, language="fr-CA") == {
        "full": "full (10 of 10)",
        "idle": "not active",
        "mute": "does not speak fr",
        "paint": "lacks network or connectivity",
    }


def test_a_vendor_is_waited_for_unless_the_policy_says_otherwise() -> None:
    vendor = [group("v", is_vendor=True)]
    assert decide(ticket(), vendor, policy(), NOON).outcome == Outcome.NO_SKILL
    assert decide(ticket(), vendor, policy(allocate_to_vendors=True), NOON).group_id == "v"


def test_other_demands_no_skill() -> None:
    for category in ("other", "26", "inquiry"):
        assert decide(ticket(category=category), [group("a")], policy(), NOON).outcome == Outcome.ALLOCATED


def test_the_product_decides_before_the_category() -> None:
    groups = [group("net", capabilities=("network",)), group("dlp", capabilities=("dlp",))]
    assert decide(ticket(category="network", product="DLP"), groups, policy(), NOON).group_id == "dlp"


def test_no_skill_needs_a_person() -> None:
    made = decide(ticket(category="database"), [group("a", capabilities=("network",))], policy(), NOON)
    assert made.outcome == Outcome.NO_SKILL
    assert made.rationale == "No active group has database or data: a person has to look."
    assert made.score == 0
    assert decide(ticket(), [], policy(), NOON).outcome == Outcome.NO_SKILL


def test_all_full_means_waiting() -> None:
    made = decide(ticket(), [group("a", free=0), group("b", free=0)], policy(), NOON)
    assert (made.outcome, made.group_id) == (Outcome.WAITING, None)
    assert made.rationale == "It waits: 2 groups have the skills, but no free slot."


def test_below_the_minimum_nobody_gets_it() -> None:
    made = decide(ticket(), [group("a")], policy(min_score=1.0), NOON)
    assert made.outcome == Outcome.WAITING
    assert "below the minimum of 1.00" in made.rationale


def test_ties_go_to_more_free_slots_then_to_the_smaller_id() -> None:
    even = policy(switched_off=("availability", "bandwidth"))
    groups = [group("c", slots=20, free=20), group("b", slots=30, free=30), group("a", slots=30, free=30)]
    made = decide(ticket(), groups, even, NOON)
    assert [made.group_id, *(a.group_id for a in made.alternatives)] == ["a", "b", "c"]


def test_nearer_and_quicker_wins() -> None:
    near, far = group("near", location=NEW_YORK, hours=4), group("far", hours=40)
    made = decide(ticket(location=NEW_YORK), [far, near], policy(), NOON)
    assert made.group_id == "near"
    assert made.scores is not None
    assert made.score == made.scores.composite


def test_a_group_off_shift_scores_less() -> None:
    groups = [group("night"), group("day")]
    made = decide(ticket(), groups, policy(), NOON, hours_to_shift={"day": 9.0})
    assert made.group_id == "night"


def test_the_page_tells_why_this_and_not_the_others() -> None:
    groups = [group("first"), group("second", hours=90), group("third", free=0)]
    told = why(decide(ticket(), groups, policy(switched_off=("proximity",)), NOON))
    assert told[0].startswith("First is an excellent match at 0.")
    assert told[1].startswith("Its factors: availability 1.00, room for the work 1.00")
    assert told[2].startswith("Behind it: Second (0.")
    assert told[3] == "Third was out: full (10 of 10)."
    assert "off: proximity; weights renormalised" in told[4]


def test_a_nearly_full_group_is_called_so() -> None:
    made = decide(ticket(), [group("a", free=2)], policy(), NOON)
    assert "2 of 10 slots were free, nearly full." in made.rationale
