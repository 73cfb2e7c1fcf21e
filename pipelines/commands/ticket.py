"""`helmdesk ticket`: what happened to one ticket, what triage would answer, and who owns it."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.terminal import open_here, plain

if TYPE_CHECKING:
    from engine.contracts import RecordedEvent
    from triage.contracts import Suggestion

ticket = typer.Typer(help="One ticket.", no_args_is_help=True)
Key = Annotated[str, typer.Argument(help="Key, reference or id.")]


@ticket.command()
def show(context: typer.Context, ticket: Key) -> None:
    """What happened to one ticket, in order, and the newest reply that triage drafted."""
    from pipelines.app import identity

    with open_here(context) as app:
        reader = identity.local_user(app)
        found = app.desk.read_ticket(ticket, reader=reader)
        history = app.desk.read_history(found.id, reader=reader)
        identity.saw(app, reader, door="ticket show", ticket_id=found.id)
        draft = app.triage.store.latest_suggestions([found.id]).get(found.id)
    typer.echo(plain(f"{found.reference}  {found.subject}"))
    typer.echo(plain(f"{found.status} · {found.priority} · {found.tier} · {found.id}"))
    for line in [*_history(history), *(_draft(draft) if draft else [])]:
        typer.echo(plain(line))


@ticket.command()
def accept(
    context: typer.Context, ticket: Key, *, by: Annotated[str, typer.Option(help="The agent who will own it, by id.")]
) -> None:
    """Own an open ticket, for good: replying, resolving and grants are its owner's."""
    with open_here(context) as app:
        owned = app.desk.accept(app.store.ticket(ticket).id, by=by, at=app.now())
    typer.echo(plain(f"{owned.reference} is owned by {owned.owner_id}, {owned.status}"))


def _history(events: "Iterable[RecordedEvent]") -> Iterator[str]:
    """A line an event; the same said again at the same instant is one line with its count."""
    runs = groupby(events, key=lambda event: (event.at, event.actor, event.kind, event.value))
    for (at, actor, *_), same in runs:
        first, *again = same
        times = f" ({1 + len(again)} times)" if again else ""
        yield f"{first.version:>4}  {at:%Y-%m-%d %H:%M:%SZ}  {actor:<14} {_what(first)}{times}"


def _what(event: "RecordedEvent") -> str:
    if event.kind == "allocated" and event.value is None:
        return "found no group for it"
    return f"{event.kind} -> {event.value}" if event.value else str(event.kind)


def _draft(draft: "Suggestion") -> Iterator[str]:
    standing = "" if draft.grounded else ", no article answers it"
    yield f"draft of {draft.created_at:%Y-%m-%d %H:%MZ} by {draft.model_used}{standing}"
    yield from (f"    {line}".rstrip() for line in draft.text.splitlines())
    yield from (f"    [{cited.index}] {cited.title}  {cited.url}" for cited in draft.citations)
    yield "a suggestion, sent by nobody but a person; `helmdesk triage feedback` keeps what became of it"
