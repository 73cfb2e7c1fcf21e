"""`helmdesk backlogs`: what closed cases tell reliability, product and docs."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.operations import By
from pipelines.commands.terminal import counted, open_here, plain

backlogs = typer.Typer(help="What closed cases tell reliability, product and docs.", no_args_is_help=True)


@backlogs.callback()
def _group() -> None:
    """A group, though it has one command."""


@backlogs.command()
def export(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    week: Annotated[str | None, typer.Option(help="Such as 2026-W48.", show_default="last week")] = None,
    by: By = None,
) -> None:
    """Write a week's signals as a CSV file for each backlog, as last published."""
    from pipelines.app.identity import local_user, saw
    from pipelines.jobs import backlogs as job

    with open_here(context) as app:
        monday = job.monday_of(week) if week else job.week_before(app, app.now())
        written = job.export(app, monday, out)
        saw(app, local_user(app, by), door="backlogs export")
    for file, rows in written.items():
        typer.echo(plain(f"{file}: {counted(rows, 'signal')}"))
