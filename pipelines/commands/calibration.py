"""`helmdesk calibration`: the weekly review of what was granted, so that the same case gets the same answer."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import BadInput
from pipelines.commands.terminal import open_here, plain

if TYPE_CHECKING:
    from engine.resolutions import Resolution
    from pipelines.jobs.calibration_queue import Listed

calibration = typer.Typer(help="The weekly review of grants.", no_args_is_help=True)


@calibration.command()
def draw(context: typer.Context) -> None:
    """List last week's grants for review: all that is certain and a fair sample. Again adds nothing."""
    from pipelines.jobs.calibration_queue import calibration_queue

    with open_here(context) as house:
        new = calibration_queue(house, at=house.now())
    typer.echo(f"new on the list: {new}")


@calibration.command("list")
def list_(
    context: typer.Context,
    *,
    reviewed: Annotated[bool, typer.Option("--reviewed", help="What was decided, instead of what waits.")] = False,
) -> None:
    """What waits for a review and why, the longest waiting first."""
    from pipelines.jobs.calibration_queue import calibration_list

    with open_here(context) as house:
        listed = calibration_list(house, reviewed=reviewed)
    for one in listed:
        _show(one)
    typer.echo(f"{'reviewed' if reviewed else 'waiting for a review'}: {len(listed)}")


@calibration.command()
def decide(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="As `helmdesk calibration list` names it.")],
    *,
    outcome: Annotated[str, typer.Option(help="upheld, revised or coaching_needed.")],
    by: Annotated[str, typer.Option(help="The reviewer: a lead or manager who neither granted nor approved it.")],
    notes: Annotated[str, typer.Option(help="Why, for the next agent with such a case.")] = "",
) -> None:
    """Keep what the review found, once, with the lesson for the next such case."""
    from engine.calibration import ReviewOutcome

    known = [found.value for found in ReviewOutcome]
    if outcome not in known:
        raise BadInput(f"--outcome {outcome!r} is none of {', '.join(known)}")
    with open_here(context) as house:
        found = ReviewOutcome(outcome)
        done = house.desk.review_calibration(item, by=by, outcome=found, notes=notes, at=house.now())
    typer.echo(plain(f"{done.id}: {done.outcome} by {done.reviewed_by}"))


def _show(listed: "Listed") -> None:
    item, grant, ticket = listed
    decided = f": {item.outcome} by {item.reviewed_by}" if item.outcome else ""
    why = f"{item.reason}, {item.detail}" if item.detail else item.reason
    typer.echo(plain(f"{item.id}  {why}{decided}"))
    typer.echo(plain(f"    {_granted(grant)}, limit of {grant.tier}"))
    typer.echo(plain(f"    {ticket.reference}  {ticket.subject[:80]}"))
    if item.notes:
        typer.echo(plain(f"    notes: {' '.join(item.notes.split())}"))


def _granted(grant: "Resolution") -> str:
    amount = f" of {grant.amount:f} {grant.currency}" if grant.amount else ""
    return f"{grant.type}{amount} for {grant.what_went_wrong} by {grant.agent_id}, {grant.created_at:%Y-%m-%d}"
