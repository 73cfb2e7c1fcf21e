"""When a hosted model is asked, how much it may cost, and what each charges: the policy file, proofread."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from engine.shared import policy_file
from triage.contracts import Share
from triage.llm.budget import Limits
from triage.policy_files import Policy

Price = Annotated[float, Field(ge=0, le=1_000_000)]


class CascadePolicy(Policy):
    """Which tickets the local classifier is not sure enough of.

    Of `choose_from` or more tickets at once: as many of the least certain as it takes for the rest to err in at most
    `target_error`, but at most `max_share` of them. Of fewer: those under `send_below`.
    """

    target_error: Share
    max_share: Share
    choose_from: Annotated[int, Field(ge=1, le=1_000_000)]
    send_below: Share


class AskingPolicy(Policy):
    """How servers are asked: tickets a prompt, prompts at once, prompts a second and model, retries a prompt, and the
    seconds after which a prompt is given up, its retries and the waiting between them included."""

    tickets_per_prompt: Annotated[int, Field(ge=1, le=20)]
    at_once: Annotated[int, Field(ge=1, le=32)]
    prompts_per_second: Annotated[float, Field(gt=0, le=1000)]
    retries: Annotated[int, Field(ge=0, le=10)]
    answer_within_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0


class Redaction(Policy):
    """Whether what is personal or secret is hidden from a provider; only a server of one's own may read it."""

    groq: Literal[True] = True
    openai: Literal[True] = True
    compatible: bool = True

    def covers(self, provider: str) -> bool:
        return provider != "compatible" or self.compatible


class DailyLimits(Policy, Limits):
    """As they are written in the file; a database counts no further."""

    calls: Annotated[int, Field(ge=0, le=10**9)]
    tokens: Annotated[int, Field(ge=0, le=10**15)]
    usd: Annotated[float, Field(ge=0, le=1_000_000_000)]


class Prices(Policy):
    """US dollars per million tokens."""

    prompt: Price
    completion: Price


class TriagePolicy(Policy):
    cascade: CascadePolicy
    asking: AskingPolicy
    redaction: Redaction = Redaction()
    budget_per_day: DailyLimits
    prices: dict[str, Prices]
    unlisted: Prices

    def price(self, name: str) -> Prices:
        """Of a model `provider:model`: its own line, else its provider's, else that of the unlisted."""
        return self.prices.get(name) or self.prices.get(name.partition(":")[0]) or self.unlisted


def load_policy(path: Path) -> TriagePolicy:
    """Raises NotFound without the file, BadInput with file, key and reason."""
    return policy_file.read(path, TriagePolicy, what="triage policy")
