"""When triage learns again, and what counts as a help: the policy file, proofread."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from engine.contracts import Frozen
from engine.datafiles import read_yaml
from engine.errors import BadInput
from triage.contracts import Share

Count = Annotated[int, Field(ge=1)]
Certainty = Annotated[float, Field(gt=0.5, lt=1)]


class DraftPolicy(Frozen):
    """Up to which edit distance an edited draft was accepted; after how many judged drafts an article is no help."""

    accepted_distance: Share
    never_helps_after: Count


class GapPolicy(Frozen):
    """How tickets that no article covers are grouped; `alike` is a mean cosine."""

    alike: Annotated[float, Field(gt=0, lt=1)]
    least_tickets: Count
    examples: Count
    newest_tickets: Annotated[int, Field(ge=1, le=10_000)]


class DriftPolicy(Frozen):
    """From which population stability index the tickets have shifted, and how sure that has to be."""

    window_days: Count
    least_tickets: Count
    shifted_at: Annotated[float, Field(gt=0)]
    certainty: Certainty


class RetrainPolicy(Frozen):
    """How many new answers ask for a training, and when what was trained takes over."""

    answers: Count
    answers_on_drift: Count
    tested_share: Annotated[float, Field(gt=0, lt=1)]
    least_tested: Count
    margin: Share
    certainty: Certainty


class LearningPolicy(Frozen):
    drafts: DraftPolicy
    gaps: GapPolicy
    drift: DriftPolicy
    retrain: RetrainPolicy


def load_policy(path: Path) -> LearningPolicy:
    """Raises NotFound without the file, BadInput with file, key and reason."""
    try:
        return LearningPolicy.model_validate(read_yaml(path, what="learning policy"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole file"
        raise BadInput(f"{path}: {key}: {first['msg']}, got {first['input']!r}. Nothing of it was applied.") from None
