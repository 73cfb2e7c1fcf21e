"""What a report of grant reviews says: shares with intervals, money, agreement beyond chance, advice on limits."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from engine import grant_report
from engine.grant_report import GrantReviewReport, Limit
from engine.grant_review import LimitAdvice, Reason, ReviewOutcome, SecondOpinion
from engine.shared.wilson import wilson
from tests.engine.people import later
from tests.engine.test_grant_review import POLICY, grant, review, weekly

UPHELD, REVISED, COACHING = ReviewOutcome


def report_of(items: Any, grants: Any, opinions: Any = ()) -> GrantReviewReport:
    return grant_report.report(items, grants, opinions=opinions, policy=POLICY)


def pairs(*counted: tuple[str, str, int]) -> list[tuple[str, str]]:
    return [(first, second) for first, second, many in counted for _ in range(many)]


def test_report_counts_upheld_and_money() -> None:
    grants = [
        grant(1, tier="manager", amount=Decimal(600)),
        grant(2, agent_id="ben", team_id="network", amount=Decimal("0.10")),
        grant(3, agent_id="ben", amount=Decimal("0.20"), what_went_wrong="delay"),
        grant(4, amount=Decimal(99), approval_status="rejected"),
        grant(5, currency="USD"),
    ]
    items = weekly(grants, complaints={"web:2"})
    outcomes = {"web:1": ReviewOutcome.UPHELD, "web:2": ReviewOutcome.REVISED}
    by_id = {r.id: r for r in grants}
    done = [
        review(item, by_id[item.resolution_id], outcome=outcomes[item.ticket_id]).item
        for item in items
        if item.ticket_id in outcomes
    ]
    report = report_of([*done, *(i for i in items if i.ticket_id not in outcomes)], grants)
    assert (report.resolutions, report.reviewed, report.upheld_percent) == (5, 2, 50.0)
    shares = {(one.by, one.name): (one.upheld, one.reviewed) for one in report.upheld}
    assert (shares["listed", "tier3"], shares["listed", "complaint"]) == ((1, 1), (0, 1))
    assert shares["reason", "outage"] == (1, 2)
    assert (shares["amount", "200 to 1000 EUR"], shares["amount", "0 to 50 EUR"]) == ((1, 1), (0, 1))
    money = {(c.by, c.name, c.currency): (c.amount, c.grants) for c in report.compensation}
    assert money["agent", "ben", "EUR"] == (Decimal("0.30"), 2)
    assert money["agent", "ana", "EUR"] == (Decimal(600), 1)
    assert money["agent", "ana", "USD"] == (Decimal(40), 1)
    assert money["team", "network", "EUR"] == (Decimal("0.10"), 1)
    assert money["week", "2026-W10", "EUR"] == (Decimal("600.30"), 3)
    assert money["reason", "delay", "EUR"] == (Decimal("0.20"), 1)
    assert [(week.week, week.reviewed, week.upheld_percent) for week in report.trend] == [("2026-W11", 2, 50.0)]


def test_report_without_reviews_says_so() -> None:
    report = report_of([], [])
    assert (report.upheld_percent, report.trend, report.compensation) == (None, (), ())


def test_kappa_of_cohens_table() -> None:
    """Twenty of both yes, fifteen of both no, five and ten apart: observed .7, by chance .5."""
    both = pairs(("y", "y", 20), ("y", "n", 5), ("n", "y", 10), ("n", "n", 15))
    assert grant_report.kappa(both) == pytest.approx(0.4)


def test_kappa_of_three_outcomes() -> None:
    """Observed 8/10; by chance (6*5 + 3*3 + 1*2)/100 = .41; (.8 - .41)/.59."""
    both = pairs(("u", "u", 5), ("u", "r", 1), ("r", "r", 2), ("r", "c", 1), ("c", "c", 1))
    assert grant_report.kappa(both) == pytest.approx(0.39 / 0.59)


@given(st.lists(st.tuples(st.sampled_from("urc"), st.sampled_from("urc")), min_size=1, max_size=40))
def test_kappa_is_the_one_of_scikit_learn(both: list[tuple[str, str]]) -> None:
    firsts, seconds = zip(*both, strict=True)
    found = grant_report.kappa(both)
    if found is None:
        assert len({*firsts, *seconds}) == 1
    else:
        assert found == pytest.approx(cohen_kappa_score(firsts, seconds))


def by_two(many: int, second: ReviewOutcome = UPHELD) -> tuple[Any, Any, Any]:
    grants = [grant(n, tier="manager") for n in range(many)]
    items = [review(item, one).item for item, one in zip(weekly(grants), grants, strict=True)]
    items = [
        item.model_copy(update={"outcome": UPHELD if n % 2 else REVISED}) if second == REVISED else item
        for n, item in enumerate(items)
    ]
    opinions = [
        SecondOpinion(
            id=f"{item.id}/second", item_id=item.id, resolution_id=item.resolution_id, ticket_id=item.ticket_id,
            outcome=item.outcome, given_by="dirk", given_at=later(days=9),
        )
        for item in items
    ]  # fmt: skip
    return items, grants, opinions


@pytest.mark.parametrize(
    ("many", "second", "said"),
    [
        (0, UPHELD, "not known: 0 reviewed by two, 10 are needed"),
        (9, REVISED, "not known: 9 reviewed by two, 10 are needed"),
        (10, UPHELD, "not known: both found the same one thing in all 10"),
        (10, REVISED, "kappa 1.00, of 10 reviewed by two"),
    ],
)
def test_agreement_of_few_is_not_known(many: int, second: ReviewOutcome, said: str) -> None:
    found = report_of(*by_two(many, second)).agreement
    assert (found.in_words, found.by_two, found.agreed) == (said, many, many)


@pytest.mark.parametrize(
    ("upheld", "reviewed", "limit"),
    [
        (14, 14, Limit.TOO_FEW), (15, 15, Limit.RAISE), (14, 15, Limit.KEEP), (19, 20, Limit.RAISE),
        (7, 15, Limit.KEEP), (6, 15, Limit.LOWER), (0, 14, Limit.TOO_FEW),
    ],
)  # fmt: skip
def test_a_limit_moves_only_where_the_interval_says_so(upheld: int, reviewed: int, limit: Limit) -> None:
    assert grant_report.advise(upheld, reviewed, rule=POLICY.limits) == limit


def test_the_bound_itself_raises_and_does_not_lower() -> None:
    low, high = wilson(14.0, 15.0)
    assert grant_report.advise(14, 15, rule=LimitAdvice(raise_from=low)) == Limit.RAISE
    assert grant_report.advise(14, 15, rule=LimitAdvice(raise_from=0.99, lower_below=high)) == Limit.KEEP


def test_advice_counts_the_fair_sample_alone() -> None:
    grants = [grant(n) for n in range(16)]
    items = [review(item, one).item for one in grants for item in weekly([one])]
    flagged = [item.model_copy(update={"reason": Reason.FLAGGED, "outcome": COACHING}) for item in items[:1]]
    (advice,) = report_of([*items[1:], *flagged], [*grants, grant(90, tier="manager")]).advice
    assert (advice.team, advice.tier, advice.upheld, advice.reviewed, advice.limit) == (
        "cloud",
        "agent",
        15,
        15,
        "raise",
    )
    assert (advice.low, advice.high) == (79.6, 100.0)


def test_advice_of_grants_without_review_is_too_few() -> None:
    (advice,) = report_of([], [grant(1)]).advice
    assert (advice.limit, advice.low, advice.high) == (Limit.TOO_FEW, None, None)


@pytest.mark.parametrize(
    ("amount", "name"),
    [("50", "0 to 50 EUR"), ("50.01", "50 to 200 EUR"), ("1000", "200 to 1000 EUR"), ("1001", "over 1000 EUR"),
     (None, "no amount")],
)  # fmt: skip
def test_bands_end_with_their_upper_amount(amount: str | None, name: str) -> None:
    assert grant_report.band(grant(amount=amount), POLICY) == name
