"""What the ids in other marts are called."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class Names(dy.Schema):
    dimension = col.text("The column whose ids these are: `group_id`, `agent_id` or `company_id`.", primary_key=True)
    value = col.text("The id.", primary_key=True)
    name = col.text("The name.")


def build(snapshot: Snapshot) -> pl.DataFrame:
    groups = group_names(snapshot).rename({"group_id": "id", "group_name": "name"})
    frames = {"group_id": groups, "agent_id": snapshot.agents, "company_id": snapshot.companies}
    parts = [
        frame.select(dimension=pl.lit(dimension), value=pl.col("id").cast(pl.String), name=pl.col("name"))
        for dimension, frame in frames.items()
    ]
    return pl.concat(parts, how="vertical_relaxed").sort("dimension", "value")


def group_names(snapshot: Snapshot) -> pl.DataFrame:
    """What each group is called: group_id, group_name."""
    named = [(group.group_id, group.name) for group in snapshot.groups]
    return pl.DataFrame(named, schema={"group_id": pl.String(), "group_name": pl.String()}, orient="row")


MARTS = {"names": Mart("What are the groups, agents and customers called?", Names, build)}
