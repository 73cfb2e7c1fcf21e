"""How content customers are: satisfaction and whether they would recommend us, with how sure that is."""

from math import sqrt
from typing import NamedTuple

from engine.shared.wilson import Z_95, wilson
from pipelines.figures.selection import ALL_CLOCKS, Selection, tickets_where
from pipelines.marts import MartReader

CONTENT, PROMOTER, DETRACTOR = 4, 9, 6


class Satisfaction(NamedTuple):
    """Surveys answered in the period, of how many tickets that ended in it; `share_content` gave 4 or 5 of 5."""

    answered: int
    ended: int
    mean: float | None
    share_content: float | None
    low: float | None
    high: float | None
    complaints: int


class Recommendation(NamedTuple):
    """Net promoter score in points, -100 to 100: the share that gave 9 or 10 less the share that gave 0 to 6 (Reichheld
    2003), with the 95 % interval of a difference of multinomial shares; None without answers."""

    answered: int
    score: float | None
    low: float | None
    high: float | None


def satisfaction(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> Satisfaction:
    where, values = tickets_where(chosen, reader, "JOIN surveys s ON s.ticket = t.ticket", at="s.answered_at")
    answered, mean, content, complaints = reader.query(
        f"""SELECT count(*) AS n, avg(s.csat) AS mean, count(*) FILTER (s.csat >= {CONTENT}) AS content,
        count(*) FILTER (s.is_complaint) AS complaints {where}""",
        values,
    ).row(0)
    ended_where, ended_values = tickets_where(chosen, reader, at="coalesce(t.closed_at, t.resolved_at)")
    ended = reader.query(f"SELECT count(*) AS n {ended_where} AND NOT t.is_open", ended_values).item()
    if not answered:
        return Satisfaction(0, int(ended), None, None, None, None, 0)
    low, high = wilson(content, answered)
    return Satisfaction(answered, int(ended), mean, content / answered, low, high, complaints)


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
    half = Z_95 * sqrt(max(0.0, (promoters + detractors) / answered - score**2) / answered)
    bounds = (max(-1.0, score - half), min(1.0, score + half))
    return Recommendation(answered, 100 * score, 100 * bounds[0], 100 * bounds[1])
