"""Over all sample tickets and real questions: every sentence of every draft is cited and supported."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.cpu import cpu_seconds
from tests.triage.conftest import DATA, monday
from tests.triage.memory_index import MemoryIndex
from triage.contracts import Article, Passage, Suggestion, TicketText
from triage.drafting.article_policy import load_article_policy
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.grounding import check_draft
from triage.drafting.wording import load_wording
from triage.embed import Remembering, WordLlama
from triage.knowledge.retrieve import question_of

STACK = Path(__file__).resolve().parents[4] / "shared" / "data" / "stackfaq"
WORDING = load_wording(DATA / "policies" / "wording.yaml")
ARTICLES = load_article_policy(DATA / "policies" / "articles.yaml")
Found = list[tuple[TicketText, Sequence[Passage]]]


@pytest.fixture(scope="module")
def quick() -> Remembering:
    """An embedder that reads 1,500 tickets in a second; how well it finds is no matter here."""
    return Remembering(WordLlama())


@pytest.fixture(scope="module")
def writer(quick: Remembering) -> ExtractiveDrafter:
    return ExtractiveDrafter(quick, clock=monday, wording=WORDING, articles=ARTICLES, floor=0.2)


def found_for(tickets: list[TicketText], articles: Sequence[Article], embedder: Remembering) -> Found:
    index = MemoryIndex(embedder)
    index.sync(articles)
    return list(zip(tickets, index.search([question_of(ticket) for ticket in tickets]), strict=True))


def sample_tickets() -> Iterator[TicketText]:
    """The lines that are readable; some are broken on purpose."""
    for line in (DATA / "tickets" / "tickets.jsonl").read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
            yield TicketText(
                ticket_id=row["ticket_id"],
                subject=row.get("title") or "",
                content=row.get("description") or "",
                language=row.get("language"),
            )
        except (ValueError, KeyError, TypeError):
            continue


@pytest.fixture(scope="module")
def samples(articles: list[Article], quick: Remembering) -> Found:
    return found_for(list(sample_tickets()), articles, quick)


@pytest.fixture(scope="module")
def stack(quick: Remembering) -> tuple[Found, list[Article]]:
    if not STACK.is_dir():
        pytest.skip("../shared/data/stackfaq is not there")
    rows = [json.loads(line) for line in (STACK / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    asked = [json.loads(line) for line in (STACK / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    articles = [
        Article(id=r["_id"], title=r["title"], url=f"https://faq.example/{r['_id']}", text=r["text"]) for r in rows
    ]
    return found_for([TicketText(ticket_id=q["_id"], content=q["text"]) for q in asked], articles, quick), articles


def verdicts(writer: ExtractiveDrafter, found: Found) -> Counter[str]:
    counts: Counter[str] = Counter()
    for ticket, passages in found:
        reply = writer.reply(ticket, passages)
        phrases = WORDING.phrases(WORDING.language_of(ticket.language))
        checked = check_draft(reply.text, dict(enumerate(reply.sources, 1)), phrases, articles=ARTICLES)
        counts.update(f"{one.verdict}{one.reason and ': '}{one.reason}" for one in checked)
    return counts


def unknown_particulars(draft: Suggestion, articles: dict[str, Article]) -> set[str]:
    """Numbers and addresses of a draft that no cited article holds, read off without the check."""
    cited = [articles[source.article_id] for source in draft.citations]
    known = re.sub(r"[\[\]()]", " ", " ".join(f"{article.title} {article.text}" for article in cited))
    said = re.sub(r"\[\d+\]|^\d+\. ", " ", draft.text, flags=re.MULTILINE)
    return {word for word in re.findall(r"\w+://[^\s`)]+|[\w.]+@[\w.]+|\d+(?:[.,]\d+)*", said) if word not in known}


def test_every_sentence_to_the_sample_tickets_is_supported(writer: ExtractiveDrafter, samples: Found) -> None:
    assert len(samples) >= 1500
    counts = verdicts(writer, samples)
    assert {verdict.split(":")[0] for verdict in counts} == {"courtesy", "supported", "flagged"}
    assert counts["supported"] > 6000


def test_every_sentence_to_real_questions_is_supported(
    writer: ExtractiveDrafter, stack: tuple[Found, list[Article]]
) -> None:
    counts = verdicts(writer, stack[0])
    assert {verdict.split(":")[0] for verdict in counts} == {"courtesy", "supported", "flagged"}
    assert counts["supported"] > 700


def test_no_draft_holds_a_number_or_address_of_its_own(
    writer: ExtractiveDrafter, samples: Found, articles: list[Article], stack: tuple[Found, list[Article]]
) -> None:
    for found, known in ((samples, articles), stack):
        by_id = {article.id: article for article in known}
        drafts = writer.draft([ticket for ticket, _ in found], [passages for _, passages in found])
        assert any(draft.grounded for draft in drafts)
        assert {draft.ticket_id: odd for draft in drafts if (odd := unknown_particulars(draft, by_id))} == {}


def test_five_hundred_drafts_are_written_in_a_second(writer: ExtractiveDrafter, samples: Found) -> None:
    tickets, passages = [ticket for ticket, _ in samples], [passages for _, passages in samples]
    writer.draft(tickets, passages)  # embeds what has to be
    limit = len(tickets) / 500
    assert cpu_seconds(lambda: writer.draft(tickets, passages), under=limit) < limit
