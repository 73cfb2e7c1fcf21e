"""Do the tickets of each week look like those before them? By what triage claims, and how sure it is."""

from datetime import date, timedelta

import polars as pl

from pipelines.figures.selection import ALL_CLOCKS, Selection, tickets_where
from pipelines.marts import MartReader
from triage.feedback.drift import drift, mix_of
from triage.feedback.policy import DriftPolicy

WEEKS = 8


def by_week(reader: MartReader, policy: DriftPolicy, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a week (by its Monday, the latest WEEKS before the publication's instant) and `what` (labels or
    confidence): tickets, psi (population stability index), by_chance, is_shifted, against the `reference`: all tickets
    of the selection created before these weeks, whose number is `before`. Weeks with too few tickets have no row."""
    zone = reader.publication.time_zone
    where, values = tickets_where(chosen, reader, "JOIN classifications k ON k.ticket = t.ticket")
    claims = reader.query(
        f"""SELECT CAST(date_trunc('week', timezone(?, t.created_at)) AS DATE) AS week, k.product, k.confidence
        {where}""",
        [zone, *values],
    )
    schema = {"week": pl.Date(), "what": pl.String(), "tickets": pl.Int64(), "before": pl.Int64(),
              "psi": pl.Float64(), "by_chance": pl.Float64(), "is_shifted": pl.Boolean()}  # fmt: skip
    latest = claims["week"].max()
    if not isinstance(latest, date):
        return pl.DataFrame(schema=schema)
    first = latest - timedelta(weeks=WEEKS - 1)
    reference = mix_of(claims.filter(pl.col("week") < first))
    rows = []
    for (week,), some in claims.filter(pl.col("week") >= first).group_by("week", maintain_order=True):
        found = drift(reference, mix_of(some), policy)
        rows += [(week, one.what, found.recent, found.before, one.psi, one.by_chance, one.is_shifted)
                 for one in found.shifts]  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("week", "what", descending=[True, False])
