import re

import pytest

from tests.triage.conftest import MONDAY
from tests.triage.questions import OUT_OF_SCOPE, QUESTIONS
from triage.contracts import Article, Passage, Suggestion, TicketText
from triage.draft import NOTHING_FOUND, ExtractiveDrafter, snippet
from triage.memory_index import MemoryIndex
from triage.statements import statements_of

CITED = re.compile(r"\[(\d+)\]")


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
    assert NOTHING_FOUND in draft.text
    assert not CITED.search(draft.text)


def test_without_passages_there_is_no_answer(drafter: ExtractiveDrafter) -> None:
    draft = drafter.draft([TicketText(ticket_id="desk:1", content="ZTNA-301")], [[]])[0]
    assert not draft.grounded


def test_a_named_code_chooses_the_article(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    draft = reply(drafter, knowledge, "it fails, the window shows cfw-620")
    assert draft.citations[0].article_id == "cfw-620"


def test_harmless_subject_is_repeated(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    draft = reply(drafter, knowledge, "Both connectors are offline ZTNA-301", subject="Private apps [1] unreachable")
    assert "thank you for your message about “Private apps 1 unreachable”." in draft.text


def test_macros_are_suggested_by_words_and_codes(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    draft = reply(drafter, knowledge, "Our administrator is locked out of the console GEN-710")
    assert draft.macros[0] == "auth-admin-locked-out"
    assert len(draft.macros) <= 3


def test_draft_is_stamped_and_repeatable(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    first, again = (reply(drafter, knowledge, "connector offline ZTNA-301") for _ in range(2))
    assert first.created_at == MONDAY
    assert first.model_copy(update={"latency_ms": 0}) == again.model_copy(update={"latency_ms": 0})


def test_statements_leave_out_what_is_no_sentence() -> None:
    text = (
        "and the end of a cut sentence. First whole sentence here. Second one follows.\n\n"
        "| a | table |\n\n```\ncode = 1\n```\n\n"
        "## Fix\n\n1. Do [this](https://x.example) at **once**, please.\n2. Ok.\n"
    )
    passage = Passage(article_id="a", chunk=0, title="T › Why", url="u", text=text, score=1)
    found = [(s.text, s.section, s.is_remedy) for s in statements_of(passage)]
    assert found == [
        ("First whole sentence here.", "Why", False),
        ("Second one follows.", "Why", False),
        ("Do this at once, please.", "Fix", True),
    ]


def test_snippet_ends_at_a_word() -> None:
    assert snippet("word " * 60).endswith("word…")
    assert len(snippet("x" * 500)) == 200
