import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from triage.embed import WordLlama
from triage.methods import METHODS, Linear, Seen, fit_all
from triage.words import learn_words

TEXTS = ["card was declined", "my card is declined again", "refund is missing", "where is my refund",
         "the app crashes", "app crashed on start"]  # fmt: skip
OWNERS = np.array([0, 0, 1, 1, 2, 2])
PHRASES = ["declined card", "missing refund", "crash"]


@pytest.fixture(scope="module")
def learned() -> list[Linear]:
    embedder = WordLlama()
    phrases = Seen(PHRASES, embedder.embed(PHRASES), np.arange(3))
    return fit_all(METHODS, Seen(TEXTS, embedder.embed(TEXTS), OWNERS), phrases, 3)


def test_span_of_the_rows_gives_the_solution_of_all_features(learned: list[Linear]) -> None:
    texts, vectors = TEXTS + PHRASES, WordLlama().embed(TEXTS + PHRASES)
    meaning = np.float32(METHODS[0].meaning)
    features = np.hstack([learn_words(texts).matrix(texts).toarray(), vectors * meaning])
    plain = LogisticRegression(C=METHODS[0].strength, tol=1e-6).fit(features, [*OWNERS, 0, 1, 2])
    found = features @ learned[0].weights + learned[0].bias
    assert np.allclose(found, plain.decision_function(features), atol=0.02)


def test_nearest_labelled_texts_speak_for_their_label(learned: list[Linear]) -> None:
    vectors = WordLlama().embed(TEXTS)
    silent = learned[0]._replace(method=METHODS[0]._replace(nearness=0.0))
    gained = learned[0].logits(TEXTS, vectors) - silent.logits(TEXTS, vectors)
    assert (gained.argmax(axis=1) == OWNERS).all()
    assert gained.max() <= METHODS[0].nearness + 1e-6


@pytest.mark.parametrize("at", range(len(METHODS)), ids=[method.name for method in METHODS])
def test_every_method_knows_what_it_has_read(learned: list[Linear], at: int) -> None:
    assert (learned[at].logits(TEXTS, WordLlama().embed(TEXTS)).argmax(axis=1) == OWNERS).all()
    assert learned[at].logits([], np.zeros((0, 256), dtype=np.float32)).shape == (0, 3)
