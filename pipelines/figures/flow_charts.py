"""What came and went by kind of ticket, and how full groups and agents are, as pictures."""

import altair as alt
import polars as pl

from pipelines.figures.charts import Picture, finished
from pipelines.figures.palette import BLUE, GREEN, GREY, VERMILLION

MOST = 15
"""Values that one picture names."""
FULL = "over capacity"


def came_and_went(found: pl.DataFrame, title: str) -> Picture:
    """Tickets created and times resolved by `value`, a dot each with a line between them: the longer, the more one
    outweighs the other."""
    shown = found.head(MOST)
    what = {"created": "created", "resolved": "resolved"}
    dots = shown.select("value", **{name: pl.col(column) for name, column in what.items()})
    y = alt.Y("value:N", sort=shown["value"].to_list(), title=None, axis=alt.Axis(labelLimit=150, grid=True))
    axis = alt.Axis(title="tickets created, times resolved", tickMinStep=1, tickCount=6)
    lines = alt.Chart(dots).mark_rule(color=GREY, strokeWidth=2).encode(y=y, x=alt.X("created:Q", axis=axis),
                                                                          x2="resolved:Q")  # fmt: skip
    points = (
        alt.Chart(dots.unpivot(index="value", variable_name="what", value_name="times"))
        .mark_point(filled=True, size=80, opacity=1)
        .encode(
            y=y,
            x=alt.X("times:Q", axis=axis),
            color=alt.Color("what:N", title=None, scale=alt.Scale(domain=list(what), range=[VERMILLION, GREEN])),
            shape=alt.Shape("what:N", scale=alt.Scale(domain=list(what), range=["diamond", "circle"])),
            tooltip=["value:N", "what:N", "times:Q"],
        )
    )
    more = found["created"].sum(), found["resolved"].sum()
    return finished(alt.layer(lines, points), title, height=26 * shown.height + 60,
                    description=f"{title}: {more[0]:,} created, {more[1]:,} resolved in all")  # fmt: skip


def load_bars(found: pl.DataFrame, title: str) -> Picture:
    """How full each `name` is, in the order given, and a line where it is full; an overfull bar says so itself."""
    shown = (
        found.drop_nulls("utilisation")
        .head(MOST)
        .with_columns(
            state=pl.when(pl.col("load") > pl.col("capacity")).then(pl.lit(FULL)).otherwise(pl.lit("has room")),
            words=pl.format("{} of {}", "load", "capacity"),
        )
        .with_columns(words=pl.when(state_is_over()).then(pl.format("{}, over", "words")).otherwise("words"))
    )
    most = max(1.0, *shown["utilisation"])
    scale = alt.Scale(domain=[0, most * 1.3], nice=False)
    base = alt.Chart(shown).encode(
        x=alt.X(
            "utilisation:Q", title="load, share of capacity", axis=alt.Axis(format=".0%", tickCount=5), scale=scale
        ),
        y=alt.Y("name:N", sort=shown["name"].to_list(), title=None, axis=alt.Axis(labelLimit=150)),
        tooltip=["name:N", "load:Q", "capacity:Q", alt.Tooltip("utilisation:Q", format=".0%"), "state:N"],
    )
    colour = alt.Color("state:N", title=None, scale=alt.Scale(domain=[FULL, "has room"], range=[VERMILLION, BLUE]))
    bars = base.mark_bar(opacity=0.85).encode(color=colour)
    labels = base.mark_text(align="left", dx=4, color=GREY).encode(text="words:N")
    full = alt.Chart(pl.DataFrame({"at": [1.0]})).mark_rule(color=GREY, strokeDash=[4, 4]).encode(x="at:Q")
    over = shown.filter(state_is_over()).height
    return finished(alt.layer(bars, labels, full), title, height=24 * shown.height + 60,
                    description=f"{title}: {over} of {shown.height} over capacity")  # fmt: skip


def state_is_over() -> pl.Expr:
    return pl.col("state") == FULL
