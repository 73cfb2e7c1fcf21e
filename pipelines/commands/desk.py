"""`helmdesk desk`: what waits for whom, and the envelopes, tasks, reminders, alerts and views of the board."""

import typer

from pipelines.commands.operations import By, group_of
from pipelines.commands.terminal import counted, open_here, plain

desk = typer.Typer(help="What waits at the desk.", no_args_is_help=True, cls=group_of("desk"))
for thing, what in {
    "envelope": "Help inside a ticket; `helmdesk ticket envelope` asks for it.",
    "task": "Pieces of work; `helmdesk ticket task` gives one.",
    "reminder": "Reminders; `helmdesk ticket remind` sets one.",
    "alert": "Alerts of clocks and of the matrix.",
    "notice": "Notices to oneself.",
    "parcel": "What waits to be sent; `helmdesk deliver --refused` lists what was refused.",
    "destination": "Where decisions and notices go.",
    "view": "Views of the board.",
    "incident": "Incidents; `helmdesk ticket incident` opens one.",
}.items():
    desk.add_typer(typer.Typer(help=what, no_args_is_help=True, cls=group_of(thing)), name=thing)


@desk.command()
def outside(context: typer.Context, *, by: By = None) -> None:
    """Open tickets that lie outside what their customer is entitled to, as last published, and why."""
    from pipelines.actions import outside as found_outside
    from pipelines.app.identity import local_user, saw
    from pipelines.marts import MartReader

    with open_here(context) as app:
        saw(app, local_user(app, by), door="desk outside")
        with MartReader(app.settings.marts_folder) as marts:
            found = found_outside(marts)
    for reference, name, because in found.iter_rows():
        typer.echo(plain(f"{reference}  {name}: {because}"))
    typer.echo(counted(found.height, "ticket"))
