"""`helmdesk ticket`: what happened to one ticket and what triage would answer; its other commands are the table's."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput, NotFound
from pipelines.commands.operations import AsJson, By, group_of, show_result
from pipelines.commands.terminal import open_here, plain

if TYPE_CHECKING:
    from engine.contracts import RecordedEvent
    from engine.entitlements import Entitlement
    from pipelines.app.container import App
    from triage.contracts import Suggestion

ticket = typer.Typer(help="One ticket.", no_args_is_help=True, cls=group_of("ticket"))
Key = Annotated[str, typer.Argument(help="Key, reference or id.")]


@ticket.command()
def show(context: typer.Context, ticket: Key) -> None:
    """What a ticket is tied to, what happened to it, in order, and the newest reply that triage drafted."""
    from pipelines.actions import entitlement

    with open_here(context) as app:
        found = app.store.ticket(ticket)
        history = app.store.history(found.id)
        draft = app.triage.store.latest_suggestions([found.id]).get(found.id)
        case = [*_entitlement(entitlement(app, found)), *_case_file(app, found.id)]
    typer.echo(plain(f"{found.reference}  {found.subject}"))
    typer.echo(plain(f"{found.status} · {found.priority} · {found.tier} · {found.id}"))
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
        _write_draft(context, ticket, edit_from_draft)
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


def _case_file(app: "App", ticket_id: str) -> Iterator[str]:
    """A line for each thing that the ticket is tied to."""
    from engine import cases
    from engine.escalations import Escalation

    for one in app.store.all(cases.AffectedResource, ticket_id=ticket_id):
        setup = (f"{name}={value}" for name, value in one.config_snapshot.items())
        yield ", ".join(filter(None, [f"affected: {one.resource}", one.region, one.version, one.health, *setup]))
    for link in app.store.all(cases.LinkedIncident, ticket_id=ticket_id):
        incident = app.store.get(cases.Incident, link.incident_id)
        yield f"incident: {incident.id}, {incident.severity or 'no severity'}, {incident.status}: {incident.title}"
    for proof in app.store.all(cases.Evidence, ticket_id=ticket_id):
        yield f"evidence: {proof.kind} {proof.uri}  {proof.description}".rstrip()
    for runbook in app.store.all(cases.LinkedRunbook, ticket_id=ticket_id):
        yield f"runbook: {runbook.runbook}"
    for escalation in app.store.all(Escalation, ticket_id=ticket_id):
        bug = f", {escalation.bug}" if escalation.bug else ""
        yield f"asked of {escalation.side}: {escalation.component}{bug}  {escalation.id}"
        if escalation.impact:
            yield f"    {escalation.impact.in_words}"


def _write_draft(context: typer.Context, ticket: str, file: Path) -> None:
    with open_here(context) as app:
        found = app.store.ticket(ticket)
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
