"""The pictures on the pages, in the colours of `theme`; text, lines and background follow the reader's theme."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt
import polars as pl

from pipelines.figures import words
from pipelines.figures.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION

Picture = alt.Chart | alt.LayerChart
CLOCK_COLOURS = {"first_response": BLUE, "resolution": PURPLE, "next_response": GREEN, "next_reply": ORANGE}
HEIGHT = 240
HALF = 0.5
SPACED = 12
"""Pixels between the labels of days: those without room are left out."""
PERCENT = alt.Axis(format=".0%", title="share met, decided clocks", tickCount=5)


def attainment_points(found: pl.DataFrame, title: str, order: Sequence[str] = ()) -> Picture:
    """Share met by `value`, a point a clock, with its 95 % interval as a line."""
    shown = _readable(found)
    values = words.in_order(set(shown["value"]), order)
    base = alt.Chart(shown).encode(
        y=alt.Y("value:N", sort=values, title=None, axis=alt.Axis(labelLimit=180, grid=True)),
        yOffset=alt.YOffset("clock:N", sort=_clocks(shown)),
        color=_by_clock(shown),
        tooltip=_tooltip("value:N"),
    )
    scale = alt.Scale(domain=[0, 1])
    whiskers = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", axis=PERCENT, scale=scale), x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("share_met:Q", axis=PERCENT, scale=scale))
    return finished(alt.layer(whiskers, points), title, height=max(HEIGHT, 22 * shown.height))


def attainment_trend(found: pl.DataFrame, title: str, target: float | None = None) -> Picture:
    """Share met by the week in which the clock started, with 95 % interval bands, and the share wanted as a line. Of a
    week that is not settled yet the range is drawn in which its share will lie: from the share so far to the one if all
    that still run are met."""
    shown = _readable(found)
    weeks = sorted(set(shown["week"]))
    labels = alt.Axis(
        format="%d %b", values=[_day(week) for week in weeks], labelOverlap=True, labelSeparation=SPACED, grid=False
    )
    base = alt.Chart(shown).encode(
        x=alt.X("week:T", title="week the clock started in (its Monday)", axis=labels),
        color=_by_clock(shown),
        tooltip=[
            *_tooltip(alt.Tooltip("week:T", title="week of", format="%d %b %Y")),
            alt.Tooltip("in_time:Q", title="still running in time"),
            alt.Tooltip("share_at_best:Q", title="if all of these are met", format=".1%"),
        ],
    )
    settled, share = alt.datum.is_settled, alt.Y("share_met:Q", axis=PERCENT, scale=alt.Scale(domain=[0, 1]))
    sure = base.transform_filter(settled)
    band = sure.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", axis=PERCENT), y2="high:Q")
    line = sure.mark_line().encode(y=share)
    full = sure.mark_point(filled=True, size=40, opacity=1).encode(y=share)
    spread = base.transform_filter(~settled).encode(xOffset=alt.XOffset("clock:N", sort=_clocks(shown)))
    ranges = spread.mark_rule(strokeWidth=5, strokeDash=[2, 2], opacity=0.7).encode(y=share, y2="share_at_best:Q")
    layers = [band, line, full, ranges]
    if target is not None:
        wanted = alt.Chart(pl.DataFrame({"target": [target], "name": [f"target {target:.0%}"]}))
        layers.append(wanted.mark_rule(color=GREY, strokeDash=[6, 4]).encode(y="target:Q"))
        layers.append(wanted.mark_text(color=GREY, align="left", dx=4, dy=10, x=0).encode(y="target:Q", text="name:N"))
    return finished(alt.layer(*layers), title, height=HEIGHT)


def reason_bars(found: pl.DataFrame, title: str) -> Picture:
    """Breached clocks by `value`, stacked by reason."""
    shown = found.with_columns(pl.col("reason").replace(words.REASONS))
    names = list(words.REASONS.values())
    chart = (
        alt.Chart(shown)
        .mark_bar(opacity=0.9)
        .encode(
            x=alt.X("breaches:Q", title="breached clocks"),
            y=alt.Y("value:N", sort="-x", title=None, axis=alt.Axis(labelLimit=180)),
            color=alt.Color("reason:N", title=None, scale=alt.Scale(domain=names, range=[VERMILLION, ORANGE, BLUE])),
            tooltip=["value:N", "reason:N", "breaches:Q"],
        )
    )
    return finished(chart, title, height=34 * shown["value"].n_unique() + 110)


def alert_bars(found: pl.DataFrame, title: str, days: tuple[date, date], *, zone: str = "UTC") -> Picture:
    """Alerts by day of the zone, stacked by level, with room for every day from the first to the last of `days`."""
    shown = found.with_columns(level=pl.format("level {}", "level"))
    colours = alt.Scale(range=[BLUE, ORANGE, VERMILLION, PURPLE])
    chart = (
        alt.Chart(shown)
        .mark_bar()
        .encode(
            x=alt.X(
                "yearmonthdate(day):T",
                title=f"day ({zone})",
                axis=alt.Axis(format="%d %b", tickCount=8, labelOverlap=True, labelSeparation=SPACED, grid=False),
                scale=alt.Scale(domain=[_day(days[0]), _day(days[1] + timedelta(days=1))], nice=False),
            ),
            y=alt.Y("sum(alerts):Q", title="alerts", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("level:N", title=None, scale=colours),
            tooltip=[alt.Tooltip("yearmonthdate(day):T", format="%d %b %Y"), "level:N", "sum(alerts):Q"],
        )
    )
    return finished(chart, title, height=HEIGHT)


def volume_lines(found: pl.DataFrame, title: str, names: dict[str, str], axis: str, *, zone: str = "UTC") -> Picture:
    """The named columns by day of the zone, a line each."""
    shown = found.select("day", **{name: pl.col(column) for column, name in names.items()})
    colours = alt.Scale(domain=list(names.values()), range=[VERMILLION, GREEN, BLUE][: len(names)])
    dashes = alt.Scale(domain=list(names.values()), range=[[1, 0], [6, 3], [2, 2]][: len(names)])
    chart = (
        alt.Chart(shown.unpivot(index="day", variable_name="what", value_name="tickets"))
        .mark_line()
        .encode(
            x=alt.X(
                "day:T",
                title=f"day ({zone})",
                axis=alt.Axis(format="%d %b", tickCount=8, labelOverlap=True, labelSeparation=SPACED, grid=False),
            ),
            y=alt.Y("tickets:Q", title=axis),
            color=alt.Color("what:N", title=None, scale=colours),
            strokeDash=alt.StrokeDash("what:N", title=None, scale=dashes),
            tooltip=[alt.Tooltip("day:T", format="%a %d %b %Y"), "what:N", "tickets:Q"],
        )
    )
    return finished(chart, title, height=HEIGHT)


def confidence_bars(spread: pl.DataFrame, title: str) -> Picture:
    """Tickets by confidence, coloured by who decides: triage alone or a person."""
    names = {"triage": "triage is sure enough", "person": "goes to a person"}
    shown = spread.with_columns(pl.col("goes_to").replace(names))
    chart = (
        alt.Chart(shown)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "lower:Q", bin="binned", axis=alt.Axis(format=".0%"), title="confidence", scale=alt.Scale(domain=[0, 1])
            ),
            x2="upper:Q",
            y=alt.Y("tickets:Q", title="tickets", stack=True),
            color=alt.Color(
                "goes_to:N", title=None, scale=alt.Scale(domain=list(names.values()), range=[BLUE, ORANGE])
            ),
            tooltip=[
                alt.Tooltip("goes_to:N", title="who decides"),
                alt.Tooltip("lower:Q", title="from", format=".0%"),
                alt.Tooltip("upper:Q", title="to", format=".0%"),
                alt.Tooltip("tickets:Q", title="tickets"),
            ],
        )
    )
    return finished(chart, title, height=220)


def calibration_points(found: pl.DataFrame, title: str) -> Picture:
    """How often people agreed against how sure triage was, with 95 % intervals; on the line it was as right as sure."""
    axis = alt.Axis(format=".0%", tickCount=5)
    whole = alt.Scale(domain=[0, 1])
    base = alt.Chart(found).encode(
        x=alt.X("mean_confidence:Q", title="mean confidence", axis=axis, scale=whole),
        tooltip=[
            alt.Tooltip("mean_confidence:Q", title="mean confidence", format=".1%"),
            alt.Tooltip("share_agreed:Q", title="people agreed", format=".1%"),
            alt.Tooltip("low:Q", title="95 % from", format=".1%"),
            alt.Tooltip("high:Q", title="95 % to", format=".1%"),
            alt.Tooltip("answered:Q", title="claims checked"),
        ],
    )
    even = alt.Chart(pl.DataFrame({"at": [0.0, 1.0]})).mark_line(color=GREY, strokeDash=[4, 4])
    line = even.encode(x=alt.X("at:Q", scale=whole), y=alt.Y("at:Q", scale=whole))
    whiskers = base.mark_rule(color=BLUE, opacity=0.6).encode(y=alt.Y("low:Q", scale=whole), y2="high:Q")
    points = base.mark_point(filled=True, size=70, color=BLUE).encode(
        y=alt.Y("share_agreed:Q", title="people agreed", axis=axis, scale=whole)
    )
    return finished(alt.layer(line, whiskers, points), title, height=220)


def risk_coverage_line(found: pl.DataFrame, title: str) -> Picture:
    """Share corrected among the surest claims, by the share of claims that they are."""
    axis = alt.Axis(format=".0%", tickCount=5)
    chart = (
        alt.Chart(found)
        .mark_line(color=BLUE, interpolate="step-after")
        .encode(
            x=alt.X("coverage:Q", title="share of checked claims decided alone", axis=axis),
            y=alt.Y("risk:Q", title="share of these corrected", axis=axis),
            tooltip=[
                alt.Tooltip("confidence:Q", title="from this confidence on", format=".1%"),
                alt.Tooltip("coverage:Q", format=".1%"),
                alt.Tooltip("risk:Q", title="corrected", format=".1%"),
            ],
        )
    )
    return finished(chart, title, height=220)


def confusion_cells(found: pl.DataFrame, title: str) -> Picture:
    """What triage claimed (across) of what people named (down): the share of the row, and how many claims."""
    base = alt.Chart(found).encode(
        x=alt.X("said:N", title="triage said", axis=alt.Axis(labelAngle=-40, labelLimit=120)),
        y=alt.Y("answered:N", title="people answered", axis=alt.Axis(labelLimit=160)),
        tooltip=["answered:N", "said:N", "claims:Q", alt.Tooltip("share:Q", title="of the row", format=".0%")],
    )
    shade = alt.Color("share:Q", title="share of the row", scale=alt.Scale(scheme="blues", domain=[0, 1]),
                      legend=alt.Legend(format=".0%"))  # fmt: skip
    ink = alt.when(alt.datum.share > HALF).then(alt.value("white")).otherwise(alt.value("#0a1219"))
    cells = base.mark_rect().encode(color=shade)
    numbers = base.mark_text().encode(text="claims:Q", color=ink)
    return finished(alt.layer(cells, numbers), title, height=28 * found["answered"].n_unique() + 90)


def factor_bars(scores: pl.DataFrame, title: str) -> Picture:
    """The scores of an allocation, in the order given."""
    shown = scores.with_columns(pl.col("factor").map_elements(words.plain, return_dtype=pl.String()))
    chart = (
        alt.Chart(shown)
        .mark_bar(color=BLUE, opacity=0.85)
        .encode(
            x=alt.X("score:Q", scale=alt.Scale(domain=[0, 1]), title="score, 0 to 1", axis=alt.Axis(tickCount=5)),
            y=alt.Y("factor:N", sort=list(shown["factor"]), title=None, axis=alt.Axis(labelOverlap=False)),
            tooltip=["factor:N", alt.Tooltip("score:Q", format=".2f")],
        )
    )
    return finished(chart, title, height=30 * shown.height + 60)


def _day(day: date) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day)


def _readable(found: pl.DataFrame) -> pl.DataFrame:
    """Decided rows only, clocks by the names a reader knows."""
    return found.filter(pl.col("share_met").is_not_null()).with_columns(pl.col("clock").replace(words.CLOCKS))


def _clocks(shown: pl.DataFrame) -> list[str]:
    return [name for name in words.CLOCKS.values() if name in set(shown["clock"])]


def _by_clock(shown: pl.DataFrame) -> alt.Color:
    colours = {words.CLOCKS[clock]: colour for clock, colour in CLOCK_COLOURS.items()}
    names = _clocks(shown)
    scale = alt.Scale(domain=names, range=[colours[name] for name in names])
    return alt.Color("clock:N", title=None, scale=scale)


def _tooltip(first: str | alt.Tooltip) -> list[str | alt.Tooltip]:
    return [
        first,
        "clock:N",
        alt.Tooltip("share_met:Q", title="share met", format=".1%"),
        alt.Tooltip("low:Q", title="95 % from", format=".1%"),
        alt.Tooltip("high:Q", title="95 % to", format=".1%"),
        "met:Q",
        "breached:Q",
    ]


def finished(chart: Any, title: str, *, height: int | alt.Step, description: str = "") -> Picture:
    """The picture in the manner of all, as wide as its place; `description` is its text alternative, else the title."""
    picture: Picture = (
        chart.properties(title=title, height=height, width="container", description=description or title)
        .configure(font="Source Sans, sans-serif", background="transparent")
        .configure_title(anchor="start", fontSize=14, fontWeight=600)
        .configure_axis(titleFontWeight=400)
        .configure_legend(orient="top", symbolOpacity=1)
        .configure_view(stroke=None)
    )
    return picture
