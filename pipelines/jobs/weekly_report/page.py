"""The weekly report in the reader's words: the same page whatever it is written as."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import altair as alt
import polars as pl

from pipelines.figures import words
from pipelines.figures.selection import DIMENSIONS
from pipelines.figures.weekly_chart import in_words, week_trend
from pipelines.jobs.weekly_report.figures import Volume, WeeklyReport

CLOCK_HEADS = ("Promise", "Kept", "95 % interval", "n", "Week before")
NOTHING = "–"
VOLUME = {
    "created": "Tickets created", "resolved": "Tickets solved", "reopened": "Tickets reopened",
    "open_at_end": "Open at the end of the week",
}  # fmt: skip
IT_IS = "It is"


class Table(NamedTuple):
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of words; the others are of numbers."""
        return (self.heads[0], IT_IS)


class Drawing(NamedTuple):
    chart: alt.LayerChart
    alternative: str


class Section(NamedTuple):
    title: str
    table: Table | None = None
    lines: tuple[str, ...] = ()
    drawing: Drawing | None = None


class Page(NamedTuple):
    title: str
    about: tuple[str, ...]
    verdict: str
    sections: tuple[Section, ...]
    foot: tuple[str, ...]


def page_of(report: WeeklyReport) -> Page:
    return Page(
        title=f"Weekly report: {week_in_words(report)}",
        about=tuple(_about(report)),
        verdict=report.verdict if report.is_settled else f"Not settled yet, so far: {report.verdict}",
        sections=(trend(report), clocks(report), cuts(report), reasons(report), volume(report), times(report),
                  triage(report), coverage(report)),
        foot=("A promise is one clock of one ticket; it counts in the week in which it started. A share is of the "
              "promises that are decided (kept or broken), with its 95 % interval (Wilson). No agent's figures.",),
    )  # fmt: skip


def week_in_words(report: WeeklyReport) -> str:
    return words.days(report.monday, report.monday + timedelta(days=6))


def _about(report: WeeklyReport) -> Iterator[str]:
    published, zone = report.publication, report.publication.time_zone
    if report.is_synthetic:
        yield "Synthetic data: a demo, no customer is real."
    yield (
        f"As of {words.instant(published.as_of, zone)}, published {words.instant(published.published_at, zone)}; "
        f"late tickets as of {words.instant(report.late_at, zone)}. Days are those of {zone}."
    )
    if not report.is_settled:
        running = report.weeks["in_time"][-1]
        yield f"This week is not settled: {words.count(running, 'promise')} of it still run in time, so its share is "\
              "too low for now."  # fmt: skip


def trend(report: WeeklyReport) -> Section:
    rows = tuple(
        (words.day(row["week"]), words.percent(row["share_met"]), _between(row), words.percent(row["target"]),
         "◌ not settled" if not row["is_settled"] else _against(row))
        for row in report.weeks.iter_rows(named=True)
    )  # fmt: skip
    table = Table(("Week from", "Kept", "95 % interval", "Target", IT_IS), rows)
    shown = report.weeks.filter(pl.col("share_met").is_not_null())
    return Section("Promises kept by week", table, drawing=Drawing(week_trend(report.weeks), in_words(shown)))


def clocks(report: WeeklyReport) -> Section:
    rows = tuple(
        (words.CLOCKS[row["clock"]], words.percent(row["share_met"]), _between(row),
         f"{row['met'] + row['breached']:,} of {row['clocks']:,}", words.percent(row["share_before"]))
        for row in report.clocks.iter_rows(named=True)
    )  # fmt: skip
    running = report.clocks.select((pl.col("at_risk") + pl.col("running")).sum()).item()
    line = f"n: decided of those that started. {words.count(running, 'promise')} still run in time and are in no share."
    return Section("By promise", Table(CLOCK_HEADS, rows), (line,))


def cuts(report: WeeklyReport) -> Section:
    if not report.is_settled:
        return Section("Worst cuts", lines=("They are compared with their targets once the week is settled.",))
    if report.cuts.is_empty():
        return Section("Worst cuts", lines=("No cut of five or more decided promises is below its target.",))
    rows = tuple(
        (f"{DIMENSIONS[row['dimension']]}: {words.plain(row['value'])}", words.percent(row["share_met"]),
         _between(row), f"{row['met'] + row['breached']:,}", words.percent(row["target"]),
         "▼ below target" if row["high"] < row["target"] else "▽ may be chance")
        for row in report.cuts.iter_rows(named=True)
    )  # fmt: skip
    return Section(
        "Worst cuts",
        Table(("Cut", "Kept", "95 % interval", "n", "Target", IT_IS), rows),
        ("The furthest below target for sure come first; cuts overlap.",),
    )


def reasons(report: WeeklyReport) -> Section:
    total = report.reasons["breaches"].sum()
    if not total:
        return Section("Why promises broke", lines=("No promise of the week was broken, or none has a reason yet.",))
    rows = tuple(
        (words.REASONS[row["reason"]], f"{row['breaches']:,}", words.percent(row["breaches"] / total),
         words.worked(row["over_by"]))
        for row in report.reasons.iter_rows(named=True)
    )  # fmt: skip
    return Section("Why promises broke", Table(("Reason", "Broken", "Of all", "Over by, mean, business time"), rows))


def volume(report: WeeklyReport) -> Section:
    now, before = report.volume, report.volume_before
    if now is None:
        return Section("Volume", lines=("No day of the week is published.",))
    then = before or (None,) * len(now)
    rows = tuple((VOLUME[name], f"{amount:,}", _change(amount, past))
                 for name, amount, past in zip(Volume._fields, now, then, strict=True))  # fmt: skip
    return Section("Volume", Table(("", "This week", "To the week before"), rows))


def times(report: WeeklyReport) -> Section:
    names = {"first_response": "First answer (MTTA)", "resolution": "Solution (MTTR)"}
    rows = tuple(
        (names[row["clock"]], words.worked(row["mean_business_seconds"]), words.span(row["mean_seconds"]),
         words.worked(row["median_business_seconds"]), words.span(row["median_seconds"]), f"{row['stopped']:,}")
        for row in report.times.iter_rows(named=True)
    )  # fmt: skip
    heads = ("Time to", "Mean, business", "Mean, calendar", "Median, business", "Median, calendar", "n")
    return Section("How long it took", Table(heads, rows) if rows else None, tuple(_reopened(report)))


def _reopened(report: WeeklyReport) -> Iterator[str]:
    for row in report.reopens.iter_rows(named=True):
        yield (
            f"Of {words.count(row['resolved'], 'solution')} {row['reopened']:,} came back: "
            f"{words.percent(row['share_reopened'])} (95 % interval {_between(row)})."
        )
    if report.reopens.is_empty():
        yield "Nothing that started in the week was solved yet."


def triage(report: WeeklyReport) -> Section:
    return Section("How honest triage is", lines=tuple(_honest(report)))


def _honest(report: WeeklyReport) -> Iterator[str]:
    when = {"sure": "When it is sure", "unsure": "When it is not sure"}
    for claims, found in report.honesty.items():
        whose = f"{found.answered:,} of {found.drawn:,} drawn claims answered, of {found.tickets:,} in all history"
        if found.share is None:
            yield f"{when[claims]}: not known yet ({whose})."
        else:
            between = f"{words.percent(found.low)} to {words.percent(found.high)}"
            yield f"{when[claims]}, people agree {words.percent(found.share)} (95 % interval {between}; {whose})."


def coverage(report: WeeklyReport) -> Section:
    """What stands in no share."""
    rows = tuple(
        f"{words.CLOCKS[row['clock']]}: {words.count(row['windows'], 'promise')} of "
        f"{words.count(row['tickets'], 'ticket')} {words.not_counted(row['why'])}."
        for row in report.not_counted.iter_rows(named=True)
    )
    return Section("Not in these shares", lines=rows or ("Nothing was left out, and nothing could not be measured.",))


def as_text(page: Page) -> str:
    """For where only text is read; no letter in it moves a cursor."""
    return "\n".join(_text_lines(page))


def _text_lines(page: Page) -> Iterator[str]:
    for line in (page.title, "", page.verdict, "", *page.about):
        yield _printable(line)
    for section in page.sections:
        yield from ("", section.title)
        for row in section.table.rows if section.table else ():
            yield _printable("  " + " · ".join(cell for cell in row if cell))
        for line in section.lines:
            yield _printable(f"  {line}")


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _between(row: dict[str, float | None]) -> str:
    return f"{words.percent(row['low'])} to {words.percent(row['high'])}" if row["low"] is not None else NOTHING


def _against(row: dict[str, float]) -> str:
    gap = round(row["share_met"] * 100) - round(row["target"] * 100)
    return "▲ above target" if gap > 0 else "▼ below target" if gap < 0 else "● on target"


def _change(amount: int, before: int | None) -> str:
    if before is None:
        return NOTHING
    gap = amount - before
    return f"{'+' if gap > 0 else '−' if gap < 0 else '±'}{abs(gap):,}"
