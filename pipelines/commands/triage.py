"""`helmdesk triage …`: the group and its subcommands."""

import typer

from pipelines.commands.ask import ask
from pipelines.commands.knowledge import evaluate as evaluate_retrieval
from pipelines.commands.learning import evaluate, report, train
from pipelines.commands.phrases import phrases
from pipelines.commands.redact import redact
from pipelines.commands.review import feedback, retrain, review
from pipelines.commands.terminal import open_here, progress_bars

triage = typer.Typer(help="Classify and draft; without a subcommand: for all tickets not looked at yet.")
triage.command("ask")(ask)
triage.command("train")(train)
triage.command("eval")(evaluate)
triage.command("eval-retrieval")(evaluate_retrieval)
triage.command("review")(review)
triage.command("phrases")(phrases)
triage.command("feedback")(feedback)
triage.command("retrain")(retrain)
triage.command("report")(report)
triage.command("redact")(redact)


@triage.callback()
def _triage(context: typer.Context) -> None:
    if context.invoked_subcommand is not None:
        return
    from pipelines.app.locks import alone
    from pipelines.jobs.triage_tickets import triage_tickets as job
    from pipelines.snapshot import Snapshot

    with open_here(context) as app, alone(app, "triage"), progress_bars() as progress:
        done = job(app, Snapshot(app, app.now()), progress=progress)
    typer.echo(f"classified {done.classified}, of these for a person {done.needs_review}, drafted {done.drafted}")
    if done.hosted:
        typer.echo("hosted models: " + ", ".join(f"{name} {count}" for name, count in sorted(done.hosted.items())))
