"""Every window of every SLA clock, with the dimensions of its ticket and whose clock it was."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart

BUSINESS = "business seconds"


class SlaClocks(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    clock = col.text("The promise: `first_response`, `resolution`, `next_response` or `next_reply`.", primary_key=True)
    window = col.whole("Number of the clock's run, from 1; a reopen begins the next.", min=1, primary_key=True)
    is_current = col.yes_no("Whether it is the last window of its clock.")
    state = col.text(
        "`on_track`, `at_risk`, `breached` or `met`; `not_measured` if the source does not tell it, `no_target` if "
        "nothing is promised, `no_clock` if the clock has not begun."
    )
    target = col.count("What is promised, on the clock's calendar.", unit=BUSINESS, nullable=True)
    elapsed = col.count("What counts against the target, pauses left out.", unit=BUSINESS, nullable=True)
    paused = col.count("What passed while the clock was paused.", unit=BUSINESS, nullable=True)
    remaining = col.whole(
        "`target` less `elapsed`; negative once the target is exceeded.", unit=BUSINESS, nullable=True
    )
    due_at = col.instant("When the target is or was used up; null while a pause leaves it open.", nullable=True)
    window_start = col.instant("When the window began.", nullable=True)
    stopped_at = col.instant("When it was answered or resolved; null while it runs.", nullable=True)
    is_paused = col.yes_no("Whether it is paused; of a stopped clock, whether it was when it stopped.")
    policy = col.text("Name of the SLA policy that matched.", nullable=True)
    calendar = col.text("Name of the calendar on which its seconds are counted.", nullable=True)
    priority = col.text("The ticket's priority at the publication's instant.")
    tier = col.text("The customer's contract.")
    type = col.text("The ticket's type.")
    group_id = col.text("The group that has the ticket.", nullable=True)
    company_id = col.text("The customer.", nullable=True)
    agent_id = col.text("Whose clock it was; null if it was nobody's.", nullable=True)
    agent_because = col.text(
        "Why it was theirs: `responded`, `resolved`, `assigned_then` (at the stop, or now) or `assigned_now` (from the "
        "ticket's creation on).",
        nullable=True,
    )
    week = col.day("The Monday of the week in which the window began.", nullable=True)
    source = col.text("Name of the source that delivered the ticket.")
    outcome = col.text("How the ticket ended, if its source tells; null while it is open.", nullable=True)
    counts = col.yes_no("Whether it counts in attainment: false for outcomes that the policy leaves out.")
    why = col.text(
        "Why it is not measured: `no_responses`, `empty_response`, `no_end`, `reopened`, or the status in which the "
        "ticket waits since an unknown instant.",
        nullable=True,
    )

    @dy.rule()
    def remaining_is_target_less_elapsed(cls) -> pl.Expr:
        return pl.col("remaining") == pl.col("target") - pl.col("elapsed")

    @dy.rule()
    def what_is_not_measured_has_no_figures(cls) -> pl.Expr:
        return (pl.col("state") != "not_measured") | pl.all_horizontal(
            pl.col("elapsed", "paused", "remaining", "due_at", "stopped_at").is_null()
        )

    @dy.rule()
    def an_agent_has_a_reason(cls) -> pl.Expr:
        return pl.col("agent_id").is_null() == pl.col("agent_because").is_null()


MARTS = {
    "sla_clocks": Mart(
        "What was promised on each clock, what was used, what is left?",
        SlaClocks,
        lambda snapshot: snapshot.ticket_clocks,
    )
}
