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
# # Who should get it?
#
# The open tickets that nobody owns are given out again, the most urgent first: as things are, under other weights, and
# with more people in one group. Nothing is recorded.

# %% tags=["parameters"]
home = None  # a folder with tickets, such as "var"; None: that of HELMDESK_HOME
policy = None  # a preset of `data/policies/allocation.yaml`; None: the last one that is not in force
slots = 10  # more of them, or fewer below 0, in the fullest group

# %%
# ruff: noqa: T201 - a notebook shows by printing
from pathlib import Path

import altair as alt
import polars as pl

from pipelines.app.container import open_app
from pipelines.figures import what_if_charts, words
from pipelines.jobs import what_if
from pipelines.snapshot import Snapshot

alt.renderers.enable("svg")  # drawn here: no other machine is asked

app = open_app(home=home and Path(home))
snapshot = Snapshot(app, app.now())
in_force, *others = what_if.presets(app)
other = policy or [in_force, *others][-1]
in_force, other

# %% [markdown]
# ## Other weights

# %%
weights = what_if.change(app, snapshot, policy=what_if.preset(app, other))
ways = ("group_before", "group_after")
weights.moved.group_by(ways).len().sort("len", *ways, descending=[True, False, False])

# %% [markdown]
# ## Who chooses like people did
#
# Of the latest ended tickets: how often a policy picks the group they were with at their end, were all groups free.

# %%
known = {name: what_if.agreement(app, snapshot, what_if.preset(app, name)) for name in dict.fromkeys((in_force, other))}
pl.DataFrame([{"policy": name, **one._asdict()} for name, one in known.items()], schema=["policy", "tickets", "same"])

# %% [markdown]
# ## Other staff where it is fullest

# %%
fullest = weights.groups.filter(pl.col("capacity_before") > 0).sort("utilisation_before", descending=True).head(1)
more = {row["group_id"]: max(0, row["capacity_before"] + slots) for row in fullest.iter_rows(named=True)}
staffed = what_if.change(app, snapshot, capacity=more)
staffed.groups.filter(pl.col("tickets_before") != pl.col("tickets_after"))

# %% [markdown]
# ## What we conclude

# %%
app.close()
if not weights.tickets or fullest.is_empty():
    print("Nobody has to be given a ticket: none is open without an owner, or there is no group with a capacity.")
else:
    waits = staffed.moved.filter(pl.col("group_before").str.starts_with("waits")).height
    print(
        f"Of {words.count(weights.tickets, 'open ticket')} without an owner {weights.moved.height:,} would go "
        f"elsewhere under {other}; {slots:+} slots in {fullest['group_name'][0]} would move {staffed.moved.height:,}, "
        f"of which {waits:,} wait now. That is counted, not estimated."
    )
    for name, one in known.items():
        if one.tickets:
            share = words.share_of(one.same, one.tickets)
            print(f"{name} picks the group that the latest {one.tickets:,} ended tickets ended with in {share}.")

# %%
what_if_charts.load_before_and_after(staffed.groups, "Tickets as a share of capacity").properties(width=600)
