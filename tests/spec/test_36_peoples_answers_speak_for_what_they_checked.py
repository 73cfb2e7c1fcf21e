"""60 answers between 30 and 70 %, 5 above: each point says how many stand behind it, with its interval."""

import polars as pl

from pipelines.marts.reviews import calibration, reviews
from tests.triage.conftest import MONDAY
from triage.feedback.reviews import Review


def answer(number: int, confidence: float) -> Review:
    return Review(
        ticket_id=f"desk:{number}", label="ZTNA", said="ZTNA" if number % 3 else "SWG", text="t", claim_id="c",
        confidence=confidence, model_used="local", answered_by="ana", opened_at=MONDAY, answered_at=MONDAY,
    )  # fmt: skip


def test_each_bin_says_how_many_answers_stand_behind_it() -> None:
    answers = [answer(n, 0.3 + 0.4 * n / 60) for n in range(60)] + [answer(n, 0.85) for n in range(60, 65)]
    tickets = pl.DataFrame({"ticket": [one.ticket_id for one in answers], "reference": ["R"] * 65})
    points = calibration(reviews(answers, tickets))
    assert points.select(pl.col("lower").round(1), "answered").rows() == [
        (0.3, 15),
        (0.4, 15),
        (0.5, 15),
        (0.6, 15),
        (0.8, 5),
    ]
    last, first = points.row(-1, named=True), points.row(0, named=True)
    assert last["high"] - last["low"] > first["high"] - first["low"]
