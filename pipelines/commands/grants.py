"""`helmdesk grants`: what was granted and its weekly review, so that the same case gets the same answer."""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from engine.shared.errors import BadInput
from pipelines.commands.operations import group_of
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from engine.resolutions import Resolution
    from pipelines.jobs.grant_review import Listed

grants = typer.Typer(
    help="Grants to customers, their approval and weekly review.", no_args_is_help=True, cls=group_of("grant", "review")
)
Word = TypeVar("Word", bound=StrEnum)
MOST = 10**14
"""Amounts are kept with 18 digits, four of them decimals."""


@grants.command()
def propose(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="Key, reference or id.")],
    *,
    what_went_wrong: Annotated[str, typer.Option(help="Such as outage, delay or billing_error.")],
    why_eligible: Annotated[str, typer.Option(help="Such as contract, sla_breach or goodwill.")],
    type_: Annotated[str, typer.Option("--type", help="Such as refund, credit or replacement.")],
    by: Annotated[str, typer.Option(help="The agent who owns the ticket; `helmdesk ticket accept` makes one.")],
    amount: Annotated[str | None, typer.Option(help="What it costs, such as 40 or 12.50.")] = None,
    currency: Annotated[str, typer.Option(help="The one of the team's limits.")] = "EUR",
    team: Annotated[str | None, typer.Option(help="Whose limits hold.", show_default="the agent's first team")] = None,
) -> None:
    """Document a grant: within the agent's limit it is granted at once, above it waits for an approval."""
    from engine.resolutions import Claim, Eligibility, ResolutionType, WentWrong

    claim = Claim(
        what_went_wrong=_word("--what-went-wrong", what_went_wrong, WentWrong),
        why_eligible=_word("--why-eligible", why_eligible, Eligibility),
        type=_word("--type", type_, ResolutionType),
        amount=_amount(amount),
        currency=currency,
    )
    with open_here(context) as app:
        key = app.store.ticket(ticket).id
        made = app.desk.propose_resolution(key, claim, by=by, at=app.now(), team_id=team)
    typer.echo(plain(f"{made.id}: {_granted(made)}, limit of {made.tier}"))
    typer.echo(plain(_next(made)))


@grants.command()
def approve(
    context: typer.Context,
    grant: Annotated[str, typer.Argument(help="As `helmdesk grants list --approvals` names it.")],
    *,
    by: Annotated[str, typer.Option(help="A lead of the team or a manager, who did not propose it.")],
    reject: Annotated[bool, typer.Option("--reject", help="Refuse it instead.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Approve a grant above the agent's limit, or refuse it."""
    with open_here(context) as app:
        done = app.desk.approve_resolution(grant, by=by, at=app.now(), is_approved=not reject, reason=reason)
    typer.echo(plain(f"{done.id}: {done.approval_status} by {done.approved_by}"))


@grants.command()
def draw(context: typer.Context) -> None:
    """List last week's grants for review: all that is certain and a fair sample. Again adds nothing."""
    from pipelines.jobs.grant_review import draw as job

    with open_here(context) as app:
        new = job(app, at=app.now())
    typer.echo(f"new on the list: {new}")


@grants.command("list")
def list_(
    context: typer.Context,
    *,
    reviewed: Annotated[bool, typer.Option("--reviewed", help="What was decided, instead of what waits.")] = False,
    approvals: Annotated[bool, typer.Option("--approvals", help="Grants that wait for an approval.")] = False,
) -> None:
    """What waits for a review and why, the longest waiting first."""
    from pipelines.jobs.grant_review import proposed, review_list, unapproved

    if reviewed and approvals:
        raise BadInput("--reviewed and --approvals are two lists: give one of them")
    with open_here(context) as app:
        if approvals:
            _show_unapproved(unapproved(app))
            return
        listed, made = review_list(app, reviewed=reviewed), len(proposed(app))
    for one in listed:
        _show(one)
    typer.echo(f"{'reviewed' if reviewed else 'waiting for a review'}: {len(listed)}")
    if not listed and not reviewed:
        typer.echo(_where_they_come_from(made))


@grants.command()
def decide(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="As `helmdesk grants list` names it.")],
    *,
    outcome: Annotated[str, typer.Option(help="upheld, revised or coaching_needed.")],
    by: Annotated[str, typer.Option(help="The reviewer: a lead or manager who neither granted nor approved it.")],
    notes: Annotated[str, typer.Option(help="Why, for the next agent with such a case.")] = "",
) -> None:
    """Keep what the review found, once, with the lesson for the next such case."""
    from engine.grant_review import ReviewOutcome

    found = _word("--outcome", outcome, ReviewOutcome)
    with open_here(context) as app:
        done = app.desk.review_grant(item, by=by, outcome=found, notes=notes, at=app.now())
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
    amount = f" of {_money(grant.amount)} {grant.currency}" if grant.amount else ""
    return f"{grant.type}{amount} for {grant.what_went_wrong} by {grant.agent_id}, {grant.created_at:%Y-%m-%d}"


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount.normalize():f}"


def _show_unapproved(waiting: "list[Resolution]") -> None:
    for grant in waiting:
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


def _next(made: "Resolution") -> str:
    """What has to happen with a new grant."""
    if made.approval_status == "pending":
        return f"waits for an approval: helmdesk grants approve {made.id} --by {made.tier.upper()}"
    if made.calibration_status == "pending":
        return "granted; it will be reviewed: `helmdesk grants list`"
    return "granted; `helmdesk grants draw` samples this week's grants for review from next Monday on"


def _word(option: str, given: str, words: type[Word]) -> Word:
    known = [word.value for word in words]
    if given not in known:
        raise BadInput(f"{option} {given!r} is none of {', '.join(known)}")
    return words(given)


def _amount(given: str | None) -> Decimal | None:
    """Raises BadInput for what the desk keeps no amount of."""
    if given is None:
        return None
    try:
        amount = Decimal(given)
    except InvalidOperation:
        raise BadInput(f"--amount {given!r} is no number; write 40 or 12.50") from None
    if not amount.is_finite() or not 0 <= amount < MOST or amount != round(amount, 4):
        raise BadInput(f"--amount {given!r}: give 0 or more, below {MOST:,}, with at most four decimals")
    return amount
