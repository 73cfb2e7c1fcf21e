"""What a server does on the wire can't hold a cycle, send a ticket elsewhere or refill a budget."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.shared.errors import BadInput
from tests.triage.chat_server import Reply, serving
from tests.triage.conftest import monday
from tests.triage.llm.test_hosted import GOOD, GOOD_TEXT, PROVIDERS, SAID, TICKET, answer, model
from triage.llm.budget import Budget, Limits
from triage.llm.failures import pause_before
from triage.llm.models import MAX_TOKENS, ModelChain, is_local, open_model
from triage.llm.prompts import Prompt, classify_messages
from triage.llm.tables import metadata
from triage.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def asked(taxonomy: Taxonomy) -> list[tuple[str, str]]:
    return classify_messages(Prompt("classify_batch"), [TICKET], taxonomy)


@pytest.fixture
def budget(tmp_path: Path) -> Iterator[Budget]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'desk.db'}", connect_args={"timeout": 30})
    metadata.create_all(engine)
    yield Budget(engine, Limits(calls=100, tokens=10**7, usd=9), clock=monday)
    engine.dispose()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_drip_of_bytes_ends_with_the_deadline(asked: list[tuple[str, str]], provider: str) -> None:
    with serving(lambda _: Reply(200, GOOD_TEXT, drip=0.05)) as server:
        chain = ModelChain([model(server, provider, deadline=0.6, max_retries=2)])
        started = time.monotonic()
        found = answer(chain, asked)
        took = time.monotonic() - started
        while not server.hung_up and time.monotonic() - started < 5:
            time.sleep(0.05)
    assert ([failure.reason for failure in found.failures], len(server.requests)) == (["timed out"], 1)
    assert took < 3
    assert server.hung_up, "the connection stayed open"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(asked: list[tuple[str, str]], provider: str, status: int) -> None:
    with serving(GOOD) as elsewhere:
        moved = Reply(status, "moved", headers={"Location": f"http://localhost:{elsewhere.port}/v1/chat/completions"})
        with serving(lambda _: moved) as server:
            found = answer(ModelChain([model(server, provider, max_retries=2)]), asked)
    assert (elsewhere.requests, len(server.requests)) == ([], 1)
    assert [failure.reason for failure in found.failures] == ["sent elsewhere, which is not followed"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "usage",
    [
        (-5, -1), (10**12, 10**12), (math.nan, math.nan), (1e30, 1e30), (math.inf, 2.5), ("100", "x"), (None, None),
        (True, 0), 7, "much", ["100", 20], None, {"prompt_tokens": {"cached": 1}, "completion_tokens": 20},
        {"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": "x"}},
    ],
)  # fmt: skip
def test_odd_token_figures_cost_no_answer_and_never_refill_the_budget(
    asked: list[tuple[str, str]], budget: Budget, provider: str, usage: Any
) -> None:
    most = sum(len(text.encode()) for _, text in asked) + 10_000
    with serving(lambda _: Reply(200, GOOD_TEXT, usage=usage)) as server:
        found = answer(ModelChain([model(server, provider)], budget=budget), asked)
    assert found.value == SAID
    assert 0 < budget.spent().tokens <= most + MAX_TOKENS
    assert 0 < found.prompt_tokens <= most
    assert 0 < found.completion_tokens <= MAX_TOKENS
    assert 0 <= found.cost < 1


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("cut", [0, 40])
def test_a_cut_line_is_asked_again_and_may_have_been_paid_for(
    asked: list[tuple[str, str]], budget: Budget, provider: str, cut: int
) -> None:
    replies = iter([Reply(200, GOOD_TEXT, cut=cut), Reply(200, GOOD_TEXT)])
    with serving(lambda _: next(replies)) as server:
        found = answer(ModelChain([model(server, provider, max_retries=1)], budget=budget), asked)
    assert (found.value, len(server.requests), budget.spent().calls) == (SAID, 2, 2)
    assert budget.spent().tokens > 2 * 120, "what was booked for the cut answer was given back"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_lines_that_are_cut_each_time_end_within_the_deadline(asked: list[tuple[str, str]], provider: str) -> None:
    with serving(lambda _: Reply(200, GOOD_TEXT, cut=40)) as server:
        chain = ModelChain([model(server, provider, max_retries=10, deadline=1.2)])
        started = time.monotonic()
        found = answer(chain, asked)
    assert [failure.reason for failure in found.failures] == ["line cut in the middle of an answer"]
    assert time.monotonic() - started < 3


def test_a_prompt_waits_for_its_turn_no_longer_than_its_deadline(asked: list[tuple[str, str]], budget: Budget) -> None:
    with serving(GOOD) as server:
        chain = ModelChain([model(server, deadline=0.4, prompts_per_second=0.01)], budget=budget)
        started = time.monotonic()
        found = answer(chain, asked)
        took = time.monotonic() - started
    assert [failure.reason for failure in found.failures] == ["no turn within the deadline"]
    assert (server.requests, budget.spent().calls) == ([], 0)
    assert took < 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_retry_is_a_request_of_the_budget(asked: list[tuple[str, str]], budget: Budget, provider: str) -> None:
    with serving(lambda _: Reply(500, "boom", headers={"Retry-After": "0"})) as server:
        answer(ModelChain([model(server, provider, max_retries=2)], budget=budget), asked)
    assert (budget.spent().calls, len(server.requests), budget.spent().tokens) == (3, 3, 0)


@pytest.mark.parametrize(
    "retry_after", ["-3", "soon", "nan", "inf", "Wed, 21 Oct 2015 07:28:00 GMT", "", "99999999999"]
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_odd_retry_after_holds_nobody(asked: list[tuple[str, str]], provider: str, retry_after: str) -> None:
    with serving(lambda _: Reply(429, "slow", headers={"Retry-After": retry_after})) as server:
        chain = ModelChain([model(server, provider, max_retries=1, deadline=8)])
        started = time.monotonic()
        found = answer(chain, asked)
    assert [failure.reason for failure in found.failures] == ["rate limited"]
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_tool_call_is_no_answer(asked: list[tuple[str, str]], provider: str) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "send_mail", "arguments": "{}"}}
    with serving(lambda _: Reply(200, None, finish_reason="tool_calls", message={"tool_calls": [call]})) as server:
        found = answer(ModelChain([model(server, provider)]), asked)
    assert (found.value, len(found.failures)) == (None, 1)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_endless_answer_is_cut_off(asked: list[tuple[str, str]], provider: str) -> None:
    with serving(lambda _: Reply(200, "x" * 5_000_000)) as server:
        found = answer(ModelChain([model(server, provider)]), asked)
    assert found.value is None


def test_an_answer_of_many_parts_is_read_whole(asked: list[tuple[str, str]]) -> None:
    with serving(lambda _: Reply(200, json.dumps(json.loads(GOOD_TEXT), indent=400))) as server:
        assert answer(ModelChain([model(server)]), asked).value == SAID


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost:11434/v1", True),
        ("http://10.1.2.3/v1", True),
        ("http://[::1]:9/v1", True),
        ("https://api.example/v1", False),
        ("http://8.8.8.8/v1", False),
        ("http://localhost.evil.example/v1", False),
        ("http://127.0.0.1@evil.example/v1", False),
    ],
)
def test_only_a_server_of_ones_own_may_read_as_typed(url: str, local: bool) -> None:
    assert is_local(url) is local
    if not local:
        with pytest.raises(BadInput, match="without redaction"):
            open_model("compatible", "small", base_url=url, is_redacted=False)


def test_a_vendor_is_never_asked_without_redaction() -> None:
    with pytest.raises(BadInput, match="without redaction"):
        open_model("openai", "small", api_key="k", base_url="http://127.0.0.1:1/v1", is_redacted=False)


def test_without_a_word_of_the_server_pauses_double() -> None:
    assert [pause_before(again, None) for again in (1, 2, 3)] == [0.5, 1.0, 2.0]
