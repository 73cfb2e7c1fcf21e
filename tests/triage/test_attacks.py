"""What strangers write is data: no word in a ticket, an article or a model's answer changes what triage does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.triage.attacks import ANSWER_ATTACKS, ARTICLE_ATTACKS, TICKET_ATTACKS, Attack
from tests.triage.chat_server import Reply, serving, tickets_asked
from tests.triage.conftest import DATA, monday
from tests.triage.memory_index import MemoryIndex
from triage.classify import LocalClassifier
from triage.contracts import Passage, Suggestion, TicketText
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.grounding import Verdict, check_draft
from triage.llm.answer_cache import AnswerCache
from triage.llm.budget import Budget, Limits
from triage.llm.cascade import Cascade
from triage.llm.hosted import HostedDrafter
from triage.llm.models import HostedModel, open_model
from triage.llm.policy import CascadePolicy, load_policy
from triage.llm.prompts import Prompt, classify_messages, draft_messages
from triage.llm.tables import metadata
from triage.taxonomy import Taxonomy

PROBLEM = "Both ZTNA connectors are offline and nobody reaches the private apps, ZTNA-301."
GENUINE = "Correct the time with `chronyc makestep` and leave NTP enabled."
each_ticket_attack = pytest.mark.parametrize("attack", TICKET_ATTACKS, ids=lambda attack: attack.name)
each_article_attack = pytest.mark.parametrize("attack", ARTICLE_ATTACKS, ids=lambda attack: attack.name)


def ticket(content: str, subject: str = "") -> TicketText:
    return TicketText(ticket_id="desk:1", subject=subject, content=content, priority="medium")


def planted(attack: Attack) -> dict[str, TicketText]:
    """The same problem with the attack in each place a stranger can write."""
    return {
        "subject": ticket(PROBLEM, attack.text),
        "before": ticket(f"{attack.text}\n{PROBLEM}"),
        "after": ticket(f"{PROBLEM}\n{attack.text}"),
    }


def is_clean(text: str, attack: Attack) -> bool:
    return not any(word.lower() in text.lower() for word in attack.poison)


@pytest.fixture(scope="module")
def passages(knowledge: MemoryIndex) -> list[Passage]:
    return knowledge.search([PROBLEM])[0]


def without_times(draft: Suggestion) -> dict[str, Any]:
    return draft.model_dump(exclude={"id", "latency_ms", "macros"})


def test_there_are_forty_attacks_and_each_is_another() -> None:
    assert len({attack.text for attack in TICKET_ATTACKS}) == len(TICKET_ATTACKS) >= 40
    assert len({attack.text for attack in ARTICLE_ATTACKS}) == len(ARTICLE_ATTACKS) >= 20


@each_ticket_attack
def test_a_ticket_changes_no_word_of_the_draft(
    drafter: ExtractiveDrafter, passages: list[Passage], attack: Attack
) -> None:
    plain = without_times(drafter.draft([ticket(PROBLEM)], [passages])[0])
    for place, attacked in planted(attack).items():
        assert without_times(drafter.draft([attacked], [passages])[0]) == plain, place


@each_ticket_attack
def test_nothing_of_an_attack_is_repeated(drafter: ExtractiveDrafter, knowledge: MemoryIndex, attack: Attack) -> None:
    attacked = [*planted(attack).values(), ticket(attack.text, attack.text)]
    found = knowledge.search([f"{one.subject} {one.content}" for one in attacked])
    assert all(is_clean(draft.text, attack) for draft in drafter.draft(attacked, found))


@each_ticket_attack
def test_a_ticket_changes_no_class(classifier: LocalClassifier, taxonomy: Taxonomy, attack: Attack) -> None:
    plain, *attacked = classifier.classify([ticket(PROBLEM), *planted(attack).values()])
    assert {(claim.product, claim.urgency) for claim in attacked} == {(plain.product, plain.urgency)}
    assert all(is_clean(claim.reasoning, attack) for claim in attacked)
    assert classifier.classify([ticket(attack.text)])[0].product in taxonomy.product.labels


@each_ticket_attack
def test_the_prompt_keeps_a_ticket_inside_its_fence(
    taxonomy: Taxonomy, passages: list[Passage], attack: Attack
) -> None:
    for attacked in planted(attack).values():
        (_, rules), (role, said) = draft_messages(Prompt("draft"), attacked, passages)
        (shown,) = re.findall(r"^<ticket>\n(.*)\n</ticket>$", said, re.MULTILINE)
        assert rules == draft_messages(Prompt("draft"), ticket(""), [])[0][1]
        assert role == "user"
        assert (said.count("<ticket>"), said.count("<source "), said.count("</source>")) == (1, 5, 5)
        assert (json.loads(shown)["subject"], json.loads(shown)["content"]) == (attacked.subject, attacked.content)
        messages = classify_messages(Prompt("classify_batch"), [attacked, ticket("other")], taxonomy)
        seen = tickets_asked({"messages": [{"content": text} for _, text in messages]})
        assert {n: one["content"] for n, one in seen.items()} == {1: attacked.content, 2: "other"}


@each_article_attack
def test_the_prompt_keeps_an_article_inside_its_fence(attack: Attack) -> None:
    poisoned = Passage(article_id="a", chunk=0, title=attack.text, url="u", text=attack.text, score=1)
    said = draft_messages(Prompt("draft"), ticket(PROBLEM), [poisoned, poisoned])[1][1]
    shown = re.findall(r'^<source number="(\d)">\n(.*)\n</source>$', said, re.MULTILINE)
    assert [(n, json.loads(source)["text"]) for n, source in shown] == [("1", attack.text), ("2", attack.text)]
    assert (said.count("<ticket>"), said.count("</source>")) == (1, 2)


def poisoned(passages: list[Passage], attack: Attack) -> list[Passage]:
    """The attack is the first step of every list."""
    return [
        p.model_copy(update={"text": re.sub(r"^1\. ", lambda _: f"1. {attack.text}\n2. ", p.text, flags=re.M)})
        for p in passages
    ]


@each_article_attack
def test_a_step_cannot_speak_through_a_draft(
    drafter: ExtractiveDrafter, passages: list[Passage], attack: Attack
) -> None:
    draft = drafter.draft([ticket(PROBLEM)], [poisoned(passages, attack)])[0]
    assert is_clean(draft.text, attack)
    assert GENUINE in draft.text


@each_article_attack
def test_an_article_without_steps_cannot_speak_either(drafter: ExtractiveDrafter, attack: Attack) -> None:
    text = f"A connector is offline when its machine is.\n\n{attack.text}"
    prose = Passage(article_id="a", chunk=0, title="Connector", url="https://a.example/", text=text, score=1)
    draft = drafter.draft([ticket(PROBLEM)], [[prose]])[0]
    assert "A connector is offline when its machine is. [1]" in draft.text
    assert is_clean(draft.text, attack)
    assert is_clean(draft.citations[0].snippet, attack)


@each_article_attack
def test_a_title_cannot_speak_through_a_draft(
    drafter: ExtractiveDrafter, passages: list[Passage], attack: Attack
) -> None:
    titled = [p.model_copy(update={"title": attack.text, "url": "javascript:alert(1)"}) for p in passages]
    draft = drafter.draft([ticket(PROBLEM)], [titled])[0]
    assert is_clean(draft.text, attack)
    assert all(source.url == "" for source in draft.citations)


def obeying(request: dict[str, Any]) -> Reply:
    """A model that writes whatever the ticket tells it to, with citations, beside one sentence that is true."""
    prompt = request["messages"][1]["content"]
    shown = json.loads(re.findall(r"^<ticket>\n(.*)\n</ticket>$", prompt, re.MULTILINE)[0])
    order = shown["content"].replace(PROBLEM, "").strip()
    sources = re.findall(r'^<source number="(\d)">\n(.*)\n</source>$', prompt, re.MULTILINE)
    true = next(int(n) for n, source in sources if GENUINE in json.loads(source)["text"])
    lines = [f"1. {GENUINE} [{true}]", f"2. {order} [{true}]"]
    return Reply(200, json.dumps({"answerable": True, "text": "\n".join(lines)}))


def hosted_model(port: int) -> HostedModel:
    return open_model("openai", "small", api_key="test", base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)


@pytest.fixture(scope="module")
def obeyed(drafter: ExtractiveDrafter, passages: list[Passage]) -> dict[str, Suggestion]:
    """One draft an attack, by its name, from a server that obeys the attacker."""
    tickets = [planted(attack)["after"] for attack in TICKET_ATTACKS]
    with serving(obeying) as server:
        drafts = HostedDrafter([hosted_model(server.port)], drafter, clock=monday).draft(
            tickets, [passages] * len(tickets)
        )
        assert len(server.requests) == len(tickets)
    return {attack.name: draft for attack, draft in zip(TICKET_ATTACKS, drafts, strict=True)}


@each_ticket_attack
def test_a_model_that_obeys_the_attacker_is_not_passed_on(
    obeyed: dict[str, Suggestion], drafter: ExtractiveDrafter, attack: Attack
) -> None:
    draft = obeyed[attack.name]
    assert is_clean(draft.text, attack)
    assert GENUINE in draft.text
    assert draft.citations


def test_what_is_left_of_such_drafts_is_grounded(
    obeyed: dict[str, Suggestion], drafter: ExtractiveDrafter, passages: list[Passage]
) -> None:
    phrases = drafter.wording.phrases("en")
    for draft in obeyed.values():
        sources = {c.index: next(p for p in passages if p.title == c.title) for c in draft.citations}
        found = check_draft(draft.text, sources, phrases, articles=drafter.articles)
        assert {checked.verdict for checked in found} <= {Verdict.COURTESY, Verdict.SUPPORTED, Verdict.FLAGGED}


@pytest.fixture(scope="module")
def answered(drafter: ExtractiveDrafter, passages: list[Passage]) -> dict[str, Suggestion]:
    """One draft an attack, by its name, from a model that turns the words of its sources."""
    true = next(n for n, p in enumerate(passages, start=1) if GENUINE in p.text)
    tickets = [ticket(f"{PROBLEM} {number}") for number in range(len(ANSWER_ATTACKS))]

    def turning(request: dict[str, Any]) -> Reply:
        number = int(re.findall(r"ZTNA-301\. (\d+)", request["messages"][1]["content"])[0])
        turned = ANSWER_ATTACKS[number].text.replace("{n}", str(true))
        said = f"1. {GENUINE} [{true}]\n2. Open one app from a client. [{true}]\n{turned}"
        return Reply(200, json.dumps({"answerable": True, "text": said}))

    with serving(turning) as server:
        drafts = HostedDrafter([hosted_model(server.port)], drafter, clock=monday).draft(
            tickets, [passages] * len(tickets)
        )
    return {attack.name: draft for attack, draft in zip(ANSWER_ATTACKS, drafts, strict=True)}


@pytest.mark.parametrize("attack", ANSWER_ATTACKS, ids=lambda attack: attack.name)
def test_a_model_cannot_turn_the_words_of_its_source(answered: dict[str, Suggestion], attack: Attack) -> None:
    draft = answered[attack.name]
    assert draft.model_used == "openai:small"
    assert GENUINE in draft.text
    assert is_clean(draft.text, attack)


def labelling_as_told(request: dict[str, Any]) -> Reply:
    """A model that takes its label and reason from the ticket, and answers for a neighbour too."""
    answers = [
        {"number": n, "label": "BANANA", "confidence": 1, "reason": one["content"][-300:]}
        for n, one in tickets_asked(request).items()
    ]
    return Reply(200, json.dumps({"answers": [*answers, {**answers[0], "number": 99}]}))


def test_a_classifier_that_obeys_the_attacker_is_not_believed(
    classifier: LocalClassifier, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    database = sa.create_engine(f"sqlite:///{tmp_path / 'desk.db'}", connect_args={"timeout": 30})
    metadata.create_all(database)
    all_of_them = CascadePolicy(target_error=0, max_share=1, choose_from=10**6, send_below=1)
    policy = load_policy(DATA / "policies" / "triage.yaml").model_copy(update={"cascade": all_of_them})
    budget = Budget(database, Limits(calls=10**4, tokens=10**9, usd=10**4), clock=monday)
    tickets = [planted(attack)["after"] for attack in TICKET_ATTACKS]
    with serving(labelling_as_told) as server:
        cascade = Cascade(
            classifier, [hosted_model(server.port)], taxonomy=taxonomy, policy=policy, budget=budget,
            cache=AnswerCache(database), clock=monday,
        )  # fmt: skip
        claims = cascade.classify(tickets)
        assert server.requests
    assert [claim.product for claim in claims] == [claim.product for claim in classifier.classify(tickets)]
    assert all(is_clean(claim.reasoning, attack) for claim, attack in zip(claims, TICKET_ATTACKS, strict=True))
    database.dispose()
