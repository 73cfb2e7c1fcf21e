"""Chat models at Groq, at OpenAI or at any server that speaks OpenAI's protocol, asked for JSON of a given shape."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeVar

from pydantic import BaseModel

from engine.errors import BadInput
from triage.llm.prompts import Messages

Shape = TypeVar("Shape", bound=BaseModel)

TEMPERATURE: Final = 0.3
MAX_TOKENS: Final = 1000
SERVERS: Final = {"groq": "https://api.groq.com", "openai": "https://api.openai.com/v1"}
"""Said outright, so that no variable of the environment sends tickets elsewhere."""
PATIENCE: Final = 5
"""A model that fails this often in a row is not asked again in the same batch."""


class HostedModel(NamedTuple):
    """A chat model of LangChain with its name and price in US dollars per million tokens."""

    name: str
    chat: Any
    prompt_price: float = 0.0
    completion_price: float = 0.0


class Answer(NamedTuple):
    """What came back: `value` is None where no model gave a usable answer; tokens and cost count all attempts."""

    value: Any
    model: str | None
    failures: tuple[str, ...]
    latency_ms: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


class _Attempt(NamedTuple):
    value: Any
    failure: str | None
    prompt_tokens: int = 0
    completion_tokens: int = 0


def open_model(
    provider: Literal["groq", "openai"],
    model: str,
    *,
    api_key: str,
    base_url: str | None = None,
    timeout: float = 30.0,
    max_retries: int = 2,
    prompt_price: float = 0.0,
    completion_price: float = 0.0,
) -> HostedModel:
    """A model by its provider; `base_url` is another server with the same protocol. Nothing is asked yet.

    Raises BadInput for an unknown provider or an empty key.
    """
    if not api_key:
        raise BadInput(f"The model {provider}:{model} needs a key; set one, or use the local models, which need none")
    common: dict[str, Any] = {
        "model": model,
        "api_key": api_key,
        "temperature": TEMPERATURE,
        "max_tokens": MAX_TOKENS,
        "timeout": timeout,
        "max_retries": max_retries,
        "base_url": base_url or SERVERS.get(provider),
    }
    if provider == "groq":
        chat = _groq(common)
    elif provider == "openai":
        from langchain_openai import ChatOpenAI

        chat = ChatOpenAI(**common)
    else:
        raise BadInput(f"There is no model provider {provider!r}; choose groq or openai")
    return HostedModel(f"{provider}:{model}", chat, prompt_price, completion_price)


def _groq(common: dict[str, Any]) -> Any:
    from langchain_groq import ChatGroq

    class StrictGroq(ChatGroq):
        """Leaves out settings that are not set: strict servers refuse `reasoning_format: null`."""

        @property
        def _default_params(self) -> dict[str, Any]:
            return {name: value for name, value in super()._default_params.items() if value is not None}

    return StrictGroq(**common)


class ModelChain:
    """Models in order of preference: the next is asked where one fails."""

    def __init__(self, models: Sequence[HostedModel], *, timer: Callable[[], float] = time.perf_counter) -> None:
        if not models:
            raise BadInput("No hosted model was given; name at least one, or use the local models")
        self.models, self._timer = tuple(models), timer
        self._failed_in_a_row = dict.fromkeys((model.name for model in models), 0)

    @property
    def name(self) -> str:
        return " > ".join(model.name for model in self.models)

    def start_batch(self) -> None:
        """Every model gets a new chance."""
        self._failed_in_a_row = dict.fromkeys(self._failed_in_a_row, 0)

    def ask(self, messages: Messages, shape: type[Shape], check: Callable[[Shape], str | None]) -> Answer:
        """The first answer of the shape that `check` finds nothing wrong with. Never raises for what a server does."""
        started, failures = self._timer(), list[str]()
        prompt_tokens = completion_tokens = 0
        cost = 0.0
        value, chosen = None, None
        for model in self.models:
            if self._failed_in_a_row[model.name] >= PATIENCE:
                failures.append(f"{model.name} failed too often")
                continue
            attempt = _attempt(model, messages, shape, check)
            prompt_tokens += attempt.prompt_tokens
            completion_tokens += attempt.completion_tokens
            cost += (
                attempt.prompt_tokens * model.prompt_price + attempt.completion_tokens * model.completion_price
            ) / 1e6
            if attempt.failure is None:
                self._failed_in_a_row[model.name] = 0
                value, chosen = attempt.value, model.name
                break
            self._failed_in_a_row[model.name] += 1
            failures.append(f"{model.name}: {attempt.failure}")
        latency_ms = round((self._timer() - started) * 1000)
        return Answer(value, chosen, tuple(failures), latency_ms, prompt_tokens, completion_tokens, cost)


def _attempt(
    model: HostedModel, messages: Messages, shape: type[Shape], check: Callable[[Shape], str | None]
) -> _Attempt:
    try:
        asked = model.chat.with_structured_output(shape, method="json_schema", include_raw=True)
        result = asked.invoke(messages)
    except Exception as error:  # vendors raise whatever they like; the next model is the answer to all of it
        return _Attempt(None, f"{type(error).__name__}{_status(error)}")
    usage = getattr(result["raw"], "usage_metadata", None) or {}
    tokens = int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0))
    parsed = result["parsed"]
    if not isinstance(parsed, shape):  # None is what comes back without a word when a server ignores the shape
        return _Attempt(None, "the answer does not have the shape asked for", *tokens)
    return _Attempt(parsed, check(parsed), *tokens)


def _status(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    return f" (HTTP {status})" if status else ""
