"""What if we had promised something else? All history, replayed under two lists of promises and compared."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from engine.shared.errors import BadInput, NotFound
from engine.shared.spreadsheet_text import write_csv
from pipelines.app.container import App
from pipelines.clock_replay import clock_inputs, read_events, read_tickets

if TYPE_CHECKING:
    from sla.calendar.calendars import Calendar
    from sla.policy.model import Policies
    from sla.reporting.backtest import Backtest

ABOUT = {"priority": "priority", "tier": "tier", "team": "group_id"}
"""The dimensions compared by, with the values a ticket has now, as in the mart `attainment`."""


class Rules(NamedTuple):
    """Promises and the calendars they count on."""

    policies: "Policies"
    calendars: "Mapping[str, Calendar]"


class Sides(NamedTuple):
    """The two lists of promises by their files, as a reader is told."""

    before: str
    after: str


class Read(NamedTuple):
    """All history as the engine takes it. Tickets go by a number; `ids` has their keys in that order."""

    tickets: pl.DataFrame
    events: pl.DataFrame
    about: pl.DataFrame
    ids: pl.Series


def backtest(
    app: App, *, policy: Path, calendars: Path | None = None, against: Path | None = None, as_of: datetime
) -> "Backtest":
    """Replay all history as of one instant under the promises in force, or `against`, and under `policy`.

    `calendars` stands beside `policy` instead of those in force. Writes nothing. Raises BadInput or NotFound for a file
    that can't be used, before anything is read, and NotFound where there is no ticket.
    """
    before, after = rules(app, policy=policy, calendars=calendars, against=against)
    history = read(app, before, after)
    if history.ids.is_empty():
        home = app.settings.home
        raise NotFound(f"There is no ticket in {home} to replay: take some in with `helmdesk ingest`, or name --home.")
    return replayed(history, before, after, as_of=as_of)


def rules(app: App, *, policy: Path, calendars: Path | None, against: Path | None) -> tuple[Rules, Rules]:
    """The promises before and after."""
    from sla.policy.calendar_files import load as load_calendars
    from sla.policy.parser import load

    old = Rules(
        load(against, app.policies.sla.calendars) if against else app.policies.sla.policies, app.policies.sla.calendars
    )
    named = load_calendars(calendars) if calendars else app.policies.sla.calendars
    return old, Rules(load(policy, named), named)


def sides(app: App, *, policy: Path, calendars: Path | None, against: Path | None) -> Sides:
    """What is compared, by file."""
    in_force = app.policies.files("sla")[-1]
    before = str(against) if against else f"{in_force} (in force)"
    return Sides(before, f"{policy}, calendars {calendars}" if calendars else str(policy))


def read(app: App, *rules: Rules) -> Read:
    """From the store, columns that are needed under these rules and no others."""
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read_events, app.store, *rules)
        stored = read_tickets(app.store, also=ABOUT.values())
        born, events = clock_inputs(stored, reading.result(), *rules)
    numbered = stored.with_row_index("number")
    about = numbered.select(ticket="number", **{name: pl.col(c).cast(pl.Categorical) for name, c in ABOUT.items()})
    tickets = born.drop("id").with_row_index("id")
    known = numbered.select("number", "ticket")
    owned = events.join(known, on="ticket", maintain_order="left").drop("ticket").rename({"number": "ticket"})
    return Read(tickets, owned, about, stored["ticket"])


def replayed(history: Read, before: Rules, after: Rules, *, as_of: datetime) -> "Backtest":
    """Both evaluations at once, and what differs."""
    from sla.clocks.batch.evaluate import evaluate
    from sla.reporting.backtest import compare

    with ThreadPoolExecutor() as pool:
        both = [pool.submit(evaluate, history.tickets, history.events, *side, as_of) for side in (before, after)]
        found = compare(both[0].result(), both[1].result(), history.about)
    named = found.changes.with_columns(ticket=history.ids.gather(found.changes["ticket"]))
    return found._replace(changes=named)


def writer(file: Path | None) -> Callable[[pl.DataFrame, Path], None]:
    """How a file of this ending is written. Raises BadInput for another ending."""
    match file.suffix.lower() if file else ".csv":
        case ".csv":
            return write_csv
        case ".parquet":
            return lambda frame, path: frame.write_parquet(path)
        case other:
            raise BadInput(f"--changed {file}: no file that ends in {other!r} is written; name a .csv or .parquet file")


def write_changes(found: "Backtest", file: Path) -> None:
    """Every window that changes state, whole or not at all. Raises BadInput where nothing can be written."""
    part = file.with_name(f".{file.name}.part")
    try:
        writer(file)(found.changes, part)
        part.replace(file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise BadInput(f"--changed {file}: {error.strerror or error}; name a file in a folder that is there") from error


def as_data(found: "Backtest") -> dict[str, Any]:
    return {name: frame.to_dicts() for name, frame in found._asdict().items()}
