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
# # Is the model honest?
#
# When triage says that it is sure, is it right? Told from the random slice of sure claims that people are asked about;
# what people correct by themselves says too little good of it, since they begin with what it is unsure of.

# %% tags=["parameters"]
home = None  # a folder with marts, such as "var"; None: that of HELMDESK_HOME

# %%
# ruff: noqa: T201 - a notebook shows by printing
import altair as alt
import polars as pl

from pipelines.figures import charts, triage_numbers, words
from pipelines.marts import open_marts

alt.renderers.enable("svg")  # drawn here: no other machine is asked

marts = open_marts(home)
marts.honesty.frame()

# %% [markdown]
# ## Calibration, over all that people answered

# %%
found = triage_numbers.calibration(marts.reader)
found

# %%
answered = found.group_by("model_used").agg(pl.col("answered").sum()).sort("answered", "model_used")
model = answered["model_used"][-1] if answered.height else None
title = f"How often people agreed, by confidence ({model})"
charts.calibration_points(found.filter(pl.col("model_used") == model), title).properties(width=500) if model else None

# %%
error = triage_numbers.calibration_error(marts.reader)
error

# %% [markdown]
# ## What would it get wrong if it decided alone?
#
# From some confidence on: the share of the checked claims that it would decide, and of these the share that people
# corrected.

# %%
curve = triage_numbers.risk_coverage(marts.reader)
curve.gather_every(max(1, curve.height // 10)) if curve.height else curve

# %%
triage_numbers.confusion(marts.reader)

# %% [markdown]
# ## What we conclude

# %%
sure, every = (triage_numbers.honesty(marts.reader, claims) for claims in ("sure", "all"))
if not every.tickets:
    print("Triage has classified nothing here: `helmdesk triage` does, and `helmdesk triage review` asks people.")
elif sure.share is None:
    print(
        f"How often triage is right when it is sure is not known: {sure.answered} of the {sure.drawn} claims of the "
        "random slice are answered. `helmdesk triage review` asks for them."
    )
else:
    share = words.with_interval(sure.share, sure.low, sure.high)
    print(
        f"When triage is sure ({words.count(sure.tickets, 'ticket')}), people agree in {share}, n = {sure.answered} "
        f"of the random slice of {sure.drawn}."
    )
if error:
    print(f"Over the {error[1]:,} claims that people checked its confidence is off by {error[0]:.3f} on average (ECE).")

# %%
title = "Corrected among the surest, by how many they are"
charts.risk_coverage_line(curve, title).properties(width=500) if curve.height else None
