"""An answer counts at once: for texts that read the same, and for no others."""

from datetime import timedelta
from random import Random

import pytest

from tests.cpu import cpu_seconds
from tests.triage.conftest import MONDAY
from triage.contracts import Classification, Guess, TicketText
from triage.feedback.answered import AnsweredText, AnsweredTexts, TaughtClassifier, last_words
from triage.feedback.policy import AnsweredPolicy
from triage.feedback.reviews import Review

POLICY = AnsweredPolicy(alike=0.9, least_words=3, confidence=0.95)
TEXT = "Tunnel drops. Since Monday the tunnel of our branch in Graz drops each hour, nothing was changed there"


class Unsure:
    """Says SWG of everything, and is not sure."""

    name = "unsure"

    def classify(self, tickets: list[TicketText]) -> list[Classification]:
        return [
            Classification(
                id=f"c-{one.ticket_id}", ticket_id=one.ticket_id, product="SWG", urgency="low", confidence=0.4,
                reasoning="SWG: reads like x. Urgency low: y. For a person, because confidence 0.40 is below 0.60.",
                needs_review=True, runner_up=Guess(label="CFW", confidence=0.3), model_used="unsure",
                created_at=MONDAY,
            )
            for one in tickets
        ]  # fmt: skip


def given(text: str, label: str = "ZTNA", by: str = "ana", number: int = 1, hours: int = 0) -> Review:
    return Review(ticket_id=f"desk:{number}", label=label, text=text, answered_by=by, opened_at=MONDAY,
                  answered_at=MONDAY + timedelta(hours=hours))  # fmt: skip


def claim_on(content: str, *answers: Review, subject: str = "") -> Classification:
    texts = AnsweredTexts(last_words(answers, {"ZTNA", "DLP", "SWG"}), POLICY)
    return TaughtClassifier(Unsure(), texts, POLICY).classify(
        [TicketText(ticket_id="desk:9", subject=subject, content=content)]
    )[0]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.upper(),
        f"<p>{TEXT}</p>",
        TEXT.replace("Graz", "Linz"),
        TEXT.replace(",", " -"),
        f"{TEXT}. Thanks",
    ],
)
def test_the_same_text_takes_the_answered_label(text: str) -> None:
    claim = claim_on(text, given(TEXT))
    assert (claim.product, claim.confidence, claim.needs_review) == ("ZTNA", 0.95, False)
    assert claim.reasoning.startswith("ZTNA: answered so before (ticket desk:1). By its words alone SWG: reads like x.")
    assert "For a person" not in claim.reasoning
    assert claim.runner_up is not None
    assert (claim.runner_up.label, claim.runner_up.confidence) == ("SWG", pytest.approx(0.05))


@pytest.mark.parametrize(
    "text",
    [
        "Since Monday the tunnel drops",
        f"{TEXT}. The firewall rule of the other tenant is shown as shadowed and cannot be saved at all",
        f"{TEXT} ZTNA-301",
        "",
        "Help me",
    ],
)
def test_another_text_does_not(text: str) -> None:
    assert claim_on(text, given(TEXT)).product == "SWG"


def test_texts_that_name_other_codes_differ() -> None:
    assert claim_on(f"{TEXT} ZTNA-302", given(f"{TEXT} ZTNA-301")).needs_review
    assert claim_on(f"{TEXT} ZTNA-301", given(f"{TEXT} ZTNA-301")).product == "ZTNA"


def test_two_answers_that_disagree_teach_nothing() -> None:
    of_one_ticket = given(TEXT), given(TEXT, "DLP", by="ben", hours=1)
    of_two = given(TEXT), given(TEXT.replace("Graz", "Linz"), "DLP", number=2)
    assert [claim_on(TEXT, *answers).product for answers in (of_one_ticket, of_two)] == ["SWG", "SWG"]


def test_the_last_word_of_each_person_counts() -> None:
    assert claim_on(TEXT, given(TEXT, "DLP"), given(TEXT, hours=1)).product == "ZTNA"


def test_a_label_that_the_taxonomy_has_no_more_teaches_nothing() -> None:
    assert claim_on(TEXT, given(TEXT, "GONE")).product == "SWG"


def test_stuffing_brings_no_text_nearer() -> None:
    assert claim_on("tunnel drops " * 5, given(TEXT)).product == "SWG"


def test_look_up_finds_what_comparing_all_finds() -> None:
    rng, words = Random(3), [f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(40)]
    texts = [" ".join(rng.sample(words, rng.randrange(3, 14))) for _ in range(400)]
    texts += [f"{text} more" for text in texts[:100]]
    answers = AnsweredTexts([AnsweredText(f"desk:{n}", text, "ZTNA") for n, text in enumerate(texts)], POLICY)
    for asked in texts[:150]:
        mine = set(asked.split())
        alike = [
            t for t in texts if len(mine & set(t.split())) >= 0.9 * (len(mine) * len(set(t.split()))) ** 0.5 - 1e-9
        ]
        found = answers.like(asked)
        assert found is not None
        assert found.text in alike
        only = AnsweredTexts([AnsweredText("a", t, "ZTNA") for t in texts if t not in alike], POLICY)
        assert only.like(asked) is None


def test_ten_thousand_answers_cost_little() -> None:
    rng, words = Random(4), [f"w{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}" for n in range(5_000)]
    weights = [1 / (n + 1) for n in range(5_000)]
    texts = [" ".join(rng.choices(words, weights, k=80)) for _ in range(10_000)]
    answers = AnsweredTexts([AnsweredText(f"desk:{n}", text, "ZTNA") for n, text in enumerate(texts)], POLICY)
    assert all(answers.like(text) is not None for text in texts[:50])
    assert cpu_seconds(lambda: [answers.like(text) for text in texts[:500]], under=5) < 5
