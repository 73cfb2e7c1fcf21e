import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triage.enrichment.enriching import POLICY
from triage.enrichment.sentiment import sentiment_of

RULES = POLICY.sentiment
SAYINGS = [
    # text, language, value, phrases
    ("Thank you!", "en", 0.5, ("thank you",)),
    ("This is unacceptable, I am frustrated.", "en", -2 / 3, ("unacceptable", "frustrated")),
    ("I am not happy with this.", "en", -0.5, ("not happy",)),
    ("It isn’t really terrible.", "en", 0.5, ("not terrible",)),
    ("It did not help. Great!", "en", 0.5, ("great",)),
    ("Thank you, but this is unacceptable", "en", 0.0, ("thank you", "unacceptable")),
    ("Wir sind nicht zufrieden.", "de", -0.5, ("not zufrieden",)),
    ("Je ne suis pas content.", "fr", -0.5, ("not content",)),
    ("Es inaceptable.", "es", -0.5, ("inaceptable",)),
    ("Unacceptably complex", "en", None, ()),
    ("The connector is offline.", "en", None, ()),
    ("Thank you!", None, None, ()),
    ("Thank you!", "it", None, ()),
    ("", "en", None, ()),
]


@pytest.mark.parametrize(("text", "language", "value", "phrases"), SAYINGS)
def test_tone_is_what_the_listed_phrases_say(text, language, value, phrases) -> None:
    found = sentiment_of(text, language, RULES)
    assert (found.value if found else None) == (value if value is None else pytest.approx(value))
    assert (found.phrases if found else ()) == phrases


@given(st.lists(st.sampled_from(["thank you", "not", "unacceptable", "great", "fed up", ".", "Kelvin"])).map(" ".join))
def test_tone_stays_between_its_ends(text: str) -> None:
    found = sentiment_of(text, "en", RULES)
    assert found is None or -1 < found.value < 1


def test_repeating_a_phrase_does_not_repeat_the_reason() -> None:
    assert sentiment_of("unacceptable! " * 500, "en", RULES).phrases == ("unacceptable",)
