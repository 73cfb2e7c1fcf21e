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
# # Is the model honest?
#
# When triage says that it is sure, is it right? Told from the random slice of sure claims that people are asked about;
# what people correct by themselves says too little good of it, since they begin with what it is unsure of.

# %% tags=["parameters"]
home = None  # a folder with marts, such as "var"; None: that of HELMDESK_HOME

# %%
# ruff: noqa: T201 - a notebook shows by printing
import altair as alt

from pipelines.figures import charts, triage_numbers
from pipelines.marts import open_marts

alt.renderers.enable("svg")  # drawn here: no other machine is asked

marts = open_marts(home)
marts.honesty.frame()

# %% [markdown]
# ## Calibration, over all that people answered

# %%
triage_numbers.calibration(marts.reader)

# %%
error = triage_numbers.calibration_error(marts.reader)
error

# %% [markdown]
# ## What would it get wrong if it decided alone?

# %%
curve = triage_numbers.risk_coverage(marts.reader)
curve.gather_every(max(1, curve.height // 10)) if curve.height else curve

# %%
triage_numbers.confusion(marts.reader)

# %% [markdown]
# ## What we conclude

# %%
sure = triage_numbers.honesty(marts.reader, "sure")
if sure.share is None:
    print(
        f"How often triage is right when it is sure is not known: {sure.answered} of the {sure.drawn} claims of the "
        "random slice are answered. `helmdesk triage review` asks for them."
    )
else:
    print(
        f"When triage is sure ({sure.tickets:,} tickets), people agree in {sure.share:.0%} "
        f"[{sure.low:.0%}–{sure.high:.0%}], n = {sure.answered} of the random slice of {sure.drawn}."
    )
if error:
    print(f"Over the {error[1]:,} claims that people checked its confidence is off by {error[0]:.3f} on average (ECE).")

# %%
charts.risk_coverage_line(curve, "Corrected among the surest, by how many they are").properties(width=500)
