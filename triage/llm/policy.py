"""When a hosted model is asked, how much it may cost, and what each charges: the policy file, proofread."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from engine.contracts import Frozen
from engine.datafiles import read_yaml
from engine.errors import BadInput
from triage.budget import Limits
from triage.contracts import Share

Price = Annotated[float, Field(ge=0)]


class CascadePolicy(Frozen):
    """Which tickets the local classifier is not sure enough of.

    Of `choose_from` or more tickets at once: as many of the least certain as it takes for the rest to err in at most
    `target_error`, but at most `max_share` of them. Of fewer: those under `send_below`.
    """

    target_error: Share
    max_share: Share
    choose_from: Annotated[int, Field(ge=1)]
    send_below: Share


class AskingPolicy(Frozen):
    """How servers are asked: tickets a prompt, prompts at once, prompts a second and model, retries a prompt."""

    tickets_per_prompt: Annotated[int, Field(ge=1, le=20)]
    at_once: Annotated[int, Field(ge=1, le=32)]
    prompts_per_second: Annotated[float, Field(gt=0, le=1000)]
    retries: Annotated[int, Field(ge=0, le=10)]


class Prices(Frozen):
    """US dollars per million tokens."""

    prompt: Price
    completion: Price


class TriagePolicy(Frozen):
    cascade: CascadePolicy
    asking: AskingPolicy
    budget_per_day: Limits
    prices: dict[str, Prices]
    unlisted: Prices

    def price(self, name: str) -> Prices:
        """Of a model `provider:model`: its own line, else its provider's, else that of the unlisted."""
        return self.prices.get(name) or self.prices.get(name.partition(":")[0]) or self.unlisted


def load_policy(path: Path) -> TriagePolicy:
    """Raises NotFound without the file, BadInput with file, key and reason."""
    try:
        return TriagePolicy.model_validate(read_yaml(path, what="triage policy"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole file"
        raise BadInput(f"{path}: {key}: {first['msg']}, got {first['input']!r}. Nothing of it was applied.") from None
