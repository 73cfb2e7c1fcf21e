"""What the commands share: the app of this call, an instant as it is typed, text that is safe to print."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.app.container import App
    from pipelines.progress import Progress

AsOf = Annotated[
    str | None,
    typer.Option(
        help="The instant the clocks speak of, with its zone; `last`: when something last happened to a ticket.",
        show_default="now",
    ),
]


@contextmanager
def open_here(
    context: typer.Context,
    home: "Path | None" = None,
    *,
    keep_last_good: bool = False,
    asks_itself: bool = False,
    **overrides: object,
) -> Iterator["App"]:
    """The app that `--home` and the environment describe, but for settings given by hand. On a home of the demo it says
    which time it is there.

    Raises NotAllowed for who has not the right of this command, unless it `asks_itself`.
    """
    from pipelines.app.container import open_app
    from pipelines.commands.rights import ask

    with open_app(home=home or context.obj["home"], keep_last_good=keep_last_good, **overrides) as app:
        if not asks_itself:
            ask(context, app)
        start_demo_time(app, if_at_rest=True)
        if app.is_demo:
            typer.echo(app.time_in_words, err=True)
        yield app


def start_demo_time(app: "App", *, if_at_rest: bool = False) -> None:
    """A demo begins where it was left (`pipelines.jobs.demo.start_again`); other homes are left alone."""
    if app.is_demo:
        from pipelines.jobs.demo import start_again

        start_again(app, if_at_rest=if_at_rest)


def keep_bytecode(home: "Path | None") -> None:
    """Where this process is told to keep no compiled code beside the libraries and none is there, it is kept below
    home, once that is there: a command that compiles its libraries each time takes two to three times the CPU."""
    import sys
    from importlib.util import find_spec
    from pathlib import Path

    from pipelines.app.settings import read_settings

    if not sys.dont_write_bytecode or sys.pycache_prefix is not None or "polars" in sys.modules:
        return
    spec = find_spec("polars")
    place = read_settings(home=home).home
    if spec and not Path(str(spec.cached)).exists() and place.is_dir():
        sys.pycache_prefix, sys.dont_write_bytecode = str(place / "bytecode"), False


def instant(text: str | None, *, option: str = "--as-of") -> datetime | None:
    """Raises BadInput for text that is no instant with a time zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{option} {text!r} is not an instant: write 2026-09-30T17:00:00Z") from None
    if found.tzinfo is None:
        raise BadInput(f"{option} {text!r} has no time zone: write 2026-09-30T17:00Z or 2026-09-30T17:00+02:00")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise BadInput(f"{option} {text!r} is out of reach: use an instant from 1900 to 2199") from None


def as_of_or_now(app: "App", text: str | None) -> datetime:
    """The instant meant by `--as-of`. Raises BadInput as `instant`, and for `last` in an empty store."""
    if text != "last":
        return instant(text) or app.now()
    updated = app.store.frame("tickets", ["updated_at"])["updated_at"]
    last = updated.filter(updated <= app.now()).max()
    if not isinstance(last, datetime):
        raise BadInput("--as-of last: no ticket was taken in yet; helmdesk ingest FILE --mapping MAPPING")
    return last


def counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def plain(text: str) -> str:
    """Ticket text is untrusted: no control character of it reaches the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


@contextmanager
def progress_bars() -> Iterator["Progress"]:
    """A bar per stage on stderr; silent where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, int] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = int(bars.add_task(stage, total=total or None))
            bars.update(tasks[stage], completed=done, total=total or None)  # type: ignore[arg-type]

        yield report
