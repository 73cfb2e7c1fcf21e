"""The figures of the Look pages against tables written by hand and against scikit-learn."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from dashboards import ticket_lists
from pipelines.app.container import open_app
from pipelines.app.settings import shipped_data
from pipelines.figures import drift, promises, rhythm, satisfaction, triage_numbers, weekly
from pipelines.figures.selection import DIMENSIONS, Period, Selection
from pipelines.marts import MartReader
from sla.reporting.goals import load
from tests.dashboards.marts_by_hand import NOON, clock, published, ticket
from triage.calibrate import expected_calibration_error

GOALS = load(shipped_data() / "policies" / "goals.yaml").attainment
LATELY = Selection(period=Period.of_days(7, until=NOON.date()))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MartReader]:
    """This week group g-2 keeps 2 of 20 promises, g-1 all of its 20; a week before that all of 10 were kept."""
    start, before = NOON - timedelta(days=2), NOON - timedelta(days=9)
    lately = [
        clock(f"N-{n}", "resolution", "met" if n % 2 or n < 4 else "breached", group_id="g-1" if n % 2 else "g-2",
              window_start=start)
        for n in range(40)
    ]  # fmt: skip
    earlier = [clock(f"E-{n}", "resolution", "met", window_start=before) for n in range(10)]
    tickets = [
        ticket(f"N-{n}", created_at=start, product="ZTNA" if n < 30 else None, closed_at=NOON, is_open=False)
        for n in range(40)
    ]
    tickets += [ticket(f"E-{n}", created_at=before, product="ZTNA") for n in range(10)]
    tickets.append(ticket("FIRST", created_at=NOON - timedelta(days=30)))
    surveys = [
        {"ticket": f"demo:N-{n}", "reference": f"N-{n}", "answered_at": NOON, "csat": csat, "nps": nps,
         "is_complaint": csat == 1}
        for n, (csat, nps) in enumerate([(5, 10), (4, 9), (4, 8), (2, 3), (1, None)])
    ]  # fmt: skip
    rng = Random(3)
    sure = [rng.random() for _ in range(200)]
    reviews = [
        {"ticket": f"demo:R-{n}", "reference": f"R-{n}", "said": rng.choice(["ZTNA", "SWG"]),
         "label": rng.choice(["ZTNA", "SWG", "DLP"]), "confidence": one, "is_right": rng.random() < one,
         "model_used": "local", "answered_by": "ana", "note": "", "answered_at": NOON}
        for n, one in enumerate(sure)
    ]  # fmt: skip
    home = tmp_path_factory.mktemp("home")
    with published(home, sla_clocks=lately + earlier, tickets=tickets, surveys=surveys, reviews=reviews) as reader:
        yield reader


def test_verdict_says_share_target_the_period_before_and_the_worst_for_sure(desk: MartReader) -> None:
    found = promises.standing(desk, GOALS, LATELY)
    assert (found.met, found.decided, found.share, found.before) == (22, 40, 0.55, 1.0)
    assert found.target == 0.9
    worst = promises.worst_cut(desk, GOALS, LATELY)
    assert worst is not None
    assert (worst.dimension, worst.value, worst.share, worst.decided) == ("group", "g-2", 0.1, 20)
    said = promises.sentence(found, worst, DIMENSIONS)
    assert said.startswith(
        "Below target and worse than before: 55.0 % of 40 promises were kept (95 % interval 40 % to 69 %; target 90 %;"
    )
    assert said.endswith("Worst for sure: group g-2, 10 % of 20, target 90 %.")


def test_where_nothing_is_decided_it_says_so(desk: MartReader) -> None:
    none = LATELY._replace(groups=("nowhere",))
    assert promises.sentence(promises.standing(desk, GOALS, none), None, DIMENSIONS).startswith("No promise of this")


def test_few_broken_ones_are_no_verdict() -> None:
    """Nine of ten kept are 60 to 98 %: neither above nor below a target of 90 % for sure."""
    standing = promises.Standing(9, 10, 0.9, 0.6, 0.98, 0.9, None)
    assert promises.sentence(standing, None, DIMENSIONS).startswith("About on target: ")


def test_what_still_runs_decides_nothing_yet() -> None:
    """Of 20 promises 6 are met, 4 broken and 10 run in time: at best 16 of 20, under 90 % but not under 75 %."""
    early = promises.Standing(6, 10, 0.6, 0.31, 0.83, 0.75, 0.9, before_decided=50, clocks=20, in_time=10)
    sentence = promises.sentence(early, None, DIMENSIONS)
    assert sentence.startswith("Too early to say: 60.0 % of 10 promises were kept")
    assert "80.0 % if all 10 that still run in time are met" in sentence
    assert "before" not in sentence
    assert promises.sentence(early._replace(target=0.9), None, DIMENSIONS).startswith(
        "Below target whatever still runs"
    )


def test_a_period_that_began_before_the_first_ticket_is_compared_with_nothing(desk: MartReader) -> None:
    assert promises.whole_before(desk, LATELY) == LATELY.before()
    assert promises.whole_before(desk, Selection(period=Period.of_days(16, until=NOON.date()))) is None
    assert promises.whole_before(desk, Selection()) is None
    longer = Selection(period=Period.of_days(16, until=NOON.date()))
    assert promises.standing(desk, GOALS, longer).before is None
    assert promises.themes(desk, longer)["before"].null_count() == 2


def test_a_change_is_as_sure_as_newcombe_says() -> None:
    """Newcombe 1998, table II, example a, method 10: 56/70 against 48/80."""
    found, low, high = promises.change((56, 70), (48, 80))
    assert (round(found, 4), round(low, 4), round(high, 4)) == (0.2, 0.0524, 0.3339)


def test_the_worst_of_all_dimensions_are_those_of_each(desk: MartReader) -> None:
    every = weekly.worst_cuts(desk, GOALS.wanted(), LATELY, limit=None)
    assert every.height > 1
    for row in every.iter_rows(named=True):
        alone = weekly.against_target(desk, row["dimension"], GOALS.wanted(), LATELY).filter(pl.col("id") == row["id"])
        assert {key: row[key] for key in alone.columns} == alone.row(0, named=True)


def test_a_cut_that_mostly_runs_is_not_the_worst(tmp_path: Path) -> None:
    rows = [clock(f"B-{n}", "resolution", "breached", group_id="g-1") for n in range(9)]
    rows += [clock(f"R-{n}", "resolution", "on_track", group_id="g-1") for n in range(30)]
    rows += [clock(f"S-{n}", "resolution", "met" if n % 2 else "breached", group_id="g-2") for n in range(40)]
    with published(tmp_path, sla_clocks=rows) as reader:
        worst = promises.worst_cut(reader, GOALS)
    assert worst is not None
    assert (worst.dimension, worst.value, worst.share) == ("group", "g-2", 0.5)


def test_an_hour_leads_to_its_tickets(desk: MartReader) -> None:
    hour = rhythm.hour_of(3, 12)
    assert hour == "Wed 12:00"
    (at,) = rhythm.share_met_by_hour_and_weekday(desk, LATELY).iter_rows(named=True)
    assert ticket_lists.size(desk, "breached_by_hour", LATELY._replace(which=hour)).rows == at["breached"] == 18
    assert ticket_lists.size(desk, "breached_by_hour", LATELY._replace(which="Wed 13:00")).rows == 0
    assert ticket_lists.size(desk, "created_by_hour", LATELY._replace(which=hour)).rows == 40
    assert {hour, "Sun 23:00"} <= set(ticket_lists.offered(desk, "breached_by_hour"))


def test_who_answers_is_compared_with_who_does_not(desk: MartReader) -> None:
    """Of N-0 to N-4, which answered, N-4 alone was broken; of the 35 others 17 were."""
    found = satisfaction.answered(desk, LATELY)
    assert (found.closed, found.answered, found.met_with, found.met_without) == (40, 5, 0.8, 18 / 35)
    assert ticket_lists.size(desk, "closed", LATELY._replace(which="answer")).rows == 5
    assert ticket_lists.size(desk, "closed", LATELY).rows == 40


def test_three_promoters_alone_are_not_sure() -> None:
    found = satisfaction.of_counts(3, 3, 0)
    assert (found.score, found.high) == (100, 100)
    assert found.low is not None
    assert found.low < 50


def test_themes_count_tickets_and_compare_with_the_period_before(desk: MartReader) -> None:
    rows = {row["product"]: row for row in promises.themes(desk, LATELY).iter_rows(named=True)}
    assert (rows["ZTNA"]["tickets"], rows["ZTNA"]["before"], rows["ZTNA"]["share"]) == (30, 10, 0.75)
    assert (rows[""]["tickets"], rows[""]["before"]) == (10, 0)
    assert rows["ZTNA"]["met"] + rows["ZTNA"]["breached"] == 30
    created = ticket_lists.size(desk, "created", LATELY._replace(products=("ZTNA",)))
    assert created.tickets == rows["ZTNA"]["tickets"]


def test_hours_and_weekdays_are_those_of_the_desk(desk: MartReader, tmp_path: Path) -> None:
    came = rhythm.by_hour_and_weekday(desk, LATELY)
    assert came.rows() == [(3, 12, 40)]  # the Wednesday before a Friday, 12:00 UTC
    kept = rhythm.share_met_by_hour_and_weekday(desk, LATELY)
    assert kept.select("weekday", "hour", "met", "breached").rows() == [(3, 12, 22, 18)]


def test_satisfaction_counts_answers_of_ended_tickets(desk: MartReader) -> None:
    found = satisfaction.satisfaction(desk, LATELY)
    assert (found.answered, found.share_content, found.complaints) == (5, 0.6, 1)
    assert found.mean == pytest.approx(3.2)
    net = satisfaction.recommendation(desk, LATELY)
    assert (net.answered, net.score) == (4, 25.0)  # two promoters, one detractor
    assert ticket_lists.size(desk, "surveyed", LATELY).rows == found.answered
    assert ticket_lists.size(desk, "complained", LATELY).rows == found.complaints


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_net_promoter_score_lies_in_its_interval(promoters: int, passives: int, detractors: int) -> None:
    found = satisfaction.of_counts(promoters + passives + detractors, promoters, detractors)
    if found.score is None:
        assert promoters + passives + detractors == 0
    else:
        assert -100 <= (found.low or 0) <= found.score + 1e-9
        assert found.score - 1e-9 <= (found.high or 0) <= 100


def test_calibration_error_is_that_of_the_trainer(desk: MartReader) -> None:
    reviews = desk.frame("reviews")
    expected = expected_calibration_error(reviews["confidence"].to_numpy(), reviews["is_right"].to_numpy())
    found = triage_numbers.calibration_error(desk)
    assert found is not None
    assert found == (pytest.approx(expected), 200)


def test_confusion_is_that_of_scikit_learn(desk: MartReader) -> None:
    reviews, names = desk.frame("reviews"), ["DLP", "SWG", "ZTNA"]
    expected = confusion_matrix(reviews["label"], reviews["said"], labels=names)
    rows = {
        (row["answered"], row["said"]): row["claims"] for row in triage_numbers.confusion(desk).iter_rows(named=True)
    }
    found = np.array([[rows.get((answered, said), 0) for said in names] for answered in names])
    assert (found == expected).all()


def test_risk_is_what_the_surest_get_wrong(desk: MartReader) -> None:
    curve = triage_numbers.risk_coverage(desk)
    reviews = desk.frame("reviews").sort("confidence", descending=True)
    wrong = (~reviews["is_right"]).cum_sum().to_numpy()
    counts = np.arange(1, 201)
    assert curve["coverage"].to_numpy() == pytest.approx(counts / 200)
    assert curve["risk"].to_numpy() == pytest.approx(wrong / counts)


def test_drift_is_told_of_a_week_that_differs(tmp_path: Path) -> None:
    """Ten weeks of two products alike; in the last all are of one."""
    monday = datetime(2026, 9, 7, 9, tzinfo=UTC)
    rows = [(week, n) for week in range(10) for n in range(120)]
    tickets = [ticket(f"{week}-{n}", created_at=monday + timedelta(weeks=week)) for week, n in rows]
    claims = [
        {"ticket": f"demo:{week}-{n}", "product": "SWG" if week < 9 and n % 2 else "ZTNA", "confidence": 0.9,
         "urgency": "low", "needs_review": False, "model_used": "local", "created_at": NOON}
        for week, n in rows
    ]  # fmt: skip
    with open_app(home=tmp_path) as app:
        policy = app.policies.learning.drift
    with published(tmp_path, tickets=tickets, classifications=claims) as reader:
        found = drift.by_week(reader, policy)
    shifted = dict(found.filter(what="labels").select("week", "is_shifted").rows())
    assert shifted[date(2026, 11, 9)] is True
    assert not any(is_shifted for week, is_shifted in shifted.items() if week < date(2026, 11, 9))


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (Period(date(2026, 3, 10), date(2026, 3, 16)), Period(date(2026, 3, 3), date(2026, 3, 9))),
        (Period(date(2026, 3, 10), date(2026, 3, 10)), Period(date(2026, 3, 9), date(2026, 3, 9))),
        (Period(), None), (Period(None, date(2026, 3, 10)), None),
    ],
)  # fmt: skip
def test_the_period_before_is_as_long_and_ends_the_day_before(period: Period, before: Period | None) -> None:
    assert period.before() == before


def test_a_day_is_one_of_the_desks_zone() -> None:
    """In Copenhagen the day on which summer time begins has 23 hours."""
    begin, end = Period(date(2026, 3, 29), date(2026, 3, 29)).bounds("Europe/Copenhagen")
    assert begin == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert end == datetime(2026, 3, 29, 22, tzinfo=UTC)
