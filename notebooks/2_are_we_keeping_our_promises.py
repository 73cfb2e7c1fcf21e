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
# # Are we keeping our promises?
#
# The share of promises kept, against the share that the desk wants (`data/policies/goals.yaml`), by week and by cut.
# A clock counts once it was met or breached; what is not measured is in no share and stands beside it.

# %% tags=["parameters"]
home = None  # a folder with marts, such as "var"; None: that of HELMDESK_HOME

# %%
# ruff: noqa: T201 - a notebook shows by printing
import altair as alt
import polars as pl

from pipelines.figures import charts, queries, words
from pipelines.figures.selection import Period, Selection
from pipelines.marts import open_marts

alt.renderers.enable("svg")  # drawn here: no other machine is asked

marts = open_marts(home)
last = marts.tickets.lazy().select(pl.col("updated_at").max()).collect().item()
period = Period.of_days(84, until=(last or marts.as_of).date())
chosen = Selection(period=period)
marts.as_of, words.days(*period)

# %% [markdown]
# ## By clock, and what is in no share

# %%
found = queries.headline(marts.reader, chosen)
found

# %%
queries.not_counted(marts.reader, chosen)

# %% [markdown]
# ## By week
#
# Weeks in which many clocks still run are too low for now: a late clock counts at once, a kept one when it stops.

# %%
weekly = queries.attainment_by_week(marts.reader, chosen)
settled = weekly.filter("is_settled")
weekly.select("clock", "week", "clocks", "share_met", "low", "high", "in_time", "share_at_best", "is_settled")

# %% [markdown]
# ## Where it hurts most
#
# Priorities with at least ten decided clocks, the furthest under target first.

# %%
by_priority = queries.attainment_by(marts.reader, "priority", chosen)
decided = by_priority.with_columns(
    decided=pl.col("met") + pl.col("breached"), priority="value", tier=pl.lit("")
).filter(pl.col("decided") >= 10)
short = decided.with_columns(
    target=marts.goals.attainment.wanted(), under=marts.goals.attainment.wanted() - pl.col("share_met")
).sort("under", descending=True)
short.select("clock", "value", "decided", "share_met", "low", "high", "target", "under")

# %% [markdown]
# ## What we conclude

# %%
total = found.select(pl.col("met", "breached").sum())
met, broken = (int(total[name].sum()) for name in ("met", "breached"))
if met + broken == 0:
    print(f"Nothing was decided in {words.days(*period)}: there is no share to tell.")
else:
    worst = short.row(0, named=True) if short.height and short["under"][0] > 0 else None
    tail = (
        ""
        if worst is None
        else (
            f"; furthest under target: {words.CLOCKS[worst['clock']].lower()} of {worst['value']} tickets, "
            f"{worst['share_met']:.0%} [{worst['low']:.0%}–{worst['high']:.0%}] of {worst['decided']:,}, "
            f"wanted {worst['target']:.0%}"
        )
    )
    print(f"{met / (met + broken):.1%} of {met + broken:,} promises of {words.days(*period)} were kept{tail}.")

# %%
charts.attainment_trend(weekly, f"Promises kept by week, {words.days(*period)}").properties(width=600)
