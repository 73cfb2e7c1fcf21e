"""INC-7, SWG at 93 %, is drawn: Ana is asked without a guess, says DLP, and then sees both."""

from pipelines import actions
from pipelines.app.container import App
from tests.pipelines.review_desk import app, claimed, drawn, run

__all__ = ["app"]


def test_queue_has_the_slice_open_and_closed_and_the_unsure(app: App) -> None:
    claimed(app, 400, unsure=20)
    queue, slice_ = actions.review_queue(app), drawn(app)
    sure = [one for one in queue if one.question.ticket_id in slice_]
    assert {one.question.ticket_id for one in sure} == slice_
    assert {one.is_open for one in sure} == {True, False}
    assert all(one.is_open for one in queue if one not in sure)
    assert [one in sure for one in queue[:11]] == [at % 5 == 0 for at in range(11)]


def test_spot_check_is_blind_until_it_is_answered(app: App) -> None:
    claimed(app, 200)
    ticket = next(iter(drawn(app)))
    shown = run(app, "review", ticket).output + run(app, "review").output
    assert "SWG 90%" not in shown
    assert "says SWG" not in shown
    assert "slice" not in shown
    told = run(app, "review", ticket, "--label", "DLP", "--by", "ana").output
    assert "is about DLP, triage said SWG and was sure (90%): one of the random slice" in told
    assert ticket not in {one.question.ticket_id for one in actions.review_queue(app)}


def test_some_unsure_questions_look_alike(app: App) -> None:
    claimed(app, 400, unsure=400)
    blind = [one for one in actions.review_queue(app, closed=True) if one.question.is_blind]
    assert 0.15 < len(blind) / 400 < 0.35
