"""`helmdesk deliver`: send what waits for the handler's system and for people, and see to what was refused or nobody
sends."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from pipelines.jobs.deliver import Delivered


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
    from engine.storage.outbox import NOTICE, NOTICES
    from pipelines.jobs.deliver import deliver as job
    from pipelines.jobs.deliver import drop as give_up
    from pipelines.jobs.deliver import orphans_in_words

    if refused + (retry is not None) + (drop is not None) > 1:
        raise BadInput("--refused lists, --retry sends again, --drop gives up: give one of them")
    with open_here(context) as app:
        if refused:
            rows = app.outbox.refused()
            for line in [f"{row.key}  to {row.destination}  {row.last_error}" for row in rows] + orphans_in_words(app):
                typer.echo(plain(line))
            typer.echo(f"refused: {_things(Counter(row.destination.startswith(NOTICES) for row in rows))}")
        elif retry is not None:
            kinds = app.outbox.retry(None if retry == "all" else retry, at=app.now())
            again = {False: kinds.total() - kinds[NOTICE], True: kinds[NOTICE]}
            typer.echo(f"waiting again: {_things(again)}")
        elif drop is not None:
            dropped = {drop.startswith(NOTICES): give_up(app, drop)}
            typer.echo(f"dropped: {_things(dropped)} for {plain(drop)}")
        else:
            _show(job(app, at=app.now()), as_json=as_json)


def _things(counts: Mapping[bool, int]) -> str:
    """How many decisions, and how many notices if there are any."""
    notices, decisions = counts.get(True, 0), counts.get(False, 0)
    shown = [counted(decisions, "decision")] if decisions or not notices else []
    return ", ".join(shown + ([counted(notices, "notice")] if notices else []))


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
