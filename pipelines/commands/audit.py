"""`helmdesk audit`: whether what was recorded is still as it was recorded, and who viewed customer data."""

import json as as_json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from engine.storage.audit import Audit
    from pipelines.marts.chain_heads import PublishedHeads

LISTED, SHOWN = 100, 10

audit = typer.Typer(help="Whether what was recorded is still as it was, and who viewed what.", no_args_is_help=True)


@audit.command()
def verify(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Walk the history of every ticket and the log of users and keys, compare them with the last publication, and
    grants, decisions, reviews and notices with what the history says of them; exit 1 if anything was changed."""
    from pipelines.jobs.audit import verify as job

    with open_here(context) as app:
        found = job(app)
    typer.echo(as_json.dumps(_report(found.audit, found.last, ok=found.is_whole)) if json else _in_words(*found))
    raise typer.Exit(0 if found.is_whole else 1)


@audit.command()
def views(
    context: typer.Context,
    *,
    user: Annotated[str | None, typer.Option(help="Of this user alone, by id.")] = None,
    ticket: Annotated[str | None, typer.Option(help="Of this ticket alone: key, reference or id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Views listed at most.")] = LISTED,
    by: Annotated[
        str | None, typer.Option(help="Who asks, by id.", show_default="HELMDESK_USER, or who is here")
    ] = None,
) -> None:
    """Who viewed customer data, where and when, the latest first."""
    from pipelines.app.identity import local_user
    from pipelines.jobs.audit import views as job

    with open_here(context) as app:
        found, total = job(app, local_user(app, by), viewer=user, ticket=ticket, size=limit)
    for view in found:
        seen = view["ticket_id"] or "a list"
        typer.echo(plain(f"{view['at']:%Y-%m-%d %H:%M:%SZ}  {view['user_id']:<14} {view['door']:<16} {seen}"))
    more = f", {limit:,} shown" if total > limit else ""
    typer.echo(f"{counted(total, 'view')}{more}")


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
