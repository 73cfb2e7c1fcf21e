"""The page about trust in triage: its numbers are those of the marts, and text of tickets stays text."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from pipelines.figures import triage_numbers
from pipelines.figures.selection import Period
from pipelines.marts import MartReader
from tests.dashboards.marts_by_hand import HOSTILE, NOON, published
from tests.dashboards.test_pages import opened, read_as_markdown

MODEL = "local:test"
TABS = ("Is it right?", "Do drafts help?", "What to write next", "What it costs")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def reviewed(ticket: str, said: str, label: str, confidence: float) -> dict[str, Any]:
    return {
        "ticket": ticket, "said": said, "label": label, "is_right": said == label, "confidence": confidence,
        "model_used": MODEL, "answered_by": "ana", "note": "", "answered_at": NOON,
    }  # fmt: skip


def bill(operation: str, day: int, tickets: int, latency: float, cost: float) -> dict[str, Any]:
    return {
        "day": date(2026, 11, day), "operation": operation, "model_used": MODEL, "tickets": tickets,
        "mean_latency_ms": latency, "prompt_tokens": 10 * tickets, "completion_tokens": tickets, "cost": cost,
    }  # fmt: skip


def desk(home: Path) -> MartReader:
    judged = {"drafts": 4, "sent": 2, "edited": 1, "rejected": 1, "accepted": 3, "share_accepted": 0.75}
    return published(
        home,
        confidence=[{"lower": 0.9, "upper": 1.0, "tickets": 40, "needs_review": 4}],
        reviews=[
            reviewed("a", "CASB", "CASB", 0.9), reviewed("b", "SWG", "DLP", 0.5), reviewed("c", "SWG", "DLP", 0.7)
        ],
        calibration=[
            {"model_used": MODEL, "lower": 0.9, "upper": 1.0, "answered": 1, "agreed": 1, "mean_confidence": 0.9,
             "share_agreed": 1.0, "low": 0.2, "high": 1.0}
        ],
        draft_feedback=[
            {"dimension": name, "value": value, "low": 0.3, "high": 0.95, "mean_distance": 0.2, **judged}
            for name, value in (("all", "all"), ("model", MODEL), ("label", "CASB"), ("article", "casb-101"))
        ],
        suggestions=[{"ticket": "a", "text": "…", "grounded": True}, {"ticket": "b", "text": "…", "grounded": False}],
        unhelpful_articles=[{"article_id": "gen-1", "cited": 6, "judged": 5, "accepted": 0, "why": "never accepted"}],
        coverage_gaps=[{"place": 1, "about": HOSTILE, "tickets": 3, "examples": "b, c"}],
        cost_ledger=[
            bill("classify", 19, 10, 20.0, 0.5), bill("classify", 20, 30, 40.0, 1.0), bill("draft", 1, 5, 4, 0)
        ],
    )  # fmt: skip


def test_numbers_are_those_of_the_marts(home: Path) -> None:
    with desk(home) as reader:
        assert triage_numbers.agreement(reader)[:3] == (3, 1, pytest.approx(1 / 3))
        assert triage_numbers.mistakes(reader).row(0) == ("SWG", "DLP", 2, pytest.approx(0.6))
        assert triage_numbers.drafts(reader) == (2, 1)
        classify = triage_numbers.bill(reader, Period.of_days(7, until=NOON.date())).row(0, named=True)
        assert (classify["tickets"], classify["mean_latency_ms"], classify["cost"]) == (40, 35.0, 1.5)
        assert triage_numbers.bill(reader, Period.of_days(7, until=NOON.date())).height == 1
        assert triage_numbers.bill(reader).height == 2


def test_page_shows_them(home: Path) -> None:
    desk(home)
    shown = {metric.label: metric.value for metric in opened("trust").metric}
    assert (shown["People agreed"], shown["Drafts with an answer"]) == ("33 %", "1")
    tables = [table.value.to_dict("list") for table in opened("trust", tab="Do drafts help?").dataframe]
    articles = next(table for table in tables if "drafts that cite it" in table)
    assert (articles["article"], articles["judged"], articles["why"]) == (["gen-1"], [5], ["never accepted"])
    bills = opened("trust", tab="What it costs").metric
    assert "1.50" in [metric.value for metric in bills if metric.label == "US dollars, last 12 weeks"]


def test_drafts_may_be_cut_by_article(home: Path) -> None:
    desk(home)
    app = opened("trust", tab="Do drafts help?")
    app.selectbox(key="cut").select("article").run()
    assert any(table.value.to_dict("list").get("article cited") == ["all", "casb-101"] for table in app.dataframe)


@pytest.mark.parametrize("tab", TABS)
def test_text_of_tickets_stays_text(home: Path, tab: str) -> None:
    desk(home)
    assert HOSTILE not in read_as_markdown(opened("trust", tab=tab))


def test_without_answers_it_says_what_to_do(home: Path) -> None:
    published(home, confidence=[{"lower": 0.9, "upper": 1.0, "tickets": 40, "needs_review": 4}])
    known = {tab: read_as_markdown(opened("trust", tab=tab)) for tab in TABS}
    assert "Nobody has checked a claim yet" in known["Is it right?"]
    assert "No draft was judged yet" in known["Do drafts help?"]
    assert "No model was asked in this period" in known["What it costs"]
