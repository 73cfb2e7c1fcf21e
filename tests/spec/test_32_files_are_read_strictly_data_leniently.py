"""`priority: critcal` in a match: refused with the key's path, instead of a policy that never applies."""

from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from sla.policy.parser import load
from tests.engine.people import POLICIES
from tests.sla.timelines import resolution


def test_an_unknown_word_is_refused_with_its_path(tmp_path: Path) -> None:
    file = tmp_path / "default.yaml"
    text = (POLICIES / "sla" / "default.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("{priority: critical}", "{priority: critcal}"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"default\.yaml.*policies\[0\].*priority.*critcal"):
        load(file)


@pytest.mark.parametrize(
    ("events", "as_of", "state"),
    [
        ("", "Tue 09:00", "at_risk"),
        ("", "Tue 09:00:01", "breached"),
        ("Tue 09:00 status resolved", "Tue 12:00", "met"),
        ("Tue 09:00:01 status resolved", "Tue 12:00", "breached"),
    ],
)
def test_a_target_of_nothing_is_broken_after_its_own_second(events: str, as_of: str, state: str) -> None:
    assert resolution([{"calendar": "office", "resolution": 0}], events, as_of=as_of)["state"] == state
