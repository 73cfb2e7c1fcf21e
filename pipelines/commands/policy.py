"""`helmdesk policy init`: a calendar and an SLA policy of one's own, in a data folder of one's own."""

from pathlib import Path
from shutil import copytree
from typing import Annotated

import typer

from engine.shared.errors import BadInput, Conflict

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PRIORITIES = ("critical", "high", "medium", "low")

policy = typer.Typer(help="SLA policies of your own.", no_args_is_help=True)


@policy.command()
def init(
    context: typer.Context,
    *,
    to: Annotated[Path, typer.Argument(help="A new folder: data/ with your calendar and policy in it.")],
    time_zone: Annotated[str | None, typer.Option(help="IANA name; without it the desk's.", show_default=False)] = None,
    days: Annotated[str, typer.Option(help="Working days.")] = "mon-fri",
    hours: Annotated[str, typer.Option(help="Working hours; several with commas.")] = "09:00-17:00",
    country: Annotated[str | None, typer.Option(help="Whose public holidays are free, such as DE or BR.")] = None,
    first_response: Annotated[
        str, typer.Option(help="Hours at work for critical, high, medium and low tickets.")
    ] = "1,2,4,8",
    resolution: Annotated[str, typer.Option(help="The same for solutions.")] = "4,8,16,40",
) -> None:
    """Write your working hours and targets; on a terminal what is not given is asked for. `helmdesk sla check` tries
    them."""
    import sys

    from pipelines.app.settings import read_settings, zone_name
    from sla.policy.calendar_files import load as load_calendars
    from sla.policy.parser import load as load_policy

    settings = read_settings(home=context.obj["home"])
    asks = sys.stdin.isatty() and time_zone is None
    zone = time_zone or settings.desk_zone
    if asks:
        zone = typer.prompt("Time zone", default=zone)
        days, hours = typer.prompt("Working days", default=days), typer.prompt("Working hours", default=hours)
        first_response = typer.prompt("First response: critical, high, medium, low", default=first_response)
        resolution = typer.prompt("Resolution: critical, high, medium, low", default=resolution)
    if to.exists():
        raise Conflict(f"{to} is there already; name a new folder, or change {to / 'policies' / 'sla' / 'own.yaml'}")
    try:
        zone = zone_name(zone)
    except ValueError as error:
        raise BadInput(f"--time-zone: {error}") from None
    calendar = _calendar(zone, _days(days), _windows(hours), country)
    targets = _policy(_amounts(first_response, "--first-response"), _amounts(resolution, "--resolution"))
    copytree(settings.data, to)
    calendars, own = to / "policies" / "calendars.yaml", to / "policies" / "sla" / "own.yaml"
    calendars.write_text(f"{calendars.read_text(encoding='utf-8').rstrip()}\n\n{calendar}", encoding="utf-8")
    own.write_text(targets, encoding="utf-8")
    load_policy(own, load_calendars(calendars))
    typer.echo(f"calendar `own` in {calendars}, targets in {own}; to use them:")
    typer.echo(f"    export HELMDESK_DATA={to} HELMDESK_SLA_POLICY=own HELMDESK_TIME_ZONE={zone}")


def _days(text: str) -> list[str]:
    """Days by name, single or from–to."""
    found: list[str] = []
    for part in text.casefold().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise BadInput(f"--days {text!r}: write days as mon-fri or mon,wed,sat")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found += [*DAYS[begin : end + 1]] if begin <= end else [*DAYS[begin:], *DAYS[: end + 1]]
    return found


def _windows(text: str) -> str:
    pairs = [part.strip().split("-") for part in text.split(",")]
    if any(len(pair) != 2 for pair in pairs):
        raise BadInput(f"--hours {text!r}: write hours as 09:00-17:00 or 08:00-12:00,13:00-17:00")
    return "[" + ", ".join(f'["{start.strip()}", "{end.strip()}"]' for start, end in pairs) + "]"


def _amounts(text: str, option: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != len(PRIORITIES) or min(found) <= 0:
        raise BadInput(f"{option} {text!r}: give four numbers of hours, for {', '.join(PRIORITIES)}")
    return found


def _calendar(zone: str, days: list[str], windows: str, country: str | None) -> str:
    lines = ["  own:", "    description: Our working hours.", f"    tz: {zone}"]
    lines += [f"    country: {country.upper()}"] if country else []
    return "\n".join([*lines, "    weekly:", *(f"      {day}: {windows}" for day in dict.fromkeys(days))]) + "\n"


def _policy(first: list[float], solved: list[float]) -> str:
    rows = zip(PRIORITIES, first, solved, strict=True)
    cells = [
        f"  - {{name: {name}, match: {{priority: {name}}}, first_response: {answer:g} business hours, "
        f"resolution: {solution:g} business hours}}"
        for name, answer, solution in rows
    ]
    head = ["# Our promises, by priority, in working hours of the calendar `own`.", "name: own", "calendar: own"]
    return "\n".join([*head, "policies:", *cells]) + "\n"
