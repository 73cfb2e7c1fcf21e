"""Which group each ticket should go to, the factors behind it, and how full that makes each group."""

import json

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot
from pipelines.work_queue import with_load

FACTOR = "factor, 0 to 1"
TICKETS = "open tickets"


class Allocations(dy.Schema):
    ticket = col.ticket(is_published=False, primary_key=True)
    reference = col.text("The ticket's number; null for a ticket that was not created yet.", nullable=True)
    decided_at = col.instant("When the last decision about it was made.")
    outcome = col.text("`allocated`; `waiting` for a free slot; `no_skill` if no active group can do it.")
    group_id = col.text("The group that should get it.", nullable=True)
    group_name = col.text("What that group was called then.", nullable=True)
    composite = col.share("Weighted sum of the factors by which the group won.", nullable=True)
    availability = col.share("How soon the group is free for it.", unit=FACTOR, nullable=True)
    bandwidth = col.share("How much room the group has for such work.", unit=FACTOR, nullable=True)
    velocity = col.share("How fast the group solves, against the median group.", unit=FACTOR, nullable=True)
    performance = col.share("The group's record of kept promises and quality.", unit=FACTOR, nullable=True)
    proximity = col.share("How near the group is to the requester.", unit=FACTOR, nullable=True)
    cultural_fit = col.share("How far its languages and certificates match.", unit=FACTOR, nullable=True)
    timezone = col.share("How near its time zone is.", unit=FACTOR, nullable=True)
    rationale = col.text("Why this group, or why none, in a sentence.")
    runners_up = col.text(
        "The best of the groups behind it, as JSON: `group_name` and `composite` of three at most, the highest first."
    )
    excluded = col.text(
        "The groups that could not take it, as JSON by what kept them out: `reason`, how many `groups`, and the "
        "`names` of five at most."
    )
    policy = col.text("Name of the allocation preset.")


FACTORS = tuple(name for name, column in Allocations.columns().items() if column.metadata == {"unit": FACTOR})


class GroupLoad(dy.Schema):
    group_id = col.text("The group.", primary_key=True)
    group_name = col.text("What it is called.")
    status = col.text("`active` or `inactive`; only active groups get tickets.")
    capacity = col.count("How many tickets it can have open at once.", unit=TICKETS)
    load_before = col.count("What it has without those that allocation gave it.", unit=TICKETS)
    allocated = col.count("What it has because allocation gave it.", unit=TICKETS)
    load_after = col.count("All it has, what it carries elsewhere too.", unit=TICKETS)
    utilisation = col.amount(
        "`load_after` / `capacity`; null without capacity.", unit="share, 1 is full", nullable=True
    )

    @dy.rule()
    def loads_add_up(cls) -> pl.Expr:
        return pl.col("load_before") + pl.col("allocated") == pl.col("load_after")


RUNNERS_UP, NAMES = 3, 5
"""How many groups a decision names behind the winner, and for each reason that kept groups out."""


def build(snapshot: Snapshot) -> pl.DataFrame:
    """The last decision about each ticket."""
    references = snapshot.tickets.select("ticket", "reference")
    decided = snapshot.latest_decisions.join(references, on="ticket", how="left").sort("decided_at", "ticket")
    others = {text: _others(text) for text in decided["alternatives"].unique()}
    columns = pl.DataFrame(
        [others[text] for text in decided["alternatives"]],
        {"runners_up": pl.String, "excluded": pl.String},
        orient="row",
    )
    return decided.hstack(columns)


def _others(alternatives: str) -> tuple[str, str]:
    """The two columns about the other groups, of all that a decision keeps of them, in the order it keeps."""
    scored, barred = [], dict[str, list[str]]()
    for one in json.loads(alternatives):
        if one["excluded"] is None:
            scored.append({"group_name": one["group_name"], "composite": one["composite"]})
        else:
            barred.setdefault(one["excluded"].partition(" (")[0], []).append(one["group_name"])
    excluded = [
        {"reason": reason, "groups": len(names), "names": names[:NAMES]}
        for reason, names in sorted(barred.items(), key=lambda found: (-len(found[1]), found[0]))
    ]
    return json.dumps(scored[:RUNNERS_UP], ensure_ascii=False), json.dumps(excluded, ensure_ascii=False)


def build_load(snapshot: Snapshot) -> pl.DataFrame:
    """Load by the open tickets, split into what allocation put there and what was there before."""
    held = snapshot.tickets.filter("is_open").drop_nulls("group_id").select("ticket", "group_id")
    allocated = snapshot.latest_decisions.filter(pl.col("outcome") == "allocated")
    still = allocated.join(held, on=["ticket", "group_id"], how="semi")
    given = dict(still.group_by("group_id").len().iter_rows())
    rows = [
        {
            "group_id": group.group_id,
            "group_name": group.name,
            "status": group.status.value,
            "capacity": group.max_bandwidth,
            "load_before": group.current_load - given.get(group.group_id, 0),
            "allocated": given.get(group.group_id, 0),
            "load_after": group.current_load,
            "utilisation": group.current_load / group.max_bandwidth if group.max_bandwidth else None,
        }
        for group in with_load(snapshot.groups, held)
    ]
    return pl.DataFrame(rows, schema=MARTS["group_load"].schema)


MARTS = {
    "allocations": Mart("Which group should get each ticket, and why?", Allocations, build),
    "group_load": Mart("How full is each group once the backlog is allocated?", GroupLoad, build_load),
}
