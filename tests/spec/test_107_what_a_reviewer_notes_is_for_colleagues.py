"""Ana's note on INC-1 is a mart of its own; that she answered DLP is open to all readers."""

from engine.access import Right
from pipelines.marts.registry import MARTS


def test_the_note_takes_the_right_and_the_answer_does_not() -> None:
    assert MARTS["review_notes"].right == Right.READ_INTERNAL
    assert "note" in MARTS["review_notes"].schema
    assert MARTS["reviews"].right == Right.READ
    assert "label" in MARTS["reviews"].schema
    assert "note" not in MARTS["reviews"].schema
