"""What else the SLA engine's speed depends on, and what others take for one number of ours.

    python -m benchmarks.sla_more            # calendars, order, other libraries, the pass of every minute
    python -m benchmarks.sla_more --big      # ten million tickets in parts, each part's rows written to Parquet

CPU time (all threads) and medians of runs side by side. The other libraries are no dependencies: `pip install
businesstimedelta business-duration` where they may be compared. They give the business time of one interval a ticket,
round an office in Berlin; beside them stand ours for the same intervals as a column, and the whole evaluation: both
clocks with target, deadline and state.
"""

import argparse
import resource
import statistics
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, time, timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from benchmarks.sla import AS_OF, EVENT_COLUMNS, TICKET_COLUMNS, calendars, cpu, policies, read, run, write_backlog
from sla.calendar.calendars import Calendar
from sla.clocks.batch.evaluate import evaluate
from sla.passes import advance
from sla.policy.model import Policies

CALENDARS = 50
OTHERS = {"businesstimedelta": "businesstimedelta", "business-duration": "business_duration"}
ROW = ["ticket", "clock", "window"]

Action = Callable[[], Any]
Backlog = tuple[pl.DataFrame, pl.DataFrame]
Interval = tuple[datetime, datetime]


def side_by_side(one: Action, other: Action, repeats: int) -> tuple[float, float]:
    """Median CPU seconds of both, run in turns."""
    one(), other()
    pairs = [(_once(one), _once(other)) for _ in range(repeats)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def _once(action: Action) -> float:
    before = _cpu_now()
    action()
    return _cpu_now() - before


def _cpu_now() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def backlog(folder: Path, tickets: int, calendar_count: int) -> Backlog:
    folder.mkdir()
    write_backlog(folder, tickets, calendar_count, parts=1, order="ticket", text_ids=False)
    return read(folder, 0)


def compare_calendars(many: Backlog, one: Backlog, repeats: int) -> None:
    terms = [(*rows, policies(count), calendars(count), AS_OF) for rows, count in ((many, CALENDARS), (one, 1))]
    all_of_them, single = side_by_side(lambda: evaluate(*terms[0]), lambda: evaluate(*terms[1]), repeats)
    print(f"{CALENDARS} calendars            {all_of_them:8.3f} s CPU, evaluated without reading")
    print(f"1 calendar              {single:8.3f} s CPU   {all_of_them / single:6.2f} x for {CALENDARS}")


def compare_order(rows: Backlog, book: Policies, made: dict[str, Calendar], repeats: int) -> None:
    tickets, events = rows
    shuffled = events.sample(fraction=1, shuffle=True, seed=7)
    mixed, straight = side_by_side(
        lambda: evaluate(tickets, shuffled, book, made, AS_OF),
        lambda: evaluate(tickets, events, book, made, AS_OF),
        repeats,
    )
    print(f"events shuffled         {mixed:8.3f} s CPU")
    print(f"events by ticket        {straight:8.3f} s CPU   {mixed / straight:6.2f} x for shuffled")


def compare_others(rows: Backlog, book: Policies, made: dict[str, Calendar], sample: int, repeats: int) -> None:
    """CPU time a ticket, of a sample; and whether the answers are ours."""
    missing = [name for name, module in OTHERS.items() if find_spec(module) is None]
    if missing:
        print(f"not compared: {', '.join(missing)} is not installed; pip install {' '.join(missing)}")
        return
    office = made["cal-00"]
    columns = resolved(rows)
    column = cpu(lambda: office.elapsed(columns["created_at"], columns["ts"]), repeats) / len(columns)
    whole = cpu(lambda: evaluate(*rows, book, made, AS_OF), repeats) / len(rows[0])
    spans = intervals(columns, sample, ZoneInfo(office.tz))
    truth = [office.elapsed(start, end) for start, end in spans]
    print(f"ours, the same interval {column * 1e6:8.3f} us CPU a ticket, of {len(columns):,} in a column")
    print(f"ours, both clocks whole {whole * 1e6:8.3f} us CPU a ticket")
    for name, answer in (("businesstimedelta", _timedelta(office)), ("business-duration", _duration(office))):
        found = [answer(*interval) for interval in spans]
        theirs = cpu(lambda answer=answer: [answer(*interval) for interval in spans], 3) / len(spans)  # type: ignore[misc]
        same = sum(abs(a - b) < 1 for a, b in zip(found, truth, strict=True))
        ratios = f"{theirs / column:8,.0f} x ours, {theirs / whole:,.0f} x the whole"
        figures = f"{theirs * 1e6:8.0f} us CPU a ticket {ratios}"
        print(f"{name:<24}{figures}, {same} of {len(spans)} answers the same")


def resolved(rows: Backlog) -> pl.DataFrame:
    """Creation and first resolution of each ticket that has one."""
    first = rows[1].filter(pl.col("value") == "resolved").group_by("ticket").agg(pl.col("ts").min())
    both = rows[0].join(first, left_on="id", right_on="ticket").sort("id")
    return both.select(pl.col(name).dt.truncate("1s") for name in ("created_at", "ts"))


def intervals(columns: pl.DataFrame, sample: int, zone: ZoneInfo) -> list[Interval]:
    """Some of them, evenly taken, in local time."""
    some = columns.gather_every(max(1, len(columns) // sample))
    return [(a.astimezone(zone), b.astimezone(zone)) for a, b in some.iter_rows()]


def _timedelta(office: Calendar) -> Callable[[datetime, datetime], float]:
    other, zone = import_module("businesstimedelta"), import_module("pytz").timezone(office.tz)
    days = other.WorkDayRule(time(9), time(17), working_days=[0, 1, 2, 3, 4], tz=zone)
    following = AS_OF.date() + timedelta(days=730)  # it fails where no holiday follows
    hours = other.Rules([days, other.HolidayRule({*office.holidays, following}, tz=zone)])
    return lambda start, end: float(hours.difference(start, end).timedelta.total_seconds())


def _duration(office: Calendar) -> Callable[[datetime, datetime], float]:
    other, holidays = import_module("business_duration"), set(office.holidays)
    ask = partial(other.businessDuration, starttime=time(9), endtime=time(17), holidaylist=holidays, unit="sec")
    return lambda start, end: float(ask(start.replace(tzinfo=None), end.replace(tzinfo=None)))


def every_minute(rows: Backlog, folder: Path, still_open: int, made: dict[str, Calendar], repeats: int) -> None:
    """The pass after a minute in which nothing was new."""
    book, later = policies(CALENDARS), AS_OF + timedelta(minutes=1)
    tickets, events = mostly_closed(rows, still_open)
    events.write_parquet(folder / "log.parquet")
    tickets.write_parquet(folder / "tickets.parquet")
    last = advance(None, tickets, events, book, made, as_of=AS_OF)
    found = advance(last, tickets, events, book, made, as_of=later).clocks
    whole = evaluate(tickets, events, book, made, later)
    if not found.sort(ROW).equals(whole.sort(ROW)):
        raise SystemExit("the pass and the whole evaluation differ")

    def from_files() -> None:
        lazy = [
            pl.scan_parquet(folder / name).select(columns)
            for name, columns in (("tickets.parquet", TICKET_COLUMNS), ("log.parquet", EVENT_COLUMNS))
        ]
        advance(last, lazy[0], lazy[1], book, made, as_of=later)

    full, again = side_by_side(
        lambda: evaluate(tickets, events, book, made, later),
        lambda: advance(last, tickets, events, book, made, as_of=later),
        repeats,
    )
    shape = f"{len(tickets):,} tickets, {last.running['ticket'].n_unique():,} with a clock that runs"
    print(f"pass after a minute     {again:8.3f} s CPU   {full / again:6.1f} x faster than everything; {shape}")
    print(f"the same from Parquet   {cpu(from_files, repeats):8.3f} s CPU, equal to the whole on {len(found):,} rows")


def mostly_closed(rows: Backlog, still_open: int) -> Backlog:
    """The same backlog with so many tickets open: those are never resolved, all others closed just now."""
    tickets, events = rows
    chosen = tickets.gather_every(len(tickets) // still_open)["id"].head(still_open).implode()
    is_open = pl.col("ticket").is_in(chosen)
    known = events.filter(pl.col("ts") <= AS_OF, ~(is_open & pl.col("value").eq_missing("resolved")))
    closed = tickets.select(ticket="id", ts=pl.lit(AS_OF).cast(events.schema["ts"])).filter(~is_open)
    return tickets, pl.concat([known, closed.with_columns(kind=pl.lit("status"), value=pl.lit("closed"))]).sort(
        "ticket", "ts", maintain_order=True
    )


class Big(NamedTuple):
    """CPU seconds: reading only, reading and evaluating, and with the rows written; peak memory in GB."""

    rows: int
    floor: float
    evaluated: float
    written: float
    peak: float


def measure_big(folder: Path, parts: int) -> Big:
    book, made = policies(CALENDARS), calendars(CALENDARS)
    floor = _once(lambda: [len(read(folder, part)[1]) for part in range(parts)])
    evaluated = _once(lambda: run(folder, parts, book, made))
    rows = 0

    def write() -> None:
        nonlocal rows
        for part in range(parts):
            found = evaluate(*read(folder, part), book, made, AS_OF)
            found.write_parquet(folder / f"clocks-{part}.parquet")
            rows += len(found)

    written = _once(write)
    return Big(rows, floor, evaluated, written, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)


def alone(action: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """In a process of its own, so that its memory is counted alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(action, *arguments, **named).result()


def big(folder: Path, tickets: int, parts: int) -> None:
    alone(write_backlog, folder, tickets, CALENDARS, parts=parts, order="ticket", text_ids=False)
    found: Big = alone(measure_big, folder, parts)
    print(f"{tickets:,} tickets in {parts} parts, {CALENDARS} calendars: {found.rows:,} rows")
    print(f"read from Parquet       {found.floor:8.2f} s CPU, the floor")
    print(f"read and evaluate       {found.evaluated:8.2f} s CPU   {found.evaluated / found.floor:6.2f} x the floor")
    print(f"and write the rows      {found.written:8.2f} s CPU   {found.written / found.floor:6.2f} x the floor")
    print(f"peak memory             {found.peak:8.2f} GB")


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, help="1,000,000, or 10,000,000 with --big")
    parser.add_argument("--open", type=int, default=50_000, help="tickets with a clock that runs, for the pass")
    parser.add_argument("--sample", type=int, default=300, help="tickets to ask the other libraries about")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--parts", type=int, default=20)
    options = parser.parse_args(None if arguments is None else list(arguments))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.big:
            big(folder, options.tickets or 10_000_000, options.parts)
            return
        tickets = options.tickets or 1_000_000
        many = backlog(folder / "many", tickets, CALENDARS)
        made, book = calendars(CALENDARS), policies(CALENDARS)
        compare_calendars(many, backlog(folder / "one", tickets, 1), options.repeats)
        compare_order(many, book, made, options.repeats)
        compare_others(many, book, made, options.sample, options.repeats)
        every_minute(many, folder, options.open, made, options.repeats)


if __name__ == "__main__":
    main()
