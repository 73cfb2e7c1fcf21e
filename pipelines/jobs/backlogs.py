"""A week's signals to the backlogs, as a file for each."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from engine.cases import Backlog
from engine.shared.errors import BadInput, translate_file_errors
from engine.shared.spreadsheet_text import write_csv
from pipelines.app.container import App
from pipelines.marts import MartReader

_WEEK = re.compile(r"(\d{4})-W(\d{2})")


def monday_of(week: str) -> date:
    """The first day of an ISO week such as `2026-W48`. Raises BadInput."""
    found = _WEEK.fullmatch(week)
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else _no_week(week)
    except ValueError:
        return _no_week(week)


def week_before(app: App, at: datetime) -> date:
    """Monday of the desk's week before this instant's."""
    today = at.astimezone(ZoneInfo(app.settings.desk_zone)).date()
    return today - timedelta(days=today.weekday() + 7)


def signals_of(marts: MartReader, monday: date) -> pl.DataFrame:
    """The signals of the week that begins then."""
    return marts.query("SELECT * FROM backlog_signals WHERE week = ?", [monday])


def export(app: App, monday: date, folder: Path) -> dict[Path, int]:
    """Write the signals of the week that begins then, by the publication in force; returns the files with their rows.

    A backlog without signals has a file as well. Raises NotFound without a publication, Unavailable or BadInput for a
    folder that can't be written.
    """
    year, week, _ = monday.isocalendar()
    with MartReader(app.settings.marts_folder) as marts:
        signals = signals_of(marts, monday)
    written = {}
    with translate_file_errors(f"{folder} can't be written"):
        folder.mkdir(parents=True, exist_ok=True)
        for backlog in Backlog:
            file = folder / f"{backlog}-{year}-W{week:02}.csv"
            rows = signals.filter(pl.col("backlog") == backlog.value)
            write_csv(rows, file)
            written[file] = rows.height
    return written


def _no_week(week: str) -> date:
    raise BadInput(f"{week!r} is no week: write 2026-W48")
