"""`helmdesk ingest`: what was taken in, and what could not be, with its reason, at once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.terminal import open_here, plain, progress_bars

if TYPE_CHECKING:
    from engine.contracts import IngestReport, Rejected

REASONS_SHOWN = 5


def ingest(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(help="A file or folder; without it, what lies in the inbox.", readable=False)
    ] = None,
    source: Annotated[
        str, typer.Option(help="helmdesk, people, servicenow-csv, or the name of a mapping file.")
    ] = "helmdesk",
    mapping: Annotated[
        Path | None, typer.Option(help="Your own mapping file (see data/mappings).", readable=False)
    ] = None,
) -> None:
    """Take tickets in. The same input again changes nothing."""
    from pipelines.app.locks import alone
    from pipelines.jobs.inbox import Refused, take_in
    from pipelines.jobs.ingest import ingest as job
    from pipelines.jobs.people import bring_people

    rows: list[Rejected] = []
    files: list[Refused] = []
    if mapping is not None and source == "helmdesk":
        source = mapping.stem
    with open_here(context) as app, alone(app, "ingest"), progress_bars() as progress:
        if path is None:
            report = take_in(app, progress=progress, rows=rows.extend, refused=files.append)
        elif source == "people":
            typer.echo(f"people and groups {bring_people(app, path)}")
            return
        else:
            report = job(
                app, path, source=source, mapping=mapping, at=app.now(), progress=progress, refused=rows.extend
            )
    show_report(report, rows, files=len(files))
    for file in files:
        typer.echo(plain(f"{file.path}: {' '.join(file.reason.removeprefix(f'{file.path}: ').split())}"), err=True)
    if files:
        raise typer.Exit(2)


def show_report(report: "IngestReport", rows: "list[Rejected]", *, files: int = 0) -> None:
    typer.echo(
        f"created {report.created}, updated {report.updated}, skipped {report.skipped}, "
        f"rejected {report.rejected}, events {report.events}"
    )
    for row in rows[:REASONS_SHOWN]:
        place = row.origin if row.row is None else f"{row.origin} row {row.row}"
        typer.echo(plain(f"    {place}: {' '.join(row.reason.split())}"))
    shown = min(len(rows), REASONS_SHOWN)
    more = report.rejected - shown - files
    if shown and more > 0:
        typer.echo(f"    and {more:,} more")
    if report.rejected:
        typer.echo("what was rejected is kept with its reason: the mart `rejected` has all of it after a cycle")
