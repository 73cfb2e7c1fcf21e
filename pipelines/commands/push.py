"""`helmdesk push suggestions`: drafts back to their tickets as internal notes."""

from typing import Annotated

import typer

from pipelines.commands.terminal import counted, open_here, plain

push = typer.Typer(help="What helmdesk writes back to the systems that tickets come from.", no_args_is_help=True)


@push.callback()
def _of_push() -> None:
    """A group of its own, though it has one command."""


@push.command()
def suggestions(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="jira, servicenow or zendesk.", show_default="all")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which would go; write and send nothing.")] = False,
) -> None:
    """Write the newest draft of each open ticket to it as an internal note, once (HELMDESK_PUSH_SUGGESTIONS=true)."""
    from pipelines.jobs.push import chosen, push_suggestions

    with open_here(context) as app:
        if dry_run:
            choice = chosen(app, source=source)
            for parcel in choice.parcels:
                typer.echo(plain(f"{parcel.ticket_id}  to {parcel.destination}  {parcel.payload['text'][:80]}"))
        else:
            choice, delivered = push_suggestions(app, at=app.now(), source=source)
    left = f"{choice.ungrounded} rest on no article, {choice.judged} were judged by a person"
    typer.echo(f"{'would queue' if dry_run else 'queued'} {counted(len(choice.parcels), 'suggestion')}; {left}")
    if not dry_run:
        typer.echo(", ".join(f"{name} {count}" for name, count in delivered._asdict().items()))
