"""Chat models at Groq, at OpenAI or at any server that speaks OpenAI's protocol, asked for JSON of a given shape."""

import time
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from engine.shared.errors import BadInput
from triage.llm.budget import Budget
from triage.llm.failures import (
    HOPELESS,
    PASSING,
    UNANSWERED,
    Failure,
    Reason,
    Unusable,
    detail_of,
    pause_before,
    reason_of,
    tokens_of,
)
from triage.llm.prompts import Messages
from triage.llm.wire import Allowance, answering_within, open_client

TEMPERATURE: Final = 0.3
MAX_TOKENS: Final = 2000
SERVERS: Final = {"groq": "https://api.groq.com", "openai": "https://api.openai.com/v1"}
"""Said outright, so that no variable of the environment sends tickets elsewhere."""
NO_KEY: Final = "none"
"""What a server that asks for no key is sent as one."""
TURN: Final = 0.02
"""Seconds after which a prompt that waits for its turn asks again."""
PATIENCE: Final = 5
"""A model that fails this often in a row is not asked again in the same batch."""

Provider = Literal["groq", "openai", "compatible"]
Read = Callable[[str], Any]
"""The value in an answer's text; raises Unusable."""


class HostedModel(NamedTuple):
    """A chat model of LangChain with its name and price in US dollars per million tokens."""

    name: str
    chat: Any
    prompt_price: float = 0.0
    completion_price: float = 0.0
    retries: int = 0
    deadline: float = 60.0
    """Seconds for one answer, its repetitions and the waiting between them included."""
    is_redacted: bool = True
    """What it is asked about goes out with placeholders."""
    limiter: Any = None
    """Whose turn it is, where so many prompts a second are allowed."""

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars."""
        return (prompt_tokens * self.prompt_price + completion_tokens * self.completion_price) / 1e6


class Answer(NamedTuple):
    """What came back: `value` is None where no model gave a usable answer; tokens and cost count all attempts."""

    value: Any
    model: str | None
    failures: tuple[Failure, ...]
    latency_ms: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


class Request(NamedTuple):
    """A prompt, the JSON schema of its answer, and how many placeholders of each kind are in it."""

    messages: Messages
    schema: dict[str, Any]
    hidden: Mapping[str, int] = {}


class _Attempt(NamedTuple):
    value: Any
    failure: Failure | None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_measured: bool = True
    """Whether the server said what it used, or has surely used nothing."""
    error: Exception | None = None


def open_model(
    provider: Provider,
    model: str,
    *,
    api_key: str = "",
    base_url: str | None = None,
    timeout: float = 30.0,
    max_retries: int = 2,
    deadline: float = 60.0,
    is_redacted: bool = True,
    prompts_per_second: float | None = None,
    prompt_price: float = 0.0,
    completion_price: float = 0.0,
) -> HostedModel:
    """A model by its provider; `base_url` is another server with the same protocol. Nothing is asked yet.

    It is asked again after 429, 5xx and lost connections, as late as Retry-After says, within the `deadline`. Raises
    BadInput for an unknown provider, an empty key (`compatible` needs none), `compatible` without its address, or where
    texts are to go to another machine as they are (`is_redacted=False`).
    """
    if provider == "compatible" and not base_url:
        raise BadInput(f"The model compatible:{model} needs the address of a server that speaks OpenAI's protocol")
    if provider != "compatible" and not api_key:
        raise BadInput(f"The model {provider}:{model} needs a key; set one, or use the local models, which need none")
    if not is_redacted and not (provider == "compatible" and is_local(str(base_url))):
        raise BadInput(
            f"{provider}:{model} at {base_url or 'its vendor'} is no server of this network, and may not be asked "
            "without redaction; set `redaction` of data/policies/triage.yaml to on"
        )
    common: dict[str, Any] = {
        "model": model,
        "api_key": api_key or NO_KEY,
        "temperature": TEMPERATURE,
        "max_tokens": MAX_TOKENS,
        "timeout": timeout,
        "max_retries": 0,
        "http_client": open_client(timeout=timeout),
        "base_url": base_url or SERVERS.get(provider),
    }
    if provider == "groq":
        chat = _groq(common)
    elif provider in ("openai", "compatible"):
        from langchain_openai import ChatOpenAI

        chat = ChatOpenAI(**common)
    else:
        raise BadInput(f"There is no model provider {provider!r}; choose groq, openai or compatible")
    limiter = _limiter(prompts_per_second) if prompts_per_second else None
    name = f"{provider}:{model}"
    return HostedModel(name, chat, prompt_price, completion_price, max_retries, deadline, is_redacted, limiter)


def is_local(url: str) -> bool:
    """Whether an address is this machine or, as its number says, one of a private network."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _groq(common: dict[str, Any]) -> Any:
    from langchain_groq import ChatGroq

    class StrictGroq(ChatGroq):
        """Leaves out settings that are not set: strict servers refuse `reasoning_format: null`."""

        @property
        def _default_params(self) -> dict[str, Any]:
            return {name: value for name, value in super()._default_params.items() if value is not None}

    thinking = {"reasoning_effort": "low"} if common["model"].startswith("openai/gpt-oss") else {}
    return StrictGroq(**common, **thinking)


def _limiter(prompts_per_second: float) -> Any:
    from langchain_core.rate_limiters import InMemoryRateLimiter

    return InMemoryRateLimiter(requests_per_second=prompts_per_second, max_bucket_size=max(1, prompts_per_second))


class ModelChain:
    """Models in order of preference, within a budget: the next is asked where one fails."""

    def __init__(
        self,
        models: Sequence[HostedModel],
        *,
        budget: Budget | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        if not models:
            raise BadInput("No hosted model was given; name at least one, or use the local models")
        self.models, self._budget, self._timer = tuple(models), budget, timer
        self._failed_in_a_row = dict.fromkeys((model.name for model in models), 0)

    @property
    def name(self) -> str:
        return " > ".join(model.name for model in self.models)

    def start_batch(self) -> None:
        """Every model gets a new chance."""
        self._failed_in_a_row = dict.fromkeys(self._failed_in_a_row, 0)

    @property
    def is_redacted(self) -> bool:
        """No model is shown a text as it was typed."""
        return all(model.is_redacted for model in self.models)

    def ask(
        self,
        messages: Messages,
        schema: dict[str, Any],
        read: Read,
        *,
        as_typed: Messages | None = None,
        hidden: Mapping[str, int] | None = None,
    ) -> Answer:
        """The first answer that `read` can use, asked for as `schema`. Never raises for what a server does. Models that
        need no redaction are shown the prompt `as_typed`; in the other one is `hidden` of each kind so much."""
        started, failures = self._timer(), list[Failure]()
        prompt_tokens = completion_tokens = 0
        cost = 0.0
        value, chosen = None, None
        for model in self.models:
            request = Request(messages, schema, hidden or {})
            if not model.is_redacted and as_typed:
                request = Request(as_typed, schema, {})
            attempt = self._attempt(model, request, read)
            prompt_tokens += attempt.prompt_tokens
            completion_tokens += attempt.completion_tokens
            cost += model.cost(attempt.prompt_tokens, attempt.completion_tokens)
            if attempt.failure is None:
                value, chosen = attempt.value, model.name
                break
            failures.append(attempt.failure)
        latency_ms = round((self._timer() - started) * 1000)
        return Answer(value, chosen, tuple(failures), latency_ms, prompt_tokens, completion_tokens, cost)

    def _attempt(self, model: HostedModel, request: Request, read: Read) -> _Attempt:
        if self._failed_in_a_row[model.name] >= PATIENCE:
            return _Attempt(None, Failure(model.name, Reason.GIVEN_UP))
        with answering_within(model.deadline) as allowance:
            attempt = self._patiently(model, request, read, allowance)
        if attempt.failure and attempt.failure.reason is Reason.OVER_BUDGET:
            return attempt
        failed = self._failed_in_a_row[model.name] + 1 if attempt.failure else 0
        is_hopeless = attempt.failure is not None and attempt.failure.reason in HOPELESS
        self._failed_in_a_row[model.name] = PATIENCE if is_hopeless else failed
        return attempt

    def _patiently(self, model: HostedModel, request: Request, read: Read, allowance: Allowance) -> _Attempt:
        """One answer in as many requests as it takes, each of which the budget counts."""
        attempt = self._request(model, request, read, allowance)
        for again in range(1, model.retries + 1):
            pause = pause_before(again, attempt.error)
            if attempt.failure is None or attempt.failure.reason not in PASSING or pause >= allowance.seconds:
                break
            time.sleep(pause)
            attempt = self._request(model, request, read, allowance)
        return attempt

    def _request(self, model: HostedModel, request: Request, read: Read, allowance: Allowance) -> _Attempt:
        while model.limiter and not model.limiter.acquire(blocking=False):
            if allowance.seconds <= TURN:
                return _Attempt(None, Failure(model.name, Reason.NO_TURN))
            time.sleep(TURN)
        if self._budget is None:
            return _ask(model, request, read)
        most = most_prompt_tokens(request)
        booked = self._budget.reserve(
            tokens=most + MAX_TOKENS, cost=model.cost(most, MAX_TOKENS), hidden=request.hidden
        )
        if booked is None:
            return _Attempt(None, Failure(model.name, Reason.OVER_BUDGET))
        attempt = _ask(model, request, read)
        if attempt.is_measured:
            spent = attempt.prompt_tokens, attempt.completion_tokens
            self._budget.settle(booked, tokens=sum(spent), cost=model.cost(*spent))
        return attempt


def most_prompt_tokens(request: Request) -> int:
    """No tokeniser in use makes more tokens than there are bytes; roles and the like add a few."""
    return sum(len(text.encode("utf-8", "replace")) + 16 for _, text in request.messages) + len(str(request.schema))


def _ask(model: HostedModel, request: Request, read: Read) -> _Attempt:
    most = most_prompt_tokens(request)
    try:
        structured = model.chat.with_structured_output(
            request.schema, method="json_schema", include_raw=True, strict=True
        )
        raw = structured.invoke(request.messages)["raw"]
    except Exception as error:  # vendors raise whatever they like; the next model is the answer to all of it
        reason, stated = reason_of(error), tokens_of(error)
        tokens = (bounded(stated[0], most), bounded(stated[1], MAX_TOKENS)) if stated else (0, 0)
        failure = Failure(model.name, reason, detail_of(error))
        return _Attempt(None, failure, *tokens, is_measured=stated is not None or reason in UNANSWERED, error=error)
    usage = getattr(raw, "usage_metadata", None) or {}
    tokens = bounded(usage.get("input_tokens"), most), bounded(usage.get("output_tokens"), MAX_TOKENS)
    try:
        return _Attempt(read(_text(raw)), None, *tokens)
    except Unusable as unusable:
        return _Attempt(None, Failure(model.name, unusable.reason, unusable.detail), *tokens)


def bounded(stated: Any, most: int) -> int:
    """Tokens as a server states them, from one to the most there can be; the most for what is no number of tokens."""
    is_number = isinstance(stated, int) and not isinstance(stated, bool)
    return min(stated, most) if is_number and stated > 0 else most


def _text(raw: Any) -> str:
    """What the model said, read here and not by the client: clients repair truncated JSON without a word."""
    if raw.additional_kwargs.get("refusal"):
        raise Unusable(Reason.REFUSED)
    ended = raw.response_metadata.get("finish_reason")
    if ended == "length":
        raise Unusable(Reason.TRUNCATED)
    if ended == "content_filter":
        raise Unusable(Reason.REFUSED, "content filter")
    if not isinstance(raw.content, str) or not raw.content.strip():
        raise Unusable(Reason.EMPTY)
    return str(raw.content)
