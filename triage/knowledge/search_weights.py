"""How much meaning and words count in a search: tuned on judged queries, kept only if that helps on others."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from pydantic import Field, ValidationError

from engine.contracts import Frozen
from engine.shared.errors import BadInput
from engine.shared.policy_file import first_wrong
from engine.shared.whole_file import whole_file
from triage.knowledge.retrieval_measures import Judged, ndcg, with_answers
from triage.knowledge.retrieval_runs import Found, hybrid_ranking
from triage.knowledge.retrieve import Weights, checked, default_weights

SHARES: Final = tuple(step / 20 for step in range(21))
"""Shares of meaning that are tried."""
FEWEST: Final = 40
"""Judged queries below which nothing is tuned."""
AS_GOOD: Final = 1.0
"""Standard errors within which other weights count as good as the best (Breiman et al. 1984)."""

Gains = Mapping[str, float]


class Tuned(NamedTuple):
    """The weights to use, and on how many judged queries which gain in nDCG@10 was proven or not."""

    weights: Weights
    is_tuned: bool
    queries: int
    gain: float
    standard_error: float
    reason: str


class SavedWeights(Frozen):
    """Tuned weights as they lie beside the models, with what they were tuned for and how it was proven."""

    embedder: str
    dense: Annotated[float, Field(ge=0, le=1)]
    words: Annotated[float, Field(ge=0, le=1)]
    queries: int
    gain: float
    standard_error: float


def tune(found: Mapping[str, Found], judged: Judged, *, embedder: str) -> Tuned:
    """The weights nearest to the default that are as good as the best; the default where it is one of them.

    They are used only if so chosen on each half of the judged queries they gain on the other. Halves follow from the
    queries' ids, so the same files always give the same weights.
    """
    default = default_weights(embedder)
    queries = [query for query in with_answers(judged) if query in found]
    if len(queries) < FEWEST:
        return Tuned(default, False, len(queries), 0.0, 0.0, f"{len(queries)} judged queries are too few to tune on")
    tried = {weights: _gains(found, judged, queries, weights) for weights in {default: None, **_candidates()}}
    halves = [query for query in queries if _is_odd(query)], [query for query in queries if not _is_odd(query)]
    if min(map(len, halves)) < FEWEST // 4:
        return Tuned(default, False, len(queries), 0.0, 0.0, "one half of the judged queries is too small to prove it")
    by_half = []
    for learned, held_out in (halves, halves[::-1]):
        weights = _nearest(tried, learned, default)
        by_half.append([tried[weights][query] - tried[default][query] for query in held_out])
    gain, error = _mean_and_error([*by_half[0], *by_half[1]])
    chosen = _nearest(tried, queries, default)
    proof = f"{gain:+.4f} ± {error:.4f} nDCG@10 on held-out queries"
    if chosen == default or min(map(sum, by_half)) <= 0:
        return Tuned(default, False, len(queries), gain, error, f"not better than the default by enough: {proof}")
    return Tuned(chosen, True, len(queries), gain, error, f"better than the default: {proof}")


def save_weights(file: Path, tuned: Tuned, *, embedder: str) -> None:
    """Whole or not at all."""
    saved = SavedWeights(
        embedder=embedder,
        dense=tuned.weights.dense,
        words=tuned.weights.words,
        queries=tuned.queries,
        gain=tuned.gain,
        standard_error=tuned.standard_error,
    )
    with whole_file(file) as unfinished:
        unfinished.write_text(saved.model_dump_json(indent=1), encoding="utf-8")


def read_weights(file: Path, *, embedder: str) -> Weights:
    """The saved weights of this embedder, else its default. Raises BadInput for a file that can't be used."""
    if not file.exists():
        return default_weights(embedder)
    try:
        saved = SavedWeights(**json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise BadInput(f"{file}: {first_wrong(error)}; {_REMEDY}") from error
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{file} holds no search weights ({error}); {_REMEDY}") from error
    weights = Weights(saved.dense, saved.words)
    return checked(weights) if saved.embedder == embedder else default_weights(embedder)


_REMEDY: Final = "delete it to use the default, or tune again with `helmdesk triage eval-retrieval --tune-on … --save`"


def _candidates() -> dict[Weights, None]:
    return dict.fromkeys(Weights(share, round(1 - share, 2)) for share in SHARES)


def _gains(found: Mapping[str, Found], judged: Judged, queries: Sequence[str], weights: Weights) -> Gains:
    return {query: ndcg(hybrid_ranking(found[query], weights), judged[query]) for query in queries}


def _nearest(tried: Mapping[Weights, Gains], queries: Sequence[str], default: Weights) -> Weights:
    """Of those as good as the best on these queries; of two equally near the one that was tried first."""
    best = max(tried, key=lambda weights: sum(tried[weights][query] for query in queries))

    def is_as_good(weights: Weights) -> bool:
        loss, error = _mean_and_error([tried[best][query] - tried[weights][query] for query in queries])
        return loss <= AS_GOOD * error

    return min(filter(is_as_good, tried), key=lambda weights: abs(weights.dense - default.dense))


def _is_odd(query: str) -> bool:
    return hashlib.sha256(query.encode("utf-8", "replace")).digest()[0] % 2 == 1


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    spread = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, float((spread / len(values)) ** 0.5)
