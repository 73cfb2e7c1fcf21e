from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from triage.embed import WordLlama
from triage.knowledge.kept_vectors import KeptVectors


def test_a_folder_that_can_not_hold_vectors_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match=r"file/vectors can't hold vectors \(Not a directory\); say --home"):
        KeptVectors(WordLlama(), tmp_path / "file" / "vectors").embed(["one"])
