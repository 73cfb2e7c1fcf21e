"""Before and after, side by side: a line from one point to the other."""

import altair as alt
import polars as pl

from pipelines.figures import words
from pipelines.figures.charts import Picture, finished
from pipelines.figures.palette import BLUE, GREY, ORANGE

BEFORE, AFTER = "as it is", "under the change"


def before_and_after(compared: pl.DataFrame, dimension: str, title: str) -> Picture:
    """Share met by value of a dimension of a backtest (schema `COMPARED`), a row a clock and value in the order
    given."""
    shown = compared.filter(pl.col("dimension") == dimension).select(
        pl.format("{}, {}", "value", pl.col("clock").replace(words.CLOCKS)).alias("name"),
        before="share_met_before", after="share_met_after",
    )  # fmt: skip
    return _pairs(shown, "share met, decided clocks", title)


def load_before_and_after(groups: pl.DataFrame, title: str) -> Picture:
    """How full each group is, from a `what_if.Change`."""
    shown = groups.select(name="group_name", before="utilisation_before", after="utilisation_after")
    return _pairs(shown, "tickets, share of capacity", title)


def _pairs(shown: pl.DataFrame, axis: str, title: str) -> Picture:
    """A ring before, a diamond after, and the line between; the description names the largest move."""
    points = shown.unpivot(index="name", on=["before", "after"], variable_name="when", value_name="share").with_columns(
        pl.col("when").replace({"before": BEFORE, "after": AFTER})
    )
    y = alt.Y("name:N", title=None, sort=list(shown["name"]), axis=alt.Axis(labelLimit=220, grid=True))
    line = alt.Chart(shown.drop_nulls()).mark_rule(color=GREY, strokeWidth=2)
    sides = [BEFORE, AFTER]
    x = alt.X("share:Q", axis=alt.Axis(format=".0%", title=axis, tickCount=5))
    base = alt.Chart(points.drop_nulls()).encode(
        x=x,
        y=y,
        color=alt.Color("when:N", title=None, scale=alt.Scale(domain=sides, range=[BLUE, ORANGE])),
        shape=alt.Shape("when:N", title=None, scale=alt.Scale(domain=sides, range=["circle", "diamond"])),
        tooltip=["name:N", "when:N", alt.Tooltip("share:Q", format=".1%")],
    )
    dots = [
        base.transform_filter(alt.datum.when == BEFORE).mark_point(filled=False, size=150, opacity=1, strokeWidth=2),
        base.transform_filter(alt.datum.when == AFTER).mark_point(filled=True, size=70, opacity=1),
    ]
    layered = alt.layer(line.encode(x=alt.X("before:Q", title=axis), x2="after:Q", y=y), *dots)
    return finished(layered, title, height=alt.Step(22), description=_described(shown, title))


def _described(shown: pl.DataFrame, title: str) -> str:
    both = shown.drop_nulls().with_columns(by=(pl.col("after") - pl.col("before")).abs()).sort("by", descending=True)
    if both.is_empty():
        return title
    name, before, after = both.select("name", "before", "after").row(0)
    return f"{title}. {name} moves most: from {words.percent(before, 1)} to {words.percent(after, 1)}."
