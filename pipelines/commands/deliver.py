"""`helmdesk deliver`: send what waits for the handler's system, and see to what it refused or nobody sends."""

from typing import Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain


def deliver(
    context: typer.Context,
    refused: Annotated[
        bool, typer.Option("--refused", help="List what a person has to look at; send nothing.")
    ] = False,
    retry: Annotated[
        str | None, typer.Option(help="Let one refused or resting row, by its key, or `all` be sent again.")
    ] = None,
    drop: Annotated[
        str | None, typer.Option(metavar="HANDLER", help="Give up what waits for a handler no longer in use.")
    ] = None,
) -> None:
    """Send the decisions that wait for the handler's system."""
    from pipelines.jobs.deliver import deliver as job
    from pipelines.jobs.deliver import drop as give_up
    from pipelines.jobs.deliver import orphans_in_words

    if refused + (retry is not None) + (drop is not None) > 1:
        raise BadInput("--refused lists, --retry sends again, --drop gives up: give one of them")
    with open_here(context) as app:
        if refused:
            rows = app.outbox.refused()
            for line in [f"{row.key}  to {row.destination}  {row.last_error}" for row in rows] + orphans_in_words(app):
                typer.echo(plain(line))
            typer.echo(f"refused: {counted(len(rows), 'decision')}")
        elif retry is not None:
            again = app.outbox.retry(None if retry == "all" else retry, at=app.now())
            typer.echo(f"waiting again: {counted(again, 'decision')}")
        elif drop is not None:
            typer.echo(f"dropped: {counted(give_up(app, drop), 'decision')} for {plain(drop)}")
        else:
            done = job(app, at=app.now())
            typer.echo(", ".join(f"{name} {count}" for name, count in done._asdict().items()))
