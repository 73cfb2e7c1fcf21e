"""`helmdesk deliver`: send what waits for the handler's system and for people, and see to what was refused or nobody
sends."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from pipelines.jobs.deliver import Delivered, Parcels


def deliver(
    context: typer.Context,
    refused: Annotated[
        bool, typer.Option("--refused", help="List what a person has to look at; send nothing.")
    ] = False,
    retry: Annotated[
        str | None, typer.Option(help="Let one refused or resting row, by its key, or `all` be sent again.")
    ] = None,
    drop: Annotated[
        str | None, typer.Option(metavar="DESTINATION", help="Give up what waits for one that is no longer in use.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The counts, for programs.")] = False,
) -> None:
    """Send what is due once: decisions to the handler's system, notices to people."""
    from engine.storage.outbox import NOTICES
    from pipelines import actions
    from pipelines.jobs.deliver import Parcels, orphans_in_words
    from pipelines.jobs.deliver import deliver as job

    if refused + (retry is not None) + (drop is not None) > 1:
        raise BadInput("--refused lists, --retry sends again, --drop gives up: give one of them")
    with open_here(context) as app:
        if refused:
            rows = app.outbox.refused()
            for line in [f"{row.key}  to {row.destination}  {row.last_error}" for row in rows] + orphans_in_words(app):
                typer.echo(plain(line))
            notices = sum(row.destination.startswith(NOTICES) for row in rows)
            found = Parcels(decisions=len(rows) - notices, notices=notices)
            typer.echo(f"refused: {_things(found)}")
        elif retry is not None:
            typer.echo(f"waiting again: {_things(actions.retry_unsent(app, retry, at=app.now()))}")
        elif drop is not None:
            typer.echo(f"dropped: {_things(actions.drop_unsent(app, drop))} for {plain(drop)}")
        else:
            _show(job(app, at=app.now()), as_json=as_json)


def _things(found: "Parcels") -> str:
    """How many decisions, and how many notices if there are any."""
    shown = [counted(found.decisions, "decision")] if found.decisions or not found.notices else []
    return ", ".join(shown + ([counted(found.notices, "notice")] if found.notices else []))


def _show(done: "Delivered", *, as_json: bool) -> None:
    if as_json:
        import json

        typer.echo(json.dumps(done._asdict()))
        return
    counts = done._asdict()
    notices = {name.removeprefix("notices_"): counts.pop(name) for name in list(counts) if name.startswith("notices_")}
    typer.echo(", ".join(f"{name} {count}" for name, count in counts.items()))
    if any(notices.values()):
        typer.echo("notices: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in notices.items()))
