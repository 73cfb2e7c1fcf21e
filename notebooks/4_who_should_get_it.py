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
# # Who should get it?
#
# The open tickets that nobody owns are given out again, the most urgent first: as things are, under other weights, and
# with more people in one group. Nothing is recorded.

# %% tags=["parameters"]
home = None  # a folder with marts, such as "var"; None: that of HELMDESK_HOME

# %%
# ruff: noqa: T201 - a notebook shows by printing
from pathlib import Path

import altair as alt
import polars as pl

from pipelines.app.container import open_app
from pipelines.figures import what_if_charts
from pipelines.jobs import what_if
from pipelines.snapshot import Snapshot

alt.renderers.enable("svg")  # drawn here: no other machine is asked

app = open_app() if home is None else open_app(home=Path(home))
snapshot = Snapshot(app, app.now())
desk = what_if.desk(app, snapshot)
len(desk.tickets), len(desk.groups)

# %% [markdown]
# ## Other weights

# %%
other = what_if.preset(app, "hld-v1")
weights = what_if.change(app, snapshot, policy=other)
weights.moved.group_by("group_before", "group_after").len().sort("len", descending=True)

# %% [markdown]
# ## Who chooses like people did
#
# Of the latest ended tickets: how often a policy picks the group they were with at their end, were all groups free.

# %%
known = {name: what_if.agreement(app, snapshot, what_if.preset(app, name)) for name in ("helmdesk", "hld-v2", "hld-v1")}
pl.DataFrame([{"policy": name, **one._asdict()} for name, one in known.items()], schema=["policy", "tickets", "same"])

# %% [markdown]
# ## Ten more slots where it is fullest

# %%
fullest = weights.groups.filter(pl.col("capacity_before") > 0).sort("utilisation_before", descending=True).head(1)
more = {row["group_id"]: row["capacity_before"] + 10 for row in fullest.iter_rows(named=True)}
staffed = what_if.change(app, snapshot, capacity=more)
staffed.groups.filter(pl.col("tickets_before") != pl.col("tickets_after"))

# %% [markdown]
# ## What we conclude

# %%
app.close()
if not desk.tickets or fullest.is_empty():
    print("Nobody has to be given a ticket: none is open without an owner, or there is no group with a capacity.")
else:
    waiting = pl.col("group_before").str.starts_with("waits") & ~pl.col("group_after").str.starts_with("waits")
    print(
        f"Of {len(desk.tickets):,} open tickets without an owner {weights.moved.height:,} would go elsewhere "
        f"under hld-v1; ten more slots in {fullest['group_name'][0]} would move "
        f"{staffed.moved.height:,}, {staffed.moved.filter(waiting).height:,} of which wait now."
    )

# %%
what_if_charts.load_before_and_after(staffed.groups, "Tickets as a share of capacity").properties(width=600)
