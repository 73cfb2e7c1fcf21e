"""`helmdesk grants`: what was granted and its weekly review, so that the same case gets the same answer."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.operations import group_of
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from engine.resolutions import Resolution
    from pipelines.jobs.grant_review import Listed, Unapproved

grants = typer.Typer(
    help="Grants to customers, their approval and weekly review.", no_args_is_help=True, cls=group_of("grant", "review")
)


@grants.command()
def draw(context: typer.Context) -> None:
    """List last week's grants for review: all that is certain and a fair sample. Again adds nothing."""
    from pipelines.actions import draw_grants
    from pipelines.app import identity

    with open_here(context) as app:
        new = draw_grants(app, identity.local_user(app), at=app.now())
    typer.echo(f"new on the list: {new}")


@grants.command("list")
def list_(
    context: typer.Context,
    *,
    reviewed: Annotated[bool, typer.Option("--reviewed", help="What was decided, instead of what waits.")] = False,
    approvals: Annotated[bool, typer.Option("--approvals", help="Grants that wait for an approval.")] = False,
) -> None:
    """What waits for a review and why, the longest waiting first."""
    from pipelines.app import identity
    from pipelines.jobs.grant_review import proposed, review_list, unapproved

    if reviewed and approvals:
        raise BadInput("--reviewed and --approvals are two lists: give one of them")
    with open_here(context) as app:
        reader = identity.local_user(app)
        identity.saw(app, reader, door="grants list")
        if approvals:
            _show_unapproved(unapproved(app))
            return
        listed, made = review_list(app, reviewed=reviewed), len(proposed(app))
    for one in listed:
        _show(one, reader.id)
    typer.echo(f"{'reviewed' if reviewed else 'waiting for a review'}: {len(listed)}")
    if not listed and not reviewed:
        typer.echo(_where_they_come_from(made))


def _show(listed: "Listed", reader: str) -> None:
    item, grant, ticket, second = listed.item, listed.resolution, listed.ticket, listed.second
    hidden = listed.is_hidden_from(reader)
    decided = f": {item.outcome} by {item.reviewed_by}" if item.outcome else ""
    decided += f", {second.outcome} by {second.given_by}" if second else ""
    decided = ": waits for a second opinion, `helmdesk grants second`" if hidden else decided
    why = f"{item.reason}, {item.detail}" if item.detail else item.reason
    typer.echo(plain(f"{item.id}  {why}{decided}"))
    typer.echo(plain(f"    {_granted(grant)}, limit of {grant.tier}"))
    typer.echo(plain(f"    {ticket.reference}  {ticket.subject[:80]}"))
    if item.notes and not hidden:
        typer.echo(plain(f"    notes: {' '.join(item.notes.split())}"))


def _granted(grant: "Resolution") -> str:
    amount = f" of {_money(grant.amount)} {grant.currency}" if grant.amount else ""
    return f"{grant.type}{amount} for {grant.what_went_wrong} by {grant.agent_id}, {grant.created_at:%Y-%m-%d}"


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount.normalize():f}"


def _show_unapproved(waiting: "list[Unapproved]") -> None:
    for grant, _, _ in waiting:
        typer.echo(plain(f"{grant.id}  {_granted(grant)}, takes a {grant.tier}"))
    typer.echo(f"waiting for an approval: {len(waiting)}")


def _where_they_come_from(made: int) -> str:
    if made:
        draw = "`helmdesk grants draw` lists a sample of those made last week, Monday to Monday"
        return f"{counted(made, 'grant')} made so far; {draw}"
    return (
        "no grant was made yet: an agent who owns a ticket (`helmdesk ticket accept`) makes one with "
        "`helmdesk grants propose`"
    )
