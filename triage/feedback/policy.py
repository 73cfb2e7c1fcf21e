"""When triage learns again, and what counts as a help: the policy file, proofread."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine.shared import policy_file
from triage.contracts import Share
from triage.policy_files import Policy

Count = Annotated[int, Field(ge=1, le=100_000)]
Few = Annotated[int, Field(ge=1, le=100)]
Days = Annotated[int, Field(ge=1, le=3650)]
Certainty = Annotated[float, Field(gt=0.5, lt=1)]


class DraftPolicy(Policy):
    """Up to which edit distance an edited draft was accepted; after how many judged drafts an article is no help."""

    accepted_distance: Share
    never_helps_after: Count


class GapPolicy(Policy):
    """How tickets that no article covers are grouped; `alike` is a mean cosine."""

    alike: Annotated[float, Field(gt=0, lt=1)]
    least_tickets: Count
    examples: Few
    newest_tickets: Annotated[int, Field(ge=1, le=10_000)]


class DriftPolicy(Policy):
    """From which population stability index the tickets have shifted, and how sure that has to be."""

    window_days: Days
    least_tickets: Count
    shifted_at: Annotated[float, Field(gt=0, le=100)]
    certainty: Certainty


class RetrainPolicy(Policy):
    """How many new answers ask for a training, and when what was trained takes over."""

    answers: Count
    answers_on_drift: Count
    tested_share: Annotated[float, Field(gt=0, lt=1)]
    least_tested: Count
    margin: Share
    certainty: Certainty


class SlicePolicy(Policy):
    """Which share of the claims that triage is sure of people are asked about, drawn by `seed`; how often such a
    question comes; and which share of the unsure ones is asked in the same words, so that these give nothing away."""

    share: Annotated[float, Field(gt=0, le=1)]
    seed: Annotated[int, Field(ge=0)]
    every: Few
    blind_unsure: Share


class AnsweredPolicy(Policy):
    """From which cosine of their words two texts are alike, with so many words at least; how sure a claim is that
    repeats what a person answered."""

    alike: Annotated[float, Field(gt=0.5, le=1)]
    least_words: Few
    confidence: Certainty


class PhrasePolicy(Policy):
    """Which phrases are proposed: said in how many answered texts of a label, how surely more often there than
    elsewhere, and with which share of their texts elsewhere at most. `prior` is how much all texts weigh in the
    expectation of each label's."""

    least_texts: Annotated[int, Field(ge=2, le=100)]
    least_z: Annotated[float, Field(gt=0, le=10)]
    most_elsewhere: Share
    prior: Annotated[float, Field(gt=0, le=10)]
    newest_answers: Annotated[int, Field(ge=1, le=10_000)]
    examples: Few


class LearningPolicy(Policy):
    drafts: DraftPolicy
    gaps: GapPolicy
    drift: DriftPolicy
    retrain: RetrainPolicy
    honest_slice: SlicePolicy
    answered: AnsweredPolicy
    phrases: PhrasePolicy


def load_policy(path: Path) -> LearningPolicy:
    """Raises NotFound without the file, BadInput with file, key and reason."""
    return policy_file.read(path, LearningPolicy, what="learning policy")
