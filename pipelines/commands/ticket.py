"""`helmdesk ticket`: what happened to one ticket and what triage would answer; its other commands are the table's."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput, NotFound
from pipelines import actions
from pipelines.commands.operations import AsJson, By, group_of, show_result
from pipelines.commands.terminal import open_here, plain

if TYPE_CHECKING:
    from pydantic import BaseModel

    from engine.contracts import RecordedEvent
    from engine.entitlements import Entitlement
    from triage.contracts import Suggestion

ticket = typer.Typer(help="One ticket.", no_args_is_help=True, cls=group_of("ticket"))
Key = Annotated[str, typer.Argument(help="Key, reference or id.")]


@ticket.command()
def show(context: typer.Context, ticket: Key) -> None:
    """What a ticket is tied to, what happened to it, in order, and the newest reply that triage drafted."""
    from pipelines.app import identity

    with open_here(context) as app:
        reader = identity.local_user(app)
        found = app.desk.read_ticket(ticket, reader=reader)
        history = app.desk.read_history(found.id, reader=reader)
        identity.saw(app, reader, door="ticket show", ticket_id=found.id)
        draft = app.triage.store.latest_suggestions([found.id]).get(found.id)
        score = actions.score_in_words(app, found.id)
        case = [*_entitlement(actions.entitlement(app, found)), *_case(app.desk.read_case(found.id, reader=reader))]
    typer.echo(plain(f"{found.reference}  {found.subject}"))
    typer.echo(plain(f"{found.status} · {found.priority} · {found.tier} · {found.id}"))
    if score:
        typer.echo(f"score {score}")
    for line in [*case, *_history(history), *(_draft(draft) if draft else [])]:
        typer.echo(plain(line))


@ticket.command()
def reply(
    context: typer.Context,
    ticket: Key,
    *,
    text: Annotated[str | None, typer.Option(help="In one's own words.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="The newest draft as it is.")] = False,
    edit_from_draft: Annotated[
        Path | None,
        typer.Option(help="A file of the newest draft as edited; one that is not there yet is written, to be edited."),
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Write to the customer as the owner; what became of the draft is kept as its feedback."""
    from pipelines.operations import OPERATIONS

    if (text is not None) + draft + (edit_from_draft is not None) != 1:
        raise BadInput("a reply is --text, --draft or --edit-from-draft FILE: give one of them")
    if edit_from_draft is not None and not edit_from_draft.exists():
        _write_draft(context, ticket, edit_from_draft, by=by)
        return
    given: dict[str, object] = {"draft": text is None}
    if edit_from_draft is not None:
        given["text"] = _read(edit_from_draft)
    elif text is not None:
        given["text"] = text
    show_result(context, OPERATIONS["ticket reply"], ticket, given, by=by, as_json=as_json)


def _entitlement(found: "Entitlement") -> Iterator[str]:
    if found.is_outside:
        yield f"outside the contract: {found.because}"
    if unknown := [name for name in found._fields[:3] if getattr(found, name) == "not_known"]:
        yield f"of the contract is not known: {', '.join(unknown)}"


def _case(records: "Iterable[BaseModel]") -> Iterator[str]:
    """A line for each thing that the ticket is tied to."""
    from engine import cases
    from engine.escalations import Escalation

    for one in records:
        match one:
            case cases.AffectedResource():
                setup = (f"{name}={value}" for name, value in one.config_snapshot.items())
                yield ", ".join(
                    filter(None, [f"affected: {one.resource}", one.region, one.version, one.health, *setup])
                )
            case cases.Incident():
                yield f"incident: {one.id}, {one.severity or 'no severity'}, {one.status}: {one.title}"
            case cases.Evidence():
                yield f"evidence: {one.kind} {one.uri}  {one.description}".rstrip()
            case cases.LinkedRunbook():
                yield f"runbook: {one.runbook}"
            case Escalation():
                yield f"escalation to {one.side}: {one.component}{f', {one.bug}' if one.bug else ''}  {one.id}"
                yield from [f"    {one.impact.in_words}"] if one.impact else []


def _write_draft(context: typer.Context, ticket: str, file: Path, *, by: str | None) -> None:
    from pipelines.app import identity

    with open_here(context) as app:
        reader = identity.local_user(app, by)
        found = app.desk.read_ticket(ticket, reader=reader)
        identity.saw(app, reader, door="ticket reply", ticket_id=found.id)
        draft = app.triage.store.latest_suggestions([found.id]).get(found.id)
    if draft is None:
        raise NotFound(f"No reply was drafted for {found.reference}; give --text")
    try:
        file.write_text(f"{draft.text}\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file}: can't be written: {error.strerror}") from None
    typer.echo(f"{plain(str(file))} has the draft: edit it, and give the same command again to send it")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: can't be read as text: {error}") from None


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
    kind = event.data.get("what", event.kind) if event.kind == "linked" else event.kind
    return f"{kind} -> {event.value}" if event.value else str(event.kind)


def _draft(draft: "Suggestion") -> Iterator[str]:
    standing = "" if draft.grounded else ", no article answers it"
    yield f"draft of {draft.created_at:%Y-%m-%d %H:%MZ} by {draft.model_used}{standing}"
    yield from (f"    {line}".rstrip() for line in draft.text.splitlines())
    yield from (f"    [{cited.index}] {cited.title}  {cited.url}" for cited in draft.citations)
    yield "a suggestion, sent by nobody but a person; `helmdesk triage feedback` keeps what became of it"
