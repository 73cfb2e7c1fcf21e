"""`helmdesk people`: agents, teams, groups, companies, contacts and absences, each by itself; names met in tickets."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.terminal import counted, open_here, plain

PROPOSAL = Path("people-proposed.yaml")

people = typer.Typer(help="Who answers, in which group, for which customers.", no_args_is_help=True)


@people.command("import")
def import_(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(help="A table of one kind, a YAML or JSON file, or a folder of people files.")
    ],
    *,
    mapping: Annotated[Path | None, typer.Option(help="A mapping file (see data/mappings/people).")] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="agents, teams, groups, companies, contacts or absences.", show_default="by the file's name"),
    ] = None,
    open_tickets: Annotated[
        bool, typer.Option("--open-tickets", help="Give open tickets at the default tier their customer's.")
    ] = False,
) -> None:
    """Insert or change people. What a table does not say of somebody stays as it is."""
    from pipelines.jobs.people import import_people, settle, unsettled

    with open_here(context) as app:
        brought = import_people(app, path, mapping=mapping, kind=kind)
        for line in brought.refused:
            typer.echo(f"refused  {plain(line)}", err=True)
        parts = ", ".join(f"{name} {count:,}" for name, count in sorted(brought.counts.items()))
        typer.echo(parts or "nobody was taken in")
        if brought.unused:
            typer.echo(plain(f"not used: {', '.join(brought.unused)}"))
        waiting = unsettled(app)
        if open_tickets:
            settle(app, waiting, at=app.now())
        if waiting:
            done = "have it now" if open_tickets else "keep the default; give it to them with --open-tickets"
            typer.echo(f"{counted(len(waiting), 'open ticket')} of customers with another tier or a VIP: {done}")
    if brought.refused:
        raise typer.Exit(2)


@people.command()
def propose(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Where the file is written; it is never written over.")] = PROPOSAL,
) -> None:
    """Write the names met in tickets that are no agent, group or company yet, as a file for `people import`."""
    from engine.contracts import Agent, AssignmentGroup, Company
    from engine.shared.errors import BadInput
    from pipelines.jobs.people_proposal import Known, as_yaml, proposed
    from pipelines.snapshot import Snapshot

    with open_here(context) as app:
        tickets = Snapshot(app, app.now()).tickets_now
        known = Known(
            {agent.id for agent in app.store.all(Agent)},
            {group.group_id for group in app.store.all(AssignmentGroup)},
            {company.id for company in app.store.all(Company)},
        )
    found = proposed(tickets, known)
    if not any(found.values()):
        typer.echo(f"everybody named in {counted(tickets.height, 'ticket')} is known")
        return
    command = f"helmdesk people import {out}"
    try:
        with out.open("x", encoding="utf-8") as stream:
            stream.write(as_yaml(found, tickets=tickets.height, command=command))
    except FileExistsError:
        raise BadInput(f"{out} is there already; take it away, or name another --out") from None
    for kind, records in ((kind, records) for kind, records in found.items() if records):
        names = ", ".join(f"{next(iter(record.values()))} ({count:,})" for record, count in records[:5])
        more = f" and {len(records) - 5:,} more" if len(records) > 5 else ""
        typer.echo(plain(f"{kind:<10}{len(records):>6,}  {names}{more}"))
    typer.echo(plain(f"-> {out}; correct it, then: {command}"))
