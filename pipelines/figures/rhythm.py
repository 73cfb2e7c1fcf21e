"""When things come and go: by hour and weekday of the desk's time zone."""

import altair as alt
import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures.charts import Picture, finished
from pipelines.figures.palette import BLUE, VERMILLION
from pipelines.figures.selection import ALL_CLOCKS, Selection, clocks_where, tickets_where
from pipelines.marts import MartReader

WEEKDAYS = ("", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""By number, Monday is 1."""
SHORT = tuple(day[:3] for day in WEEKDAYS[1:])
TITLES = {"tickets": "tickets", "share_met": "share met"}


def by_hour_and_weekday(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """Tickets created: weekday (1 is Monday), hour, tickets; a row a cell that has any."""
    where, values = tickets_where(chosen, reader)
    local = "timezone(?, t.created_at)"
    zone = reader.publication.time_zone
    return reader.query(
        f"""SELECT isodow({local}) AS weekday, hour({local}) AS hour, count(*) AS tickets {where}
        GROUP BY ALL ORDER BY ALL""",
        [zone, zone, *values],
    )


def share_met_by_hour_and_weekday(reader: MartReader, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """Promises by when their clock started: weekday, hour, met, breached, share_met with its interval low, high."""
    where, values = clocks_where(chosen, reader)
    local, zone = "timezone(?, c.window_start)", reader.publication.time_zone
    found = reader.query(
        f"""SELECT isodow({local}) AS weekday, hour({local}) AS hour, count(*) FILTER (state = 'met') AS met,
        count(*) FILTER (state = 'breached') AS breached {where} GROUP BY ALL ORDER BY ALL""",
        [zone, zone, *values],
    )
    return with_share(found, "share_met", pl.col("met"), pl.col("met") + pl.col("breached"))


def hour_of(weekday: int, hour: int) -> str:
    """An hour of the week as lists name it: `Mon 09:00`."""
    return f"{SHORT[weekday - 1]} {hour:02}:00"


def heat_map(found: pl.DataFrame, column: str, title: str, description: str = "") -> Picture:
    """Hours across, weekdays down, one of TITLES as strength of one colour, which stands out on light and on dark: more
    is stronger, of a share less is stronger. `description` says the same in words."""
    shown = found.with_columns(day=pl.col("weekday").replace_strict(dict(enumerate(SHORT, 1)), return_dtype=pl.String))
    is_share = column == "share_met"
    scale = alt.Scale(range=[1, 0.08] if is_share else [0.08, 1], zero=False, nice=False)
    number = alt.Legend(format=".0%") if is_share else alt.Legend()
    strength = alt.Opacity(f"{column}:Q", title=TITLES[column], scale=scale, legend=number)
    facts: list[alt.Tooltip | str] = [
        alt.Tooltip(f"{column}:Q", title=TITLES[column], format=".0%" if is_share else ",")
    ]
    facts += ["met:Q", "breached:Q"] if is_share else []
    cells = (
        alt.Chart(shown)
        .mark_rect(color=VERMILLION if is_share else BLUE)
        .encode(
            x=alt.X("hour:O", title="hour", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("day:O", sort=list(SHORT), title=None),
            opacity=strength,
            tooltip=["day:N", "hour:O", *facts],
        )
    )
    return finished(cells, title, height=190, description=description)
