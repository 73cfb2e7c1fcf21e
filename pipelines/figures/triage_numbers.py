"""The numbers of triage: how often people agree, what became of drafts, what is not written, what models cost."""

from typing import NamedTuple

import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures.selection import ALL_HISTORY, Period
from pipelines.marts import MartReader

_CHECKED = "FROM reviews WHERE is_right IS NOT NULL AND confidence IS NOT NULL"


class Agreement(NamedTuple):
    """How many claims people checked, how many of them they agreed with, and the share with its 95 % interval."""

    answered: int
    agreed: int
    share: float | None
    low: float | None
    high: float | None


class Honesty(NamedTuple):
    """Claims of one kind: how many, how many of them people are asked about and answered, and the share they agree
    with, None until it can be told."""

    tickets: int
    drawn: int
    answered: int
    share: float | None
    low: float | None
    high: float | None


def honesty(reader: MartReader, claims: str) -> Honesty:
    """Of the claims that triage is `sure` of, of the `unsure`, or of `all`."""
    found = reader.query(
        "SELECT tickets, drawn, answered, share_agreed, low, high FROM honesty WHERE claims = ?", [claims]
    )
    return Honesty(*found.row(0)) if found.height else Honesty(0, 0, 0, None, None, None)


def agreement(reader: MartReader) -> Agreement:
    """Over all claims that people checked."""
    counts = reader.query("SELECT count(*) AS answered, count(*) FILTER (is_right) AS agreed FROM reviews")
    shared = with_share(counts, "share", pl.col("agreed"), pl.col("answered"))
    return Agreement(*shared.select("answered", "agreed", "share", "low", "high").row(0))


def calibration(reader: MartReader) -> pl.DataFrame:
    """One row a model and bin of confidence: answered, agreed, mean_confidence, share_agreed with low and high."""
    return reader.query("SELECT * FROM calibration ORDER BY model_used, lower")


def calibration_error(reader: MartReader) -> tuple[float, int] | None:
    """Expected calibration error over the claims that people answered, and how many they are: the mean gap between
    confidence and share agreed over ten bins, weighted by claims (Guo et al. 2017). None without answers."""
    found = reader.query(
        f"""SELECT sum(abs(right_share - sure) * n) / sum(n) AS error, sum(n) AS n FROM (
        SELECT avg(confidence) AS sure, avg(CAST(is_right AS DOUBLE)) AS right_share, count(*) AS n {_CHECKED}
        GROUP BY least(floor(confidence * 10), 9))"""
    ).row(0)
    return (float(found[0]), int(found[1])) if found[1] else None


def risk_coverage(reader: MartReader) -> pl.DataFrame:
    """What triage would get wrong if it decided alone from some confidence on: confidence, `coverage` (share of the
    claims that people answered at least so sure) and `risk` (share of these that people corrected), the surest first
    (El-Yaniv and Wiener 2010)."""
    return reader.query(
        f"""SELECT confidence, max(covered) / max(total) AS coverage, max(wrong) / max(covered) AS risk FROM (
        SELECT confidence, count(*) OVER surest AS covered, count(*) OVER () AS total,
        count(*) FILTER (NOT is_right) OVER surest AS wrong {_CHECKED}
        WINDOW surest AS (ORDER BY confidence DESC RANGE UNBOUNDED PRECEDING)) GROUP BY confidence
        ORDER BY confidence DESC"""
    )


def confusion(reader: MartReader) -> pl.DataFrame:
    """One row a product that people named and one that triage had claimed: `answered`, `said`, claims, and their share
    of all claims that people gave that product."""
    return reader.query(
        f"""SELECT label AS answered, said, count(*) AS claims,
        count(*) / sum(count(*)) OVER (PARTITION BY label) AS share {_CHECKED} AND said IS NOT NULL
        GROUP BY label, said ORDER BY answered, said"""
    )


def runs(reader: MartReader) -> pl.DataFrame:
    """Every training, the latest first."""
    return reader.query("SELECT * FROM model_runs ORDER BY trained_at DESC")


def mistakes(reader: MartReader, *, limit: int = 25) -> pl.DataFrame:
    """What triage said and people corrected, most often first."""
    return reader.query(
        f"""SELECT said, label AS answered, count(*) AS tickets, avg(confidence) AS mean_confidence FROM reviews
        WHERE NOT is_right GROUP BY ALL ORDER BY tickets DESC, said, answered LIMIT {int(limit)}"""
    )


def drafts(reader: MartReader) -> tuple[int, int]:
    """How many tickets have a draft, and how many of those answer from the knowledge base."""
    written, grounded = reader.query(
        "SELECT count(*) AS written, count(*) FILTER (grounded) AS grounded FROM suggestions"
    ).row(0)
    return int(written), int(grounded)


def acceptance(reader: MartReader, dimension: str) -> pl.DataFrame:
    """One row a model, label or article: judged drafts, what became of them, the share accepted with low and high."""
    return reader.query(
        "SELECT * EXCLUDE (dimension) FROM draft_feedback WHERE dimension = ? ORDER BY drafts DESC, value", [dimension]
    )


def unhelpful(reader: MartReader) -> pl.DataFrame:
    """Articles that never help, the most cited first."""
    return reader.query("SELECT * FROM unhelpful_articles ORDER BY cited DESC, article_id")


def to_write(reader: MartReader) -> pl.DataFrame:
    """Groups of tickets that no article covers, the largest first."""
    return reader.query("SELECT * FROM coverage_gaps ORDER BY place")


def bill(reader: MartReader, period: Period = ALL_HISTORY) -> pl.DataFrame:
    """One row an operation and model: tickets, mean latency, tokens and cost of the UTC days of a period."""
    parts, values = period.holds_day("day")
    return reader.query(
        f"""SELECT operation, model_used, sum(tickets) AS tickets,
        sum(mean_latency_ms * tickets) / sum(tickets) AS mean_latency_ms, sum(prompt_tokens) AS prompt_tokens,
        sum(completion_tokens) AS completion_tokens, sum(cost) AS cost FROM cost_ledger
        WHERE {" AND ".join(["true", *parts])} GROUP BY ALL ORDER BY cost DESC, operation, model_used""",
        values,
    )
