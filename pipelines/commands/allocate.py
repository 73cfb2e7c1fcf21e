"""`helmdesk allocate …`: the group and its subcommands."""

import typer

from pipelines.commands.terminal import AsOf, as_of_or_now, open_here

allocate = typer.Typer(help="Give tickets to groups; without a subcommand: the waiting backlog.")


@allocate.callback()
def _allocate(context: typer.Context, as_of: AsOf = None) -> None:
    if context.invoked_subcommand is not None:
        return
    from pipelines.jobs.cycle import CycleRun

    with open_here(context) as app:
        counts = CycleRun(app, as_of_or_now(app, as_of)).stage("allocate")
    shown = "allocated {allocated}, waiting {waiting}, no group has the skill {no_skill}, new {new}"
    typer.echo(shown.format_map(counts))
