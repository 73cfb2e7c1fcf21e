"""`helmdesk deliver`: send what waits for the handler's system, and see to what it refused."""

from typing import Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain


def deliver(
    context: typer.Context,
    refused: Annotated[
        bool, typer.Option("--refused", help="List what a person has to look at; send nothing.")
    ] = False,
    retry: Annotated[str | None, typer.Option(help="Let one refused row, by its key, or `all` be sent again.")] = None,
) -> None:
    """Send the decisions that wait for the handler's system."""
    from pipelines.jobs.deliver import deliver as job

    if refused and retry is not None:
        raise BadInput("--refused lists and --retry sends again: give one of the two")
    with open_here(context) as app:
        if refused:
            rows = app.outbox.refused()
            for row in rows:
                typer.echo(plain(f"{row.key}  to {row.destination}  {row.last_error}"))
            typer.echo(f"refused: {counted(len(rows), 'decision')}")
        elif retry is not None:
            again = app.outbox.retry(None if retry == "all" else retry, at=app.now())
            typer.echo(f"waiting again: {counted(again, 'decision')}")
        else:
            done = job(app, at=app.now())
            typer.echo(", ".join(f"{name} {count}" for name, count in done._asdict().items()))
