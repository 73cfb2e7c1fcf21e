"""Where a number of DECISIONS.md, GLOSSARY.md or a policy of triage divides: just below it, at it, just above it."""

import math
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from tests.triage.conftest import DATA, MONDAY, monday
from tests.triage.enrichment.enriching import POLICY, case
from tests.triage.feedback.test_feedback import draft, judged
from triage.classify import LocalClassifier
from triage.contracts import Passage, TicketText
from triage.drafting.grounding import FLAGGED_FROM, NEAR_FROM, SUPPORTED_FROM, Verdict, check_draft
from triage.drafting.wording import PLAIN_ENGLISH
from triage.enrichment.duplicates import judge, related, shingles_of
from triage.enrichment.languages import language_of
from triage.feedback.acceptance import acceptance, feedback, frame_of, never_help
from triage.feedback.champion import compare
from triage.feedback.drift import Mix, drift, stability_index
from triage.feedback.gaps import Uncovered, gaps
from triage.feedback.policy import load_policy
from triage.ports import Embedder
from triage.taxonomy import Taxonomy

LEARNING = load_policy(DATA / "policies" / "learning.yaml")
DUPLICATES, LANGUAGES = POLICY.duplicates, POLICY.languages
INSTANT, NOTHING = timedelta(microseconds=1), timedelta(0)
TEXT = "The tunnel from the Lyon branch drops every hour and comes back after two minutes"
OTHER = "Please add a purchase order number and a second address to our billing account"


@pytest.mark.parametrize("below", [-1e-9, 0, 1e-9])
def test_below_the_threshold_a_person_decides(taxonomy: Taxonomy, embedder: Embedder, below: float) -> None:
    ticket = TicketText(ticket_id="desk:1", content="The ZTNA connector is offline")
    confidence = LocalClassifier(taxonomy, embedder, clock=monday).classify([ticket])[0].confidence
    limits = taxonomy.product.model_copy(update={"review_below": confidence + below})
    strict = LocalClassifier(taxonomy.model_copy(update={"product": limits}), embedder, clock=monday)
    assert strict.classify([ticket])[0].needs_review is (below > 0)


@pytest.mark.parametrize(("rewritten", "accepted"), [(499, 1), (500, 1), (501, 0)])
def test_a_draft_with_at_most_half_rewritten_is_accepted(rewritten: int, accepted: int) -> None:
    written = draft(1, "a").model_copy(update={"text": "a" * 1000})
    edited = feedback(written, by="ana", at=MONDAY, sent="b" * rewritten + "a" * (1000 - rewritten))
    assert edited.distance == rewritten / 1000
    assert acceptance(frame_of([edited]), LEARNING.drafts)["accepted"].to_list() == [accepted] * 3


@pytest.mark.parametrize(("rejected", "named"), [(4, []), (5, ["a"]), (6, ["a"])])
def test_an_article_never_helps_after_five_drafts(rejected: int, named: list[str]) -> None:
    cited = pl.DataFrame({"article_id": ["a"], "drafts": [rejected]})
    accepted = acceptance(judged(*["rejected"] * rejected), LEARNING.drafts)
    assert never_help(["a"], cited, accepted, LEARNING.drafts)["article_id"].to_list() == named


@pytest.mark.parametrize(("span", "is_related"), [(-INSTANT, True), (NOTHING, True), (INSTANT, False)])
def test_the_same_text_is_a_duplicate_up_to_its_ninetieth_day(span: timedelta, *, is_related: bool) -> None:
    later = case("b", TEXT).model_copy(update={"created_at": MONDAY + timedelta(days=90) + span})
    assert bool(related([case("a", TEXT), later], DUPLICATES)["b"]) is is_related


@pytest.mark.parametrize(("span", "is_related"), [(-INSTANT, True), (NOTHING, True), (INSTANT, False)])
@pytest.mark.parametrize("resolved_day", [None, 20])
def test_a_contact_about_one_product_counts_up_to_its_seventh_day(
    span: timedelta, resolved_day: int | None, *, is_related: bool
) -> None:
    rob: dict[str, object] = {"requester": "rob", "product": "CFW"}
    first = case("a", TEXT, resolved_day=resolved_day, **rob)  # type: ignore[arg-type]
    since = first.resolved_at or first.created_at
    later = case("b", OTHER, **rob).model_copy(update={"created_at": since + timedelta(days=7) + span})  # type: ignore[arg-type]
    assert bool(related([first, later], DUPLICATES)["b"]) is is_related
    assert (judge(first, later, 0.0, DUPLICATES) is not None) is is_related


@pytest.mark.parametrize(("alike", "is_related"), [(0.4999, False), (0.5, True), (0.5001, True)])
def test_half_of_what_both_say_is_near_the_same(alike: float, *, is_related: bool) -> None:
    assert (judge(case("a", TEXT), case("b", TEXT, day=1), alike, DUPLICATES) is not None) is is_related


@pytest.mark.parametrize(("words", "is_compared"), [(4, False), (5, True), (6, True)])
def test_fewer_than_five_words_are_not_compared(words: int, *, is_compared: bool) -> None:
    assert bool(shingles_of(case("a", " ".join(TEXT.split()[:words])), DUPLICATES)) is is_compared


@pytest.mark.parametrize(("letters", "is_told"), [(-1, False), (0, True), (1, True)])
def test_fewer_letters_than_the_policy_says_tell_no_language(letters: int, *, is_told: bool) -> None:
    text = "Der Konnektor ist seit heute offline"
    have = sum(character.isalpha() for character in text)
    rules = LANGUAGES.model_copy(update={"fewest_letters": have - letters})
    assert (language_of(text, rules) is not None) is is_told


@pytest.mark.parametrize(("above", "is_told"), [(-1e-9, True), (0, True), (1e-9, False)])
def test_a_language_is_told_with_the_least_confidence(above: float, *, is_told: bool) -> None:
    text = "Le connecteur est hors ligne depuis ce matin"
    found = language_of(text, LANGUAGES.model_copy(update={"least_confidence": 0.0}))
    assert found is not None
    rules = LANGUAGES.model_copy(update={"least_confidence": found.confidence + above})
    assert (language_of(text, rules) is not None) is is_told


SAID = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet"]
NEW = ["zulu", "yankee", "xray", "whiskey", "victor", "uniform", "tango", "sierra", "romeo", "quebec"]
SOURCE = Passage(
    article_id="a", chunk=0, title="Title", url="https://help.example/a", score=1,
    text="## Fix\n\n1. " + " ".join(SAID).capitalize() + " all together here.\n",
)  # fmt: skip


def verdict(shared: int, *, near: float | None = None) -> Verdict:
    """Of a sentence of ten words of which the source holds so many, at the start."""
    text = " ".join(SAID[:shared] + NEW[shared:]).capitalize() + ". [1]"
    nearness = None if near is None else (lambda *_: near)
    (found,) = check_draft(text, {1: SOURCE}, PLAIN_ENGLISH.phrases("en"), nearness=nearness)
    return found.verdict


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        (8, Verdict.SUPPORTED),
        (7, Verdict.SUPPORTED),
        (6, Verdict.FLAGGED),
        (5, Verdict.FLAGGED),
        (4, Verdict.DROPPED),
    ],
)
def test_seven_of_ten_words_support_and_five_flag(shared: int, expected: Verdict) -> None:
    assert (SUPPORTED_FROM, FLAGGED_FROM) == (0.7, 0.5)
    assert verdict(shared) == expected


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        (math.nextafter(NEAR_FROM, 0), Verdict.DROPPED),
        (NEAR_FROM, Verdict.FLAGGED),
        (math.nextafter(NEAR_FROM, 1), Verdict.FLAGGED),
    ],
)
def test_other_words_of_near_meaning_are_flagged(near: float, expected: Verdict) -> None:
    assert verdict(4, near=near) == expected


@pytest.mark.parametrize(("wider", "takes_over"), [(-1e-9, False), (0, True), (1e-9, True)])
def test_a_challenger_may_be_worse_by_the_margin_and_no_more(wider: float, *, takes_over: bool) -> None:
    champion, challenger = np.array([True] * 35 + [False] * 5), np.array([False] * 2 + [True] * 36 + [False] * 2)
    low = compare(champion, challenger, LEARNING.retrain, seed=1).low
    assert low < 0
    policy = LEARNING.retrain.model_copy(update={"margin": -low + wider})
    assert compare(champion, challenger, policy, seed=1).takes_over is takes_over


@pytest.mark.parametrize(("tickets", "says"), [(99, 0), (100, 2), (101, 2)])
def test_a_hundred_tickets_say_something_of_drift(tickets: int, says: int) -> None:
    one, other = Mix({"A": 300}, [0] * 9 + [300]), Mix({"B": tickets}, [tickets] + [0] * 9)
    assert len(drift(one, other, LEARNING.drift).shifts) == len(drift(other, one, LEARNING.drift).shifts) == says


@pytest.mark.parametrize(("above", "is_shifted"), [(-1e-9, True), (0, True), (1e-9, False)])
def test_the_index_at_its_limit_is_a_shift(above: float, *, is_shifted: bool) -> None:
    one, other = Mix({"A": 300, "B": 100}, [0] * 9 + [400]), Mix({"A": 150, "B": 250}, [0] * 9 + [400])
    limit = stability_index([300, 100], [150, 250]) + above
    found = drift(one, other, LEARNING.drift.model_copy(update={"shifted_at": limit}))
    assert found.shifts[0].is_shifted is is_shifted


@pytest.mark.parametrize(("tickets", "groups"), [(1, 0), (2, 1), (3, 1)])
def test_two_tickets_are_a_gap(tickets: int, groups: int) -> None:
    vectors = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (tickets, 1))
    assert len(gaps([Uncovered(f"t-{n}", "S") for n in range(tickets)], vectors, LEARNING.gaps)) == groups
