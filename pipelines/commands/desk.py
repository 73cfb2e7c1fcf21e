"""`helmdesk desk`: what waits for whom, and the envelopes, tasks, reminders, alerts and views of the board."""

import typer

from pipelines.commands.operations import group_of

desk = typer.Typer(help="What waits at the desk.", no_args_is_help=True, cls=group_of("desk"))
for thing, what in {
    "envelope": "Help inside a ticket; `helmdesk ticket envelope` asks for it.",
    "task": "Pieces of work; `helmdesk ticket task` gives one.",
    "reminder": "Reminders; `helmdesk ticket remind` sets one.",
    "alert": "Alerts of the matrix.",
    "notice": "Notices to oneself.",
    "view": "Views of the board.",
}.items():
    desk.add_typer(typer.Typer(help=what, no_args_is_help=True, cls=group_of(thing)), name=thing)
