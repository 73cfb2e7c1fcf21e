"""`helmdesk rules`: what happens by itself, and what a rule would have done so far."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from pipelines.jobs.rules import InForce, Trial

rules = typer.Typer(help="What happens by itself (data/policies/rules.yaml).", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@rules.command("list")
def list_(context: typer.Context, *, as_json: AsJson = False) -> None:
    """The rules in force, how often each acted, and which can never act here."""
    from pipelines.jobs.rules import rules_in_force

    with open_here(context) as app:
        found = rules_in_force(app)
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], ensure_ascii=False, indent=1))
        return
    for one in found:
        typer.echo(plain(f"{_head(one)}  acted {counted(one.acted, 'time')}"))
        _never(one.why_never)
    typer.echo(counted(len(found), "rule"))


@rules.command("try")
def try_(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="A rule, or a file of rules.", metavar="RULE.yaml")],
    as_json: AsJson = False,
) -> None:
    """How often rules would have acted on all that is stored, and on what; nothing is changed, nobody is told."""
    from engine.rules import load
    from pipelines.jobs.rules import try_rules

    policy = load(file)
    with open_here(context) as app:
        found = try_rules(app, policy)
    if as_json:
        typer.echo(json.dumps({"rules": [one._asdict() for one in found]}, ensure_ascii=False, indent=1))
        return
    for one in found:
        typer.echo(plain(f"{_head(one)}  would have acted on {one.fired:,} of {one.facts:,}"))
        if one.tickets:
            more = f" and {one.fired - len(one.tickets):,} more" if one.fired > len(one.tickets) else ""
            typer.echo(plain(f"    {', '.join(one.tickets)}{more}"))
        _never(one.why_never)


def _head(one: "InForce | Trial") -> str:
    return f"{one.rule}: on {one.event} {one.action} {one.to}"


def _never(why: str | None) -> None:
    if why:
        typer.echo(plain(f"    can never act here: {why}"))
