"""INC-1 to INC-15 of Cloud are drawn and upheld: raise. INC-16, listed for a flag and revised, does not count."""

import pytest

from engine.access import user_of
from engine.grant_report import GrantReviewReport, Limit, advise
from engine.grant_review import Reason, ReviewOutcome
from pipelines.app.container import App
from pipelines.operations import OPERATIONS, perform
from tests.engine.people import CLEO, a_desk, delivered, later
from tests.engine.test_grant_review import POLICY, grant, review, weekly


@pytest.mark.parametrize(
    ("upheld", "reviewed", "limit"),
    [(15, 15, Limit.RAISE), (14, 15, Limit.KEEP), (6, 15, Limit.LOWER), (14, 14, Limit.TOO_FEW)],
)
def test_so_many_upheld_of_so_many(upheld: int, reviewed: int, limit: Limit) -> None:
    assert advise(upheld, reviewed, rule=POLICY.limits) == limit


def test_what_is_listed_for_a_reason_does_not_count(app: App) -> None:
    a_desk(app.store, *(delivered(number) for number in range(1, 17)))
    grants = [grant(number) for number in range(1, 17)]
    *fair, flagged = (review(weekly([one])[0], one).item for one in grants)
    odd = flagged.model_copy(update={"reason": Reason.FLAGGED, "outcome": ReviewOutcome.REVISED})
    app.store.put([*grants, *fair, odd])
    asked = {"since": later(), "until": later(days=7)}
    found = perform(app, OPERATIONS["review report"], user=user_of(CLEO), arguments=asked, at=later(days=9))
    assert isinstance(found, GrantReviewReport)
    [advice] = found.advice
    assert (advice.team, advice.upheld, advice.reviewed, advice.limit) == ("cloud", 15, 15, Limit.RAISE)
