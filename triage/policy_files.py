"""How strictly triage reads its policy files: nothing is converted."""

from pydantic import ConfigDict

from engine.contracts import Frozen


class Policy(Frozen):
    """A part of a policy file: a count is a whole number, a share is finite; nothing is converted."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)
