"""What came and went by kind of ticket, and how full groups and agents are, as pictures."""

import altair as alt
import polars as pl

from pipelines.figures.charts import Picture, finished
from pipelines.figures.palette import BLUE, GREEN, GREY, ORANGE, VERMILLION

MOST = 15
"""Values that one picture names."""
STATES = {"over": VERMILLION, "full": ORANGE, "has room": BLUE}


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
    """How full each `name` is, in the order given, and a line where it is full; each says its state in words."""
    used = pl.col("utilisation")
    state = pl.when(used > 1).then(pl.lit("over")).when(used == 1).then(pl.lit("full")).otherwise(pl.lit("has room"))
    shown = found.drop_nulls("utilisation").head(MOST).with_columns(state=state, beside=pl.max_horizontal(used, 1.0))
    words = pl.format("{} of {}{}", "load", "capacity", pl.when(used < 1).then(pl.lit("")).otherwise(", " + state))
    shown = shown.with_columns(words=words)
    axis, room = alt.Axis(format=".0%", tickCount=5), 1.5 * max(1.0, *shown["utilisation"])
    x = alt.X(
        "utilisation:Q", title="load, share of capacity", axis=axis, scale=alt.Scale(domain=[0, room], nice=False)
    )
    base = alt.Chart(shown).encode(
        y=alt.Y("name:N", sort=shown["name"].to_list(), title=None, axis=alt.Axis(labelLimit=150)),
        tooltip=["name:N", "load:Q", "capacity:Q", alt.Tooltip("utilisation:Q", format=".0%"), "state:N"],
    )
    colour = alt.Color("state:N", title=None, scale=alt.Scale(domain=list(STATES), range=list(STATES.values())))
    bars = base.mark_bar(opacity=0.85).encode(x=x, color=colour)
    labels = base.mark_text(align="left", dx=4, color=GREY).encode(x="beside:Q", text="words:N")
    full = alt.Chart(pl.DataFrame({"at": [1.0]})).mark_rule(color=GREY, strokeDash=[4, 4]).encode(x="at:Q")
    over = shown.filter(pl.col("state") == "over").height
    return finished(alt.layer(bars, labels, full), title, height=24 * shown.height + 60,
                    description=f"{title}: {over} of {shown.height} over capacity")  # fmt: skip
