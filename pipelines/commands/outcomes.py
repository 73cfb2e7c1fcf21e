"""`helmdesk outcomes`: tickets that a machine seems to have written, and a person's word that they do not count."""

from typing import Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain

outcomes = typer.Typer(help="Machine mail that is proposed as such; without a subcommand: the tickets that are.")


@outcomes.callback()
def proposed(context: typer.Context) -> None:
    """Machine mail that is proposed as such; without a subcommand: the tickets that are."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.jobs.outcomes import proposed as job

    with open_here(context) as app:
        found = job(app, at=app.now())
    for row in found.iter_rows(named=True):
        typer.echo(plain(f"{row['ticket']}  {row['status']}  {row['subject']}"))
    typer.echo(f"{counted(found.height, 'ticket')} proposed as machine_mail")


@outcomes.command()
def accept(
    context: typer.Context,
    tickets: Annotated[list[str] | None, typer.Argument(help="Keys, references or ids.")] = None,
    *,
    all_proposed: Annotated[bool, typer.Option("--all-proposed", help="All that `helmdesk outcomes` lists.")] = False,
    by: Annotated[str | None, typer.Option(help="Who says so.", show_default="HELMDESK_ACTOR")] = None,
) -> None:
    """Say that tickets are machine mail: from the next cycle on they count in nothing, once they have ended."""
    from pipelines.jobs.outcomes import accept_outcomes

    if bool(tickets) == all_proposed:
        raise BadInput("Name the tickets, or give --all-proposed: helmdesk outcomes accept TICKET …")
    with open_here(context) as app:
        ended = accept_outcomes(app, tickets or None, by=by or app.settings.actor, at=app.now())
    is_open = sum(ticket.is_open for ticket in ended)
    typer.echo(
        f"{counted(len(ended), 'ticket')} accepted as machine_mail"
        + (f", {is_open:,} of them still open: their clocks run until they end" if is_open else "")
    )
