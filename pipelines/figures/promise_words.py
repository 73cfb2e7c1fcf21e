"""What the figures of promises say, in sentences."""

import polars as pl

from pipelines.figures import words
from pipelines.figures.attainment import Together, change

SHOWN = 3


def verdict(now: Together, then: Together | None, worst: str | None) -> str:
    """Whether the promises of a period were met: the share against its target and the period before, how sure, and the
    cut furthest below its target (a part of a sentence)."""
    if now.share is None or now.low is None or now.high is None or now.target is None:
        return "No promise of these days is decided yet."
    heads = [_against_target(now), *([_against_before(now, then)] if then else [])]
    beside = f"target {words.percent(now.target)}"
    if then and then.share is not None:
        beside += f", {words.percent(then.share)} in the period before"
    furthest = f" Furthest below its target: {worst}." if worst else ""
    return (
        f"{' and '.join(heads).capitalize()}: {words.percent(now.share)} of {words.count(now.decided, 'promise')} met "
        f"({words.percent(now.low)} to {words.percent(now.high)}), {beside}.{furthest}"
    )


def coverage(now: Together) -> str:
    """What the share leaves out: what still runs, what is not measured, what counts in no figure."""
    parts = [
        f"{now.in_time:,} still run in time ({words.percent(now.at_best)} if all are met)" if now.in_time else "",
        f"{now.not_measured:,} not measured" if now.not_measured else "",
        f"{now.left_out:,} left out by outcome" if now.left_out else "",
    ]
    return f"Not in the share: {'; '.join(filter(None, parts)) or 'nothing'}."


def points(now: float | None, then: float | None) -> str | None:
    """A change of a share in points of a hundred, with an ASCII sign; None where one of them is unknown."""
    return None if now is None or then is None else f"{(now - then) * 100:+.1f} points"


def longer(now: float | None, then: float | None) -> str | None:
    """A change of a length of time; None where one of them is unknown."""
    if now is None or then is None:
        return None
    return f"{'-' if now < then else '+'}{words.span(now - then)}"


def of_trend(weeks: pl.DataFrame) -> str:
    """The trend, for whoever does not see it."""
    settled = weeks.filter("is_settled")
    if settled.is_empty():
        return "Share met by week: no week is settled yet"
    first, last = settled.row(0, named=True), settled.row(-1, named=True)
    below = settled.filter(pl.col("share_met") < pl.col("target")).height
    return (
        f"Share met by week: {words.percent(first['share_met'])} in the week from {words.day(first['week'])}, "
        f"{words.percent(last['share_met'])} in that from {words.day(last['week'])}; below target in {below} of "
        f"{words.count(settled.height, 'settled week')}"
    )


def of_cuts(cuts: pl.DataFrame) -> str:
    """The first rows, for whoever does not see them."""
    parts = [cut(row) for row in cuts.head(SHOWN).iter_rows(named=True)]
    return f"Share met against target, the furthest below first: {'; '.join(parts)}"


def cut(row: dict[str, object]) -> str:
    """A row of `against_target`: `Network, 71 % of 112 met, target 93 %`."""
    decided = int(str(row["met"])) + int(str(row["breached"]))
    share, target = row["share_met"], row["target"]
    return f"{row['value']}, {_percent(share)} of {decided:,} met, target {_percent(target)}"


def _percent(share: object) -> str:
    return words.percent(share if isinstance(share, float) else None)


def _against_target(now: Together) -> str:
    if now.target is None or now.low is None or now.high is None:
        return ""
    if now.high < now.target:
        return "below target"
    return "above target" if now.low > now.target else "within chance of target"


def _against_before(now: Together, then: Together) -> str:
    """Compared only where nearly all of both is decided, as a late clock counts at once and a kept one when it stops."""
    if not (now.is_settled and then.is_settled):
        return "too early to compare with the period before"
    _, low, high = change((now.met, now.decided), (then.met, then.decided))
    if high < 0:
        return "worse than the period before"
    return "better than the period before" if low > 0 else "much like the period before"
