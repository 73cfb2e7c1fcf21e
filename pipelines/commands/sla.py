"""`helmdesk sla`: try a policy on worked cases or on all history, and see why a clock shows what it shows."""

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.shared.errors import BadInput
from pipelines import actions
from pipelines.commands.terminal import AsOf, as_of_or_now, open_here, plain

sla = typer.Typer(help="SLA policies and clocks.", no_args_is_help=True)
AT = "%Y-%m-%d %H:%M:%S UTC"
CLOCKS = ("first_response", "resolution", "next_response", "next_reply")

AsJson = Annotated[bool, typer.Option("--json", help="Everything, for programs.")]


@sla.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Case files: see data/sla/example-cases.json.")],
) -> None:
    """Run worked cases through both SLA engines: test a policy before you ship it."""
    from sla.check.check import check_cases

    report = check_cases(files)
    for line in report.lines():
        typer.echo(plain(line))
    raise typer.Exit(1 if report.failed else 0)


@sla.command()
def explain(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="Key, reference or id.")],
    as_of: AsOf = None,
    clock: Annotated[str | None, typer.Option(help=f"One of {', '.join(CLOCKS)}.", show_default="all")] = None,
    as_json: AsJson = False,
) -> None:
    """The ledger behind each deadline: what was counted, paused and out of hours, to the second."""
    if clock is not None and clock not in CLOCKS:
        raise BadInput(f"--clock {clock!r} is no clock; there are {', '.join(CLOCKS)}")
    from pipelines.app.identity import local_user, saw

    with open_here(context) as app:
        at = as_of_or_now(app, as_of)
        ledgers = actions.explain(app, ticket, as_of=at)
        saw(app, local_user(app), door="sla explain", ticket_id=app.store.ticket(ticket).id)
    ledgers = [ledger for ledger in ledgers if clock in (None, ledger.clock.value)]
    if as_json:
        typer.echo(json.dumps([ledger.as_data() for ledger in ledgers], indent=1))
        return
    typer.echo(f"as of {at:{AT}}\n")
    for ledger in ledgers:
        typer.echo("\n".join(plain(line) for line in ledger.lines()) + "\n")
    if not ledgers:
        typer.echo("nothing was promised on a clock of this ticket that had started by then")


@sla.command()
def backtest(
    context: typer.Context,
    *,
    policy: Annotated[Path, typer.Option(help="The policies to try (see data/policies/sla).")],
    calendars: Annotated[
        Path | None, typer.Option(help="Calendars to try with them.", show_default="the ones in force")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Policies to compare with.", show_default="the ones in force")
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    changed: Annotated[
        Path | None, typer.Option(help="Write every clock that changes state to this .csv or .parquet.")
    ] = None,
) -> None:
    """Replay all history under other promises: which would have been kept, which broken?"""
    from pipelines.commands.backtest_report import lines
    from pipelines.jobs.backtest import as_data, sides, write_changes, writer
    from pipelines.jobs.backtest import backtest as job

    writer(changed)
    with open_here(context) as app:
        at = as_of_or_now(app, as_of)
        found = job(app, policy=policy, calendars=calendars, against=against, as_of=at)
        compared = sides(app, policy=policy, calendars=calendars, against=against)
    if changed is not None:
        write_changes(found, changed)
    if as_json:
        data = {"as_of": at, **compared._asdict(), **as_data(found)}
        typer.echo(json.dumps(data, default=str, indent=1))
        return
    for line in (f"as of {at:{AT}}", f"before: {compared.before}", f"after:  {compared.after}", "", *lines(found)):
        typer.echo(plain(line))
