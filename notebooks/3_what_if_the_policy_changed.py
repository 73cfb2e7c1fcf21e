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
from pipelines.figures import what_if_charts
from pipelines.jobs.backtest import backtest

alt.renderers.enable("svg")  # drawn here: no other machine is asked

app = open_app() if home is None else open_app(home=Path(home))
file = Path(policy) if policy else app.settings.data / "policies" / "sla" / "itil-next.yaml"
try:
    found = backtest(app, policy=file, as_of=app.now())
except NotFound as error:
    found = None
    print(error)
app.policies.files("sla")[-1].name, file.name

# %% [markdown]
# ## Before and after, by clock

# %%
overall = found.attainment.filter(pl.col("dimension") == "all") if found else pl.DataFrame()
overall

# %% [markdown]
# ## Which clocks change

# %%
moves = (
    found.changes.group_by("clock", "state_before", "state_after").len().sort("len", descending=True) if found else None
)
moves

# %% [markdown]
# ## What we conclude

# %%
if found is None or overall.is_empty():
    print("There is no clock to replay here.")
else:
    for row in overall.drop_nulls("points").iter_rows(named=True):
        print(
            f"With {file.stem}, {row['share_met_after']:.1%} of the {row['clock'].replace('_', ' ')} "
            f"promises would have been kept instead of {row['share_met_before']:.1%} "
            f"({row['points']:+.1f} points; {row['met_after'] + row['breached_after']:,} decided)."
        )
    print(f"{found.changes['ticket'].n_unique():,} tickets have a clock that would stand otherwise.")

# %%
app.close()
title = f"Share kept, in force and under {file.stem}"
what_if_charts.before_and_after(found.attainment, "priority", title).properties(width=600) if found else None
