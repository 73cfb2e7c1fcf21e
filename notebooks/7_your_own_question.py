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
# # Your own question
#
# A beginning: the marts, their dictionary, one query, one picture, one sentence. Copy it and ask.

# %% tags=["parameters"]
home = None  # a folder with marts, such as "var"; None: that of HELMDESK_HOME
question = "SELECT channel, count(*) AS tickets FROM tickets GROUP BY channel ORDER BY tickets DESC"

# %%
# ruff: noqa: T201 - a notebook shows by printing
import altair as alt
import polars as pl

from pipelines.figures.palette import BLUE
from pipelines.marts import open_marts

alt.renderers.enable("svg")  # drawn here: no other machine is asked

marts = open_marts(home)
pl.DataFrame([(name, marts[name].question) for name in marts], schema=["mart", "question"], orient="row")

# %% [markdown]
# ## What a column means

# %%
{name: about.meaning for name, about in marts.tickets.columns.items()}

# %% [markdown]
# ## The question

# %%
answer = marts.sql(question)
answer

# %% [markdown]
# ## The answer

# %%
total = answer["tickets"].sum()
if not total:
    print("There is no ticket here.")
else:
    channel, tickets = answer.select("channel", "tickets").row(0)
    share = tickets / total
    print(
        f"Most tickets come by {channel}: {tickets:,} of {total:,} ({share:.0%}), "
        f"as of {marts.as_of:%Y-%m-%d %H:%M} UTC."
    )

# %%
alt.Chart(answer).mark_bar(color=BLUE).encode(x="tickets:Q", y=alt.Y("channel:N", sort="-x", title=None)).properties(
    title="Tickets by channel", width=500
)
