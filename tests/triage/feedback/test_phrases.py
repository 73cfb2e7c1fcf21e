"""Learned phrases: proposed where answers speak for them, never with personal data, never again after a no."""

from datetime import timedelta

import pytest

from engine.shared.errors import Conflict, NotFound
from tests.triage.conftest import MONDAY
from triage.feedback.phrases import PhraseDecision, Proposal, decide, in_force, proposals, with_phrases
from triage.feedback.policy import PhrasePolicy
from triage.feedback.reviews import Review

POLICY = PhrasePolicy(least_texts=3, least_z=1.96, most_elsewhere=0.1, prior=0.1, newest_answers=2_000, examples=3)
COMMON = ("please help us with", "since monday we see", "our users tell of", "can you look at")
ABOUT = {
    "ZTNA": "the blue gopher in {}", "SWG": "a page that stays white in {}", "DLP": "the paper shredder in {}",
    "CFW": "a rule that hides another in {}",
}  # fmt: skip
PLACES = ("graz", "linz", "wien", "bonn", "kiel", "ulm")


def answered(text: str, label: str, number: int) -> Review:
    return Review(ticket_id=f"desk:{number}", label=label, text=text, answered_by="ana", opened_at=MONDAY,
                  answered_at=MONDAY + timedelta(minutes=number))  # fmt: skip


def desk() -> list[Review]:
    said = [
        (f"{COMMON[n % 4]} {about.format(place)}", label)
        for label, about in ABOUT.items() for n, place in enumerate(PLACES)
    ]  # fmt: skip
    return [answered(text, label, number) for number, (text, label) in enumerate(said)]


def found(taxonomy, answers: list[Review], **given) -> dict[str, Proposal]:
    return {one.phrase: one for one in proposals(answers, taxonomy, POLICY, **given)}


def test_what_texts_of_one_label_say_is_proposed(taxonomy) -> None:
    shown = found(taxonomy, desk())
    assert (shown["blue gopher"].label, shown["blue gopher"].texts, shown["blue gopher"].elsewhere) == ("ZTNA", 6, 0)
    assert shown["paper shredder"].z >= 1.96
    assert len(shown["blue gopher"].examples) == 3


def test_what_all_labels_say_is_not(taxonomy) -> None:
    assert not {"please", "please help", "since monday", "graz", "the", "in"} & set(found(taxonomy, desk()))


def test_two_texts_are_too_few_however_often_they_came(taxonomy) -> None:
    twice = [answered(f"a violet heron at {place}", "ZTNA", 90 + n) for n, place in enumerate(("graz", "linz") * 5)]
    assert "violet heron" not in found(taxonomy, [*desk(), *twice])
    stuffed = [answered("violet heron " * 5, "ZTNA", 120)]
    assert "violet heron" not in found(taxonomy, [*desk(), *twice, *stuffed][:-1])


def test_what_another_label_says_too_is_not(taxonomy) -> None:
    other = [answered(f"the blue gopher of {place}", "DLP", 90 + n) for n, place in enumerate(PLACES)]
    assert "blue gopher" not in found(taxonomy, [*desk(), *other])


@pytest.mark.parametrize(
    "private", ["petra novak", "petra@acme.example", "host7 is gone", "acme fabrics", "https://x.example/blue-door"]
)
def test_no_phrase_holds_personal_data(taxonomy, private: str) -> None:
    texts = [answered(f"{COMMON[n % 4]} {private} of {place}", "ZTNA", 90 + n) for n, place in enumerate(PLACES)]
    shown = found(taxonomy, [*desk(), *texts], names=["Petra Novak", "ACME Fabrics Ltd"])
    words = {word for phrase in shown for word in phrase.split()}
    assert not words & {"petra", "novak", "acme", "fabrics", "host7", "example", "x", "door", "blue-door", "https"}


def test_a_common_word_of_a_companys_name_is_no_secret(taxonomy) -> None:
    own = taxonomy.product.labels["ZTNA"].phrases[0].split()[0].lower()
    from triage.feedback.phrases import private_words

    assert private_words([f"{own.title()} Zebra Ltd"], taxonomy) == {"zebra", "ltd"}


def no(phrase: str, label: str = "ZTNA", *, is_accepted: bool = False) -> PhraseDecision:
    return PhraseDecision(
        phrase=phrase, label=label, is_accepted=is_accepted, texts=6, decided_by="cleo", decided_at=MONDAY
    )


def test_a_refused_phrase_never_comes_back(taxonomy) -> None:
    more = [answered(f"a tame blue gopher of {n}{n}", "ZTNA", 200 + n) for n in range(20)]
    assert "blue gopher" in found(taxonomy, desk())
    assert "tame blue gopher" in found(taxonomy, [*desk(), *more])
    for answers in (desk(), [*desk(), *more]):
        assert not [phrase for phrase in found(taxonomy, answers, decided=[no("blue gopher")]) if "gopher" in phrase]
    with pytest.raises(Conflict, match="cleo refused “blue gopher” for ZTNA"):
        yes(taxonomy, "blue gopher", [no("blue gopher")])


def yes(taxonomy, phrase: str, decided: list[PhraseDecision], *, is_accepted: bool = True) -> PhraseDecision:
    shown = proposals(desk(), taxonomy, POLICY, decided=decided)
    return decide(phrase, label="ztna", is_accepted=is_accepted, by="cleo", at=MONDAY, proposed=shown,
                  decided=decided, taxonomy=taxonomy)  # fmt: skip


def test_an_accepted_phrase_stands_beside_the_taxonomys_own(taxonomy) -> None:
    made = yes(taxonomy, " Blue  gopher", [])
    taught = with_phrases(taxonomy, in_force([made]))
    assert taught.product.labels["ZTNA"].phrases == (*taxonomy.product.labels["ZTNA"].phrases, "blue gopher")
    assert taught.digest != taxonomy.digest
    assert type(taxonomy).model_validate(taught.model_dump()) == taught


def test_an_accepted_phrase_can_be_taken_out_of_use(taxonomy) -> None:
    first = yes(taxonomy, "blue gopher", [])
    second = yes(taxonomy, "blue gopher", [first], is_accepted=False)
    assert in_force([first, second]) == []
    with pytest.raises(Conflict):
        yes(taxonomy, "blue gopher", [first, second])


def test_what_is_not_proposed_is_not_accepted(taxonomy) -> None:
    with pytest.raises(NotFound, match="is not proposed for ZTNA"):
        yes(taxonomy, "please", [])
