"""Hosted models through the vendors' real clients, against a real server on loopback."""

import json
import time
from typing import Any

import pytest

from engine.shared.errors import BadInput
from tests.triage.chat_server import Behaviour, ChatServer, Reply, labelling, serving
from triage.contracts import TicketText
from triage.llm.batch import Opinion, Reading, answer_schema, read_answers
from triage.llm.models import PATIENCE, Answer, HostedModel, ModelChain, open_model
from triage.llm.prompts import Prompt, classify_messages
from triage.taxonomy import Taxonomy

TICKET = TicketText(
    ticket_id="desk:1", subject="Connector", content="Both ZTNA connectors are offline", priority="high"
)
LABELS = ("ZTNA", "DLP")
SAID = Reading({1: Opinion("ZTNA", 0.9, "It says so.")}, {})
GOOD = labelling(lambda _: "ZTNA")
GOOD_TEXT = json.dumps({"answers": [{"number": 1, "label": "ZTNA", "confidence": 0.9, "reason": "It says so."}]})
PROVIDERS = ["openai", "groq", "compatible"]


def model(server: ChatServer, provider: Any = "openai", name: str = "small", **changed: Any) -> HostedModel:
    base = f"http://127.0.0.1:{server.port}" + ("" if provider == "groq" else "/v1")
    options = {"max_retries": 0, "timeout": 5, "prompt_price": 1.0, "completion_price": 10.0, **changed}
    return open_model(provider, name, api_key="test", base_url=base, **options)


def always(content: Any, status: int = 200) -> Behaviour:
    return lambda _: (status, content if isinstance(content, str) else json.dumps(content))


@pytest.fixture(scope="module")
def asked(taxonomy: Taxonomy) -> list[tuple[str, str]]:
    return classify_messages(Prompt("classify_batch"), [TICKET], taxonomy)


def answer(chain: ModelChain, asked: list[tuple[str, str]]) -> Answer:
    return chain.ask(asked, answer_schema(LABELS), lambda text: read_answers(text, size=1, labels=LABELS))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_good_answer_is_taken_with_its_cost(asked: list[tuple[str, str]], provider: str) -> None:
    with serving(GOOD) as server:
        found = answer(ModelChain([model(server, provider)]), asked)
    assert (found.value, found.model, found.failures) == (SAID, f"{provider}:small", ())
    assert (found.prompt_tokens, found.completion_tokens) == (100, 20)
    assert found.cost == pytest.approx(100 * 1e-6 + 20 * 10e-6)
    assert server.paths == ["/openai/v1/chat/completions" if provider == "groq" else "/v1/chat/completions"]
    schema = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["answers"]["items"]["properties"]["label"]["enum"] == list(LABELS)


@pytest.mark.parametrize("vendor", ["openai", "groq"])
def test_the_vendors_own_client_gets_the_same_answer(asked: list[tuple[str, str]], vendor: str) -> None:
    import groq
    import openai

    schema = answer_schema(LABELS)
    shape: Any = {"type": "json_schema", "json_schema": {"name": schema["title"], "schema": schema, "strict": True}}
    messages: Any = [{"role": role, "content": text} for role, text in asked]
    with serving(GOOD) as server:
        url = f"http://127.0.0.1:{server.port}"
        client: Any = (
            openai.OpenAI(api_key="test", base_url=f"{url}/v1")
            if vendor == "openai"
            else groq.Groq(api_key="test", base_url=url)
        )
        said = client.chat.completions.create(model="openai/gpt-oss-20b", messages=messages, response_format=shape)
    assert read_answers(said.choices[0].message.content, size=1, labels=LABELS) == SAID


UNUSABLE: dict[str, tuple[Reply, str]] = {
    "truncated JSON": (Reply(200, GOOD_TEXT[:60]), "not the shape asked for"),
    "cut at the limit": (Reply(200, GOOD_TEXT[:60], finish_reason="length"), "cut short"),
    "filtered": (Reply(200, "", finish_reason="content_filter"), "refused to answer"),
    "prose": (Reply(200, "I think it is ZTNA."), "not the shape asked for"),
    "a code fence": (Reply(200, f"```json\n{GOOD_TEXT}\n```"), "not the shape asked for"),
    "a list": (Reply(200, "[1, 2]"), "not the shape asked for"),
    "null": (Reply(200, "null"), "not the shape asked for"),
    "deep": (Reply(200, "[" * 100_000), "not the shape asked for"),
    "nothing": (Reply(200, ""), "empty answer"),
    "no content": (Reply(200, None), "empty answer"),
    "too many requests": (Reply(429, "slow down"), "rate limited"),
    "a server error": (Reply(500, "boom"), "server error"),
    "a refused key": (Reply(401, "bad key"), "no access"),
    "a prompt too long": (Reply(400, "context length"), "request not accepted"),
    "no answer in time": (Reply(200, GOOD_TEXT, delay=0.6), "timed out"),
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_answer_is_told_by_its_reason(asked: list[tuple[str, str]], provider: str, case: str) -> None:
    reply, reason = UNUSABLE[case]
    with serving(lambda _: reply) as server:
        timeout = 0.3 if reply.delay else 5
        found = answer(ModelChain([model(server, provider, timeout=timeout)]), asked)
    assert (found.value, [failure.reason for failure in found.failures]) == (None, [reason])


def test_a_refusal_is_not_an_empty_answer(asked: list[tuple[str, str]]) -> None:
    with serving(lambda _: Reply(200, None, refusal="I won't")) as server:
        found = answer(ModelChain([model(server)]), asked)
    assert [str(failure) for failure in found.failures] == ["openai:small: refused to answer"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_came_cut_short_is_paid_for(asked: list[tuple[str, str]], provider: str) -> None:
    with serving(lambda _: Reply(200, GOOD_TEXT[:60], finish_reason="length")) as server:
        found = answer(ModelChain([model(server, provider)]), asked)
    assert (found.value, found.prompt_tokens, found.cost) == (None, 100, pytest.approx(300e-6))


def test_groq_then_openai_then_any_server_then_none(asked: list[tuple[str, str]]) -> None:
    down = {"first", "second", "third"}

    def behaviour(request: dict[str, Any]) -> Reply | tuple[int, str]:
        return (429, "slow down") if request["model"] in down else GOOD(request)

    with serving(behaviour) as server:
        order = [("groq", "first"), ("openai", "second"), ("compatible", "third")]
        chain = ModelChain([model(server, provider, name) for provider, name in order])
        names = []
        for name in ("none", "third", "second", "first"):
            down.discard(name)
            names.append(answer(chain, asked).model)
    assert chain.name == "groq:first > openai:second > compatible:third"
    assert names == [None, "compatible:third", "openai:second", "groq:first"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_retry_after_is_honoured(asked: list[tuple[str, str]], provider: str) -> None:
    arrived: list[float] = []

    def behaviour(request: dict[str, Any]) -> Reply | tuple[int, str]:
        arrived.append(time.monotonic())
        return Reply(429, "slow", headers={"Retry-After": "1"}) if len(arrived) == 1 else GOOD(request)

    with serving(behaviour) as server:
        found = answer(ModelChain([model(server, provider, max_retries=2)]), asked)
    assert (found.value, len(arrived)) == (SAID, 2)
    assert arrived[1] - arrived[0] >= 0.95


def test_a_failing_model_is_not_asked_for_every_ticket(asked: list[tuple[str, str]]) -> None:
    with serving(always("boom", 500)) as server:
        chain = ModelChain([model(server)])
        found = [answer(chain, asked) for _ in range(PATIENCE + 3)]
        assert len(server.requests) == PATIENCE
        chain.start_batch()
        answer(chain, asked)
        assert len(server.requests) == PATIENCE + 1
    assert [failure.reason for failure in found[-1].failures] == ["failed too often"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_is_gone_is_tried_once_a_batch(asked: list[tuple[str, str]], provider: str) -> None:
    with serving(GOOD) as server:
        gone = model(server, provider, "gone", max_retries=1)
    with serving(GOOD) as there:
        chain = ModelChain([gone, model(there, name="there")])
        first, second = answer(chain, asked), answer(chain, asked)
    assert (first.model, second.model) == ("openai:there", "openai:there")
    assert [failure.reason for failure in first.failures + second.failures] == ["not reachable", "failed too often"]


@pytest.mark.parametrize(
    ("provider", "key", "reason"),
    [("openai", "", "needs a key"), ("zai", "k", "choose groq, openai"), ("compatible", "", "needs the address")],
)
def test_a_model_that_cannot_be_opened_says_why(provider: Any, key: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        open_model(provider, "small", api_key=key)
