"""The `helmdesk` command: words from a terminal to the jobs, errors back as one line and an exit code."""

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput, HelmdeskError, StageFailed, translate_file_errors
from pipelines.commands.access import keys, users
from pipelines.commands.allocate import allocate
from pipelines.commands.audit import audit
from pipelines.commands.backlogs import backlogs
from pipelines.commands.coverage import coverage
from pipelines.commands.deliver import deliver
from pipelines.commands.desk import desk
from pipelines.commands.grants import grants
from pipelines.commands.ingest import ingest
from pipelines.commands.inspect import inspect
from pipelines.commands.knowledge import knowledge
from pipelines.commands.marts import export, sql
from pipelines.commands.outcomes import outcomes
from pipelines.commands.people import people
from pipelines.commands.policy import policy
from pipelines.commands.pull import pull
from pipelines.commands.push import push
from pipelines.commands.report import report
from pipelines.commands.rules import rules
from pipelines.commands.sla import sla
from pipelines.commands.terminal import (
    AsOf,
    as_of_or_now,
    keep_bytecode,
    open_here,
    plain,
    progress_bars,
    start_demo_time,
)
from pipelines.commands.ticket import ticket
from pipelines.commands.triage import triage
from pipelines.error_codes import EXIT_CODES, code_of

if TYPE_CHECKING:
    from pipelines.jobs.cycle import Counts

command_line = typer.Typer(
    name="helmdesk",
    help="AI-assisted support-ticket triage and SLA analytics. Start with: helmdesk demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
command_line.add_typer(sla, name="sla")
command_line.add_typer(allocate, name="allocate", invoke_without_command=True)
command_line.add_typer(knowledge, name="knowledge")
command_line.add_typer(people, name="people")
command_line.add_typer(triage, name="triage", invoke_without_command=True)
command_line.add_typer(ticket, name="ticket")
command_line.add_typer(desk, name="desk")
command_line.add_typer(grants, name="grants")
command_line.add_typer(grants, name="calibration", hidden=True)
command_line.add_typer(audit, name="audit")
command_line.add_typer(backlogs, name="backlogs")
command_line.add_typer(users, name="users")
command_line.add_typer(keys, name="keys")
command_line.add_typer(push, name="push")
command_line.add_typer(outcomes, name="outcomes", invoke_without_command=True)
command_line.add_typer(policy, name="policy")
command_line.add_typer(rules, name="rules")
command_line.command()(export)
command_line.command()(sql)

NEW_OBJECTS = 1_000_000
"""Python looks for garbage after so many; after 700, as it would, it looks again and again at what a cycle keeps. One
look at the 300,000 objects that the modules of a cycle alone make costs .1 to .2 s of CPU."""
PROCESS = "process"
"""What a command is given that is a process of its own, and no call within another one."""
FIRST_STAGE = 11
"""The exit code of a cycle whose first stage failed; those of the later stages follow."""

Home = Annotated[Path | None, typer.Option(help="Where everything is written (HELMDESK_HOME).", show_default="var")]


def main() -> None:
    """Entry point: every error meant for people becomes one line on stderr and an exit code; bugs stay loud."""
    gc.set_threshold(NEW_OBJECTS)
    try:
        with translate_file_errors("this can't go on"):
            command_line(obj=PROCESS)
    except HelmdeskError as error:
        print(f"helmdesk: {plain(' '.join(str(error).split()))}", file=sys.stderr)
        sys.exit(exit_code(error))


def exit_code(error: HelmdeskError) -> int:
    """By the kind of error; 1 for one that has no code of its own."""
    if isinstance(error, StageFailed):
        return FIRST_STAGE + error.place
    return code_of(error, EXIT_CODES, otherwise=1)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"helmdesk {version('helmdesk')}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which one it is.")]


@command_line.callback()
def _global(context: typer.Context, home: Home = None, version: Version = False) -> None:  # noqa: ARG001
    if context.obj == PROCESS and "--dry-run" not in sys.argv:  # which writes nothing below home
        keep_bytecode(home)
    context.obj = {"home": home}


@command_line.command()
def demo(context: typer.Context) -> None:
    """Take the shipped sample tickets (synthetic) through one full cycle and show what comes out."""
    from pipelines.commands.next_steps import later_answers
    from pipelines.commands.summary import show
    from pipelines.jobs.demo import demo as job

    home = context.obj["home"] or _default_home() / "demo"
    nobody: dict[str, str] = {}  # the people of the sample have addresses that are not theirs
    with open_here(context, home=home, notify_urls=nobody) as app, progress_bars() as progress:
        reader = job(app, progress=progress)
        in_words = app.time_in_words
    show(reader)
    where = "" if home == _default_home() else f"--home {_short(home)} "
    print(f"\n{in_words} Each start of the dashboard or of `serve` begins there again.")
    print(f"Open the dashboard:  uv run helmdesk {where}dashboard")
    print(later_answers(where))


command_line.command("inspect")(inspect)
command_line.command("ingest")(ingest)
command_line.command("pull")(pull)
command_line.command("deliver")(deliver)
command_line.command("coverage")(coverage)
command_line.command("report")(report)


@command_line.command()
def cycle(
    context: typer.Context,
    as_of: AsOf = None,
    every: Annotated[
        float | None, typer.Option(min=0.1, help="Minutes: go on, a cycle every so often, until Ctrl-C.")
    ] = None,
) -> None:
    """Every stage once: ingest the inbox, triage, evaluate the SLA, enrich, allocate, sweep, deliver, publish.

    A stage that fails holds up no other; the exit code is then 11 for ingest to 18 for publish, of the first that did.
    """
    from pipelines.commands.next_steps import of_then, other_hours
    from pipelines.commands.summary import show
    from pipelines.jobs.cycle import cycle as job

    if every is not None:
        if as_of is not None:
            raise BadInput("--every is for now and --as-of for one instant: give one of the two")
        _cycle_every(context, every)
        return
    with open_here(context) as app, progress_bars() as progress:
        reader = job(app, as_of=as_of_or_now(app, as_of), progress=progress)
        hours = other_hours(app.settings.sla_policy, app.settings.desk_zone)
    show(reader)
    if hours:
        print(hours)
    if as_of is not None:
        print(of_then(reader.publication, _where(context)))


def _cycle_every(context: typer.Context, minutes: float) -> None:
    """The schedule of one machine without a Prefect server."""
    import time
    from contextlib import suppress
    from datetime import timedelta

    from pipelines.jobs.cycle import repeat

    with suppress(KeyboardInterrupt), open_here(context, keep_last_good=True) as app, progress_bars() as progress:
        repeat(app, every=timedelta(minutes=minutes), wait=time.sleep, report=print, progress=progress)


def _stage(context: typer.Context, name: str, as_of: str | None) -> "Counts":
    """One stage of a cycle by itself; how much of what it did."""
    from pipelines.jobs.cycle import CycleRun

    with open_here(context) as app:
        return CycleRun(app, as_of_or_now(app, as_of)).stage(name)


@command_line.command()
def evaluate(context: typer.Context, as_of: AsOf = None) -> None:
    """Replay every SLA clock as of one instant and raise what is new."""
    print(", ".join(f"{name} {count}" for name, count in _stage(context, "evaluate", as_of).items()))


@command_line.command()
def sweep(context: typer.Context, as_of: AsOf = None) -> None:
    """Ask the rules about what is new, remind, close what stayed resolved, and mark who came back."""
    shown = "rules acted {rules}, reminders set {reminders}, rung {rung}, closed {closed}, repeat contacts {marked}"
    print(shown.format_map(_stage(context, "sweep", as_of)))


@command_line.command()
def publish(context: typer.Context, as_of: AsOf = None) -> None:
    """Publish the marts as Parquet."""
    from pipelines.app.settings import read_settings
    from pipelines.commands.next_steps import of_then
    from pipelines.marts import current

    for mart, rows in _stage(context, "publish", as_of).items():
        print(f"{rows:>9,}  {mart}")
    publication = current(read_settings(home=context.obj["home"]).marts_folder)
    print(publication.folder)
    if as_of is not None:
        print(of_then(publication, _where(context)))


@command_line.command()
def dashboard(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open the dashboards in a browser."""
    from pipelines.commands.serving import serve

    serve(context.obj["home"] or _default_home(), address=address, port=port)


@command_line.command()
def notebook(
    context: typer.Context,
    *,
    to: Annotated[Path | None, typer.Option(help="Where your copies lie.", show_default="notebooks below home")] = None,
    names: Annotated[bool, typer.Option("--list", help="Say which there are.")] = False,
    browser: Annotated[bool, typer.Option(help="Open a browser too.")] = True,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8888,
) -> None:
    """Open the notebooks in JupyterLab, as copies of your own: what you change in them stays."""
    from pipelines.app.container import open_app
    from pipelines.commands import notebook as job
    from pipelines.commands.serving import check_free

    if names:
        for name, title in job.notebooks():
            print(f"{name:<40} {title}")
        return
    job.check_installed()
    check_free("127.0.0.1", port)
    home = context.obj["home"] or _default_home()
    folder = to or home / "notebooks"
    new = job.copied(folder)
    print(f"{folder}: {len(new)} files copied" if new else f"{folder}: as you left it")
    with open_app(home=home) as app:
        start_demo_time(app)
    sys.stdout.flush()
    job.serve(home, folder.resolve(), port=port, opens_browser=browser)


@command_line.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
) -> None:
    """Let other systems call: webhooks, allocation, SLA, triage, the desk. Until Ctrl-C; docs/api.md has the routes."""
    from pipelines.commands.serving import check_free
    from pipelines.service.server import listen

    check_free(host, port)
    with open_here(context, keep_last_good=True) as app:
        start_demo_time(app)
        listen(app, host=host, port=port)


@command_line.command()
def doctor(context: typer.Context) -> None:
    """Say which parts are in use, their versions, and what is missing for the real ones."""
    from pipelines.app.settings import read_settings
    from pipelines.commands.doctor import show
    from pipelines.jobs.doctor import examine

    findings = examine(read_settings(home=context.obj["home"]))
    show(findings)
    raise typer.Exit(0 if all(finding.works for finding in findings) else 5)


@command_line.command()
def migrate(
    context: typer.Context,
    to: Annotated[str, typer.Option(help="A revision; `base` drops every table.")] = "head",
    yes: Annotated[bool, typer.Option("--yes", help="Really drop every table.")] = False,
) -> None:
    """Bring the database to the schema of this version."""
    from engine.storage import migrate as migrations
    from pipelines.app.settings import read_settings

    settings = read_settings(home=context.obj["home"])
    if to == "base" and not yes:
        raise BadInput("--to base drops every table with what is in it: add --yes if that is what you want")
    before = migrations.current(settings.store_url)
    if to == "base":
        migrations.downgrade(settings.store_url, "base")
    else:
        migrations.upgrade(settings.store_url, to)
    print(f"schema {before or 'none'} -> {migrations.current(settings.store_url) or 'none'}")


@command_line.command()
def bench(
    tickets: Annotated[list[int] | None, typer.Option(help="Sizes to run.", show_default="1500 50000")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Measure CPU seconds and tickets per second of each stage on generated tickets, and peak memory."""
    from pipelines.commands.bench import bench as job

    job(tickets or [1_500, 50_000], as_json=as_json)


def _where(context: typer.Context) -> str:
    """The option that names this home again; empty for the default one."""
    home = context.obj["home"]
    return "" if home in (None, _default_home()) else f"--home {_short(home)} "


def _default_home() -> Path:
    from pipelines.app.settings import read_settings

    return read_settings().home


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    main()
