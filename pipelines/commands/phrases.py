"""`helmdesk triage phrases`: what people's answers propose to the taxonomy, and a lead's yes or no to it."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines import actions
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from pipelines.jobs.phrases import Phrases


def phrases(
    context: typer.Context,
    *,
    accept: Annotated[str | None, typer.Option(help="A proposed phrase; the next triage uses it.")] = None,
    refuse: Annotated[str | None, typer.Option(help="A phrase not to use; it is proposed no more.")] = None,
    label: Annotated[str | None, typer.Option(help="The label that it is proposed for.")] = None,
    by: Annotated[str | None, typer.Option(help="Who decides.", show_default="HELMDESK_USER")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every row, for programs.")] = False,
) -> None:
    """Phrases that answered reviews of one label say and nearly none of others; none is used before a lead accepts."""
    from pipelines.app import identity

    deciding = accept is not None or refuse is not None
    if (accept is not None and refuse is not None) or deciding != (label is not None):
        raise BadInput('A decision is one of --accept "PHRASE" and --refuse "PHRASE", with --label LABEL')
    with open_here(context) as app:
        if label is None:
            _show(actions.phrases(app), as_json=as_json)
            return
        user = identity.local_user(app, by)
        phrase, is_accepted = (accept, True) if accept is not None else (refuse or "", False)
        done = actions.decide_phrase(app, phrase, label=label, is_accepted=is_accepted, user=user)
    became = "is used from the next triage on" if done.is_accepted else "is not used and proposed no more"
    typer.echo(plain(f"“{done.phrase}” for {done.label} {became}"))


def _show(found: "Phrases", *, as_json: bool) -> None:
    if as_json:
        accepted = [one.model_dump(mode="json") for one in found.accepted]
        typer.echo(json.dumps({"proposed": [one._asdict() for one in found.proposed], "accepted": accepted}, indent=1))
        return
    for one in found.proposed:
        counts = f"{one.texts} answered texts, {one.elsewhere} of other labels, z {one.z:.1f}"
        typer.echo(plain(f"{one.label:<10} “{one.phrase}”  {counts}  such as {', '.join(one.examples)}"))
    for yes in found.accepted:
        typer.echo(plain(f"{yes.label:<10} “{yes.phrase}”  accepted by {yes.decided_by}, {yes.decided_at:%Y-%m-%d}"))
    typer.echo(f"proposed: {counted(len(found.proposed), 'phrase')}, in use: {len(found.accepted)}")
