"""`helmdesk report`: the week on one page, shown, written as a file, or sent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput, Busy, translate_file_errors
from pipelines.commands.operations import By
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from datetime import date

    from pipelines.app.container import App
    from pipelines.jobs.weekly_report.figures import WeeklyReport


def report(
    context: typer.Context,
    week: Annotated[
        str | None, typer.Option(metavar="MONDAY", help="Its first day.", show_default="the last settled week")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="A file that ends in .html or .pdf.", show_default="shown")] = None,
    send: Annotated[bool, typer.Option("--send", help="To who is to read it, once a week and person.")] = False,
    by: By = None,
) -> None:
    """The weekly report for a manager to read and hand on; `data/policies/notifications.yaml` says who is sent it."""
    from pipelines.app import identity
    from pipelines.jobs.weekly_report.as_file import as_file
    from pipelines.jobs.weekly_report.figures import weekly_report
    from pipelines.jobs.weekly_report.page import as_text, page_of

    if to is not None and to.suffix.lower() not in (".html", ".pdf"):
        raise BadInput(f"--to {to}: a report is written as .html or .pdf")
    with open_here(context) as app:
        found = weekly_report(app, _monday(week), at=app.now())
        user = identity.local_user(app, by)
        if to is not None:
            _write(to, as_file(app, user, found, is_pdf=to.suffix.lower() == ".pdf"))
        if send:
            _send(app, found)
        if to is None and not send:
            identity.saw(app, user, door="weekly report")
            for line in as_text(page_of(found)).splitlines():
                typer.echo(plain(line))
        elif not found.is_settled:
            typer.echo(f"The week from {found.monday} is not settled yet: its shares are too low for now.", err=True)


def _monday(week: str | None) -> "date | None":
    from datetime import date

    try:
        return None if week is None else date.fromisoformat(week)
    except ValueError:
        raise BadInput(f"--week {week!r} is no day: write its Monday, such as 2026-09-28") from None


def _write(to: Path, content: bytes) -> None:
    from engine.shared.whole_file import whole_file

    with translate_file_errors(f"{to} can't be written"), whole_file(to) as unfinished:
        unfinished.write_bytes(content)
    typer.echo(plain(str(to)))


def _send(app: "App", report: "WeeklyReport") -> None:
    """What is not taken at once goes on waiting, and `deliver` sends it."""
    from pipelines.jobs.deliver import deliver
    from pipelines.jobs.weekly_report.sending import post

    posted = post(app, report, at=app.now())
    destinations = {row.destination for row in app.outbox.standings(posted.waiting)} if posted.waiting else set()
    try:
        if destinations:
            deliver(app, at=app.now(), only=destinations)
    except Busy as busy:
        typer.echo(plain(str(busy)), err=True)
    for row in app.outbox.standings(posted.waiting) if posted.waiting else ():
        why = f": {row.last_error}" if row.last_error else ""
        typer.echo(plain(f"{row.key.partition('/')[0]}: {'waiting' if row.state == 'pending' else row.state}{why}"))
    if posted.in_inbox:
        typer.echo(f"{counted(posted.in_inbox, 'report')} in the inbox: the channel has no address")
    if posted.before:
        typer.echo(f"{counted(posted.before, 'person')} had this week's before".replace("persons", "people"))
    for name in posted.unreached:
        typer.echo(plain(f"{name}: not reached: the channel has no address, and who is no agent has no inbox"))
    if not any(posted):
        typer.echo("Nobody is to be sent it: see `weekly_report` in data/policies/notifications.yaml")
