"""`helmdesk triage ask`: what triage would say of texts in a file, with nothing kept."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.terminal import plain


def ask(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Option(help="JSON lines: title and description, ticket_id, priority, tier, language.")],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line each, for programs.")] = False,
) -> None:
    """Say of each text its class, how sure that is, its codes and a draft. Writes nothing, asks no hosted model."""
    from pipelines.app.settings import read_settings
    from pipelines.jobs.ask import answers, copy_of, read_questions

    questions = read_questions(file)
    with copy_of(read_settings(home=context.obj["home"])) as app:
        for answer in answers(app, questions):
            typer.echo(json.dumps(answer, ensure_ascii=False) if as_json else plain(_line(answer)))


def _line(answer: dict[str, Any]) -> str:
    if answer["outcome"]:
        shown = f"{answer['outcome']} (no draft)"
    else:
        sources = ", ".join(source["id"] for source in answer["draft"]["sources"]) or "nothing found"
        shown = f"{answer['class']} {answer['confidence']:.0%}, {answer['urgency']}, draft: {sources}"
    codes = f", codes: {', '.join(answer['codes'])}" if answer["codes"] else ""
    why = f"; for a person: {'; '.join(answer['reasons'])}" if answer["needs_review"] else ""
    return f"{answer['ticket_id']}  {shown}{codes}{why}"
