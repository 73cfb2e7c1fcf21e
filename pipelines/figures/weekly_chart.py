"""The trend of the weekly report, drawn for a page that nobody points at: what is needed stands in the picture."""

from io import BytesIO, StringIO

import altair as alt
import polars as pl

from pipelines.figures import words
from pipelines.figures.palette import BLUE, VERMILLION

WIDTH, HEIGHT = 520, 170
FONT = "DejaVu Sans, Verdana, Arial, sans-serif"


def week_trend(weeks: pl.DataFrame) -> alt.LayerChart:
    """Share kept by week, all clocks together, with its 95 % interval and the target; weeks not settled are hollow."""
    shown = weeks.filter(pl.col("share_met").is_not_null())
    names = [words.day(week) for week in shown["week"]]
    base = alt.Chart(shown.with_columns(name=pl.Series(names, dtype=pl.String))).encode(
        x=alt.X("name:O", sort=names, title="week from", axis=alt.Axis(labelAngle=0, labelOverlap=True))
    )
    share = alt.Y("share_met:Q", title="promises kept", scale=alt.Scale(zero=False, nice=True),
                  axis=alt.Axis(format=".0%", tickCount=5))  # fmt: skip
    whiskers = base.mark_rule(color=BLUE, strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(color=BLUE, strokeWidth=2).encode(y=share)
    points = base.mark_point(size=70, opacity=1, stroke=BLUE, strokeWidth=2).encode(
        y=share, fill=alt.when(alt.datum.is_settled).then(alt.value(BLUE)).otherwise(alt.value("white"))
    )
    target = base.mark_line(color=VERMILLION, strokeDash=[6, 4], strokeWidth=2).encode(y="target:Q")
    label = base.transform_filter(alt.datum.name == (names or [""])[-1]).mark_text(
        text="target", color=VERMILLION, align="left", dx=8, fontSize=12
    ).encode(y="target:Q")  # fmt: skip
    finished: alt.LayerChart = (
        alt.layer(whiskers, target, line, points, label)
        .properties(width=WIDTH, height=HEIGHT, description=in_words(shown))
        .configure(font=FONT, background="white")
        .configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight=400)
        .configure_view(stroke=None)
    )
    return finished


def in_words(weeks: pl.DataFrame) -> str:
    """What a reader hears who does not see it."""
    if weeks.is_empty():
        return "No week with decided promises"
    first, last = weeks.row(0, named=True), weeks.row(-1, named=True)
    return (
        f"Share of promises kept by week: {words.percent(first['share_met'])} in the week from "
        f"{words.day(first['week'])}, {words.percent(last['share_met'])} in that from {words.day(last['week'])}, "
        f"target {words.percent(last['target'])}"
    )


def svg(chart: alt.LayerChart) -> str:
    """As part of an HTML page: it has no address, not even a name space's, and is as wide as there is room."""
    file = StringIO()
    chart.save(file, format="svg")
    picture = file.getvalue()
    for name in (' xmlns="http://www.w3.org/2000/svg"', ' xmlns:xlink="http://www.w3.org/1999/xlink"'):
        picture = picture.replace(name, "")
    return picture.replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)


def png(chart: alt.LayerChart) -> BytesIO:
    """For print, at three times its size."""
    file = BytesIO()
    chart.save(file, format="png", scale_factor=3)
    file.seek(0)
    return file
