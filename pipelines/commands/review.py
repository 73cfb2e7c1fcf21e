"""`helmdesk triage review`, `feedback` and `retrain`: people's answers, and what is learned from them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines import actions
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from pipelines.app.container import App
    from pipelines.jobs.retrain import Retrained
    from pipelines.jobs.review import Queued
    from triage.feedback.reviews import Review, Waiting

Ticket = Annotated[str | None, typer.Argument(help="Key, reference or id.")]
By = Annotated[str | None, typer.Option(help="Who says so.", show_default="HELMDESK_ACTOR")]
SHOWN = 10
EXCERPT = 160


def review(
    context: typer.Context,
    ticket: Ticket = None,
    *,
    label: Annotated[
        str | None,
        typer.Option(
            help="What it is about: a label of the taxonomy, data/taxonomies/products.yaml unless another is set."
        ),
    ] = None,
    by: By = None,
    note: Annotated[str | None, typer.Option(help="Why, for those who learn from it.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="List closed tickets, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Tickets listed at most.")] = SHOWN,
    undo: Annotated[bool, typer.Option("--undo", help="Take back the last answer that one gave.")] = False,
) -> None:
    """What waits for a person and why; with a ticket, that one; with --label, too, the person's answer is kept."""
    if undo:
        _undo(context, by, alone=(ticket, label, note) == (None, None, None))
        return
    if (label is None and (by, note) != (None, None)) or (ticket is None and label is not None):
        raise BadInput("An answer needs both: helmdesk triage review TICKET --label LABEL")
    with open_here(context) as app:
        if ticket is None:
            _list(actions.review_queue(app, closed=closed), limit)
            return
        if label is None:
            found = actions.review_question(app, ticket)
            given = app.triage.feedback.review_history(found.question.ticket_id)
            _show(found, given, list(app.triage.taxonomy.product.labels))
            return
        answer = actions.answer_review(app, ticket, label=label, by=_who(by, app), note=note or "")
    claim = f", triage said {answer.said}" if answer.said else ""
    if answer.is_spot_check:
        claim = f"{claim} and was sure ({answer.confidence:.0%}): one of the random slice"
    typer.echo(plain(f"{answer.ticket_id} is about {answer.label}{claim}; it counts from the next triage on"))
    for one in answer.before:
        same = "the same" if one.label == answer.label else f"{one.label}; your answer counts now"
        typer.echo(plain(f"a second opinion: {one.answered_by} answered {same}, {one.answered_at:%Y-%m-%d %H:%MZ}"))


def _undo(context: typer.Context, by: str | None, *, alone: bool) -> None:
    if not alone:
        raise BadInput("--undo takes back one's last answer: give nothing with it but --by")
    with open_here(context) as app:
        gone = actions.withdraw_review(app, by=_who(by, app))
    typer.echo(plain(f"{gone.answered_by} took back that {gone.ticket_id} is about {gone.label}"))


def feedback(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="Key, reference or id.")],
    *,
    sent: Annotated[bool, typer.Option("--sent", help="The draft was sent as it is.")] = False,
    edited: Annotated[Path | None, typer.Option(help="A file with the reply that was sent instead.")] = None,
    rejected: Annotated[str | None, typer.Option(help="Why the draft was of no use.")] = None,
    by: By = None,
) -> None:
    """What was done with the draft on a ticket; sends nothing. `helmdesk triage report` tells what helps."""
    if sum((sent, edited is not None, rejected is not None)) != 1:
        raise BadInput("Say what was done with the draft: one of --sent, --edited FILE, --rejected REASON")
    with open_here(context) as app:
        text = None if edited is None else _text_of(edited)
        judgement = actions.record_feedback(app, ticket, by=_who(by, app), sent=text, rejected=rejected)
    rewritten = f", {judgement.distance:.0%} of it rewritten" if judgement.distance else ""
    typer.echo(plain(f"{judgement.ticket_id}: draft {judgement.outcome}{rewritten}"))


def retrain(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Also without drift or enough new answers.")] = False,
) -> None:
    """Learn from people's answers where it is due; the new model takes over only if it is not worse."""
    from pipelines.app.locks import alone
    from pipelines.jobs.retrain import retrain as job

    with open_here(context) as app, alone(app, "retrain"):
        done = job(app, at=app.now(), force=force)
        _tell(done, app)


def _list(queue: "list[Queued]", limit: int) -> None:
    for name, _, question in queue[:limit]:
        typer.echo(plain(f"{name}  {_guesses(question)}  {question.subject[:80]}"))
        typer.echo(plain(f"    {_short(question.excerpt) or 'no text'}"))
        if not question.is_blind:
            typer.echo(plain(f"    why: {_short(question.doubt)}"))
    more = f", {limit} shown" if len(queue) > limit else ""
    which = "open ticket" if all(queued.is_open for queued in queue) else "ticket"
    typer.echo(f"waiting for a person: {counted(len(queue), which)}{more}")


def _show(queued: "Queued", given: "list[Review]", labels: list[str]) -> None:
    question, state = queued.question, "open" if queued.is_open else "closed"
    typer.echo(plain(f"{queued.reference}  {question.subject}"))
    typer.echo(plain(f"    {question.opened_at:%Y-%m-%d %H:%MZ}, {state}"))
    typer.echo(plain(f"    text: {' '.join(question.excerpt.split()) or 'no text'}"))
    typer.echo(plain(f"    guesses: {_guesses(question)}"))
    if not question.is_blind:
        typer.echo(plain(f"    why: {' '.join(question.reasoning.split())}"))
    for one in given:
        when = f"{one.answered_at:%Y-%m-%d %H:%MZ}"
        typer.echo(plain(f"    {one.answered_by} answered it {when}; yours is a second opinion, theirs shows after it"))
    typer.echo(plain(f"answer with --label and one of {', '.join(labels)}"))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"


def _guesses(question: "Waiting") -> str:
    """A blind question shows none."""
    return " or ".join(f"{guess.label} {guess.confidence:.0%}" for guess in question.guesses) or "what is it about?"


def _who(by: str | None, app: "App") -> str:
    return app.settings.actor if by is None else by


def _tell(done: "Retrained", app: "App") -> None:
    typer.echo(done.drift.summary())
    if done.run is None or done.verdict is None:
        wanted = app.policies.learning.retrain
        typer.echo(
            f"not due: {done.new_answers} new answers of {wanted.answers}, {wanted.answers_on_drift} after drift"
        )
        return
    run, verdict = done.run, done.verdict
    typer.echo(f"learned {run.learned_rows} texts ({done.reason}) -> {run.file}")
    if verdict.tested:
        typer.echo(
            f"on {verdict.tested} newer reviewed tickets: {verdict.challenger_right} right, {run.champion} "
            f"{verdict.champion_right}; difference {verdict.difference:+.3f}, at least {verdict.low:+.3f}, "
            f"McNemar p {verdict.mcnemar:.3f}"
        )
    typer.echo(f"{'takes over' if run.took_over else 'does not take over'}: {verdict.why}")
    if run.took_over and app.settings.model is not None:
        typer.echo(
            "HELMDESK_MODEL names another model, which stays in use until that setting is taken away; if a taxonomy "
            "lies beside it, set HELMDESK_TAXONOMY to that file then"
        )


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(
            f"{file} can't be opened: {error.strerror}; name the file with the reply. Nothing was kept"
        ) from None
    except UnicodeDecodeError:
        raise BadInput(f"{file} is not UTF-8 text; save it as UTF-8. Nothing was kept") from None
