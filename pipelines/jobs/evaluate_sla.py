"""Replay every SLA clock as of one instant, and raise each warning and breach once."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from engine.outcomes import Figure
from engine.standings import OPEN
from pipelines.app.container import App
from pipelines.jobs.alerts import Raised, raise_and_queue
from pipelines.snapshot import Snapshot


class Evaluated(NamedTuple):
    """Current clocks by state, and what was raised about them."""

    by_state: dict[str, int]
    raised: Raised

    def counts(self) -> Mapping[str, int]:
        return self.by_state | {
            "new_alerts": self.raised.alerts,
            "new_nudges": self.raised.nudges,
            "messages": self.raised.messages,
        }


def evaluate_sla(app: App, snapshot: Snapshot) -> Evaluated:
    """Evaluate the whole store; what is new is kept in `sla_alerts` and queued for whom it concerns, each once.

    Of tickets that ended with an outcome that does not count in attainment nothing is raised.
    """
    tickets = snapshot.tickets_now
    left_out = tickets.filter(snapshot.left_out(Figure.ATTAINMENT) & ~pl.col("status").is_in(OPEN)).select("ticket")
    counted = snapshot.clocks.join(left_out, on="ticket", how="anti")
    raised = raise_and_queue(app, counted, tickets, as_of=snapshot.as_of)
    by_state = snapshot.clocks.filter("is_current").group_by("state").len().sort("state").iter_rows()
    return Evaluated({str(state): count for state, count in by_state}, raised)
