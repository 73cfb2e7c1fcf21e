"""Meaning and words are weighed so that neither spoils what the other knows."""

import math

import pytest

from engine.shared.errors import BadInput
from tests.triage.test_classify import Counting
from triage.embed import WordLlama
from triage.knowledge.retrieve import (
    CANDIDATES,
    Hits,
    Weights,
    checked,
    default_weights,
    dense_share,
    fuse,
    query_text,
    searchable,
)
from triage.knowledge.search_words import Bm25, search_words
from triage.knowledge.vector_cache import VectorCache


@pytest.mark.parametrize(
    ("weights", "first"), [(Weights(1, 0), "near"), (Weights(0, 1), "alike"), (Weights(1, 1), "both")]
)
def test_weights_choose_between_meaning_and_words(weights: Weights, first: str) -> None:
    dense = {("near", 0): 0.9, ("both", 0): 0.8}
    words = {("alike", 0): 20.0, ("both", 0): 15.0}
    assert fuse(dense, words, weights, limit=3)[0][0][0] == first


def test_a_code_outweighs_vague_nearness() -> None:
    dense = {(f"d{place}", 0): 0.60 - place / 100 for place in range(10)}
    words = {("d9", 0): 16.0, **{(f"d{place}", 0): 2.0 for place in range(9)}}
    assert fuse(dense, words, Weights(0.75, 0.25), limit=1)[0][0][0] == "d9"


LEADING = {("d", place): 0.9 - place / 10 for place in range(10)}
FLAT = {("d", place): 0.5 for place in range(10)}
EVEN = {("d", place): 10.0 for place in range(10)}


@pytest.mark.parametrize(
    ("dense", "words", "share"),
    [
        (LEADING, EVEN, 0.6),
        (LEADING, {}, 0.6),
        (LEADING, {("d", 0): 10.0}, 0.6 / (0.6 + 2 * 0.4)),
        (FLAT, EVEN, 0.6 / (0.6 + 3 * 0.4)),
        (FLAT, {("d", 0): 10.0}, 0.6 / (0.6 + 6 * 0.4)),
        (LEADING, EVEN | {("d", 0): 5.0, ("d", 10): 10.0}, 0.6 / (0.6 + 2 * 0.4)),
        (LEADING, {key: 10.0 for key in EVEN if key != ("d", 0)} | {("d", 10): 10.0}, 0.6 / (0.6 + 3 * 0.4)),
    ],
)
def test_words_count_more_when_far_ahead_or_meaning_is_flat_or_unheard(dense: Hits, words: Hits, share: float) -> None:
    assert dense_share(dense, words, Weights(0.6, 0.4)) == pytest.approx(share)


def test_a_trusted_embedder_is_doubted_less() -> None:
    words = {("d", place): 10.0 for place in range(1, 11)}
    assert dense_share(LEADING, words, Weights(0.9, 0.1)) == pytest.approx(
        0.9 / (0.9 + (1 + 2 * (0.1 / 0.35) ** 2) * 0.1)
    )


def test_a_full_list_lends_its_last_score_to_what_it_does_not_hold() -> None:
    full = {(f"n{place:02d}", 0): 0.9 - place / 1000 for place in range(CANDIDATES)}
    short = dict(list(full.items())[:-1])
    words = {("w", 0): 5.0}
    only = Weights(1, 0)
    assert dict(fuse(full, words, only, limit=99))["w", 0] == pytest.approx(min(full.values()))
    assert dict(fuse(short, words, only, limit=99))["w", 0] == 0


def test_scores_lie_between_0_and_1_best_first() -> None:
    found = fuse({("a", 0): -0.5, ("b", 0): 1.0}, {("a", 0): 1e6, ("c", 1): 0.1}, Weights(3, 1), limit=5)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert fuse({}, {}, Weights(1, 1), limit=5) == []


def test_all_of_the_best_article_is_in_the_result() -> None:
    dense = {("a", 0): 0.9, ("b", 0): 0.8, ("c", 0): 0.7, ("a", 1): 0.1}
    assert [key for key, _ in fuse(dense, {}, Weights(1, 0), limit=3)] == [("a", 0), ("b", 0), ("a", 1)]


@pytest.mark.parametrize("weights", [(0, 0), (-1, 2), (math.nan, 1), (math.inf, 1)])
def test_weights_that_rank_nothing_are_refused(weights: tuple[float, float]) -> None:
    with pytest.raises(BadInput, match="two numbers from 0 up"):
        checked(Weights(*weights))


def test_an_unmeasured_embedder_gets_the_careful_weights() -> None:
    assert default_weights("new").dense < default_weights("all-minilm-l6-v2-int8").dense


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The policies of our proxies", ["policy", "proxy"]),
        ("ZTNA-301, class bus_status Files", ["ztna", "301", "class", "bus", "status", "file"]),
        ("What is it?", ["what", "is", "it"]),
        ("É s3s x9s", ["é", "s3s", "x9s"]),
        ("!?", []),
    ],
)
def test_words_are_compared_without_endings_and_stop_words(text: str, words: list[str]) -> None:
    assert search_words(text) == words


def test_bm25_by_hand() -> None:
    rarity, often = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5)), 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    scores = Bm25(["fan fan loud", "quiet"]).scores(["fan", "fan fan", "other"])
    assert scores.tolist() == [pytest.approx([s, 0], abs=1e-6) for s in (rarity * often, 2 * rarity * often, 0)]
    assert Bm25([]).scores(["x"]).shape == (1, 0)


def test_long_and_empty_questions() -> None:
    assert len(query_text("word " * 1000)) <= 2000
    assert searchable(["a", "?!", "", "7"]) == [0, 3]


def test_vectors_are_kept_by_content_and_made_again_when_damaged(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("vectors")
    counting = Counting(WordLlama())
    first = VectorCache(counting, folder).embed(["one", "two"])
    assert (VectorCache(counting, folder).embed(["one", "two"]) == first).all()
    assert counting.texts == 2
    VectorCache(counting, folder).embed(["onet", "wo"])
    assert counting.texts == 4
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:20])
    assert (VectorCache(counting, folder).embed(["one", "two"]) == first).all()
