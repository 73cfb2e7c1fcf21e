"""`helmdesk ingest`: what was taken in, and what could not be, with its reason, at once; or what would be."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain, progress_bars

if TYPE_CHECKING:
    from engine.contracts import IngestReport, Rejected
    from pipelines.app.container import App
    from pipelines.jobs.dry_run import DryRun, FirstTicket

REASONS_SHOWN = 5
WORDS_SHOWN = 20


def _share(text: str) -> float:
    from pydantic import TypeAdapter, ValidationError

    from engine.plugins.mapping import Share

    try:
        return TypeAdapter[float](Share).validate_python(text)
    except ValidationError:
        raise BadInput(f"--max-refused {text!r} is no share: write 5% or 0.05") from None


def ingest(
    context: typer.Context,
    *,
    path: Annotated[
        Path | None, typer.Argument(help="A file or folder; without it, what lies in the inbox.", readable=False)
    ] = None,
    source: Annotated[
        str, typer.Option(help="helmdesk, people, servicenow-csv, or the name of a mapping file.")
    ] = "helmdesk",
    mapping: Annotated[
        Path | None,
        typer.Option(help="Your own mapping file (`helmdesk inspect` drafts one; see data/mappings).", readable=False),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of a file, and write nothing anywhere.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: everything, for programs.")] = False,
    max_refused: Annotated[
        str | None,
        typer.Option(
            help="A share such as 5%: if more of the file is refused, nothing of it is taken in. Exit code 2."
        ),
    ] = None,
) -> None:
    """Take tickets in. The same input again changes nothing.

    Exit code 2 if a file can't be read, if everything in it was refused, and if --max-refused or what the mapping
    expects is missed; the file is then read once before, and nothing of it is taken in.
    """
    if (as_json and not dry_run) or (dry_run and (path is None or source == "people")):
        raise BadInput("--json goes with --dry-run, and --dry-run with a file or folder of tickets")
    if mapping is not None and source == "helmdesk":
        source = mapping.name  # no source's name: a file called jira.yaml is read as it says, not as Jira's webhook
    share = None if max_refused is None else _share(max_refused)
    with open_here(context) as app:
        if dry_run and path is not None:
            _show_dry_run(app, path, source=source, mapping=mapping, max_refused=share, as_json=as_json)
        else:
            _take_in(app, path, source=source, mapping=mapping, max_refused=share)


def _take_in(app: "App", path: Path | None, *, source: str, mapping: Path | None, max_refused: float | None) -> None:
    from pipelines.app.locks import alone
    from pipelines.jobs.inbox import Refused, take_in
    from pipelines.jobs.ingest import ingest as job
    from pipelines.jobs.ingest import settle_zone
    from pipelines.jobs.people import bring_people

    rows: list[Rejected] = []
    files: list[Refused] = []
    with alone(app, "ingest"), progress_bars() as progress:
        if path is None:
            report = take_in(app, progress=progress, rows=rows.extend, refused=files.append)
        elif source == "people":
            typer.echo(f"people and groups {bring_people(app, path, mapping=mapping)}")
            return
        else:
            zone = _desk_zone(app, path, source=source, mapping=mapping)
            report = job(
                app,
                path,
                source=source,
                mapping=mapping,
                at=app.now(),
                max_refused=max_refused,
                progress=progress,
                refused=rows.extend,
            )
            if zone and report.created:
                settle_zone(app, zone)
                typer.echo(f"days, weeks and months are counted in {zone}; HELMDESK_TIME_ZONE changes that")
    show_report(report, rows, files=len(files))
    for file in files:
        typer.echo(plain(f"{file.path}: {' '.join(file.reason.removeprefix(f'{file.path}: ').split())}"), err=True)
    if files or (report.rejected and not report.created + report.updated + report.skipped):
        raise typer.Exit(2)


def _desk_zone(app: "App", path: Path, *, source: str, mapping: Path | None) -> str | None:
    """Whose days reports count, to be settled by the first tickets of a mapped source; None once it is.

    Without a terminal it is the mapping's zone.
    """
    import sys

    from pipelines.app.settings import zone_name
    from pipelines.jobs.ingest import source_of, zone_to_settle

    zone = zone_to_settle(app, source_of(app, path, source=source, mapping=mapping))
    if zone is not None and sys.stdin.isatty():
        zone = typer.prompt("Whose days, weeks and months do reports count? Time zone", default=zone)
    try:
        return zone and zone_name(zone)
    except ValueError as error:
        raise BadInput(str(error)) from None


def show_report(report: "IngestReport", rows: "list[Rejected]", *, files: int = 0) -> None:
    typer.echo(
        f"created {report.created}, updated {report.updated}, skipped {report.skipped}, "
        f"rejected {report.rejected}, events {report.events}"
    )
    for row in rows[:REASONS_SHOWN]:
        typer.echo(f"    {_place(row)}: {_line(row.reason)}")
    shown = min(len(rows), REASONS_SHOWN)
    more = report.rejected - shown - files
    if shown and more > 0:
        typer.echo(f"    and {more:,} more")
    if report.rejected:
        typer.echo("what was rejected is kept with its reason: the mart `rejected` has all of it after a cycle")


def _show_dry_run(
    app: "App", path: Path, *, source: str, mapping: Path | None, max_refused: float | None, as_json: bool
) -> None:
    from pipelines.jobs.dry_run import dry_run, expected_of
    from pipelines.jobs.ingest import source_of

    plugin = source_of(app, path, source=source, mapping=mapping)
    read = dry_run(plugin, path)
    missed = read.missed(max_refused=max_refused, expected=expected_of(plugin))
    if as_json:
        import json

        typer.echo(json.dumps(read.model_dump(mode="json") | {"missed": missed}, ensure_ascii=False, indent=2))
    else:
        for line in _dry_run_lines(read):
            typer.echo(line)
    for why in missed:
        typer.echo(plain(f"helmdesk: {path}: {why}; an ingest would take nothing in"), err=True)
    if missed:
        raise typer.Exit(2)


def _dry_run_lines(read: "DryRun") -> Iterator[str]:
    from engine.shared.policy_file import shortened

    counts = f"{counted(read.tickets, 'ticket')}, {counted(read.events, 'event')}, refused {read.refused:,}"
    yield f"{counts}; nothing was written"
    for reason in read.reasons:
        yield f"    {reason.count:,} refused, such as {_place(reason.example)}: {_line(reason.example.reason)}"
    for column, words in read.unknown_words.items():
        listed = ", ".join(f"{shortened(word)} ({count:,})" for word, count in list(words.items())[:WORDS_SHOWN])
        more = f" and {len(words) - WORDS_SHOWN:,} more" if len(words) > WORDS_SHOWN else ""
        yield plain(f"unknown words of {column}: {listed}{more}; add them under `values` of the mapping")
    for what, count in read.unknown.items():
        yield plain(f"not told of {counted(count, 'ticket')}: {what}")
    for outcome, count in read.left_out.items():
        yield f"left out of the figures: {counted(count, 'ticket')} {outcome}"
    for first in read.first_tickets:
        yield from _beside(first)


def _beside(first: "FirstTicket") -> Iterator[str]:
    """A ticket's fields, and under them its row."""
    given = {
        name: getattr(first.ticket, name) for name in first.ticket.model_fields_set - {"external_metadata", "source"}
    }
    yield f"{_line(first.ticket.key)}"
    yield f"    ticket: {_pairs(dict(sorted(given.items())))}"
    if first.row is not None:
        yield f"    row:    {_pairs(first.row)}"


def _pairs(values: Mapping[str, Any]) -> str:
    from engine.shared.policy_file import shortened

    texts = {name: " ".join(str(value).split()) for name, value in values.items() if value not in (None, "", ())}
    return _line(" | ".join(f"{name}: {shortened(text)}" for name, text in texts.items()))


def _place(row: "Rejected") -> str:
    return _line(row.origin if row.row is None else f"{row.origin} row {row.row}")


def _line(text: str) -> str:
    return plain(" ".join(text.split()))
