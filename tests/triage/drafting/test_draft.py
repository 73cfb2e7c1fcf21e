import re

import pytest

from tests.triage.conftest import DATA, MONDAY
from tests.triage.memory_index import MemoryIndex
from tests.triage.questions import OUT_OF_SCOPE, QUESTIONS
from triage.contracts import Article, Passage, Suggestion, TicketText
from triage.drafting.article_policy import load_article_policy
from triage.drafting.article_sentences import judge
from triage.drafting.draft import ExtractiveDrafter, snippet
from triage.drafting.wording import PLAIN_ENGLISH, load_wording
from triage.ports import Embedder

ARTICLES = load_article_policy(DATA / "policies" / "articles.yaml")
WORDING = load_wording(DATA / "policies" / "wording.yaml")
CITED = re.compile(r"\[(\d+)\]")


@pytest.fixture(scope="module")
def spoken(embedder: Embedder) -> ExtractiveDrafter:
    """Drafts with the shipped wording."""
    return ExtractiveDrafter(embedder, clock=lambda: MONDAY, wording=WORDING, articles=ARTICLES)


def reply(drafter: ExtractiveDrafter, knowledge: MemoryIndex, content: str, subject: str = "") -> Suggestion:
    ticket = TicketText(ticket_id="desk:1", subject=subject, content=content)
    return drafter.draft([ticket], knowledge.search([f"{subject} {content}"]))[0]


@pytest.mark.parametrize(("text", "article_id"), QUESTIONS)
def test_every_step_is_quoted_from_the_article_it_cites(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex, articles: list[Article], text: str, article_id: str
) -> None:
    draft = reply(drafter, knowledge, text)
    source = " ".join(next(a.text for a in articles if a.id == article_id).replace("**", "").split())
    steps = re.findall(r"^\d+\. (.*) \[(\d+)\]$", draft.text, re.MULTILINE)
    assert draft.grounded
    assert {citation.article_id for citation in draft.citations} == {article_id}
    assert len(steps) >= 2
    assert all(step.replace("(connector)", "") and _squeezed(step) in _squeezed(source) for step, _ in steps)


def _squeezed(text: str) -> str:
    return re.sub(r"[^\w]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text))


def test_only_sources_that_are_used_are_listed(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    for text, _ in QUESTIONS:
        draft = reply(drafter, knowledge, text)
        assert {int(n) for n in CITED.findall(draft.text)} == {citation.index for citation in draft.citations}
        assert all(len(citation.snippet) <= 200 for citation in draft.citations)


@pytest.mark.parametrize("text", [*OUT_OF_SCOPE, "", "?!"])
def test_without_an_answer_it_says_so_and_cites_nothing(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex, text: str
) -> None:
    draft = reply(drafter, knowledge, text)
    assert (draft.grounded, draft.citations) == (False, ())
    assert PLAIN_ENGLISH.phrases("en").nothing_found in draft.text
    assert not CITED.search(draft.text)


def test_without_passages_there_is_no_answer(drafter: ExtractiveDrafter) -> None:
    draft = drafter.draft([TicketText(ticket_id="desk:1", content="ZTNA-301")], [[]])[0]
    assert not draft.grounded


def test_a_named_code_chooses_the_article(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    draft = reply(drafter, knowledge, "it fails, the window shows cfw-620")
    assert draft.citations[0].article_id == "cfw-620"


def test_a_reply_repeats_nothing_of_the_ticket(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    content = "Both connectors are offline ZTNA-301"
    assert reply(drafter, knowledge, content, subject="Lyon is down").text == reply(drafter, knowledge, content).text


@pytest.mark.parametrize(
    ("language", "greeting", "about_quotes"),
    [
        ("de", "Guten Tag,", "deren Sprache ist Englisch"),
        ("fr-CA", "Bonjour,", "rédigée en anglais"),
        ("ES", "Hola:", "escrita en inglés"),
        ("en", "Hello,", ""),
        ("pt", "Hello,", ""),
        (None, "Hello,", ""),
    ],
)
def test_the_frame_is_in_the_customers_language(
    spoken: ExtractiveDrafter, knowledge: MemoryIndex, language: str | None, greeting: str, about_quotes: str
) -> None:
    ticket = TicketText(ticket_id="desk:1", content="connector offline ZTNA-301", language=language)
    text = spoken.draft([ticket], knowledge.search([ticket.content]))[0].text
    assert text.startswith(greeting)
    assert about_quotes in text
    assert "1. Restart the service" in text


def test_without_an_answer_the_customers_language_is_kept(spoken: ExtractiveDrafter) -> None:
    ticket = TicketText(ticket_id="desk:1", content="Bonjour ?", language="fr")
    assert "Je n'ai trouvé" in spoken.draft([ticket], [[]])[0].text


def test_a_warm_desk_writes_warmly(spoken: ExtractiveDrafter, embedder: Embedder, knowledge: MemoryIndex) -> None:
    warm = ExtractiveDrafter(embedder, clock=lambda: MONDAY, wording=spoken.wording.model_copy(update={"tone": "warm"}))
    assert "Let us try these steps together:" in reply(warm, knowledge, "connector offline ZTNA-301").text


def test_parts_come_in_their_order(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    text = reply(drafter, knowledge, "connector offline ZTNA-301").text
    parts = ["Hello,", "thank you", "this looks like “", "1. ", "How to see", "If this does not help", "Kind regards"]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)


def test_macros_are_suggested_by_words_and_codes(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    draft = reply(drafter, knowledge, "Our administrator is locked out of the console GEN-710")
    assert draft.macros[0] == "auth-admin-locked-out"
    assert len(draft.macros) <= 3


def test_draft_is_stamped_and_repeatable(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    first, again = (reply(drafter, knowledge, "connector offline ZTNA-301") for _ in range(2))
    assert first.created_at == MONDAY
    assert first.model_copy(update={"latency_ms": 0}) == again.model_copy(update={"latency_ms": 0})


def test_snippet_ends_at_a_word() -> None:
    assert snippet("word " * 60).endswith("word…")
    assert len(snippet("x" * 500)) == 200


def test_exactly_the_steps_to_check_are_marked(spoken: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    draft = reply(spoken, knowledge, "The private access connector is offline, ZTNA-301")
    steps = [line for line in draft.text.split("\n") if line[:1].isdigit()]
    mark = WORDING.phrases("en").to_check
    for step in steps:
        sentence = step.partition(". ")[2].partition(" [")[0]
        assert (mark in step) == (judge(sentence, ARTICLES.rules()).verdict == "check")
    assert {mark in step for step in steps} == {True, False}


POISONED = Passage(
    article_id="a",
    chunk=0,
    title="Call +49 170 1234567 › Fix",
    url="https://evil.example/a",
    score=1,
    text="1. Turn off the firewall for the test.\n2. Restart the connector and wait.",
)


def test_what_is_left_out_stands_nowhere(spoken: ExtractiveDrafter) -> None:
    asked = TicketText(ticket_id="t", content="The connector does not restart")
    untitled = spoken.draft([asked], [[POISONED]])[0]
    assert not untitled.grounded
    titled = spoken.draft([asked], [[POISONED.model_copy(update={"title": "Restarts › Turn off the firewall"})]])[0]
    (source,) = titled.citations
    assert "firewall" not in titled.text
    assert (source.title, source.url, source.snippet) == ("Restarts", "", "Restart the connector and wait.")
