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
# # Are we keeping our promises?
#
# The share of promises kept, by week and by cut, against the share that the desk wants (`data/policies/goals.yaml`). A
# clock counts once it was met or breached; what is not measured is in no share and stands beside it.

# %% tags=["parameters"]
home = None  # a folder with marts, such as "var"; None: that of HELMDESK_HOME
last_weeks = 12

# %%
# ruff: noqa: T201 - a notebook shows by printing
import altair as alt
import polars as pl

from pipelines.figures import charts, queries, weekly, weekly_chart, words
from pipelines.figures.selection import DIMENSIONS, Period, Selection
from pipelines.marts import open_marts

alt.renderers.enable("svg")  # drawn here: no other machine is asked

marts = open_marts(home)
wanted = marts.goals.attainment.wanted()
marts.as_of

# %% [markdown]
# ## By week
#
# A week in which many clocks still run looks worse than it is: a late clock counts at once, a kept one when it stops.
# What follows speaks of the settled weeks, in which fewer than a tenth of the clocks run.

# %%
weeks = weekly.by_week(marts.reader, wanted).tail(last_weeks)
settled = weeks.filter("is_settled")
ends = settled.select(pl.col("week").first(), last=pl.col("week").last()).row(0) if settled.height else None
period = Period(ends[0], Period.of_week(ends[1]).last) if ends else Period()
chosen = Selection(period=period)
weeks.select("week", "clocks", "share_met", "low", "high", "target", "in_time", "is_settled")

# %%
by_clock = queries.attainment_by_week(marts.reader, Selection(period=Period(period.first)))
title = f"Promises kept by week, settled: {words.days(*period)}"
charts.attainment_trend(by_clock, title).properties(width=600) if by_clock.height else None

# %% [markdown]
# ## By clock, and what is in no share

# %%
queries.headline(marts.reader, chosen)

# %%
queries.not_counted(marts.reader, chosen)

# %% [markdown]
# ## Where it hurts most
#
# Cuts under their target, the furthest for sure first; agents are people, and no cut.

# %%
cuts = weekly.worst_cuts(marts.reader, wanted, chosen)
cuts.select("dimension", "value", "met", "breached", "share_met", "low", "high", "target")

# %% [markdown]
# ## What we conclude

# %%
met, broken = settled.select(pl.col("met", "breached").sum()).row(0)
if not met + broken:
    print("No week is settled here, so there is no share to tell: promises are decided as tickets are answered.")
else:
    overall = words.share_of(met, met + broken)
    under = settled.filter(pl.col("high") < pl.col("target")).height
    if cuts.height:
        cut = cuts.row(0, named=True)
        share = words.with_interval(cut["share_met"], cut["low"], cut["high"])
        worst = (
            f"furthest under is {DIMENSIONS[cut['dimension']].lower()} {cut['value']} with {share} of "
            f"{cut['met'] + cut['breached']:,}, wanted {words.percent(cut['target'])}"
        )
    else:
        worst = "no cut is under its target"
    print(
        f"{overall} of {met + broken:,} promises of the settled weeks, {words.days(*period)}, were kept; {under} of "
        f"{words.count(settled.height, 'week')} were under target beyond chance; {worst}."
    )

# %%
weekly_chart.week_trend(settled).properties(width=600) if settled.height else None
