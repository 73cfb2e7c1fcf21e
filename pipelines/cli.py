"""The `helmdesk` command: words from a terminal to the jobs, errors back as one line and an exit code."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import BadInput, Conflict, HelmdeskError, NotAllowed, NotFound, Unavailable
from pipelines.commands.calibration import calibration
from pipelines.commands.knowledge import knowledge
from pipelines.commands.sla import sla
from pipelines.commands.terminal import AsOf, instant, open_here, plain, progress_bars
from pipelines.commands.triage import triage

app = typer.Typer(
    name="helmdesk",
    help="AI-assisted support-ticket triage and SLA analytics. Start with: helmdesk demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ticket = typer.Typer(help="One ticket.", no_args_is_help=True)
app.add_typer(sla, name="sla")
app.add_typer(knowledge, name="knowledge")
app.add_typer(triage, name="triage", invoke_without_command=True)
app.add_typer(ticket, name="ticket")
app.add_typer(calibration, name="calibration")

Home = Annotated[Path | None, typer.Option(help="Where everything is written (HELMDESK_HOME).", show_default="var")]


def main() -> None:
    """Entry point: every error meant for people becomes one line on stderr and an exit code; bugs stay loud."""
    try:
        app()
    except HelmdeskError as error:
        print(f"helmdesk: {plain(' '.join(str(error).split()))}", file=sys.stderr)
        sys.exit(exit_code(error))


def exit_code(error: HelmdeskError) -> int:
    match error:
        case BadInput() | NotFound():
            return 2
        case NotAllowed():
            return 3
        case Conflict():
            return 4
        case Unavailable():
            return 5
        case _:
            return 1


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"helmdesk {version('helmdesk')}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which one it is.")]


@app.callback()
def _global(context: typer.Context, home: Home = None, version: Version = False) -> None:  # noqa: ARG001
    context.obj = {"home": home}


@app.command()
def demo(context: typer.Context) -> None:
    """Take the shipped sample tickets (synthetic) through one full cycle and show what comes out."""
    from pipelines.commands.summary import show
    from pipelines.jobs.demo import demo as job

    home = context.obj["home"] or _default_home() / "demo"
    with open_here(context, home=home) as house, progress_bars() as progress:
        reader = job(house, progress=progress)
    show(reader)
    where = "" if home == _default_home() else f"--home {_short(home)} "
    print(f"\nOpen the dashboard:  uv run helmdesk {where}dashboard")


@app.command()
def ingest(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(help="A file or folder; without it, what lies in the inbox.", readable=False)
    ] = None,
    source: Annotated[
        str, typer.Option(help="helmdesk, people, servicenow-csv, or a mapping file's name.")
    ] = "helmdesk",
    mapping: Annotated[
        Path | None, typer.Option(help="Your own mapping file (see data/mappings).", readable=False)
    ] = None,
) -> None:
    """Take tickets in. The same input again changes nothing."""
    from pipelines.inbox import take_in
    from pipelines.jobs.ingest import ingest as job
    from pipelines.jobs.people import bring_people

    if mapping is not None and source == "helmdesk":
        source = mapping.stem
    with open_here(context) as house, progress_bars() as progress:
        if path is None:
            report = take_in(house, progress=progress)
        elif source == "people":
            print(f"people and groups {bring_people(house, path)}")
            return
        else:
            report = job(house, path, source=source, mapping=mapping, at=house.now(), progress=progress)
    print(
        f"created {report.created}, updated {report.updated}, skipped {report.skipped}, "
        f"rejected {report.rejected}, events {report.events}"
    )
    if report.rejected:
        print("rejected rows are kept with their reasons: see `helmdesk cycle` or the mart `rejected`")


@app.command()
def cycle(
    context: typer.Context,
    as_of: AsOf = None,
    every: Annotated[
        float | None, typer.Option(min=0.1, help="Minutes: go on, a cycle every so often, until Ctrl-C.")
    ] = None,
) -> None:
    """Ingest the inbox, triage, allocate, evaluate the SLA and publish."""
    from pipelines.commands.summary import show
    from pipelines.jobs.cycle import cycle as job

    if every is not None:
        if as_of is not None:
            raise BadInput("--every is for now and --as-of for one instant: give one of the two")
        _cycle_every(context, every)
        return
    with open_here(context) as house, progress_bars() as progress:
        reader = job(house, as_of=instant(as_of) or house.now(), progress=progress)
    show(reader)


def _cycle_every(context: typer.Context, minutes: float) -> None:
    """The schedule of one machine without a Prefect server."""
    import time
    from contextlib import suppress
    from datetime import timedelta

    from pipelines.jobs.cycle import repeat

    with suppress(KeyboardInterrupt), open_here(context, keep_last_good=True) as house, progress_bars() as progress:
        repeat(house, every=timedelta(minutes=minutes), wait=time.sleep, told=print, progress=progress)


@app.command()
def allocate(context: typer.Context, as_of: AsOf = None) -> None:
    """Give the waiting backlog to groups."""
    from pipelines.jobs.allocate import allocate as job

    with open_here(context) as house:
        done = job(house, at=instant(as_of) or house.now())
    print(f"allocated {done.allocated}, waiting {done.waiting}, no group has the skill {done.no_skill}, new {done.new}")


@app.command()
def evaluate(context: typer.Context, as_of: AsOf = None) -> None:
    """Replay every SLA clock as of one instant and raise what is new."""
    from pipelines.jobs.evaluate_sla import evaluate_sla as job

    with open_here(context) as house:
        done = job(house, as_of=instant(as_of) or house.now())
    print(", ".join(f"{name} {count}" for name, count in done.counts().items()))


@app.command()
def publish(context: typer.Context, as_of: AsOf = None) -> None:
    """Publish the marts as Parquet."""
    from pipelines.jobs.publish import publish as job

    with open_here(context) as house:
        publication = job(house, as_of=instant(as_of) or house.now())
    for mart, rows in publication.rows.items():
        print(f"{rows:>9,}  {mart}")
    print(publication.folder)


@app.command()
def dashboard(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open the dashboards in a browser."""
    import subprocess

    page = Path(__file__).resolve().parent.parent / "dashboards" / "app.py"
    home = context.obj["home"] or _default_home()
    command = [sys.executable, "-m", "streamlit", "run", str(page)]
    options = ["--server.port", str(port), "--server.address", address, "--browser.gatherUsageStats", "false"]
    environment = {**os.environ, "HELMDESK_HOME": str(home.resolve())}
    raise typer.Exit(subprocess.run([*command, *options], env=environment, check=False).returncode)


@app.command()
def doctor(context: typer.Context) -> None:
    """Say which parts are in use, their versions, and what is missing for the real ones."""
    from pipelines.commands.doctor import examine, show
    from pipelines.settings import read_settings

    findings = examine(read_settings(home=context.obj["home"]))
    show(findings)
    raise typer.Exit(0 if all(finding.works for finding in findings) else 5)


@app.command()
def migrate(
    context: typer.Context,
    to: Annotated[str, typer.Option(help="A revision; `base` drops every table.")] = "head",
    yes: Annotated[bool, typer.Option("--yes", help="Really drop every table.")] = False,
) -> None:
    """Bring the database to the schema of this version."""
    from engine.storage import migrate as migrations
    from pipelines.settings import read_settings

    settings = read_settings(home=context.obj["home"])
    if to == "base" and not yes:
        raise BadInput("--to base drops every table with what is in it: add --yes if that is what you want")
    before = migrations.current(settings.store_url)
    if to == "base":
        migrations.downgrade(settings.store_url, "base")
    else:
        migrations.upgrade(settings.store_url, to)
    print(f"schema {before or 'none'} -> {migrations.current(settings.store_url) or 'none'}")


@app.command()
def bench(
    tickets: Annotated[list[int] | None, typer.Option(help="Sizes to run.", show_default="1500 50000")] = None,
) -> None:
    """Measure tickets per second of each stage on generated tickets, and peak memory."""
    from pipelines.commands.bench import bench as job

    job(tickets or [1_500, 50_000])


@ticket.command("show")
def ticket_show(context: typer.Context, key: Annotated[str, typer.Argument(help="Key, reference or id.")]) -> None:
    """What happened to one ticket, in order."""
    with open_here(context) as house:
        found = house.store.ticket(key)
        print(plain(f"{found.reference}  {found.subject}"))
        print(plain(f"{found.status} · {found.priority} · {found.tier} · {found.id}"))
        for event in house.store.history(found.id):
            value = f" -> {event.value}" if event.value else ""
            print(plain(f"{event.version:>4}  {event.at:%Y-%m-%d %H:%M:%SZ}  {event.actor:<14} {event.kind}{value}"))


def _default_home() -> Path:
    from pipelines.settings import read_settings

    return read_settings().home


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    main()
