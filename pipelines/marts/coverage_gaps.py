"""What to write next: tickets whose last draft found no answer, those of one meaning together."""

import json

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class CoverageGaps(dy.Schema):
    place = col.whole("Its place in the list, 1 for what most tickets ask.", min=1, primary_key=True)
    about = col.text("Subject of the most typical ticket.")
    tickets = col.count("Tickets of this meaning that no article covers.", min=1)
    examples = col.text("Numbers of the most typical ones, with commas between them.")
    members = col.text("JSON list of the keys of all of them, the most typical first.")


def build(snapshot: Snapshot) -> pl.DataFrame:
    from triage.feedback.gaps import Uncovered, gaps

    policy = snapshot.policies.learning.gaps
    drafts = snapshot.latest_drafts.filter(~pl.col("grounded")).join(snapshot.tickets, on="ticket", suffix="_of_ticket")
    newest = drafts.sort("created_at_of_ticket", "ticket", descending=True).head(policy.newest_tickets)
    about = newest.filter(pl.col("subject") != "").select("ticket", "reference", "subject")
    uncovered = [Uncovered(key, subject) for key, _, subject in about.iter_rows()]
    numbers = dict(about.select("ticket", "reference").iter_rows())
    found = gaps(uncovered, snapshot.vectors([one.subject for one in uncovered]), policy)
    rows = [
        (place, gap.about, len(gap.tickets), ", ".join(numbers[key] for key in gap.tickets[: policy.examples]),
         json.dumps(gap.tickets))
        for place, gap in enumerate(found, start=1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=MARTS["coverage_gaps"].schema, orient="row")


MARTS = {
    "coverage_gaps": Mart("What should be written next: which tickets does no article cover?", CoverageGaps, build)
}
