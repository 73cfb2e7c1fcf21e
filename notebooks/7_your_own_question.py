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
# # Your own question
#
# A beginning: the marts, their dictionary, one query, one picture, one sentence. Copy it and ask: what has a thing in
# its first column and how many in its second is drawn and said.

# %% tags=["parameters"]
home = None  # a folder with marts, such as "var"; None: that of HELMDESK_HOME
question = "SELECT channel, count(*) AS tickets FROM tickets GROUP BY channel ORDER BY tickets DESC, channel"

# %%
# ruff: noqa: T201 - a notebook shows by printing
import altair as alt
import polars as pl

from pipelines.figures import words
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
thing, amount = answer.columns[:2]
answer

# %% [markdown]
# ## The answer

# %%
total = answer[amount].sum()
if not total:
    print(f"There are no {amount} here.")
else:
    value, most = answer.sort(amount, thing, descending=[True, False]).row(0)[:2]
    share = words.share_of(most, total)
    print(
        f"Most {amount} by {thing}: {value or 'none given'}, {most:,} of {total:,}, that is {share}, "
        f"as of {marts.as_of:%Y-%m-%d %H:%M} UTC."
    )

# %%
alt.Chart(answer).mark_bar(color=BLUE).encode(
    x=f"{amount}:Q", y=alt.Y(f"{thing}:N", sort="-x", title=None), tooltip=list(answer.columns[:2])
).properties(title=f"{amount} by {thing}".capitalize(), width=500, description=f"Bars: {amount} by {thing}")
