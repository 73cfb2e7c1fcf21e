import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shared.errors import BadInput
from tests.triage.conftest import DATA, MONDAY, monday
from tests.triage.questions import OUT_OF_SCOPE, QUESTIONS
from triage.calibrate import expected_calibration_error
from triage.classify import LocalClassifier
from triage.contracts import Classification, TicketText
from triage.embed import WordLlama
from triage.learning.product_model import LabelledText, load_or_learn
from triage.ports import Embedder
from triage.taxonomy import Taxonomy

PREFIXES = {"gen": "GENERAL"}


def one(classifier: LocalClassifier, content: str, subject: str = "", **known: str) -> Classification:
    return classifier.classify([TicketText(ticket_id="desk:1", subject=subject, content=content, **known)])[0]


@given(subject=st.text(max_size=80), content=st.text(max_size=300))
def test_every_label_is_in_the_taxonomy(classifier: LocalClassifier, subject: str, content: str) -> None:
    claim = one(classifier, content, subject)
    assert claim.product in classifier.taxonomy.product.labels
    assert claim.urgency in classifier.taxonomy.urgency.labels
    assert 0 <= claim.confidence <= 1


def test_unseen_questions_find_their_product(classifier: LocalClassifier) -> None:
    truth = [PREFIXES.get(key.split("-")[0], key.split("-")[0].upper()) for _, key in QUESTIONS]
    claims = classifier.classify([TicketText(ticket_id=key, content=text) for text, key in QUESTIONS])
    right = sum(claim.product == label for claim, label in zip(claims, truth, strict=True))
    assert right >= len(QUESTIONS) - 1


def test_named_code_decides_and_is_a_reason(classifier: LocalClassifier) -> None:
    vague = one(classifier, "It does not work since this morning, please help.")
    named = one(classifier, "It does not work since this morning, please help. dlp-413")
    assert vague.needs_review
    assert (named.product, named.needs_review) == ("DLP", False)
    assert "names DLP-413" in named.reasoning


def test_codes_of_two_products_lower_the_confidence(classifier: LocalClassifier) -> None:
    text = "Something is wrong, the log says "
    both = one(classifier, text + "ZTNA-301 and CFW-601")
    assert both.confidence < one(classifier, text + "ZTNA-301").confidence
    assert "names" in both.reasoning
    assert "but also names" in both.reasoning


def test_reasons_quote_what_the_taxonomy_says(classifier: LocalClassifier) -> None:
    claim = one(classifier, "The connector for our private apps is offline", priority="high", tier="business")
    assert "connector for private apps is offline" in claim.reasoning
    assert claim.reasoning.startswith("ZTNA: ")
    assert "Urgency high: priority high." in claim.reasoning


@pytest.mark.parametrize("content", ["", "   ", "?!…", "<p></p>", "\u200b\u200b"])
def test_no_text_goes_to_a_person_as_general(classifier: LocalClassifier, content: str) -> None:
    claim = one(classifier, content)
    assert (claim.product, claim.confidence, claim.needs_review) == ("GENERAL", 0.0, True)


@pytest.mark.parametrize("content", OUT_OF_SCOPE)
def test_what_resembles_nothing_goes_to_a_person(classifier: LocalClassifier, content: str) -> None:
    assert one(classifier, content).needs_review


def test_unread_language_goes_to_a_person(classifier: LocalClassifier) -> None:
    text = "Both connectors are offline ZTNA-301"
    assert not one(classifier, text, language="en").needs_review
    claim = one(classifier, text, language="de")
    assert claim.needs_review
    assert "does not read the language de" in claim.reasoning


def test_below_the_threshold_a_person_decides(taxonomy: Taxonomy, embedder: Embedder) -> None:
    strict = taxonomy.model_copy(update={"product": taxonomy.product.model_copy(update={"review_below": 1.0})})
    claim = one(LocalClassifier(strict, embedder, clock=monday), "The ZTNA connector is offline")
    assert claim.needs_review
    assert claim.runner_up is not None
    assert claim.runner_up.label != claim.product


def test_claims_do_not_depend_on_the_batch(classifier: LocalClassifier) -> None:
    tickets = [TicketText(ticket_id=f"desk:{n}", content=text) for n, (text, _) in enumerate(QUESTIONS)]
    together = [claim.model_copy(update={"latency_ms": 0}) for claim in classifier.classify(tickets)]
    alone = [classifier.classify([ticket])[0].model_copy(update={"latency_ms": 0}) for ticket in reversed(tickets)]
    for claim, again in zip(together, reversed(alone), strict=True):
        assert again.model_dump(exclude={"confidence", "runner_up"}) == claim.model_dump(
            exclude={"confidence", "runner_up"}
        )
        assert again.confidence == pytest.approx(claim.confidence, abs=1e-5)


def test_claim_is_stamped_by_the_given_clock(classifier: LocalClassifier) -> None:
    claim = one(classifier, "invoice")
    assert claim.created_at == MONDAY
    assert claim.id == one(classifier, "invoice").id
    assert claim.id != one(classifier, "invoices").id


class Counting:
    """An embedder that counts the texts it is given."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimension, self.texts = embedder.name, embedder.dimension, 0
        self._embedder = embedder

    def embed(self, texts):
        self.texts += len(texts)
        return self._embedder.embed(texts)


def test_what_was_learned_is_kept_until_the_taxonomy_changes(taxonomy: Taxonomy, tmp_path: Path) -> None:
    embedder = Counting(WordLlama())
    first = load_or_learn(taxonomy, embedder, cache=tmp_path)
    learned = embedder.texts
    kept = load_or_learn(taxonomy, embedder, cache=tmp_path)
    assert embedder.texts == learned > 0
    assert np.array_equal(kept.weights, first.weights)
    load_or_learn(taxonomy.model_copy(update={"version": 2}), embedder, cache=tmp_path)
    assert embedder.texts == 2 * learned


@pytest.mark.parametrize("rubbish", [b"", b"PK\x03\x04 cut", b"not a model"])
def test_broken_cache_is_learned_again(taxonomy: Taxonomy, tmp_path: Path, rubbish: bytes) -> None:
    embedder = WordLlama()
    first = load_or_learn(taxonomy, embedder, cache=tmp_path)
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(rubbish)
    assert np.array_equal(load_or_learn(taxonomy, embedder, cache=tmp_path).weights, first.weights)
    assert file.stat().st_size > len(rubbish)


def test_labelled_rows_teach(taxonomy: Taxonomy, embedder: Embedder) -> None:
    odd = "The purple widget in the hallway screen blinks twice"
    rows = [LabelledText(f"{odd} on floor {n}", "SSPM") for n in range(6)]
    assert one(LocalClassifier(taxonomy, embedder, clock=monday, rows=rows), odd).product == "SSPM"
    with pytest.raises(BadInput, match=r"Labelled row 1 says 'BANANA'"):
        LocalClassifier(taxonomy, embedder, clock=monday, rows=[LabelledText("x", "BANANA")])


def test_another_company_is_only_another_file(taxonomy: Taxonomy, embedder: Embedder) -> None:
    def label(name: str, *texts: str) -> dict[str, object]:
        return {"name": name, "description": name, "phrases": texts[:3], "examples": texts[3:]}

    product = {
        "fallback": "ROOMS",
        "labels": {
            "ROOMS": label("Rooms", "hotel room is dirty", "noisy room", "cold shower", "my bed is broken",
                           "the window won't close", "room smells", "no towels", "the heating is off"),
            "MEALS": label("Meals", "breakfast was cold", "no vegan food", "restaurant is slow", "the soup was salty",
                           "my dinner came late", "coffee is weak", "menu is small", "eggs were raw"),
        },
    }  # fmt: skip
    hotel = Taxonomy.model_validate(taxonomy.model_dump() | {"id": "hotel", "product": product})
    claims = LocalClassifier(hotel, embedder, clock=monday)
    assert one(claims, "There is no hot water in the bathroom").product == "ROOMS"
    assert one(claims, "The pancakes at breakfast were burnt").product == "MEALS"


TICKETS = DATA / "tickets" / "tickets.jsonl"


@pytest.mark.skipif(not TICKETS.exists(), reason="the sample tickets are not there")
def test_confidence_means_what_it_says_on_held_out_tickets(classifier: LocalClassifier) -> None:
    with (TICKETS.parent / "labels.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["external_id"]: row["product"] for row in csv.DictReader(file)}
    lines = [line for line in TICKETS.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    rows = {row["ticket_id"]: row for row in map(json.loads, lines) if row.get("ticket_id") in truth}
    english = [row for row in rows.values() if row.get("language") == "en"][:200]
    tickets = [
        TicketText(ticket_id=row["ticket_id"], subject=row.get("title") or "", content=row.get("description") or "")
        for row in english
    ]
    claims = classifier.classify(tickets)
    is_right = np.array([claim.product == truth[claim.ticket_id] for claim in claims])
    confidence = np.array([claim.confidence for claim in claims])
    kept = np.array([not claim.needs_review for claim in claims])
    assert is_right.mean() > 0.78
    assert is_right[kept].mean() > 0.88
    assert is_right[kept].mean() > is_right[~kept].mean() + 0.2
    assert expected_calibration_error(confidence, is_right) < 0.08
