from pathlib import Path

import numpy as np
import pytest

from engine.shared.errors import BadInput
from tests.triage.test_classify import Counting
from triage.embed import WordLlama
from triage.knowledge.vector_cache import VectorCache, embed_known


def test_a_folder_that_can_not_hold_vectors_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match=r"file/vectors can't hold vectors \(Not a directory\); say --home"):
        VectorCache(WordLlama(), tmp_path / "file" / "vectors").embed(["one"])


def test_only_texts_that_are_new_are_embedded(tmp_path: Path) -> None:
    file, embedder = tmp_path / "models" / "subjects.npz", Counting(WordLlama())
    first = embed_known(embedder, ["VPN down", "Invoice", "VPN down"], file)
    assert np.array_equal(first, WordLlama().embed(["VPN down", "Invoice", "VPN down"]))
    assert embedder.texts == 2
    again = embed_known(embedder, ["Invoice", "Printer"], file)
    assert np.array_equal(again, WordLlama().embed(["Invoice", "Printer"]))
    assert embedder.texts == 3
    file.write_bytes(b"PK damaged")
    assert np.array_equal(embed_known(embedder, ["Invoice"], file), again[:1])
    assert embed_known(embedder, [], file).shape == (0, WordLlama.dimension)
