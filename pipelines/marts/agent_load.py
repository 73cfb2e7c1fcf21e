"""How full each person is: the open tickets they hold against the most they take at once."""

import dataframely as dy
import polars as pl

from engine.allocation.presence import is_there
from pipelines.marts import columns as col
from pipelines.marts.allocations import TICKETS
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class AgentLoad(dy.Schema):
    agent_id = col.text("The agent.", primary_key=True)
    name = col.text("What they are called.")
    is_there = col.yes_no("Whether they are neither away nor outside their working hours.")
    capacity = col.count("How many tickets they take at once.", unit=TICKETS)
    load = col.count("What they hold: open tickets they own, or are assigned where nobody owns them.", unit=TICKETS)
    utilisation = col.amount("`load` / `capacity`; null without capacity.", unit="share, 1 is full", nullable=True)


def build(snapshot: Snapshot) -> pl.DataFrame:
    """Those who are active, and those who hold an open ticket all the same."""
    holder = pl.coalesce("owner_id", "assignee_id")
    load = dict(snapshot.tickets.filter("is_open").group_by(holder.alias("holder")).len().iter_rows())
    rows = [
        {
            "agent_id": person.id,
            "name": person.name,
            "is_there": is_there(person, snapshot.as_of, open_shifts=snapshot.open_shifts),
            "capacity": person.max_tickets if person.is_active else 0,
            "load": load.get(person.id, 0),
        }
        for person in snapshot.people
        if person.is_active or person.id in load
    ]
    frame = pl.DataFrame(rows, schema={name: kind for name, kind in MARTS["agent_load"].schema.items() if name != FULL})
    return frame.with_columns(pl.when(pl.col("capacity") > 0).then(pl.col("load") / pl.col("capacity")).alias(FULL))


FULL = "utilisation"
MARTS = {"agent_load": Mart("How full is each person?", AgentLoad, build)}
