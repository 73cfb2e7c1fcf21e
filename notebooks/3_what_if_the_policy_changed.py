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
# # What if the policy changed?
#
# All history is replayed under the promises in force and under another list of them. Nothing is written. What a replay
# can't know: under other promises people would have worked otherwise.

# %% tags=["parameters"]
home = None  # a folder with tickets, such as "var"; None: that of HELMDESK_HOME
policy = None  # a file of promises; None: `itil-next.yaml` of the shipped ones

# %%
# ruff: noqa: T201 - a notebook shows by printing
from pathlib import Path

import altair as alt
import polars as pl

from engine.shared.errors import NotFound
from pipelines.app.container import open_app
from pipelines.figures import what_if_charts, words
from pipelines.jobs.backtest import backtest
from pipelines.marts import open_marts

alt.renderers.enable("svg")  # drawn here: no other machine is asked

with open_marts(home) as marts:
    as_of = marts.as_of
app = open_app(home=home and Path(home))
file = Path(policy) if policy else app.settings.data / "policies" / "sla" / "itil-next.yaml"
try:
    found = backtest(app, policy=file, as_of=as_of)
except NotFound as error:
    found = None
    print(error)
app.policies.files("sla")[-1].name, file.name, as_of

# %% [markdown]
# ## Before and after, by clock

# %%
overall = found.attainment.filter(pl.col("dimension") == "all") if found else pl.DataFrame()
overall

# %% [markdown]
# ## Which clocks change

# %%
by_state = ("clock", "state_before", "state_after")
found.changes.group_by(by_state).len().sort("len", *by_state, descending=[True, *[False] * 3]) if found else None

# %% [markdown]
# ## What we conclude

# %%
if overall.is_empty():
    print("There is no clock to replay here.")
else:
    for row in overall.iter_rows(named=True):
        decided = [row[f"met_{side}"] + row[f"breached_{side}"] for side in ("before", "after")]
        before, after = (
            f"{words.share_of(row[f'met_{side}'], of)} of {of:,}"
            for side, of in zip(("before", "after"), decided, strict=True)
        )
        then = (
            f"{file.stem} would have kept {after}; {row['met_to_breached']:,} kept ones would be broken, "
            f"{row['breached_to_met']:,} broken ones kept, and it makes {row['clocks_after']:,} promises instead of "
            f"{row['clocks_before']:,}"
            if row["clocks_after"]
            else f"{file.stem} promises nothing, {row['clocks_before']:,} promises fall away"
        )
        print(f"{words.CLOCKS[row['clock']]}: kept in force {before} decided; {then}.")
    print(
        f"{found.changes['ticket'].n_unique():,} tickets have a clock that would stand otherwise, counted and not "
        "estimated, if people had worked as they did."
    )

# %%
app.close()
title = f"Share kept, in force and under {file.stem}"
what_if_charts.before_and_after(found.attainment, "priority", title).properties(width=600) if found else None
