"""Ana's note on INC-1 is read with the right to internal entries; without it the mart is not there."""

from pathlib import Path

import pytest

from engine.access import Right
from engine.shared.errors import NotAllowed
from pipelines.marts import MartReader
from tests.dashboards.marts_by_hand import NOON, published, ticket


def test_the_right_opens_the_mart(tmp_path: Path) -> None:
    note = {"ticket": "demo:INC-1", "reference": "INC-1", "at": NOON, "author_id": "ana", "type": "note",
            "is_of_an_envelope": False, "text": "The board knows."}  # fmt: skip
    published(tmp_path, tickets=[ticket("INC-1")], internal_entries=[note]).close()
    with MartReader(tmp_path / "marts", rights={Right.READ, Right.READ_INTERNAL}) as bo:
        assert bo.frame("internal_entries")["text"].to_list() == ["The board knows."]
    with MartReader(tmp_path / "marts", rights={Right.READ}) as rea, pytest.raises(NotAllowed, match="read_internal"):
        rea.frame("internal_entries")
