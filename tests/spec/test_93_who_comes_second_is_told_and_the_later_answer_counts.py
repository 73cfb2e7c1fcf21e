"""Ana says SWG of INC-9, Ben DLP: Ben is told, INC-9 is about DLP, and the two disagree."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from pipelines import actions
from pipelines.app.container import App, open_app
from tests.pipelines.review_desk import app, claimed, run

__all__ = ["app"]

SQL = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def shared(request: pytest.FixtureRequest, tmp_path: Path, sqlite_file: Any) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'helmdesk.db'}"
    return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


@pytest.mark.parametrize("shared", SQL, indirect=True)
def test_of_two_at_once_the_later_is_given_the_others_answer(shared: str, tmp_path: Path) -> None:
    ready = Barrier(2)
    with open_app(home=tmp_path, database_url=shared) as first, open_app(home=tmp_path, database_url=shared) as second:
        claimed(first, 6)

        def answer(app: App, by: str, label: str) -> Any:
            ready.wait()
            return actions.answer_review(app, "INC-4", label=label, by=by)

        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(answer, (first, second), ("ana", "ben"), ("SWG", "DLP")))
        history = first.triage.feedback.review_history("northlight:INC-4")
        earlier, later = sorted(both, key=lambda one: len(one.before))
        assert [one.answered_by for one in history] == [earlier.answered_by, later.answered_by]
        assert [one.label for one in later.before] == [earlier.label]
        assert actions.reviewers_agree(first) == (1, 0)


def test_who_comes_second_knows_it_and_answers_too(app: App) -> None:
    claimed(app, 6)
    run(app, "review", "INC-2", "--label", "SWG", "--by", "ana")
    shown = run(app, "review", "INC-2").output
    assert "ana answered it" in shown
    assert "yours is a second opinion" in shown
    told = run(app, "review", "INC-2", "--label", "DLP", "--by", "ben").output.splitlines()
    assert told[1].startswith("a second opinion: ana answered SWG; your answer counts now, ")
    assert actions.reviewers_agree(app) == (1, 0)
