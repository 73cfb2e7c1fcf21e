"""`helmdesk inspect`: what a file holds, what is open about it, and a mapping by which `ingest` reads it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import plain

if TYPE_CHECKING:
    from engine.plugins.inspection.columns import Column
    from engine.plugins.inspection.draft import Draft
    from engine.plugins.inspection.overview import Overview
    from engine.plugins.inspection.questions import Question
    from engine.plugins.inspection.vocabulary import Vocabulary

WORDS_SHOWN = 12
DRAFTED = "# Drafted by `helmdesk inspect`"


def inspect(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A file of tickets, or a folder of files with the same columns.")],
    mapping: Annotated[Path | None, typer.Option(help="Write the draft of a mapping there.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help="key=value: the answer to a question; field=column names a column.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take the best guesses, without asking.")] = False,
) -> None:
    """Say what a file holds and what is open about it, and draft the mapping by which `ingest` reads it.

    What could be read two ways is never guessed: then no mapping is written, and the exit code is 2.
    """
    from engine.plugins.inspection.overview import overview_of
    from engine.plugins.inspection.vocabulary import load_vocabulary
    from pipelines.app.settings import read_settings

    if "://" in file:
        raise BadInput(f"{file} is a URL: fetch it yourself and give the file; helmdesk reads what lies on this disk")
    settings = read_settings(home=context.obj["home"])
    vocabulary = load_vocabulary(settings.data / "exports")
    seen = overview_of(Path(file), vocabulary)
    for line in _overview_lines(seen):
        typer.echo(line)
    draft = _settled(seen, vocabulary, _answers(answer or []), take_guesses=yes, time_zone=settings.desk_zone)
    for line in _question_lines(draft):
        typer.echo(line)
    if draft.open and (yes or mapping):
        why = f"{len(draft.open)} open; nothing was written" if mapping else f"{len(draft.open)} open"
        raise BadInput(f"{file}: {draft.open[0].text} Answer with {_how(draft.open[0])} ({why})")
    if mapping is not None:
        _write(mapping, draft, seen)
        typer.echo(plain(f"wrote {mapping}; next: helmdesk ingest {file} --mapping {mapping} --dry-run"))


def _settled(
    seen: "Overview", vocabulary: "Vocabulary", answers: dict[str, str], *, take_guesses: bool, time_zone: str
) -> "Draft":
    """The draft after all that can be asked was; asked is only on a terminal."""
    from engine.plugins.inspection.draft import draft_of

    asks = not take_guesses and sys.stdin.isatty() and sys.stdout.isatty()
    while True:
        draft = draft_of(seen, vocabulary, answers=answers, take_guesses=take_guesses, time_zone=time_zone)
        question = next((each for each in draft.open if each.key not in answers), None)
        if question is None or not asks:
            return draft
        answers[question.key] = _reply_to(question)


def _reply_to(question: "Question") -> str:
    options = f" [{'/'.join(question.options)}]" if question.options else ""
    while True:
        given: str = typer.prompt(plain(question.text + options), default=question.guess)
        if not question.options or given in question.options:
            return given


def _answers(given: list[str]) -> dict[str, str]:
    if odd := next((each for each in given if "=" not in each), None):
        raise BadInput(f"--answer {odd!r}: write key=value, such as dates=day")
    return {key.strip(): value.strip() for key, _, value in (each.partition("=") for each in given)}


def _write(file: Path, draft: "Draft", seen: "Overview") -> None:
    from engine.plugins.inspection.mapping_text import mapping_text
    from engine.shared.whole_file import whole_file

    if file.exists() and not file.read_text(encoding="utf-8", errors="replace").startswith(DRAFTED):
        raise BadInput(f"{file} is there already and is no draft: give another name")
    with whole_file(file) as place:
        place.write_text(mapping_text(draft, seen), encoding="utf-8")


def _overview_lines(seen: "Overview") -> Iterator[str]:
    form = ", ".join(f"{key} {value!r}" for key, value in seen.form.opening().items())
    rows = f"{seen.rows:,} rows" if seen.is_whole else f"the first {seen.rows:,} rows"
    yield plain(f"{seen.path}: {seen.form.kind}{f' ({form})' if form else ''}; {seen.layout}; {rows}")
    if seen.faulty:
        yield f"    {seen.faulty:,} rows don't fit the header and will be refused"
    if seen.export:
        yield f"    known as an export of {seen.export.name}"
        more = [each for each in seen.export.reads_more.items() if seen.column(each[0])]
        for history, source in more:
            yield f"    {history} is read by `helmdesk ingest {seen.path} --source {source}` alone"
    if seen.languages:
        yield f"    language of the headers: {', '.join(seen.languages[:2])}"
    for column in seen.columns:
        yield plain(f"    {column.name}: {_column(column)}")


def _column(column: "Column") -> str:
    parts = [column.kind, f"{column.fill:.0%} filled"]
    if column.dates:
        readings = " or ".join(", ".join(forms) for forms in column.dates.readings.values())
        parts.append(f"{column.dates.share:.0%} fit {readings}")
        parts += ["ambiguous"] if column.dates.is_ambiguous else []
        parts += [f"months in {column.dates.language}"] if column.dates.language else []
    if column.words:
        listed = [f"{_short(word)} {count:,}" for word, count in list(column.words.items())[:WORDS_SHOWN]]
        more = [f"and {len(column.words) - WORDS_SHOWN} more"] if len(column.words) > WORDS_SHOWN else []
        return f"{', '.join(parts)}; words: {', '.join([*listed, *more])}"
    return f"{', '.join(parts)}; such as {' | '.join(map(_short, column.samples))}" if column.samples else column.kind


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 30 else line[:29] + "…"


def _question_lines(draft: "Draft") -> Iterator[str]:
    for question in draft.open:
        guess = f" (guess: {question.guess})" if question.guess else ""
        yield plain(f"open: {question.text}{guess} {_how(question)}")
    for question in draft.guessed:
        yield plain(f"guessed {question.key}: {question.guess} (else {_how(question)})")


def _how(question: "Question") -> str:
    key = f'"{question.key}=…"' if " " in question.key else f"{question.key}=…"
    return f"--answer {key}" + (f", one of {', '.join(question.options)}" if question.options else "")
