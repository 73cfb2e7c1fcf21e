"""Before and after, side by side: a line from one point to the other."""

from typing import Any

import altair as alt
import polars as pl

from pipelines.figures import words
from pipelines.figures.palette import BLUE, GREY, ORANGE

BEFORE, AFTER = "as it is", "under the change"


def before_and_after(compared: pl.DataFrame, dimension: str, title: str) -> Any:
    """Share met by value of a dimension of a backtest (schema `COMPARED`), a row a clock and value."""
    shown = compared.filter(pl.col("dimension") == dimension).select(
        pl.format("{}, {}", "value", pl.col("clock").replace(words.CLOCKS)).alias("name"),
        before="share_met_before", after="share_met_after",
    )  # fmt: skip
    return _pairs(shown, "share met, decided clocks", title)


def load_before_and_after(groups: pl.DataFrame, title: str) -> Any:
    """How full each group is, from a `what_if.Change`."""
    shown = groups.select(name="group_name", before="utilisation_before", after="utilisation_after")
    return _pairs(shown, "tickets, share of capacity", title)


def _pairs(shown: pl.DataFrame, axis: str, title: str) -> Any:
    points = shown.unpivot(index="name", on=["before", "after"], variable_name="when", value_name="share").with_columns(
        pl.col("when").replace({"before": BEFORE, "after": AFTER})
    )
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=220, grid=True))
    line = (
        alt.Chart(shown.drop_nulls()).mark_rule(color=GREY).encode(x=alt.X("before:Q", title=axis), x2="after:Q", y=y)
    )
    sides = [BEFORE, AFTER]
    dots = (
        alt.Chart(points.drop_nulls())
        .mark_point(filled=True, size=80, opacity=1)
        .encode(
            x=alt.X("share:Q", axis=alt.Axis(format=".0%", title=axis)),
            y=y,
            color=alt.Color("when:N", title=None, scale=alt.Scale(domain=sides, range=[BLUE, ORANGE]),
                            legend=alt.Legend(orient="top")),
            shape=alt.Shape("when:N", scale=alt.Scale(domain=sides, range=["circle", "diamond"])),
            tooltip=["name:N", "when:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )  # fmt: skip
    return alt.layer(line, dots).properties(title=title, height=alt.Step(22), width="container", description=title)
