"""The default of MiniLM is .85 to .15; other weights are used only where they gain on each half that is held back."""

from tests.triage.knowledge.test_search_weights import NAME, collection, mean_gain
from triage.knowledge.retrieve import Weights, default_weights
from triage.knowledge.search_weights import tune


def test_the_embedder_says_how_meaning_and_words_are_weighed() -> None:
    assert default_weights(NAME) == Weights(0.85, 0.15)


def test_where_words_know_the_answer_they_count_more() -> None:
    assert tune(*collection(120, right="words"), embedder=NAME).weights.words > 0.85
    assert not tune(*collection(120, right="neither"), embedder=NAME).is_tuned


def test_of_those_as_good_as_the_best_the_nearest_to_the_default_is_used() -> None:
    found, judged = collection(300, right="words", share=0.2)
    tuned, best = tune(found, judged, embedder=NAME).weights, Weights(0.0, 1.0)
    assert default_weights(NAME).words < tuned.words < best.words
    assert mean_gain(found, judged, best) > mean_gain(found, judged, tuned)
