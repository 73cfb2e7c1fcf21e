import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.taxonomy import Taxonomy, words_of
from triage.urgency import urgency_of

CASES = [
    # text, priority, tier, level
    ("The report is empty", "medium", "standard", "medium"),
    ("The report is empty", None, None, "medium"),
    ("The report is empty", "P7", None, "medium"),
    ("Production is down in all regions", "low", "standard", "critical"),
    ("Luckily production is not down, this is not a total outage", "low", None, "low"),
    ("Nobody can log in since 9", None, None, "critical"),
    ("Nobody can tell me where the button is", "low", None, "low"),
    ("We are under attack, ransomware on a laptop", "medium", "free", "critical"),
    ("The team is unable to work", None, None, "high"),
    ("No hurry, take your time", "high", None, "low"),
    ("No hurry, but production is down", "low", None, "critical"),
    ("We have a workaround", "critical", None, "medium"),
    ("URGENT!!! urgent!!! ASAP!!!", "low", "standard", "low"),
    ("URGENT, please", "medium", "enterprise", "high"),
    ("How do I rename a group?", "medium", "free", "low"),
    ("How do I rename a group?", "medium", "standard", "medium"),
]


@pytest.mark.parametrize(("text", "priority", "tier", "level"), CASES)
def test_urgency_follows_priority_words_and_tier(
    taxonomy: Taxonomy, text: str, priority: str | None, tier: str | None, level: str
) -> None:
    assert urgency_of(text, priority=priority, tier=tier, taxonomy=taxonomy).level == level


def test_reason_names_the_words_and_the_rule(taxonomy: Taxonomy) -> None:
    claim = urgency_of("Total outage!", priority="low", tier="enterprise", taxonomy=taxonomy)
    assert claim.reason == "priority low, the text says “total outage” (production is down), tier enterprise"


BITS = ("Production", "is DOWN", "no", "rush", "ASAP,", "can't work", "nobody can", "log in", "\n", "x", "urgent")


@given(st.lists(st.sampled_from(BITS), max_size=8))
def test_phrases_are_left_out_only_where_they_cannot_stand(taxonomy: Taxonomy, bits: list[str]) -> None:
    text = " ".join(bits)
    for rule in taxonomy.urgency.rules:
        whole = rule.expression(words_of(" ".join(rule.phrases)))
        some = rule.expression(words_of(text))
        assert whole is not None
        assert (some.search(text) if some else None) == whole.search(text) or (
            some is not None and some.search(text).group() == whole.search(text).group()
        )


@pytest.mark.parametrize(
    "cry", ["URGENT!!!", "URGENT " * 30, "DRINGEND, sofort!", "URGENTE, urgence", "緊急です", "срочно"]
)
@pytest.mark.parametrize("priority", ["high", "medium", "low", None])
def test_a_cry_for_speed_alone_makes_nothing_critical(cry: str, priority: str | None, taxonomy: Taxonomy) -> None:
    levels = list(reversed(taxonomy.urgency.labels))
    calm, loud = (
        levels.index(urgency_of(text, priority=priority, tier="enterprise", taxonomy=taxonomy).level)
        for text in ("The printer jams.", f"{cry} The printer jams.")
    )
    assert loud <= min(calm + 1, len(levels) - 2)
