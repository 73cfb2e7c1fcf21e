"""The server answers "BANANA": the local class is stored, the reason names the failure."""

import pytest

from tests.triage.chat_server import labelling, serving
from tests.triage.llm.test_cascade import Opened, database, one_at_a_time, opened, unsure  # noqa: F401


def test_a_label_off_the_taxonomy_leaves_the_local_class(opened: Opened) -> None:  # noqa: F811
    with serving(labelling(lambda _: "BANANA")) as server:
        (claim,) = opened(server, asking=one_at_a_time()).classify(unsure(1))
    assert (claim.product, claim.model_used, claim.needs_review) == ("DLP", "local:stated", True)
    assert "a label outside the taxonomy" in claim.reasoning


def test_its_confidence_is_averaged_with_the_local_one(opened: Opened) -> None:  # noqa: F811
    with serving(labelling(lambda _: "DLP", confidence=0.9)) as server:
        (claim,) = opened(server, asking=one_at_a_time()).classify(unsure(1))
    assert claim.confidence == pytest.approx((0.9 + 0.3) / 2)
