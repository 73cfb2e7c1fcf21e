"""`helmdesk audit`: whether what was recorded is still as it was recorded, and who viewed customer data."""

import json as as_json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from engine.storage.audit import Audit
    from pipelines.marts.chain_heads import PublishedHeads

LISTED = 100
SHOWN = 10

audit = typer.Typer(help="Whether what was recorded is still as it was, and who viewed what.", no_args_is_help=True)


@audit.command()
def verify(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Walk the history of every ticket and the log of users and keys, compare them with the last publication, and
    grants, decisions, reviews and notices with what the history says of them; exit 1 if anything was changed."""
    from engine.storage.audit import verify as walk
    from pipelines.jobs.review import ANSWERS, FEEDBACK
    from pipelines.marts import chain_heads

    with open_here(context) as app:
        last = chain_heads.read(app.settings.marts_folder)
        found = walk(app.store, last.heads if last else None, also=[ANSWERS, FEEDBACK], limit=LISTED)
    is_whole = not found.found and not (last and last.fault)
    typer.echo(as_json.dumps(_report(found, last, ok=is_whole)) if json else _in_words(found, last))
    raise typer.Exit(0 if is_whole else 1)


@audit.command()
def views(
    context: typer.Context,
    *,
    user: Annotated[str | None, typer.Option(help="Of this user alone, by id.")] = None,
    ticket: Annotated[str | None, typer.Option(help="Of this ticket alone: key, reference or id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Views listed at most.")] = LISTED,
    by: Annotated[  # noqa: ARG001 - `open_here` asks it
        str | None, typer.Option(help="Who asks, by id.", show_default="HELMDESK_USER, or who is here")
    ] = None,
) -> None:
    """Who viewed customer data, where and when, the latest first."""
    from engine.access import View
    from engine.shared.errors import NotFound

    with open_here(context) as app:
        wanted = {"user_id": user} if user else {}
        if ticket:
            try:
                wanted["ticket_id"] = app.store.ticket(ticket).id
            except NotFound:  # one that is gone was viewed all the same
                wanted["ticket_id"] = ticket
        found = sorted(app.store.all(View, **wanted), key=lambda view: (view.at, view.id), reverse=True)
    for view in found[:limit]:
        typer.echo(
            plain(f"{view.at:%Y-%m-%d %H:%M:%SZ}  {view.user_id:<14} {view.door:<16} {view.ticket_id or 'a list'}")
        )
    more = f", {limit:,} shown" if len(found) > limit else ""
    typer.echo(f"{counted(len(found), 'view')}{more}")


def _report(found: "Audit", last: "PublishedHeads | None", *, ok: bool) -> dict[str, Any]:
    """`broken` has the first places by ticket and version, `found` says how many there are."""
    from engine.storage.audit import tickets_in

    publication = None
    if last:
        publication = {"folder": last.folder.name, "tickets": tickets_in(last.heads), "fault": last.fault}
    return {
        "ok": ok,
        "tickets": found.tickets,
        "events": found.events,
        "found": found.found,
        "broken": [one._asdict() for one in found.broken],
        "records": found.records,
        "not_covered": dict(found.not_covered),
        "publication": publication,
    }


def _in_words(found: "Audit", last: "PublishedHeads | None") -> str:
    from engine.storage.audit import tickets_in

    lines = [plain(f"{one.ticket} version {one.version} ({one.event_id or 'no event'}): {one.what}")
             for one in found.broken[:SHOWN]]  # fmt: skip
    if found.found > SHOWN:
        lines.append(f"and {found.found - SHOWN:,} more; --json lists the first {LISTED}")
    walked = f"{counted(found.tickets, 'ticket')}, {counted(found.events, 'event')}"
    lines.append(f"{walked}: {counted(found.found, 'broken place') if found.found else 'every chain is whole'}")
    kinds = "grants, decisions, reviews, notices, case files, draft feedback, users and keys"
    lines.append(f"{counted(found.records, 'record')} of {kinds} agree")
    if found.not_covered:
        old = ", ".join(f"{name} {count:,}" for name, count in sorted(found.not_covered.items()))
        lines.append(
            f"not covered, for no event says what they held: {old}; `helmdesk migrate` seals those of the desk"
        )
    if last is None:
        lines.append("nothing published to compare with: a chain that was written anew as a whole would not show")
    elif last.fault:
        lines.append(plain(f"not compared with the last publication: {last.fault}"))
    else:
        lines.append(f"compared with {counted(tickets_in(last.heads), 'ticket')} of the publication {last.folder.name}")
    return "\n".join(lines)
