"""`helmdesk triage redact`: what a hosted model would be shown of texts in a file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.shared.errors import BadInput, NotFound
from pipelines.commands.terminal import open_here, plain

if TYPE_CHECKING:
    from triage.redaction.tickets import Known

SUBJECTS, CONTENTS = ("title", "subject"), ("description", "content", "text")
"""By which names a line may have its texts."""


def redact(
    context: typer.Context,
    *,
    file: Annotated[
        Path, typer.Option(help="JSON lines: title and description, language, personal (a list of values).")
    ],
    name: Annotated[
        list[str] | None, typer.Option(help="A person or company to hide, beside those of this home.")
    ] = None,
    no_values: Annotated[bool, typer.Option("--no-values", help="Don't show what the placeholders stand for.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line each, for programs.")] = False,
) -> None:
    """Show what of each text is hidden before it goes to a hosted model. Writes nothing and needs no home."""
    known = _known(context, name or [])
    lines = list(_lines(file))
    for number, line in enumerate(lines, start=1):
        found = {"line": number, **_redacted(line, known, with_values=not no_values)}
        typer.echo(json.dumps(found, ensure_ascii=False) if as_json else plain(_as_text(found)))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """Raises NotFound without the file, BadInput with the line that is no object with texts."""
    if not file.is_file():
        raise NotFound(f"There is no file {file}; give JSON lines with title and description")
    for number, row in enumerate(file.read_bytes().splitlines(), start=1):
        try:
            line = json.loads(row.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise BadInput(f"{file}, line {number}: no JSON in UTF-8; write one object a line") from None
        texts = [line[key] for key in (*SUBJECTS, *CONTENTS) if key in line] if isinstance(line, dict) else []
        if not texts or not all(isinstance(text, str | None) for text in texts):
            raise BadInput(f"{file}, line {number}: an object with texts is wanted, such as title and description")
        if not _is_list_of_texts(line.get("personal") or []) or not isinstance(line.get("language"), str | None):
            raise BadInput(f"{file}, line {number}: `personal` is a list of texts, `language` a code such as de")
        yield line


def _is_list_of_texts(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(value, str) for value in given)


def _known(context: typer.Context, given: list[str]) -> "Known":
    """The names that are given, and those of the home if there is one."""
    from pipelines.app.known_people import KnownPeople
    from pipelines.app.settings import read_settings
    from triage.redaction.names import Names
    from triage.redaction.tickets import Known

    settings = read_settings(home=context.obj["home"])
    if not settings.database_url and not (settings.home / "helmdesk.db").is_file():
        return Known(Names(given, given))
    with open_here(context) as app:
        return KnownPeople(app.store).names_with(given)


def _redacted(line: dict[str, Any], known: "Known", *, with_values: bool) -> dict[str, Any]:
    from triage.contracts import TicketText
    from triage.redaction.redact import Numbering
    from triage.redaction.tickets import marked, shown
    from triage.sanitize import clean_ticket

    subject, content = (next((key for key in keys if key in line), None) for keys in (SUBJECTS, CONTENTS))
    ticket = TicketText(
        ticket_id="",
        subject=line.get(subject or "") or "",
        content=line.get(content or "") or "",
        language=line.get("language"),
    )
    hidden = shown(marked(clean_ticket(ticket), known._replace(personal={"": line.get("personal") or []})), Numbering())
    texts = {subject: hidden.ticket.subject, content: hidden.ticket.content}
    placeholders = {
        mark: {"kind": mark[1:].rpartition("_")[0]} | ({"value": value} if with_values else {})
        for mark, value in hidden.placeholders.items()
    }
    same = {key: line[key] for key in ("ticket_id", "id") if key in line}
    texts_given = {key: text for key, text in texts.items() if key}
    return same | texts_given | {"placeholders": placeholders, "counts": dict(hidden.counts)}


def _as_text(found: dict[str, Any]) -> str:
    texts = " | ".join(found[key] for key in (*SUBJECTS, *CONTENTS) if found.get(key))
    values = "; ".join(f"{mark} {entry.get('value', '')}".strip() for mark, entry in found["placeholders"].items())
    return f"{found.get('ticket_id', found['line'])}  {' '.join(texts.split())}" + (f"  ({values})" if values else "")
