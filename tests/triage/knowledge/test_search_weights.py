"""Tuned weights are used only where they were proven on queries they were not tuned on."""

import random
from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from triage.knowledge.retrieval_measures import Judged, figures
from triage.knowledge.retrieval_runs import Found, hybrid_ranking
from triage.knowledge.retrieve import Weights, default_weights
from triage.knowledge.search_weights import FEWEST, Tuned, read_weights, save_weights, tune

NAME = "all-minilm-l6-v2-int8"


def collection(queries: int, *, right: str, share: float = 1.0) -> tuple[dict[str, Found], Judged]:
    """Queries of which `right` (dense, words or neither) knows the answer to a share; the rest is chance."""
    chance = random.Random(11)
    found, judged = {}, {}
    for number in range(queries):
        documents = [f"d{number}-{place}" for place in range(12)]
        sides = {
            side: {(document, 0): chance.uniform(0.3, 0.6) * scale for document in documents}
            for side, scale in (("dense", 1), ("words", 20))
        }
        answer = chance.choice(documents)
        if right in sides and number < queries * share:
            sides[right][answer, 0] = 0.61 if right == "dense" else 12.2
        found[f"q{number}"] = Found(*(dict(sorted(s.items(), key=lambda pair: -pair[1])) for s in sides.values()))
        judged[f"q{number}"] = {answer: 1}
    return found, judged


def test_words_win_where_meaning_is_chance() -> None:
    tuned = tune(*collection(120, right="words"), embedder=NAME)
    assert tuned.is_tuned
    assert tuned.weights.words > 0.8
    assert tuned.gain > 2 * tuned.standard_error


def test_a_probable_gain_on_each_half_is_enough() -> None:
    tuned = tune(*collection(200, right="words", share=0.17), embedder=NAME)
    assert tuned.is_tuned
    assert 0 < tuned.gain < 2 * tuned.standard_error


def test_a_gain_on_one_half_alone_proves_nothing() -> None:
    tuned = tune(*collection(300, right="words", share=0.15), embedder=NAME)
    assert not tuned.is_tuned
    assert tuned.gain > 0


def test_weights_go_no_further_from_the_default_than_it_takes() -> None:
    found, judged = collection(300, right="words", share=0.2)
    tuned = tune(found, judged, embedder=NAME)
    assert tuned.weights == Weights(0.05, 0.95)
    assert mean_gain(found, judged, Weights(0.0, 1.0)) > mean_gain(found, judged, tuned.weights)


def mean_gain(found: dict[str, Found], judged: Judged, weights: Weights) -> float:
    return figures({query: hybrid_ranking(found[query], weights) for query in found}, judged).ndcg


@pytest.mark.parametrize("seed_size", [60, 120, 200])
def test_chance_is_not_learned(seed_size: int) -> None:
    tuned = tune(*collection(seed_size, right="neither"), embedder=NAME)
    assert (tuned.is_tuned, tuned.weights) == (False, default_weights(NAME))


def test_few_queries_leave_the_default() -> None:
    tuned = tune(*collection(FEWEST - 1, right="words"), embedder=NAME)
    assert (tuned.is_tuned, tuned.weights) == (False, default_weights(NAME))
    assert "too few to tune on" in tuned.reason


def test_the_same_queries_give_the_same_weights() -> None:
    found, judged = collection(80, right="words")
    backwards = {query: judged[query] for query in reversed(judged)}
    assert tune(found, judged, embedder=NAME).weights == tune(found, backwards, embedder=NAME).weights


def test_weights_are_saved_for_their_embedder(tmp_path: Path) -> None:
    file = tmp_path / "models" / "search_weights.json"
    assert read_weights(file, embedder=NAME) == default_weights(NAME)
    save_weights(file, Tuned(Weights(0.2, 0.8), True, 90, 0.1, 0.01, "won"), embedder=NAME)
    assert read_weights(file, embedder=NAME) == Weights(0.2, 0.8)
    assert read_weights(file, embedder="another") == default_weights("another")
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "holds no search weights"),
        ("[1]", "holds no search weights"),
        ('{"embedder": "x"}', "dense: Field required"),
        ('{"embedder": "x", "dense": 2, "words": 0, "queries": 1, "gain": 0, "standard_error": 0}', "dense: Input"),
    ],
)
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "w.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match="delete it to use the default") as refused:
        read_weights(file, embedder=NAME)
    assert reason in str(refused.value)
