"""Review: whose answer counts, on what, in which order tickets wait."""

from datetime import timedelta

import pytest

from engine.shared.errors import BadInput
from tests.triage.conftest import MONDAY
from triage.contracts import Classification, Guess, TicketText
from triage.feedback.reviews import Doubt, Review, in_order, is_settled, review, rows_to_learn, waiting
from triage.learning.product_model import LabelledText

TICKET = TicketText(ticket_id="desk:1", subject="Offline", content="The <b>connector</b> is\u200b offline.")


def claim(confidence: float = 0.4, ticket: str = "desk:1") -> Classification:
    return Classification(
        id=f"cls-{ticket}", ticket_id=ticket, product="SWG", urgency="low", confidence=confidence, reasoning="because",
        needs_review=True, runner_up=Guess(label="ZTNA", confidence=0.3), model_used="local", created_at=MONDAY,
    )  # fmt: skip


def answered(taxonomy, label: str = "ZTNA", by: str = "ana", **given) -> Review:
    return review(TICKET, claim(), taxonomy, label=label, by=by, opened_at=MONDAY, at=MONDAY, **given)


def test_answer_is_kept_beside_what_was_said(taxonomy) -> None:
    kept = answered(taxonomy, note="they name the connector")
    assert (kept.label, kept.said, kept.confidence, kept.model_used) == ("ZTNA", "SWG", 0.4, "local")
    assert (kept.answered_by, kept.claim_id, kept.answered_at) == ("ana", "cls-desk:1", MONDAY)
    assert kept.text == "Offline. The connector is offline."


def test_answer_is_a_label_of_the_taxonomy(taxonomy) -> None:
    with pytest.raises(BadInput, match=r"'VPN' is no label of taxonomy .*; it has CASB, SWG, ZTNA"):
        answered(taxonomy, "VPN")
    assert answered(taxonomy, " ztna ").label == "ZTNA"


@pytest.mark.parametrize("given", [{"by": " "}, {"by": "x" * 201}, {"note": "x" * 2_001}], ids=["none", "name", "note"])
def test_answer_without_a_name_or_too_long_is_refused(taxonomy, given: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        answered(taxonomy, **given)


@pytest.mark.parametrize(
    "given", [{"by": "caf\udce9"}, {"by": "a\0"}, {"note": "caf\udce9"}, {"note": "\0"}], ids=ascii
)
def test_what_is_no_text_is_refused(taxonomy, given: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="is no UTF-8 text or holds a NUL"):
        answered(taxonomy, **given)


def test_least_certain_come_first_then_the_oldest() -> None:
    doubts = [
        Doubt(claim(confidence, name), TICKET, MONDAY + timedelta(hours=hours))
        for name, confidence, hours in (("young", 0.4, 9), ("sure", 0.5, 0), ("old", 0.4, 1), ("least", 0.1, 20))
    ]
    assert [doubt.claim.ticket_id for doubt in in_order(doubts)] == ["least", "old", "young", "sure"]


def test_answer_stands_until_the_text_changes(taxonomy) -> None:
    answer = answered(taxonomy)
    assert not is_settled(Doubt(claim(), TICKET, MONDAY), None)
    assert is_settled(Doubt(claim(), TICKET.model_copy(update={"priority": "high"}), MONDAY), answer)
    assert not is_settled(Doubt(claim(), TICKET.model_copy(update={"content": "Something else"}), MONDAY), answer)


def test_queue_shows_two_guesses_and_readable_text() -> None:
    shown = waiting(Doubt(claim(), TICKET.model_copy(update={"content": "long " * 200}), MONDAY))
    assert [guess.label for guess in shown.guesses] == ["SWG", "ZTNA"]
    assert len(shown.excerpt) == 401
    assert waiting(Doubt(claim(), TICKET, MONDAY)).excerpt == "The connector is offline."


def test_answers_become_rows_to_learn(taxonomy) -> None:
    answer = answered(taxonomy)
    rows = rows_to_learn([answer, answer.model_copy(update={"text": ". …"})])
    assert rows == [LabelledText("Offline. The connector is offline.", "ZTNA")]


@pytest.mark.parametrize(
    ("reasoning", "doubt"),
    [
        ("SWG: reads like x. Urgency low: y. For a person, because it has no text.", "it has no text."),
        ("Something else.", "Something else."),
    ],
)
def test_the_doubt_is_the_end_of_the_reasoning(reasoning: str, doubt: str) -> None:
    told = claim().model_copy(update={"reasoning": reasoning})
    assert waiting(Doubt(told, TICKET, MONDAY)).doubt == doubt
