"""What customers write is varied: no text twice, no template everywhere, every topic in several voices."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from pipelines.app.people_files import load_people
from pipelines.samples.generate import Sample, generate
from pipelines.samples.phrases import PRODUCT_FILES, Speaker, parse, read_book
from pipelines.samples.slots import PER_TICKET
from pipelines.samples.voices import VOICES, Writer
from pipelines.samples.writing import OFF_TOPIC

ROOT = Path(__file__).resolve().parents[3]
BOOK = read_book()
NOW = datetime(2026, 8, 12, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample() -> Sample:
    people = load_people(ROOT / "data" / "people")
    return generate(1500, seed=21, start=date(2026, 7, 3), days=90, people=people)


def speaker(topic: str = "ZTNA-301", seed: int = 1) -> Speaker:
    known = {"company": "Acme", "domain": "acme.example", "ref": "INC-2026-00001", "code": topic}
    return Speaker(Random(seed), BOOK, BOOK.topics[topic], now=NOW, known=known)


def shingles(text: str, size: int = 8) -> list[str]:
    words = text.split()
    return [" ".join(words[at : at + size]) for at in range(len(words) - size + 1)]


def test_choices_and_slots_are_filled() -> None:
    texts = {speaker(seed=seed).render(parse("(up|down) (in place) {n} {office}")) for seed in range(30)}
    assert {text.split()[0] for text in texts} == {"up", "down"}
    assert all("(in place)" in text and "{" not in text for text in texts)


def test_a_name_stays_for_the_whole_ticket() -> None:
    say = speaker()
    phrase = parse("{host}")
    assert say.render(phrase) == say.render(phrase)


def test_there_are_six_topics_a_product() -> None:
    assert Counter(topic.product for topic in BOOK.topics.values()) == {name.upper(): 6 for name in PRODUCT_FILES}


@pytest.mark.parametrize("code", sorted(BOOK.topics))
def test_every_phrase_of_a_topic_can_be_said(code: str) -> None:
    for phrases in BOOK.topics[code].parts.values():
        for phrase in phrases:
            said = speaker(code).render(phrase)
            assert not re.search(r"[{}]|\([^()]*\|", said.replace("{2}", "")), said


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_foreign_phrases_can_be_said_and_know_their_topics(language: str) -> None:
    foreign = BOOK.foreign[language]
    assert len(foreign.topics) >= 10
    for code, parts in foreign.topics.items():
        assert all(speaker(code).render(phrase) for phrases in parts.values() for phrase in phrases)
    assert {"critical", "high", "medium", "low"} < set(foreign.frame)


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.write.__name__)
def test_every_voice_speaks_of_every_topic(voice) -> None:
    for code, topic in BOOK.topics.items():
        if voice.write.__name__ != "change_request" or "changes" in topic.parts:
            text = voice.write(Writer(speaker(code), "Ada Byron", "high", True))
            assert text.subject.strip()
            assert len(text.body) > 30


def test_every_kept_name_can_be_drawn() -> None:
    assert all(fill(Random(1), NOW) for fill in PER_TICKET.values())


def test_no_two_texts_are_equal(sample: Sample) -> None:
    texts = Counter((ticket.title, ticket.description) for ticket in sample.tickets)
    assert texts.most_common(1)[0][1] == 1


def test_texts_share_few_runs_of_eight_words(sample: Sample) -> None:
    originals = {label.external_id for label in sample.labels if label.duplicate_of is None}
    runs = [shingles(ticket.description) for ticket in sample.tickets if ticket.ticket_id in originals]
    assert len({run for text in runs for run in text}) / sum(map(len, runs)) > 0.82


def test_no_template_dominates(sample: Sample) -> None:
    texts = Counter(run for ticket in sample.tickets for run in set(shingles(ticket.description)))
    run, times = texts.most_common(1)[0]
    assert times < 0.025 * len(sample.tickets), run


def test_duplicates_are_labelled_and_nearly_equal(sample: Sample) -> None:
    texts = {ticket.ticket_id: set(ticket.description.split()) for ticket in sample.tickets}
    pairs = [(label.external_id, label.duplicate_of) for label in sample.labels if label.duplicate_of]
    assert 0.01 < len(pairs) / len(sample.tickets) < 0.035
    assert all(len(texts[one] & texts[other]) > 0.75 * len(texts[other]) for one, other in pairs)
    assert all(other < one for one, other in pairs)


def test_few_quote_an_error_code(sample: Sample) -> None:
    quoting = sum(bool(re.search(r"\b[A-Z]{3,4}-\d{3}\b", f"{t.title} {t.description}")) for t in sample.tickets)
    assert 0.18 < quoting / len(sample.tickets) < 0.32


def test_quoted_codes_are_the_true_ones(sample: Sample) -> None:
    for ticket, label in zip(sample.tickets, sample.labels, strict=True):
        found = set(re.findall(r"\b(?:CASB|SWG|ZTNA|DLP|SSPM|CFW|GEN)-\d{3}\b", ticket.description))
        assert found <= {label.topic}


def test_two_texts_try_to_give_orders(sample: Sample) -> None:
    tried = [t for t in sample.tickets if "Ignore all previous" in t.description or "note to the AI" in t.description]
    assert len(tried) == 2


def test_noise_is_a_few_per_cent(sample: Sample) -> None:
    noise = [label for label in sample.labels if label.topic == OFF_TOPIC]
    assert 0.015 < len(noise) / len(sample.labels) < 0.045
    assert {label.product for label in noise} == {"GENERAL"}


def test_all_topics_occur(sample: Sample) -> None:
    assert set(BOOK.topics) < {label.topic for label in sample.labels}
