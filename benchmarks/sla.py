"""How fast the SLA engine is: CPU seconds for a backlog, beside the cost of merely reading it and a plain Python loop.

    python -m benchmarks.sla --tickets 1000000 --calendars 50 --order shuffled

CPU time (all threads) and medians, since wall time on a shared machine says little. The floor is reading the same
columns from Parquet; the ratio to it is what to compare between machines. `--parts` evaluates in that many files. The
loop starts from frames in memory and calendars laid out beforehand, on tickets taken evenly; beside it stands the
evaluation from frames in memory, which lays them out itself. Both run in turns.
"""

import argparse
import resource
import statistics
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sla.calendar.calendars import Calendar
from sla.clocks.batch.evaluate import evaluate
from sla.policy.calendar_files import read as read_calendar
from sla.policy.model import Policies
from sla.policy.parser import parse

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo", "America/Lima", "UTC", "Australia/Sydney")
START, AS_OF = datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
TICKET_COLUMNS = ["id", "created_at", "priority", "tier", "type", "team", "status"]
EVENT_COLUMNS = ["ticket", "ts", "kind", "value"]
SAMPLE = 100_000


def calendars(count: int) -> dict[str, Calendar]:
    """Office hours in many zones, some with a lunch break, some by night, each with holidays of its own."""
    shapes = [[["09:00", "17:00"]], [["08:30", "12:00"], ["13:00", "18:00"]], [["22:00", "06:00"]]]
    made = {}
    for i in range(count):
        days = [
            f"{year}-{1 + (i * 5 + k * 3) % 12:02d}-{1 + (i + 7 * k) % 28:02d}"
            for year in (2023, 2024)
            for k in range(9)
        ]
        hours = {day: shapes[i % len(shapes)] for day in DAYS[:5]}
        mapping = {"tz": ZONES[i % len(ZONES)], "weekly": hours, "holidays": sorted(set(days))}
        made[f"cal-{i:02d}"] = read_calendar(mapping, name=f"cal-{i:02d}")
    return made


def policies(count: int) -> Policies:
    """Critical round the clock, the rest by team on the team's calendar with a multiplier per tier."""
    by_team = [
        {
            "name": f"team {i:02d}",
            "team": f"team-{i:02d}",
            "calendar": f"cal-{i:02d}",
            "first_response": 4 * 3600,
            "resolution": "2 business days",
            "multipliers": {"enterprise": 0.5, "business": 0.75, "free": 1.5},
        }
        for i in range(count)
    ]
    critical = {"name": "critical", "priority": "critical", "first_response": "15 min", "resolution": "4 hours"}
    return parse([critical, *by_team])


def write_backlog(folder: Path, tickets: int, calendar_count: int, *, parts: int, order: str, text_ids: bool) -> None:
    """Two Parquet files a part: tickets, and about four events a ticket; to a few nothing has happened yet."""
    rng = np.random.default_rng(7)
    edges = np.linspace(0, tickets, parts + 1).astype(int)
    for part, (first, last) in enumerate(pairwise(edges)):
        rows, events = _part(rng, np.arange(first, last), calendar_count)
        if text_ids:
            rows, events = rows.with_columns(_spelled("id")), events.with_columns(_spelled("ticket"))
        _ordered(events, order).write_parquet(folder / f"events-{part}.parquet")
        rows.write_parquet(folder / f"tickets-{part}.parquet")


def _spelled(name: str) -> pl.Expr:
    return pl.format("servicenow:INC{}", pl.col(name).cast(pl.String).str.zfill(7)).alias(name)


def _ordered(events: pl.DataFrame, order: str) -> pl.DataFrame:
    if order == "shuffled":
        return events.sample(fraction=1, shuffle=True, seed=7)
    return events.sort("ts" if order == "time" else ["ticket", "ts"])


def _part(
    rng: np.random.Generator, ids: np.ndarray[Any, Any], calendar_count: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    size = len(ids)
    span = int((AS_OF - START).total_seconds())
    created = int(START.timestamp()) + np.sort(rng.integers(0, span, size))
    team = pl.Series("team", [f"team-{i:02d}" for i in range(calendar_count)])

    def pick(words: list[str], weights: list[float]) -> pl.Series:
        return pl.Series(words).gather(rng.choice(len(words), size, p=weights))

    rows = pl.DataFrame(
        {
            "id": ids,
            "created_at": _datetimes(created),
            "priority": pick(["critical", "high", "medium", "low"], [0.05, 0.2, 0.5, 0.25]),
            "tier": pick(["enterprise", "business", "standard", "free"], [0.1, 0.2, 0.5, 0.2]),
            "type": pick(["incident", "request", "problem"], [0.6, 0.35, 0.05]),
            "team": team.gather(rng.integers(0, calendar_count, size)),
            "status": pick(["new"], [1.0]),
        }
    )
    gaps = rng.exponential([4_000, 20_000, 90_000, 60_000, 100_000], (size, 5)).astype(np.int64)
    at = created[:, None] + np.cumsum(gaps, axis=1)
    story = [
        ("response", None),
        ("status", "in_progress"),
        ("status", "waiting_customer"),
        ("status", "in_progress"),
        ("status", "resolved"),
    ]
    waits, reopens, changes, seen = (rng.random(size) < share for share in (0.45, 0.04, 0.05, 0.97))
    waits, reopens, changes = waits & seen, reopens & seen, changes & seen
    parts = [_events(ids[m], at[m, i], *story[i]) for i, m in enumerate((seen, seen, waits, waits, seen))]
    parts.append(_events(ids[reopens], at[reopens, 4] + 50_000, "status", "in_progress"))
    parts.append(_events(ids[changes], at[changes, 1] + 500, "priority", "high"))
    return rows, pl.concat(parts)


def _events(ids: np.ndarray[Any, Any], at: np.ndarray[Any, Any], kind: str, value: str | None) -> pl.DataFrame:
    frame = pl.DataFrame({"ticket": ids, "ts": _datetimes(at)})
    return frame.with_columns(kind=pl.lit(kind), value=pl.lit(value, dtype=pl.String))


def _datetimes(seconds: np.ndarray[Any, Any]) -> pl.Series:
    return pl.Series(seconds * 1_000_000).cast(pl.Datetime("us", "UTC"))


def read(folder: Path, part: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The columns the engine reads, and nothing else."""
    tickets = pl.scan_parquet(folder / f"tickets-{part}.parquet").select(TICKET_COLUMNS).collect()
    return tickets, pl.scan_parquet(folder / f"events-{part}.parquet").select(EVENT_COLUMNS).collect()


def run(folder: Path, parts: int, book: Policies, made: dict[str, Calendar]) -> int:
    rows = 0
    for part in range(parts):
        rows += len(evaluate(*read(folder, part), book, made, AS_OF))
    return rows


def laid_out(made: dict[str, Calendar]) -> dict[str, "Line"]:
    """Each calendar's business intervals as plain lists."""
    line_of = {
        n: c.business_intervals(int(START.timestamp()), int(AS_OF.timestamp()) + 366 * 86_400) for n, c in made.items()
    }
    return {n: (x.start.tolist(), x.end.tolist(), x.before.tolist(), x.total) for n, x in line_of.items()}


def bisect_loop(tickets: pl.DataFrame, events: pl.DataFrame, lines: dict[str, "Line"]) -> list[Any]:
    """What one would write first: ticket by ticket with binary search; elapsed, paused, state and due, no rebasing."""
    own: dict[Any, list[tuple[int, str, str | None]]] = {}
    for key, ts, kind, value in events.with_columns(pl.col("ts").dt.epoch("s")).iter_rows():
        own.setdefault(key, []).append((ts, kind, value))
    now, rows = int(AS_OF.timestamp()), []
    columns = ["id", pl.col("created_at").dt.epoch("s"), "priority", "tier", "team"]
    for key, created, priority, tier, team in tickets.select(columns).iter_rows():
        critical = priority == "critical"
        line = lines[f"cal-{team[5:]}"]
        factor = {"enterprise": 0.5, "business": 0.75, "free": 1.5}.get(tier, 1.0)
        responded = stopped = None
        paused, since = 0, None
        for ts, kind, value in sorted(own.get(key, ())):
            if ts > now:
                break
            if kind == "response":
                responded = responded or ts
            elif kind == "status":
                if since is not None:
                    paused, since = paused + _passed(line, ts, critical) - _passed(line, since, critical), None
                if value == "waiting_customer":
                    since = ts
                stopped = ts if value == "resolved" else None
        opened = _passed(line, created, critical)
        for stop, idle, target in (
            (responded, 0, 900 if critical else int(14_400 * factor)),
            (stopped, paused, 14_400 if critical else int(57_600 * factor)),
        ):
            used = _passed(line, stop or now, critical) - opened - idle
            late = used > target
            state = ("breached" if late else "met") if stop else ("breached" if late else "open")
            rows.append(
                (key, target, used, idle, target - used, state, _reached(line, opened + target + idle, critical))
            )
    return rows


Line = tuple[list[int], list[int], list[int], int]


def _passed(line: Line, at: int, wall: bool) -> int:
    if wall:
        return at
    i = bisect_right(line[0], at) - 1
    return 0 if i < 0 else line[2][i] + min(at, line[1][i]) - line[0][i]


def _reached(line: Line, passed: int, wall: bool) -> int | None:
    if wall:
        return passed
    if passed > line[3]:
        return None
    i = bisect_left(line[2], passed) - 1
    return line[0][i] + passed - line[2][i]


def cpu(action: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds, after one run to warm up."""
    return in_turns({"": action}, repeats)[""]


def in_turns(actions: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The same of several, in turns, so that a busy machine treats all alike."""
    for action in actions.values():
        action()
    times = [{name: _timed(action) for name, action in actions.items()} for _ in range(repeats)]
    return {name: statistics.median(time[name] for time in times) for name in actions}


def _timed(action: Callable[[], Any]) -> float:
    before = time.process_time()
    action()
    return time.process_time() - before


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--calendars", type=int, default=50)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--order", choices=("ticket", "time", "shuffled"), default="ticket", help="how the events lie in the file"
    )
    parser.add_argument("--text-ids", action="store_true", help="ids like servicenow:INC0000017 instead of numbers")
    options = parser.parse_args(None if arguments is None else list(arguments))
    made, book = calendars(options.calendars), policies(options.calendars)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_backlog(
            folder,
            options.tickets,
            options.calendars,
            parts=options.parts,
            order=options.order,
            text_ids=options.text_ids,
        )
        report(folder, options, book, made)


def report(folder: Path, options: argparse.Namespace, book: Policies, made: dict[str, Calendar]) -> None:
    events = sum(pl.scan_parquet(p).select(pl.len()).collect().item() for p in folder.glob("events-*.parquet"))
    parts = options.parts
    rows = run(folder, parts, book, made)
    tickets, log = read(folder, 0)
    actions: dict[str, Callable[[], Any]] = {
        "floor": lambda: [read(folder, part) and None for part in range(parts)],
        "evaluate": partial(run, folder, parts, book, made),
        "alone": partial(evaluate, tickets, log, book, made, AS_OF),
    }
    few, lines = tickets.gather_every(max(1, len(tickets) // SAMPLE)), laid_out(made)
    theirs = log.filter(pl.col("ticket").is_in(few["id"].implode()))
    actions["loop"] = lambda: bisect_loop(few, theirs, lines)
    spent = in_turns(actions, options.repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    loop = spent["loop"] / len(few)
    ids = "text ids" if options.text_ids else "numbers as ids"
    print(
        f"{options.tickets:,} tickets with {ids}, {events:,} events by {options.order}, {options.calendars} calendars"
    )
    print(f"read from Parquet (the floor)   {spent['floor']:8.3f} s CPU")
    alone, ours = spent["alone"] / len(tickets), spent["evaluate"]
    print(
        f"read and evaluate               {ours:8.3f} s CPU   {ours / spent['floor']:5.1f} x the floor, {rows:,} rows"
    )
    print(
        f"  evaluate alone                {alone * 1e6:8.3f} us a ticket, the loop takes {loop / alone:5.1f} x as long"
    )
    print(f"Python loop with bisect         {loop * 1e6:8.3f} us a ticket, of {len(few):,}, from the same frames")
    print(f"peak memory                     {peak:8.2f} GiB")


if __name__ == "__main__":
    main()
