from pathlib import Path

import numpy as np
import pytest

import triage.embed
from engine.shared.errors import BadInput, Unavailable
from triage.embed import MiniLM, WordLlama, open_embedder
from triage.ports import Embedder

TEXTS = ["connector offline", "the ZTNA connector went down", "invoice too high", "", "\ud800 lone", "x" * 5000]


@pytest.fixture(scope="module", params=[MiniLM, WordLlama])
def either(request: pytest.FixtureRequest) -> Embedder:
    return request.param()


def test_vectors_have_the_stated_shape_and_unit_length(either: Embedder) -> None:
    vectors = either.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), either.dimension)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors[:3], axis=1), 1, atol=1e-5)


def test_nothing_gives_no_rows(either: Embedder) -> None:
    assert either.embed([]).shape == (0, either.dimension)


def test_paraphrase_is_nearer_than_another_matter(either: Embedder) -> None:
    vectors = either.embed(TEXTS[:3])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_company_in_a_batch_changes_nothing(either: Embedder) -> None:
    together = either.embed(TEXTS[:3] * 9)
    assert np.allclose(together[1], either.embed([TEXTS[1]])[0], atol=1e-5)


def test_altered_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    altered = tmp_path / "tokenizer.json"
    altered.write_bytes(triage.embed.TOKENIZER.read_bytes() + b" ")
    monkeypatch.setattr(triage.embed, "TOKENIZER", altered)
    opened = open_embedder("minilm")
    with pytest.raises(Unavailable, match="not the tested version"):
        opened.embed(["a text"])


def test_without_onnxruntime_the_fallback_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triage.embed, "_installed", lambda *modules: "onnxruntime" not in modules)
    assert open_embedder("auto").name == WordLlama.name
    with pytest.raises(Unavailable, match="choose the embedder wordllama"):
        open_embedder("minilm")


def test_unknown_embedder_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="auto, minilm, wordllama or cascade"):
        open_embedder("bert")
