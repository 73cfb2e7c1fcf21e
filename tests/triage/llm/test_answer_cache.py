"""An answer is kept for exactly the words, labels, model and prompt that it was given for, and without any text."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.triage.conftest import MONDAY
from triage.llm.answer_cache import AnswerCache, KeptAnswer, answer_key
from triage.llm.tables import metadata

ASKED: dict[str, Any] = {"taxonomy": "t", "model": "m", "prompt": "p"}
ANSWER = KeptAnswer("m", "ZTNA", 0.9)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnswerCache]:
    is_file = request.param == "sqlite"
    engine = sa.create_engine(
        f"sqlite:///{tmp_path / 'desk.db'}" if is_file else request.getfixturevalue("new_database")()
    )
    metadata.create_all(engine)
    yield AnswerCache(engine)
    engine.dispose()


def test_an_answer_comes_back_under_its_key(cache: AnswerCache) -> None:
    key = answer_key("Connector", "It is offline", **ASKED)
    cache.keep({key: ANSWER}, at=MONDAY)
    assert cache.find([key, "another"]) == {key: ANSWER}


@pytest.mark.parametrize(
    "other",
    [
        answer_key("Connector", "It is offline.", **ASKED),
        answer_key("ConnectorIt", " is offline", **ASKED),
        answer_key("Connector", "It is offline", **{**ASKED, "taxonomy": "t2"}),
        answer_key("Connector", "It is offline", **{**ASKED, "model": "m2"}),
        answer_key("Connector", "It is offline", **{**ASKED, "prompt": "p2"}),
    ],
)
def test_any_difference_is_another_key(other: str) -> None:
    assert other != answer_key("Connector", "It is offline", **ASKED)


def test_the_first_answer_stays(cache: AnswerCache) -> None:
    cache.keep({"k": ANSWER}, at=MONDAY)
    cache.keep({"k": ANSWER._replace(label="DLP"), "l": ANSWER}, at=MONDAY)
    assert cache.find(["k", "l"]) == {"k": ANSWER, "l": ANSWER}


def test_many_keys_are_found_at_once(cache: AnswerCache) -> None:
    answers = {f"k{n}": ANSWER for n in range(1201)}
    cache.keep(answers, at=MONDAY)
    assert cache.find(list(answers)) == answers


def test_old_answers_can_be_forgotten(cache: AnswerCache) -> None:
    cache.keep({"old": ANSWER}, at=MONDAY - timedelta(days=90))
    cache.keep({"new": ANSWER}, at=MONDAY)
    assert cache.forget(before=MONDAY - timedelta(days=30)) == 1
    assert cache.find(["old", "new"]) == {"new": ANSWER}
