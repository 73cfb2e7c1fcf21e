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
# # A ticket through the desk
#
# One ticket, from the moment a customer sends it until it is solved: what triage says, which group gets it, who owns
# it, who helps, and what the clocks owe at each step. The desk of this notebook lives in a folder of its own that is
# thrown away at the end, so it can be run again and again.

# %% tags=["parameters"]
home = None  # where the folder for this desk is made; None: below HELMDESK_HOME

# %%
# ruff: noqa: T201 - a notebook shows by printing
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import altair as alt
import polars as pl

from engine.contracts import Agent, AssignmentGroup, Status, first_broken_link
from engine.shared.errors import NotAllowed
from pipelines.app.container import open_app
from pipelines.figures import clock_lines
from pipelines.jobs.allocate import allocate
from pipelines.jobs.explain import explain
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.snapshot import Snapshot

alt.renderers.enable("svg")  # drawn here: no other machine is asked

place = open_app(home=home and Path(home)).settings.home
place.mkdir(parents=True, exist_ok=True)
folder = TemporaryDirectory(prefix="walk-", dir=place)
app = open_app(home=Path(folder.name))
bring_people(app, app.settings.data / "people")

# %% [markdown]
# ## A ticket comes in
#
# Monday morning in Copenhagen. Delivering the same file again changes nothing.

# %%
monday = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
written = {
    "ticket_id": "WALK-1",
    "source": "portal",
    "ticket_number": "WALK-1",
    "title": "ZTNA-301: both connectors offline, nobody reaches the private applications",
    "description": "Since the upgrade last night both ZTNA connectors of our Copenhagen site show as offline in the "
    "console. No user reaches the private applications behind them. We restarted the service once.",
    "category": "network",
    "priority": "high",
    "tier": "enterprise",
    "requester": "CT-001",
    "company": "CO-001",
    "channel": "portal",
    "language": "en",
    "requester_location": {"lat": 55.68, "lng": 12.57, "timezone": "Europe/Copenhagen"},
    "created_at": monday.isoformat(),
}
inbox = Path(folder.name) / "tickets.jsonl"
inbox.write_text(json.dumps(written), encoding="utf-8")

first = ingest(app, inbox, source="helmdesk", at=monday)
again = ingest(app, inbox, source="helmdesk", at=monday)
first, again

# %% [markdown]
# ## What is it about, and what could we answer?

# %%
triage_tickets(app, Snapshot(app, monday + timedelta(minutes=1)))
key = "portal:WALK-1"
(claim,) = app.triage.store.latest([key]).values()
claim.product, round(claim.confidence, 2), claim.needs_review, claim.runner_up, claim.reasoning

# %%
draft = app.triage.store.latest_suggestions([key])[key]
print(draft.text)
for citation in draft.citations:
    print(f"[{citation.index}] {citation.title}")

# %% [markdown]
# ## Who should get it?

# %%
allocate(app, Snapshot(app, monday + timedelta(minutes=2)))
(decision,) = app.store.decisions(key)
print(decision.rationale)
decision.scores

# %% [markdown]
# ## What do we owe?
#
# The clocks are recomputed from the ticket's history for any instant we ask about.


# %%
def owed(at: datetime) -> pl.DataFrame:
    seconds = [pl.duration(seconds=pl.col(name)).alias(name) for name in ("target", "elapsed", "paused", "remaining")]
    return Snapshot(app, at).clocks.select("clock", "state", *seconds, "due_at")


owed(monday + timedelta(minutes=2))

# %% [markdown]
# ## Somebody accepts it
#
# The first to accept owns it, for good. A second one is told whose it is.

# %%
group = app.store.get(AssignmentGroup, decision.group_id)
owner, second, expert = [agent for agent in app.store.all(Agent) if group.team_id in agent.teams][:3]
app.desk.accept(key, by=owner.id, at=monday + timedelta(minutes=5))
try:
    app.desk.accept(key, by=second.id, at=monday + timedelta(minutes=6))
except NotAllowed as refusal:
    print(refusal)

# %% [markdown]
# ## The customer hears from us, and an expert helps
#
# The reply ends the first-response clock. The expert answers inside an envelope; the owner stays the owner, and the
# resolution clock runs on.

# %%
app.desk.reply(key, by=owner.id, text="I am on it and ask a colleague.", at=monday + timedelta(minutes=8))
envelope = app.desk.open_envelope(
    key,
    by=owner.id,
    reason="Do the connectors need the new certificate after the upgrade?",
    assigned_to=expert.id,
    at=monday + timedelta(minutes=10),
)
app.desk.accept_envelope(envelope.id, by=expert.id, at=monday + timedelta(minutes=20))
helped = app.store.ticket(key)
app.desk.complete_envelope(
    envelope.id,
    by=expert.id,
    summary="Yes: enrol both connectors again, then restart the service.",
    at=monday + timedelta(minutes=50),
)
helped.status, helped.escalated, helped.owner_id == owner.id

# %% [markdown]
# ## The customer gets an answer, tries it, and comes back
#
# While we wait for the customer the resolution clock stands still.

# %%
answer = "Please enrol both connectors again and restart the service; the steps are in the article below."
app.desk.reply(key, by=owner.id, text=answer, at=monday + timedelta(minutes=55))
app.desk.change_status(key, to=Status.WAITING_CUSTOMER, by=owner.id, at=monday + timedelta(minutes=56))
app.desk.receive(key, author="CT-001", text="Both are online again, thank you.", at=monday + timedelta(hours=3))
owed(monday + timedelta(hours=3))

# %% [markdown]
# ## Solved

# %%
solved = monday + timedelta(hours=3, minutes=5)
app.desk.resolve(key, by=owner.id, summary="Connectors enrolled again after the upgrade.", at=solved)
last = owed(solved)
last

# %%
history = app.store.history(key)
pl.DataFrame([(e.at, e.actor, e.kind, e.value, e.sla_effect) for e in history], orient="row").rename(
    dict(zip([f"column_{i}" for i in range(5)], ["at", "actor", "kind", "value", "sla effect"], strict=True))
)

# %% [markdown]
# ## What we conclude
#
# The owner never changed although an expert helped; the clocks stood still while the customer had the ball; and the
# history is whole: no event was altered after it was recorded.

# %%
final = app.store.ticket(key)
waited = last.filter(clock="resolution")["paused"].item()
states = dict(last.select("clock", "state").iter_rows())
whole = first_broken_link(history) is None
ledgers = [one for one in explain(app, key, as_of=solved) if not one.not_measured]
picture = clock_lines.picture(ledgers, solved)
app.close()
folder.cleanup()
owned = "throughout" if final.owner_id == owner.id else "at first"
print(
    f"{final.reference} is {final.status}, owned by {owner.name} {owned}: first response {states['first_response']}, "
    f"resolution {states['resolution']}, paused for {waited} while we waited for the customer; its history is "
    f"{'whole' if whole else 'broken'}."
)

# %%
picture.properties(width=600, title=f"The clocks of {final.reference} (UTC)")
