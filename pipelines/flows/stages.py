"""Each stage of a cycle as a flow of its own, for schedules that differ."""

from typing import Any

from prefect import Flow, flow

from pipelines.flows.alone import run_alone
from pipelines.jobs.cycle import CycleRun


def _flow(name: str, stage: str, doc: str) -> "Flow[[], Any]":
    def run() -> Any:
        return run_alone(stage, lambda app: CycleRun(app, app.now()).stage(stage))

    run.__doc__ = doc
    return flow(name=name)(run)


ingest = _flow("ingest", "ingest", "Ingest every file waiting in the inbox; returns the counts of the report.")
triage_tickets = _flow("triage-tickets", "triage", "Classify new tickets and draft replies; returns how many of each.")
evaluate_sla = _flow("evaluate-sla", "evaluate", "Evaluate all clocks; returns clocks by state and new alerts.")
enrich_tickets = _flow("enrich-tickets", "enrich", "Enrich new and changed tickets; returns how many.")
allocate = _flow("allocate", "allocate", "Allocate the whole waiting backlog at once; returns decisions by outcome.")
sweep = _flow("sweep", "sweep", "Ask the rules about what is new, remind, close; returns how many of each.")
deliver = _flow("deliver", "deliver", "Send every decision and notice whose time has come; returns counts.")
publish = _flow("publish", "publish", "Publish every mart; returns rows per mart.")
