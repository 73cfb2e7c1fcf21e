"""Answers and feedback are history; the last that arrived counts, and two at once lose none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine

from engine.shared.errors import Conflict, NotFound
from engine.storage import open_store
from engine.storage.sql import SqlStore
from tests.ports.conftest import (  # noqa: F401
    pytest_generate_tests,
    sql_only,
    url,
)
from tests.triage.conftest import MONDAY
from tests.triage.test_store import claim, ticket
from triage.contracts import Guess
from triage.feedback.acceptance import Feedback, Outcome
from triage.feedback.reviews import Review
from triage.feedback.store import FeedbackStore, ModelRun
from triage.store import TriageStore

pytestmark = pytest.mark.usefixtures("sql_only")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:  # noqa: F811
    opened = open_store(url)
    assert isinstance(opened, SqlStore)
    tickets = [ticket(1), ticket(2, "Other")]
    TriageStore(opened.engine).save_classifications(tickets, [claim(1, needs_review=True), claim(2)], at=MONDAY)
    yield opened.engine
    opened.close()


@pytest.fixture
def store(engine: Engine) -> FeedbackStore:
    return FeedbackStore(engine)


def answer(label: str = "ZTNA", by: str = "ana", number: int = 1, hours: int = 0) -> Review:
    return Review(
        ticket_id=f"desk:{number}", label=label, text="☃ text", claim_id="c", said="SWG", confidence=0.4,
        model_used="local", answered_by=by, note="n", opened_at=MONDAY, answered_at=MONDAY + timedelta(hours=hours),
    )  # fmt: skip


def judged(outcome: Outcome, by: str = "ana") -> Feedback:
    return Feedback(
        ticket_id="desk:1", suggestion_id="sug-1", outcome=outcome, label="ZTNA", articles=("a", "b"),
        distance=None if outcome == Outcome.REJECTED else 0.0, model_used="extractive", given_by=by, given_at=MONDAY,
    )  # fmt: skip


def run(**given: object) -> ModelRun:
    values = {
        "name": "trained:1", "file": "a.model", "data_sha256": "s", "champion": "local", "reason": "r",
        "learned_rows": 9, "reviews_seen": 3, "tested": 2, "champion_right": 1, "challenger_right": 2,
        "difference_low": -0.1, "took_over": True, "succeeds": 0, "measured": {"rows": 9}, "reference": {},
        "trained_at": MONDAY, **given,
    }  # fmt: skip
    return ModelRun.model_validate(values)


def test_answers_come_back_as_they_went_in(store: FeedbackStore) -> None:
    store.add_review(answer())
    assert store.answers() == {"desk:1": answer()}
    assert store.answers(as_of=MONDAY - timedelta(hours=1)) == {}


def test_last_answer_counts_and_the_rest_is_history(store: FeedbackStore) -> None:
    first, second = answer("SWG", "ben", hours=5), answer("ZTNA", "ana", hours=1)
    assert store.add_review(first) < store.add_review(second)
    assert store.answers() == {"desk:1": second}
    assert store.review_history("desk:1") == [first, second]
    assert store.answer_count() == 2


def test_two_people_at_once_lose_no_answer(store: FeedbackStore) -> None:
    people, ready = [f"agent-{n}" for n in range(8)], Barrier(8)

    def give(by: str) -> int:
        ready.wait()
        return store.add_review(answer(by=by))

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(give, people))
    history = store.review_history("desk:1")
    assert len(set(numbers)) == 8
    assert {one.answered_by for one in history} == set(people)
    assert store.answers()["desk:1"] == history[-1]


def test_unknown_ticket_is_refused(store: FeedbackStore) -> None:
    with pytest.raises(NotFound, match="has not looked at desk:9"):
        store.add_review(answer(number=9))
    assert store.answer_count() == 0


def test_deleting_a_ticket_forgets_what_was_said_of_it(store: FeedbackStore, engine: Engine) -> None:
    store.add_review(answer())
    store.add_feedback(judged(Outcome.SENT))
    TriageStore(engine).delete("desk:1")
    assert (store.answers(), store.feedback()) == ({}, [])


def test_unsure_gives_the_newest_claim_with_its_text(store: FeedbackStore, engine: Engine) -> None:
    unsure = claim(1, MONDAY + timedelta(hours=1), needs_review=True, runner_up=Guess(label="CFW", confidence=0.1))
    TriageStore(engine).save_classifications([ticket(1)], [unsure], at=MONDAY)
    assert store.unsure() == [(unsure, ticket(1))]
    TriageStore(engine).save_classifications([ticket(1)], [claim(1, MONDAY + timedelta(hours=2))], at=MONDAY)
    assert store.unsure() == []


def test_claims_of_a_model_are_its_own(store: FeedbackStore, engine: Engine) -> None:
    other = claim(2, MONDAY + timedelta(hours=1), model_used="hosted")
    TriageStore(engine).save_classifications([ticket(2)], [other], at=MONDAY)
    assert store.claims_of("local")["ticket"].to_list() == ["desk:1"]
    assert store.claims_of("nobody").is_empty()


def test_last_feedback_on_a_draft_counts(store: FeedbackStore) -> None:
    store.add_feedback(judged(Outcome.SENT))
    store.add_feedback(judged(Outcome.REJECTED))
    assert store.feedback() == [judged(Outcome.REJECTED)]
    assert [one.outcome for one in store.feedback_of("desk:1")] == ["sent", "rejected"]


def test_model_in_force_is_the_last_that_took_over(store: FeedbackStore) -> None:
    assert store.in_force() is None
    first = store.add_run(run())
    store.add_run(run(took_over=False, succeeds=None))
    assert store.in_force() == first
    second = store.add_run(run(name="trained:2", succeeds=first.number))
    assert store.in_force() == second
    assert [one.number for one in store.runs()] == sorted(one.number for one in store.runs())


def test_two_trainings_at_once_one_takes_over(store: FeedbackStore) -> None:
    store.add_run(run())
    with pytest.raises(Conflict, match="train again"):
        store.add_run(run(name="trained:2"))
    assert [one.name for one in store.runs()] == ["trained:1"]
