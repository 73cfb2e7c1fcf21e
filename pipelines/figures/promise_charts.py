"""Cuts against their targets: a dot with its interval, and a tick where the target is."""

import altair as alt
import polars as pl

from pipelines.figures.charts import Picture, finished
from pipelines.figures.palette import BLUE, GREY, VERMILLION

MOST = 25


def cuts_against_target(found: pl.DataFrame, title: str) -> Picture:
    """The values of a dimension (rows of `weekly.against_target`), the furthest under target first."""
    shown = (
        found.drop_nulls("share_met")
        .with_columns(under=pl.col("target") - pl.col("share_met"), is_under=pl.col("high") < pl.col("target"))
        .sort("under", descending=True)
        .head(MOST)
    )
    state = pl.when("is_under").then(pl.lit("under target for sure")).otherwise(pl.lit("not under it for sure"))
    base = alt.Chart(shown.with_columns(state=state)).encode(
        y=alt.Y("value:N", sort=shown["value"].to_list(), title=None, axis=alt.Axis(labelLimit=200, grid=True)),
        tooltip=[
            "value:N", alt.Tooltip("share_met:Q", title="share met", format=".1%"),
            alt.Tooltip("low:Q", title="95 % from", format=".1%"), alt.Tooltip("high:Q", title="95 % to", format=".1%"),
            alt.Tooltip("target:Q", format=".1%"), "met:Q", "breached:Q",
        ],
    )  # fmt: skip
    sides = ["under target for sure", "not under it for sure"]
    colour = alt.Color("state:N", title=None, scale=alt.Scale(domain=sides, range=[VERMILLION, BLUE]))
    axis = alt.Axis(format=".0%", title="share met, decided clocks; the tick is the target", tickCount=5)
    whiskers = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", axis=axis), x2="high:Q", color=colour)
    shape = alt.Shape("state:N", scale=alt.Scale(domain=sides, range=["diamond", "circle"]))
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x="share_met:Q", color=colour, shape=shape)
    target = base.mark_tick(thickness=3, size=16, color=GREY).encode(x="target:Q")
    return finished(alt.layer(whiskers, target, points), title, height=alt.Step(22))
