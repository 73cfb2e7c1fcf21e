"""What was promised and kept, in one sentence and by theme: the answer of the page Promises."""

from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from engine.shared.wilson import wilson, with_share
from pipelines.figures import weekly, words
from pipelines.figures.queries import UNSETTLED
from pipelines.figures.selection import ALL_CLOCKS, Selection, tickets_where
from pipelines.marts import MartReader
from sla.reporting.goals import AttainmentGoals


class Standing(NamedTuple):
    """Promises met of the decided ones, the share with its 95 % interval, the share wanted of such a mix, and the share
    of the period before with how many of its promises are decided; None where nothing is. `in_time` of the `clocks`
    still run: they are in no share yet."""

    met: int
    decided: int
    share: float | None
    low: float | None
    high: float | None
    target: float | None
    before: float | None
    before_decided: int = 0
    clocks: int = 0
    in_time: int = 0

    @property
    def at_best(self) -> float | None:
        """The share if all that still run in time are met."""
        return (self.met + self.in_time) / self.clocks if self.clocks else self.share

    @property
    def is_settled(self) -> bool:
        """Fewer than UNSETTLED still run: before, the share is too low (a late clock counts at once, a kept one only
        when it stops)."""
        return not self.clocks or self.in_time / self.clocks < UNSETTLED


class Cut(NamedTuple):
    """A value of a dimension that is under its target for sure: even the upper end of its interval is."""

    dimension: str
    value: str
    share: float
    target: float
    decided: int


def standing(reader: MartReader, goals: AttainmentGoals, chosen: Selection = ALL_CLOCKS) -> Standing:
    met, decided, target, clocks, in_time = _whole(reader, goals, chosen)
    earlier = whole_before(reader, chosen)
    before = _whole(reader, goals, earlier) if earlier else (0, 0)
    share = met / decided if decided else None
    low, high = wilson(met, decided) if decided else (None, None)
    then = before[0] / before[1] if before[1] else None
    return Standing(met, decided, share, low, high, target, then, before[1], clocks, in_time)


def _whole(reader: MartReader, goals: AttainmentGoals, chosen: Selection) -> tuple[int, int, float | None, int, int]:
    rows = weekly.against_target(reader, "tier", goals.wanted(), chosen)
    decided = pl.col("met") + pl.col("breached")
    met, all_of, expected, clocks, in_time = rows.select(
        pl.col("met").sum(), decided.sum().alias("decided"), (pl.col("target") * decided).sum().alias("expected"),
        pl.col("clocks", "in_time").sum(),
    ).row(0)  # fmt: skip
    return met, all_of, expected / all_of if all_of else None, clocks, in_time


def whole_before(reader: MartReader, chosen: Selection) -> Selection | None:
    """The same in the period before; None without one, and where the first ticket came after its first day: half a
    period is compared with nothing."""
    earlier = chosen.before()
    began = reader.query("SELECT min(created_at) AS began FROM tickets").item()
    if earlier is None or earlier.period.first is None or began is None:
        return None
    first_day: date = began.astimezone(ZoneInfo(reader.publication.time_zone)).date()
    return earlier if first_day <= earlier.period.first else None


def change(now: tuple[int, int], then: tuple[int, int]) -> tuple[float, float, float]:
    """How much higher a share is than another, each as (hits, trials) of at least one trial, and its 95 % interval.

    Method 10 of R. G. Newcombe 1998, Statistics in Medicine 17, 873-890, from the two Wilson intervals.
    """
    share, earlier = now[0] / now[1], then[0] / then[1]
    (low, high), (before_low, before_high) = wilson(*map(float, now)), wilson(*map(float, then))
    less = ((share - low) ** 2 + (before_high - earlier) ** 2) ** 0.5
    more = ((high - share) ** 2 + (earlier - before_low) ** 2) ** 0.5
    return share - earlier, share - earlier - less, share - earlier + more


def worst_cut(reader: MartReader, goals: AttainmentGoals, chosen: Selection = ALL_CLOCKS) -> Cut | None:
    """The one that is furthest under its target for sure, of those of which nearly all is decided."""
    cuts = weekly.worst_cuts(reader, goals.wanted(), chosen, limit=None)
    settled = pl.col("in_time") / pl.col("clocks") < UNSETTLED
    found = cuts.filter(settled, pl.col("high") < pl.col("target"))
    if found.is_empty():
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
        head = "Below target" if under else "Above target" if over else "About on target"
        parts.append(f"target {words.percent(found.target)}")
        if not found.is_settled and found.at_best is not None:
            head = "Too early to say" if found.at_best >= found.target else "Below target whatever still runs"
            parts.append(f"{words.percent(found.at_best, 1)} if all {found.in_time:,} that still run in time are met")
    if found.before is not None and found.is_settled:
        then = round(found.before * found.before_decided), found.before_decided
        _, low, high = change((found.met, found.decided), then) if found.before_decided else (0.0, 0.0, 0.0)
        head += " and better than before" if low > 0 else " and worse than before" if high < 0 else ""
        parts.append(f"the period before {words.percent(found.before, 1)}")
    head += ": " if head else ""
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
    earlier = whole_before(reader, chosen)
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
