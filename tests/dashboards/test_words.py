"""Times, shares and amounts as a person reads them."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards import cards
from pipelines.figures import words

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(hours=2, minutes=10), "due in 2 h 10 min"),
        (timedelta(hours=-3), "late by 3 h"),
        (timedelta(days=2, hours=3, minutes=59), "due in 2 d 3 h"),
        (timedelta(days=1, minutes=5), "due in 1 d"),
        (timedelta(seconds=30), "due in under 1 min"),
        (timedelta(0), "due in under 1 min"),
        (timedelta(seconds=-1), "late by under 1 min"),
    ],
)
def test_deadlines_read_aloud(left, said):
    assert words.due(NOON + left, NOON) == said


def test_deadline_at_closing_time_is_not_late_before_opening():
    assert words.due(NOON - timedelta(hours=15), NOON, 0) == "due at opening"
    assert words.due(NOON - timedelta(hours=15), NOON, -1) == "late by 15 h"


def test_no_deadline_is_said():
    assert words.due(None, NOON) == "no deadline"


@pytest.mark.parametrize(
    ("share", "said"),
    [(None, "–"), (1, "100 %"), (0, "0 %"), (0.999, "> 99 %"), (0.001, "< 1 %"), (0.934, "93 %")],
)
def test_almost_all_is_never_all(share, said):
    assert words.percent(share) == said


def test_instants_are_on_the_readers_clock():
    assert words.instant(NOON, "Europe/Berlin") == "Fri 20 Nov 2026, 13:00 CET"
    assert words.instant(NOON, "Not/AZone") == "Fri 20 Nov 2026, 12:00 UTC"


@pytest.mark.parametrize("text", ["a `b` c", "``` x", "[l](https://e.example)", "two\nlines", "`"])
def test_verbatim_text_stays_inside_its_fence(text):
    said = cards.verbatim(text)
    fence = said[: len(said) - len(said.lstrip("`"))]
    assert fence not in said[len(fence) : -len(fence)]
    assert "\n" not in said


@pytest.mark.parametrize(
    ("seconds", "said"), [(57_600, "16 h"), (5400, "1 h 30 min"), (59, "under 1 min"), (300, "5 min")]
)
def test_business_time_has_no_days(seconds, said):
    assert words.worked(seconds) == said


def test_sources_are_said_as_text():
    cited = '[{"index": 2, "title": "Connector", "url": "https://kb.example/1", "article_id": "a", "snippet": "s"}]'
    assert words.sources(cited) == ["[2] Connector, https://kb.example/1"]
    assert words.sources(None) == []


@pytest.mark.parametrize(("amount", "said"), [(0, "0 tickets"), (1, "1 ticket"), (1500, "1,500 tickets")])
def test_one_is_singular(amount, said):
    assert words.count(amount, "ticket") == said


def test_a_list_is_said_as_in_a_sentence():
    assert [words.listed(["a", "b", "c"][:size]) for size in range(4)] == ["", "a", "a and b", "a, b and c"]
