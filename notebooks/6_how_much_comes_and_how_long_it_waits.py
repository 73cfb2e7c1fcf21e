# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
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

from pipelines.figures import reports, rhythm
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
busiest = hours.sort("tickets", "weekday", "hour", descending=[True, False, False]).head(1)
if busiest.is_empty():
    print("No ticket came yet.")
else:
    per_day = days["created"].mean()
    at = busiest.row(0, named=True)
    print(
        f"{days['created'].sum():,} tickets in {days.height:,} days, {per_day:.1f} a day; most come on "
        f"{rhythm.WEEKDAYS[at['weekday']]} at {at['hour']}:00 ({at['tickets']:,})."
    )
    for row in waits.iter_rows(named=True):
        name, median = row["clock"].replace("_", " "), row["median_seconds"] / 3600
        print(f"{name}: median {median:.1f} h round the clock, n = {row['stopped']:,}.")

# %%
rhythm.heat_map(hours, "tickets", f"Tickets by hour and weekday ({marts.time_zone})").properties(width=600)
