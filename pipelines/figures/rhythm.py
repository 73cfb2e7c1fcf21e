"""When things come and go: by hour and weekday of the desk's time zone."""

from typing import Any

import altair as alt
import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures import words
from pipelines.figures.palette import BLUE, VERMILLION
from pipelines.figures.selection import ALL_CLOCKS, Selection, clocks_where, tickets_where
from pipelines.marts import MartReader

WEEKDAYS = ("", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""By number, Monday is 1."""
SHORT = tuple(day[:3] for day in WEEKDAYS[1:])
TITLES = {"tickets": "tickets", "share_met": "share met", "breached": "breached"}
FEWEST = 5
"""An hour with fewer decided promises is not called the worst."""


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


def worst(found: pl.DataFrame, column: str, *, limit: int = 3) -> pl.DataFrame:
    """The cells with the most tickets or breaches, of a share those surely the lowest (by the interval's upper end)."""
    if column == "share_met":
        enough = found.filter(pl.col("met") + pl.col("breached") >= FEWEST, pl.col("breached") > 0)
        return enough.sort("high", "weekday", "hour").head(limit)
    most = found.filter(pl.col(column) > 0).sort(column, "weekday", "hour", descending=[True, False, False])
    return most.head(limit)


def heat_map(found: pl.DataFrame, column: str, title: str) -> Any:
    """Hours across, weekdays down, one of TITLES as strength of one colour, which stands out on light and on dark: more
    is stronger, of a share less is stronger."""
    shown = found.with_columns(day=pl.col("weekday").replace_strict(dict(enumerate(SHORT, 1)), return_dtype=pl.String))
    is_share = column == "share_met"
    number = alt.Legend(format=".0%") if is_share else alt.Legend()
    scale = alt.Scale(range=[1, 0.08] if is_share else [0.08, 1], zero=False, nice=False)
    strength = alt.Opacity(f"{column}:Q", title=TITLES[column], scale=scale, legend=number)
    facts: list[alt.Tooltip | str] = [
        alt.Tooltip(f"{column}:Q", title=TITLES[column], format=".0%" if is_share else ",")
    ]
    facts += ["met:Q", "breached:Q"] if is_share else []
    return (
        alt.Chart(shown)
        .mark_rect(color=BLUE if column == "tickets" else VERMILLION)
        .encode(
            x=alt.X("hour:O", title="hour", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("day:O", sort=list(SHORT), title=None),
            opacity=strength,
            tooltip=["day:N", "hour:O", *facts],
        )
        .properties(title=title, height=190, width="container", description=in_words(found, column))
    )


def in_words(found: pl.DataFrame, column: str) -> str:
    """The worst cells, for whoever does not see the map."""
    cells = [f"{hour_of(row)}: {_amount(row, column)}" for row in worst(found, column).iter_rows(named=True)]
    most = "lowest share met" if column == "share_met" else f"most {TITLES[column]}"
    return f"By hour and weekday; {most}: {'; '.join(cells)}" if cells else "By hour and weekday: nothing to compare"


def hour_of(row: dict[str, Any]) -> str:
    """An hour of the week as lists name it: `Mon 09:00`."""
    return f"{SHORT[row['weekday'] - 1]} {row['hour']:02}:00"


def _amount(row: dict[str, Any], column: str) -> str:
    if column != "share_met":
        return f"{row[column]:,}"
    return f"{words.percent(row[column])} of {row['met'] + row['breached']:,}"
