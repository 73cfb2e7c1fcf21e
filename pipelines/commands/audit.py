"""`helmdesk audit`: whether what was recorded is still as it was recorded."""

import json as as_json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from engine.storage.audit import Audit
    from pipelines.marts.chain_heads import PublishedHeads

LISTED = 100
SHOWN = 10

audit = typer.Typer(help="Whether what was recorded is still as it was recorded.", no_args_is_help=True)


@audit.command()
def verify(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Walk the history of every ticket, and compare it with the last publication; exit 1 if anything was changed."""
    from engine.storage.audit import verify as walk
    from pipelines.marts import chain_heads

    with open_here(context) as app:
        last = chain_heads.read(app.settings.marts_folder)
        found = walk(app.store, last.heads if last else None, limit=LISTED)
    is_whole = not found.found and not (last and last.fault)
    typer.echo(as_json.dumps(_report(found, last, ok=is_whole)) if json else _in_words(found, last))
    raise typer.Exit(0 if is_whole else 1)


def _report(found: "Audit", last: "PublishedHeads | None", *, ok: bool) -> dict[str, Any]:
    """`broken` has the first places by ticket and version, `found` says how many there are."""
    publication = None
    if last:
        publication = {"folder": last.folder.name, "tickets": last.heads.height, "fault": last.fault}
    return {
        "ok": ok,
        "tickets": found.tickets,
        "events": found.events,
        "found": found.found,
        "broken": [one._asdict() for one in found.broken],
        "publication": publication,
    }


def _in_words(found: "Audit", last: "PublishedHeads | None") -> str:
    lines = [plain(f"{one.ticket} version {one.version} ({one.event_id or 'no event'}): {one.what}")
             for one in found.broken[:SHOWN]]  # fmt: skip
    if found.found > SHOWN:
        lines.append(f"and {found.found - SHOWN:,} more; --json lists the first {LISTED}")
    walked = f"{counted(found.tickets, 'ticket')}, {counted(found.events, 'event')}"
    lines.append(f"{walked}: {counted(found.found, 'broken place') if found.found else 'every chain is whole'}")
    if last is None:
        lines.append("nothing published to compare with: a chain that was written anew as a whole would not show")
    elif last.fault:
        lines.append(plain(f"not compared with the last publication: {last.fault}"))
    else:
        lines.append(f"compared with {counted(last.heads.height, 'ticket')} of the publication {last.folder.name}")
    return "\n".join(lines)
