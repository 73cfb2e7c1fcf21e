"""A mail that a machine wrote is known by its words; what people write about such mails is theirs."""

from pathlib import Path

import polars as pl
import pytest
import yaml
from pydantic import ValidationError

from engine.outcomes import OutcomePolicy, load

ROOT = Path(__file__).parents[2]
CASES: dict[str, list[tuple[str, str]]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "machine_mail.yaml").read_text(encoding="utf-8")
)


def is_machine(subject: str, content: str) -> bool:
    tickets = pl.DataFrame({"subject": [subject], "content": [content], "external_metadata": ["{}"]})
    return bool(load(ROOT / "data" / "policies" / "outcomes.yaml").machine_mail(tickets)[0])


@pytest.mark.parametrize(("subject", "content"), CASES["machine"])
def test_receipts_and_answers_by_machines_are_known(subject: str, content: str) -> None:
    assert is_machine(subject, content)


@pytest.mark.parametrize(("subject", "content"), CASES["person"])
def test_what_a_person_writes_about_them_is_not(subject: str, content: str) -> None:
    assert not is_machine(subject, content)


def test_a_pattern_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValidationError, match="no regular expression"):
        OutcomePolicy.model_validate({"counts": {}, "machine_sentences": ["we have (received"]})
