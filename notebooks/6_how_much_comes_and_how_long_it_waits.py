# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How much comes, and how long it waits
#
# Tickets by day, by hour and weekday, and by product; how long first answers and solutions take, round the clock and in
# business time.

# %% tags=["parameters"]
home = None  # a folder with marts, such as "var"; None: that of HELMDESK_HOME

# %%
# ruff: noqa: T201 - a notebook shows by printing
import altair as alt
import polars as pl

from pipelines.figures import reports, rhythm, words
from pipelines.figures.selection import Selection
from pipelines.marts import open_marts

alt.renderers.enable("svg")  # drawn here: no other machine is asked

marts = open_marts(home)
chosen = Selection()
days = reports.volume(marts.reader)
days.tail(7)

# %% [markdown]
# ## When it comes (hours of the desk's time zone)

# %%
hours = rhythm.by_hour_and_weekday(marts.reader, chosen)
hours.sort("tickets", descending=True).head(5)

# %% [markdown]
# ## About what

# %%
marts.sql(
    "SELECT coalesce(product, 'no product') AS product, count(*) AS tickets FROM tickets GROUP BY 1 ORDER BY 2 DESC"
)

# %% [markdown]
# ## How long it waits

# %%
waits = reports.response_times(marts.reader, chosen)
hour = pl.col("mean_seconds", "median_seconds", "mean_business_seconds", "median_business_seconds") / 3600
waits.select("clock", "stopped", hour.name.replace("_seconds", "_hours")) if waits.height else waits

# %% [markdown]
# ## What we conclude

# %%
busiest = hours.sort("tickets", "weekday", "hour", descending=[True, False, False])
if busiest.is_empty():
    print("No ticket came yet: `helmdesk ingest` takes some in.")
else:
    first, second = (
        (row["tickets"], f"{rhythm.WEEKDAYS[row['weekday']]} at {row['hour']}:00")
        for row in busiest.head(2).iter_rows(named=True)
    )
    came = hours["tickets"].sum()
    share = words.share_of(first[0], came, digits=1)
    few, many = (days["created"].quantile(at) for at in (0.05, 0.95))
    print(
        f"{came:,} tickets in {days.height:,} days, {days['created'].mean():.1f} a day (nine days of ten {few:.0f} to "
        f"{many:.0f}); most come on {first[1]}, {share}, then on {second[1]} ({second[0]:,} after {first[0]:,})."
    )
    for row in waits.iter_rows(named=True):
        print(
            f"{words.CLOCKS[row['clock']]}: half of {row['stopped']:,} came within {words.span(row['median_seconds'])} "
            f"round the clock, {words.worked(row['median_business_seconds'])} of business time."
        )

# %%
rhythm.heat_map(hours, "tickets", f"Tickets by hour and weekday ({marts.time_zone})").properties(width=600)
