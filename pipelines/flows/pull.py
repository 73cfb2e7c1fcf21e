"""Each system that tickets are fetched from as a flow of its own, and suggestions on their way back."""

from typing import Any

from prefect import Flow, flow
from prefect.states import Completed

from pipelines.app.container import App
from pipelines.flows.alone import run_alone
from pipelines.jobs.pull import pull
from pipelines.jobs.push import push_suggestions as push


def _flow(source: str) -> "Flow[[], Any]":
    def run() -> Any:
        return run_alone(f"pull-{source}", lambda app: _pulled(app, source))

    run.__doc__ = f"Fetch what changed in {source}; returns the counts of the report."
    return flow(name=f"pull-{source}")(run)


def _pulled(app: App, source: str) -> Any:
    if source not in app.settings.accounts:
        return Completed(name="Skipped", message=f"HELMDESK_{source.upper()}_URL is not set")
    return pull(app, source).model_dump()


pull_jira = _flow("jira")
pull_servicenow = _flow("servicenow")
pull_zendesk = _flow("zendesk")
pull_freshdesk = _flow("freshdesk")


@flow(name="push-suggestions")
def push_suggestions() -> Any:
    """Write new drafts to their tickets as internal notes; returns counts."""
    return run_alone("push", _pushed)


def _pushed(app: App) -> Any:
    if not app.settings.push_suggestions:
        return Completed(name="Skipped", message="HELMDESK_PUSH_SUGGESTIONS is off")
    done = push(app, at=app.now())
    return {"queued": len(done.choice.parcels), **done.delivered._asdict()}
