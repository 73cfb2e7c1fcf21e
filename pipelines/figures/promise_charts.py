"""The pictures of the page Promises: share met against its target by week, and by the values of a dimension."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from pipelines.figures import promise_words, words
from pipelines.figures.charts import HEIGHT, SPACED, Picture, described
from pipelines.figures.palette import BLUE, GREEN, GREY, ORANGE, VERMILLION

STATES = {"below target": VERMILLION, "within chance of target": ORANGE, "above target": GREEN}
SHAPES = ("triangle-down", "circle", "triangle-up")
PERCENT = alt.Axis(format=".0%", tickCount=5, title="share met, decided clocks")


def trend(found: pl.DataFrame, title: str) -> Picture:
    """Share met by week with its 95 % interval and the target; of a week that is not settled the range in which its
    share can still lie, hatched, and no line to it."""
    shown = found.filter(pl.col("share_met").is_not_null())
    days = [alt.DateTime(year=day.year, month=day.month, date=day.day) for day in shown["week"]]
    labels = alt.Axis(format="%d %b", values=days, labelOverlap=True, labelSeparation=SPACED, grid=False)
    facts = [
        alt.Tooltip("week:T", title="week of", format="%d %b %Y"),
        *_facts(),
        alt.Tooltip("in_time:Q", title="still running in time"),
        alt.Tooltip("share_at_best:Q", title="if all of these are met", format=".1%"),
    ]
    base = alt.Chart(shown).encode(
        x=alt.X("week:T", title="week the clock started in (its Monday)", axis=labels), tooltip=facts
    )
    settled, unsettled = base.transform_filter("datum.is_settled"), base.transform_filter("!datum.is_settled")
    share = alt.Y("share_met:Q", axis=PERCENT, scale=alt.Scale(domain=[_floor(shown), 1]))
    band = settled.mark_area(opacity=0.18, color=BLUE).encode(y=alt.Y("low:Q", axis=PERCENT), y2="high:Q")
    line = settled.mark_line(color=BLUE).encode(y=share)
    dots = settled.mark_point(filled=True, size=45, opacity=1, color=BLUE).encode(y=share)
    open_range = unsettled.mark_rule(color=BLUE, strokeDash=[2, 3], strokeWidth=9, opacity=0.7).encode(
        y=alt.Y("share_met:Q", axis=PERCENT), y2="share_at_best:Q"
    )
    ends = [
        unsettled.mark_tick(color=BLUE, size=14, thickness=2).encode(y=alt.Y(f"{end}:Q", axis=PERCENT))
        for end in ("share_met", "share_at_best")
    ]
    goal = base.mark_line(color=VERMILLION, strokeDash=[6, 4], interpolate="step").encode(
        y=alt.Y("target:Q", axis=PERCENT)
    )
    last = shown["week"].max()
    name = (
        base.transform_filter(f"datum.week == {_milliseconds(last)}")
        .mark_text(text="target", color=VERMILLION, align="right", dy=-8)
        .encode(y=alt.Y("target:Q", axis=PERCENT))
    )
    layers = alt.layer(band, line, dots, open_range, *ends, goal, name)
    return described(layers, title, promise_words.of_trend(shown), height=HEIGHT)


def against_target(found: pl.DataFrame, title: str, *, share: str = "share met, decided clocks") -> Picture:
    """Share met by `value` in the order given, a point with its 95 % interval, the target as a tick; hollow where few
    are decided, dotted as far as the share can still rise."""
    shown = found.with_columns(
        state=state(), name=pl.format("{} (n = {})", "value", pl.col("met") + pl.col("breached"))
    )
    axis = alt.Axis(format=".0%", tickCount=5, title=share)
    scale = alt.Scale(domain=[_floor(shown), 1])
    y = alt.Y("name:N", sort=list(shown["name"]), title=None, axis=alt.Axis(labelLimit=200, grid=True))
    base = alt.Chart(shown).encode(y=y, tooltip=["value:N", *_facts()])
    names = list(STATES)
    colour = alt.Color("state:N", title=None, scale=alt.Scale(domain=names, range=list(STATES.values())))
    shape = alt.Shape("state:N", title=None, scale=alt.Scale(domain=names, range=list(SHAPES)))
    whiskers = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", axis=axis, scale=scale), x2="high:Q", color=colour)
    points = base.mark_point(filled=True, size=85, strokeWidth=2, opacity=1).encode(
        x=alt.X("share_met:Q", axis=axis),
        color=colour,
        shape=shape,
        fillOpacity=alt.when("datum.met + datum.breached < 5").then(alt.value(0)).otherwise(alt.value(1)),
    )
    goal = base.mark_tick(color=GREY, thickness=3, size=17).encode(x=alt.X("target:Q", axis=axis))
    rises = base.transform_filter("datum.in_time / datum.clocks >= 0.1")
    best = rises.mark_rule(strokeDash=[2, 3], strokeWidth=2, color=GREY).encode(
        x=alt.X("share_met:Q", axis=axis), x2="share_at_best:Q"
    )
    layers = alt.layer(goal, best, whiskers, points)
    return described(layers, title, promise_words.of_cuts(shown), height=30 * shown.height + 90)


def state() -> pl.Expr:
    """How a share stands to its target, as its 95 % interval says."""
    below, within, above = (pl.lit(name) for name in STATES)
    return (
        pl.when(pl.col("high") < pl.col("target"))
        .then(below)
        .when(pl.col("low") > pl.col("target"))
        .then(above)
        .otherwise(within)
    )


def shares(found: pl.DataFrame, title: str, axis: str, *, share: str, order: Sequence[str] = ()) -> Picture:
    """A share by `value` with its 95 % interval and `n`, without a target."""
    shown = found.with_columns(name=pl.format("{} (n = {})", "value", "n"))
    percent, scale = alt.Axis(format=".0%", tickCount=5, title=axis), alt.Scale(domain=[0, 1])
    names = list(order) or list(shown["name"])
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=200, grid=True))
    base = alt.Chart(shown).encode(y=y, tooltip=["value:N", alt.Tooltip(f"{share}:Q", format=".1%"), "n:Q"])
    whiskers = base.mark_rule(strokeWidth=2, color=BLUE).encode(
        x=alt.X("low:Q", axis=percent, scale=scale), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=80, opacity=1, color=BLUE).encode(x=alt.X(f"{share}:Q", axis=percent))
    parts = [f"{row['value']} {words.percent(row[share])}" for row in shown.iter_rows(named=True)]
    return described(alt.layer(whiskers, points), title, f"{title}: {'; '.join(parts)}", height=28 * shown.height + 80)


def _floor(shown: pl.DataFrame) -> float:
    """Where the axis of shares begins: a whole tenth under everything that is drawn."""
    lowest: Any = shown.select(pl.min_horizontal("low", "share_met", "target").min()).item()
    return max(0.0, (lowest * 10 // 1) / 10) if lowest is not None else 0.0


def _milliseconds(day: Any) -> str:
    return f"+datetime({day.year}, {day.month - 1}, {day.day})" if day else "0"


def _facts() -> list[alt.Tooltip | str]:
    return [
        alt.Tooltip("share_met:Q", title="share met", format=".1%"),
        alt.Tooltip("low:Q", title="95 % from", format=".1%"),
        alt.Tooltip("high:Q", title="95 % to", format=".1%"),
        alt.Tooltip("target:Q", title="target", format=".1%"),
        "met:Q",
        "breached:Q",
    ]
