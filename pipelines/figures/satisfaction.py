"""How content customers are (CSAT), whether they would recommend us (NPS), and who answers at all."""

from typing import NamedTuple

import polars as pl

from engine.shared.wilson import Z_95, wilson, with_share
from pipelines.figures.selection import ALL_CLOCKS, Selection, id_of, tickets_where, value_of
from pipelines.marts import MartReader

SATISFIED, PROMOTER, DETRACTOR = 4, 9, 6
"""From this CSAT on a customer is satisfied; from this NPS answer on a promoter, down from that one a detractor."""
NPS_KIND = f"CASE WHEN nps >= {PROMOTER} THEN 'promoter' WHEN nps <= {DETRACTOR} THEN 'detractor' ELSE 'passive' END"
_TICKET = "(SELECT *, coalesce(owner_id, assignee_id) AS agent_id FROM tickets) c ON c.ticket = t.ticket"
"""The ticket under the names that `value_of` and `id_of` know."""


class Answered(NamedTuple):
    """Of the tickets closed in a period: how many there are and have an answer; share met (None without a decided
    promise) of those with one and of those without."""

    closed: int
    answered: int
    met_with: float | None
    met_without: float | None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(float(self.answered), float(self.closed))


def satisfaction(reader: MartReader, chosen: Selection = ALL_CLOCKS, dimension: str | None = None) -> pl.DataFrame:
    """One row (a value of the dimension: value, id) with the answers given in the period: answers, satisfied,
    share_satisfied with its 95 % interval low, high; mean_csat; complaints; recommend (answers to NPS), promoters,
    detractors, nps with nps_low, nps_high (all three -1 to 1, null without an answer).

    NPS is the share of promoters (9 or 10) less that of detractors (0 to 6): F. F. Reichheld 2003, Harvard Business
    Review 81(12), 46-54. Its 95 % interval is that of a difference of matched proportions with half an observation
    added to each of four cells: A. Agresti and Y. Min 2005, Statistics in Medicine 24, 729-740.
    """
    value, key, join = ("'all'", "'all'", "") if dimension is None else (*_of(dimension),)
    where, values = tickets_where(
        chosen, reader, f"JOIN surveys s ON s.ticket = t.ticket JOIN {_TICKET} {join}", at="s.answered_at"
    )
    found = reader.query(
        f"""SELECT {value} AS value, {key} AS id, count(*) AS answers,
        count(*) FILTER (csat >= {SATISFIED}) AS satisfied, avg(csat) AS mean_csat, count(*) FILTER (is_complaint) AS complaints, count(nps) AS recommend,
        count(*) FILTER (nps >= {PROMOTER}) AS promoters, count(*) FILTER (nps <= {DETRACTOR}) AS detractors
        {where} GROUP BY ALL ORDER BY ALL""",
        values,
    )
    return _with_nps(with_share(found, "share_satisfied", pl.col("satisfied"), pl.col("answers")))


def scores(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a CSAT score from 5 to 1: csat, answers (0 where nobody gave it)."""
    where, values = tickets_where(chosen, reader, "JOIN surveys s ON s.ticket = t.ticket", at="s.answered_at")
    found = reader.query(f"SELECT csat, count(*) AS answers {where} GROUP BY csat", values)
    every = pl.DataFrame({"csat": range(5, 0, -1)}, schema={"csat": pl.Int64})
    return every.join(found, on="csat", how="left", maintain_order="left").with_columns(pl.col("answers").fill_null(0))


def answered(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> Answered:
    """Who answers is nobody's random choice: whether those who do had their promises met more often shows how far the
    scores speak for the others."""
    promises = """LEFT JOIN (SELECT ticket, count(*) FILTER (state = 'met') AS met,
        count(*) FILTER (state IN ('met', 'breached')) AS decided FROM sla_clocks WHERE counts GROUP BY ticket) k
        ON k.ticket = t.ticket LEFT JOIN surveys s ON s.ticket = t.ticket"""
    where, values = tickets_where(chosen, reader, promises, at="t.closed_at")
    closed, answers, met_with, met_without = reader.query(
        f"""SELECT count(*) AS closed, count(s.ticket) AS answers,
        sum(met) FILTER (s.ticket IS NOT NULL) / nullif(sum(decided) FILTER (s.ticket IS NOT NULL), 0) AS met_with,
        sum(met) FILTER (s.ticket IS NULL) / nullif(sum(decided) FILTER (s.ticket IS NULL), 0) AS met_without
        {where} AND t.closed_at IS NOT NULL""",
        values,
    ).row(0)
    return Answered(closed, answers, met_with, met_without)


def _of(dimension: str) -> tuple[str, str, str]:
    value, join = value_of(dimension)
    return value, id_of(dimension), join


def _with_nps(found: pl.DataFrame) -> pl.DataFrame:
    promoters, detractors, answers = pl.col("promoters"), pl.col("detractors"), pl.col("recommend")
    size = answers + 2
    middle = (promoters - detractors) / size
    spread = Z_95 * ((promoters + detractors + 1) / size - middle**2).sqrt() / size.sqrt()
    figures = {"nps": (promoters - detractors) / answers, "nps_low": (middle - spread).clip(-1, 1),
               "nps_high": (middle + spread).clip(-1, 1)}  # fmt: skip
    return found.with_columns(pl.when(answers > 0).then(value).alias(name) for name, value in figures.items())
