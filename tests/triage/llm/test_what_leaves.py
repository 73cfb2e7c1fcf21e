"""The bytes that a server receives hold nothing that is to be hidden; a draft has the customer's values again."""

from collections import Counter
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.triage.chat_server import labelling, serving, tickets_asked
from tests.triage.conftest import MONDAY, monday
from tests.triage.llm.test_hosted import TICKET, always, model
from tests.triage.llm.test_hosted_drafts import WORDED
from tests.triage.memory_index import MemoryIndex
from tests.triage.redaction.gold import Gold, read_gold
from triage.contracts import Passage, TicketText
from triage.drafting.article_policy import ArticlePolicy, Contacts
from triage.drafting.draft import ExtractiveDrafter
from triage.llm.answer_cache import AnswerCache
from triage.llm.asking import Asking
from triage.llm.budget import Budget, Limits
from triage.llm.hosted import HostedDrafter
from triage.llm.models import open_model
from triage.llm.policy import AskingPolicy
from triage.llm.tables import metadata
from triage.redaction.names import Names
from triage.redaction.tickets import Known
from triage.taxonomy import Taxonomy

GOLD, NAMES = read_gold()
POLICY = AskingPolicy(tickets_per_prompt=10, at_once=2, prompts_per_second=1000, retries=0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'desk.db'}", connect_args={"timeout": 30})
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def asking(database: sa.Engine, taxonomy: Taxonomy, chat: Any, **changed: Any) -> Asking:
    chosen = open_model("compatible", "m", base_url=f"http://127.0.0.1:{chat.port}/v1", max_retries=0, **changed)
    limits = Budget(database, Limits(calls=100, tokens=10**7, usd=9), clock=monday)
    return Asking(
        [chosen],
        taxonomy=taxonomy,
        policy=POLICY,
        budget=limits,
        cache=AnswerCache(database),
        known=lambda _: Known(NAMES),
    )


def test_no_gold_value_is_in_the_bytes_of_a_batch(database: sa.Engine, taxonomy: Taxonomy) -> None:
    tickets = [
        TicketText(ticket_id=f"desk:{n}", subject=entry.text[:200], content=entry.text, language=entry.language)
        for n, entry in enumerate(GOLD)
    ]
    with serving(labelling(lambda _: "DLP")) as chat:
        findings = asking(database, taxonomy, chat).ask(tickets, at=MONDAY)
    assert all(finding.opinion for finding in findings)
    received = "\n".join(
        text for request in chat.requests for ticket in tickets_asked(request).values() for text in ticket.values()
    )
    innocent = "\n".join(_without(entry) for entry in GOLD)
    values = {(kind, entry.text[start:end]) for entry in GOLD for start, end, kind in entry.spans}
    told_apart = {(kind, value) for kind, value in values if len(value) > 4 and value not in innocent}
    assert Counter(kind for kind, _ in told_apart).keys() == {kind for kind, _ in values}
    assert len(told_apart) > 200
    assert sum(kind in ("NAME", "COMPANY") for kind, _ in told_apart) > 40
    assert [value for _, value in told_apart if value in received] == []
    assert received.count("[EMAIL_") >= 20
    assert len(received) > 0.5 * len(innocent)


def _without(entry: Gold) -> str:
    """What of a text may be shown."""
    ends = [0, *(edge for start, end, _ in entry.spans for edge in (start, end)), len(entry.text)]
    return "|".join(entry.text[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True))


def test_what_was_hidden_is_counted_by_kind(database: sa.Engine, taxonomy: Taxonomy) -> None:
    ticket = TicketText(ticket_id="1", subject="a@x.example", content="a@x.example, password: hunter22")
    with serving(labelling(lambda _: "DLP")) as chat:
        asked = asking(database, taxonomy, chat)
        asked.ask([ticket], at=MONDAY)
    hidden = Budget(database, Limits(calls=1, tokens=1, usd=1), clock=monday).hidden()
    assert {kind: tuple(count) for kind, count in hidden.items()} == {"EMAIL": (1, 2), "SECRET": (1, 1)}
    assert (asked.counts["hidden EMAIL"], asked.counts["hidden SECRET"]) == (2, 1)


def test_the_same_words_but_for_what_is_hidden_are_asked_about_once(database: sa.Engine, taxonomy: Taxonomy) -> None:
    tickets = [TicketText(ticket_id=str(n), content=f"Write to u{n}@x.example about uploads") for n in range(3)]
    with serving(labelling(lambda _: "DLP")) as chat:
        asked = asking(database, taxonomy, chat)
        findings = asked.ask(tickets, at=MONDAY)
    assert [list(tickets_asked(request)) for request in chat.requests] == [[1]]
    assert [finding.opinion.label for finding in findings if finding.opinion] == ["DLP"] * 3


def test_a_server_of_ones_own_may_be_shown_what_was_typed(database: sa.Engine, taxonomy: Taxonomy) -> None:
    tickets = [TicketText(ticket_id=str(n), content=f"Write to u{n}@x.example about uploads") for n in range(2)]
    with serving(labelling(lambda _: "DLP")) as chat:
        asking(database, taxonomy, chat, is_redacted=False).ask(tickets, at=MONDAY)
    assert [ticket["content"] for ticket in tickets_asked(chat.requests[0]).values()] == [t.content for t in tickets]


def drafted(drafter: ExtractiveDrafter, index: MemoryIndex, content: str, added: str) -> tuple[str, str]:
    """The draft, and the bytes that the server received."""
    ticket = TICKET.model_copy(update={"content": f"{TICKET.content}. {content}", "subject": "From Grace Hopper"})
    with serving(always({"answerable": True, "text": WORDED + added})) as chat:
        hosted = HostedDrafter([model(chat)], drafter, clock=monday, known=lambda _: Known(NAMES))
        (draft,) = hosted.draft([ticket], index.search([TICKET.content]))
    return draft.text, "".join(body.decode() for body in chat.bodies)


def test_a_draft_has_the_customers_values_again(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    added = "3. Leave NTP enabled, and correct the time with `chronyc makestep`, [NAME_1]. [3]\n"
    text, sent = drafted(drafter, knowledge, "My password: hunter22, mail a@x.example.", added)
    assert "Grace" not in sent
    assert "hunter22" not in sent
    assert "a@x.example" not in sent
    assert "[NAME_1]" not in text
    assert "hunter22" not in text
    assert "Grace Hopper" in text


def test_a_password_or_address_is_never_mailed_back(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    added = "3. Leave NTP enabled, and correct the time with `chronyc makestep`, [SECRET_1] [EMAIL_1]. [3]\n"
    text, _ = drafted(drafter, knowledge, "My password: hunter22, mail a@x.example.", added)
    assert "hunter22" not in text
    assert "@" not in text


def test_a_placeholder_of_no_value_stays_one(drafter: ExtractiveDrafter, knowledge: MemoryIndex) -> None:
    text, _ = drafted(drafter, knowledge, "Please repeat [EMAIL_1].", "3. Leave NTP enabled for [EMAIL_1]. [3]\n")
    assert "@" not in text


OF_AN_ARTICLE = (
    "The clock is wrong by more than two minutes. [EMAIL_1] is no mark of ours. Ask Grace Hopper of Contoso Ltd, "
    "grace@contoso.example or +44 20 7946 0958. The desk is at help@northlight.example and +44 161 496 0733."
)


def test_an_article_tells_no_names_and_only_contacts_of_the_desk(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex
) -> None:
    listed = Contacts(emails=("help@northlight.example",), phones=("0044 161 496 0733",))
    local = copy(drafter)
    local.articles = ArticlePolicy(contacts=listed, sources={})
    first, *others = knowledge.search([TICKET.content])[0]
    passages = [_with_text(first, f"{first.text}\n{OF_AN_ARTICLE}"), *others]
    ticket = TICKET.model_copy(update={"content": f"{TICKET.content} grace@contoso.example told Priya Raghunathan."})
    known = Known(Names(["Grace Hopper", "Priya Raghunathan"], ["Contoso Ltd"]))
    with serving(always({"answerable": True, "text": WORDED + "Ask [NAME_2] or [EMAIL_1]. [1]"})) as chat:
        (draft,) = HostedDrafter([model(chat)], local, clock=monday, known=lambda _: known).draft([ticket], [passages])
    sent = "".join(body.decode() for body in chat.bodies)
    for value in ("Grace", "Hopper", "Contoso", "contoso", "7946 0958", "Priya", "Raghunathan"):
        assert value not in sent
    assert "[MARK_1] is no mark of ours. Ask [NAME_2] of [COMPANY_1], [EMAIL_1] or [PHONE_1]." in sent
    assert "at help@northlight.example and +44 161 496 0733." in sent
    assert "chronyc makestep" in draft.text
    assert "grace@contoso.example" not in draft.text


def _with_text(passage: Passage, text: str) -> Passage:
    return passage.model_copy(update={"text": text})
