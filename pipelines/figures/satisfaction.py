"""How content customers are: satisfaction and whether they would recommend us, with how sure that is."""

from math import sqrt
from typing import NamedTuple

from engine.shared.wilson import Z_95, wilson
from pipelines.figures.selection import ALL_CLOCKS, Selection, tickets_where
from pipelines.marts import MartReader

CONTENT, PROMOTER, DETRACTOR = 4, 9, 6


class Satisfaction(NamedTuple):
    """Surveys answered in the period; `share_content` gave 4 or 5 of 5."""

    answered: int
    mean: float | None
    share_content: float | None
    low: float | None
    high: float | None
    complaints: int


class Recommendation(NamedTuple):
    """Net promoter score in points, -100 to 100: the share that gave 9 or 10 less the share that gave 0 to 6 (Reichheld
    2003, Harvard Business Review 81(12), 46-54), with the 95 % interval of a difference of matched shares, half an
    answer added to each of four cells (Agresti and Min 2005, Statistics in Medicine 24, 729-740): few answers alike are
    not sure. None without answers."""

    answered: int
    score: float | None
    low: float | None
    high: float | None


class Answered(NamedTuple):
    """Of the tickets closed in the period: how many there are and have an answer; share met (None without a decided
    promise) of those with one and of those without."""

    closed: int
    answered: int
    met_with: float | None
    met_without: float | None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(float(self.answered), float(self.closed))


def satisfaction(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> Satisfaction:
    where, values = tickets_where(chosen, reader, "JOIN surveys s ON s.ticket = t.ticket", at="s.answered_at")
    answered, mean, content, complaints = reader.query(
        f"""SELECT count(*) AS n, avg(s.csat) AS mean, count(*) FILTER (s.csat >= {CONTENT}) AS content,
        count(*) FILTER (s.is_complaint) AS complaints {where}""",
        values,
    ).row(0)
    if not answered:
        return Satisfaction(0, None, None, None, None, 0)
    low, high = wilson(content, answered)
    return Satisfaction(answered, mean, content / answered, low, high, complaints)


def recommendation(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> Recommendation:
    where, values = tickets_where(chosen, reader, "JOIN surveys s ON s.ticket = t.ticket", at="s.answered_at")
    answered, promoters, detractors = reader.query(
        f"""SELECT count(s.nps) AS n, count(*) FILTER (s.nps >= {PROMOTER}) AS promoters,
        count(*) FILTER (s.nps <= {DETRACTOR}) AS detractors {where}""",
        values,
    ).row(0)
    return of_counts(answered, promoters, detractors)


def of_counts(answered: int, promoters: int, detractors: int) -> Recommendation:
    if not answered:
        return Recommendation(0, None, None, None)
    score = (promoters - detractors) / answered
    size = answered + 2
    middle = (promoters - detractors) / size
    half = Z_95 * sqrt(((promoters + detractors + 1) / size - middle**2) / size)
    bounds = (max(-1.0, middle - half), min(1.0, middle + half))
    return Recommendation(answered, 100 * score, 100 * bounds[0], 100 * bounds[1])


def answered(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> Answered:
    """Nobody drew at random who answers: whether the promises of those who do were met more often shows how far the
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
