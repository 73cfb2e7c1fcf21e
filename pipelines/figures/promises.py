"""What was promised and kept, in one sentence and by theme: the answer of the page Promises."""

from typing import NamedTuple

import polars as pl

from engine.shared.wilson import wilson, with_share
from pipelines.figures import weekly, words
from pipelines.figures.selection import ALL_CLOCKS, Selection, tickets_where
from pipelines.marts import MartReader
from sla.reporting.goals import AttainmentGoals


class Standing(NamedTuple):
    """Promises met of the decided ones, the share with its 95 % interval, the share wanted of such a mix, and the share
    of the period before; None where nothing is decided."""

    met: int
    decided: int
    share: float | None
    low: float | None
    high: float | None
    target: float | None
    before: float | None


class Cut(NamedTuple):
    """A value of a dimension that is under its target for sure: even the upper end of its interval is."""

    dimension: str
    value: str
    share: float
    target: float
    decided: int


def standing(reader: MartReader, goals: AttainmentGoals, chosen: Selection = ALL_CLOCKS) -> Standing:
    met, decided, target = _whole(reader, goals, chosen)
    earlier = chosen.before()
    before = _whole(reader, goals, earlier)[:2] if earlier else (0, 0)
    share = met / decided if decided else None
    low, high = wilson(met, decided) if decided else (None, None)
    return Standing(met, decided, share, low, high, target, before[0] / before[1] if before[1] else None)


def _whole(reader: MartReader, goals: AttainmentGoals, chosen: Selection) -> tuple[int, int, float | None]:
    rows = weekly.against_target(reader, "tier", goals.wanted(), chosen)
    decided = pl.col("met") + pl.col("breached")
    met, all_of, expected = rows.select(
        met=pl.col("met").sum(), decided=decided.sum(), expected=(pl.col("target") * decided).sum()
    ).row(0)
    return int(met), int(all_of), expected / all_of if all_of else None


def worst_cut(reader: MartReader, goals: AttainmentGoals, chosen: Selection = ALL_CLOCKS) -> Cut | None:
    """The one that is furthest under its target for sure."""
    found = weekly.worst_cuts(reader, goals.wanted(), chosen, limit=1)
    if found.is_empty() or found["high"][0] >= found["target"][0]:
        return None
    row = found.row(0, named=True)
    return Cut(row["dimension"], row["value"], row["share_met"], row["target"], row["met"] + row["breached"])


def sentence(found: Standing, worst: Cut | None, names: dict[str, str]) -> str:
    """The verdict: kept or not, against the target and the period before, and where it is worst."""
    if found.share is None:
        return "No promise of this period is decided yet."
    share = f"{words.percent(found.share, 1)} of {words.count(found.decided, 'promise')} were kept"
    sure = f"95 % interval {words.percent(found.low)} to {words.percent(found.high)}"
    head, parts = "", [sure]
    if found.target is not None and found.low is not None and found.high is not None:
        under, over = found.high < found.target, found.low > found.target
        head = "Below target: " if under else "Above target: " if over else "About on target: "
        parts.append(f"target {words.percent(found.target)}")
    if found.before is not None:
        parts.append(f"the period before {words.percent(found.before, 1)}")
    where = ""
    if worst:
        cut = f"{names.get(worst.dimension, worst.dimension).lower()} {worst.value}"
        of_it = f"{words.percent(worst.share)} of {worst.decided:,}, target {words.percent(worst.target)}"
        where = f" Worst for sure: {cut}, {of_it}."
    return f"{head}{share} ({'; '.join(parts)}).{where}"


def themes(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a product of the taxonomy ("" of those without), most first: tickets created in the period, `before` in
    the one before it (null without one), share of all, and share_met of their decided promises with low and high."""
    where, values = tickets_where(chosen, reader)
    found = reader.query(
        f"""SELECT coalesce(t.product, '') AS product, count(DISTINCT t.ticket) AS tickets,
        count(*) FILTER (c.state = 'met') AS met, count(*) FILTER (c.state = 'breached') AS breached
        {where.replace("WHERE", "LEFT JOIN sla_clocks c ON c.ticket = t.ticket AND c.counts WHERE", 1)} GROUP BY 1""",
        values,
    )
    earlier = chosen.before()
    before = {}
    if earlier:
        where, values = tickets_where(earlier, reader)
        before = dict(reader.query(f"SELECT coalesce(t.product, ''), count(*) {where} GROUP BY 1", values).rows())
    counts = pl.col("product").replace_strict(before, default=0 if earlier else None, return_dtype=pl.Int64)
    shared = with_share(found, "share_met", pl.col("met"), pl.col("met") + pl.col("breached"))
    return shared.with_columns(before=counts, share=pl.col("tickets") / pl.col("tickets").sum()).sort(
        "tickets", "product", descending=[True, False]
    )


def against_target(
    reader: MartReader, dimension: str, goals: AttainmentGoals, chosen: Selection = ALL_CLOCKS
) -> pl.DataFrame:
    """The decided values of a dimension, rows of `weekly.against_target`, the furthest under their target first."""
    found = weekly.against_target(reader, dimension, goals.wanted(), chosen).drop_nulls("share_met")
    return found.sort(pl.col("share_met") - pl.col("target"), "value")
