"""Cleo finds Ana's grant on INC-5 revised; Dirk, who has not opened INC-5 since, says upheld: it stays revised."""

import pytest

from engine.access import user_of
from engine.contracts import Agent
from engine.grant_review import GrantReviewItem, needs_second
from engine.resolutions import GrantReviewStatus, Resolution
from engine.shared.errors import NotAllowed, NotFound
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.jobs.grant_review import review_list
from pipelines.operations import OPERATIONS, perform
from tests.engine.people import CLEO, DIRK, a_desk, delivered, later
from tests.engine.test_grant_review import POLICY, grant, weekly

GRANTS = {f"r{number:03}": grant(5, id=f"r{number:03}") for number in range(400)}
ITEMS = [weekly([one])[0] for one in GRANTS.values()]
FOR_TWO = [item for item in ITEMS if needs_second(item, policy=POLICY)]


@pytest.fixture
def desk(app: App) -> App:
    """The grant on INC-5 is drawn for two."""
    a_desk(app.store, delivered(5))
    app.store.put([FOR_TWO[0], GRANTS[FOR_TWO[0].resolution_id]])
    say(app, "review decide", by=CLEO, outcome="revised", notes="half of it")
    return app


def say(app: App, operation: str, *, by: Agent, **given: str) -> None:
    days = 8 if operation == "review decide" else 9
    perform(app, OPERATIONS[operation], user=user_of(by), key=FOR_TWO[0].id, arguments=given, at=later(days=days))


def test_half_is_drawn() -> None:
    assert len(FOR_TWO) == pytest.approx(200, abs=30)


def test_the_second_opinion_changes_no_outcome(desk: App) -> None:
    with pytest.raises(NotAllowed, match=r"Cleo reviewed .* first"):
        say(desk, "review second", by=CLEO, outcome="upheld")
    [before] = review_list(desk, reviewed=True)
    assert before.is_hidden_from("dirk")
    say(desk, "review second", by=DIRK, outcome="upheld")
    [listed] = review_list(desk, reviewed=True)
    assert listed.second
    assert (listed.item.outcome, listed.second.outcome, listed.is_hidden_from("dirk")) == ("revised", "upheld", False)
    assert desk.store.get(Resolution, listed.resolution.id).calibration_status == GrantReviewStatus.REVISED


def test_its_lesson_tells_a_second_reviewer_nothing_before(desk: App) -> None:
    def lessons(reader: Agent) -> list[str]:
        found = perform(desk, OPERATIONS["lesson list"], user=user_of(reader))
        return [one.text for one in found] if isinstance(found, list) else []

    assert "half of it" in lessons(CLEO)[0]
    assert lessons(DIRK) == []
    with pytest.raises(NotFound, match=r"No lesson .* waits"):
        perform(desk, OPERATIONS["lesson reject"], user=user_of(DIRK), key=f"{FOR_TWO[0].id}/lesson", at=later(days=9))
    say(desk, "review second", by=DIRK, outcome="upheld")
    assert "half of it" in lessons(DIRK)[0]


def test_who_opened_the_ticket_since_is_not_blind(desk: App) -> None:
    identity.saw(desk, user_of(DIRK), door="ticket", ticket_id="web:5")
    desk.view_log.write()
    with pytest.raises(NotAllowed, match="Dirk opened INC-5 after its review"):
        say(desk, "review second", by=DIRK, outcome="upheld")
    assert desk.store.get(GrantReviewItem, FOR_TWO[0].id).outcome == "revised"
