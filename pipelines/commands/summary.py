"""The readable end of a cycle: what came in, what was promised and kept, who has the load, how sure triage was."""

from collections.abc import Iterator

import polars as pl
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.not_measured import in_words
from pipelines.commands.next_steps import allocation, drafts
from pipelines.commands.terminal import counted, plain
from pipelines.marts import MartReader

ORDER = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def show(marts: MartReader, console: Console | None = None) -> None:
    """Print the publication in force as a few tables."""
    out = console or Console()
    publication = marts.publication
    out.print(f"\n[bold]helmdesk[/] as of {publication.as_of:%Y-%m-%d %H:%M} UTC, marts in {publication.folder}")
    for part in (_states(marts), *_attainment(marts), _clocks(marts), _load(marts), _confidence(marts)):
        out.print(part)
    for line in _not_counted(marts):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    _print_rejected(marts, out)


def _not_counted(marts: MartReader) -> Iterator[str]:
    """What is in no share, by clock, and in whose days and by which policy promises were measured."""
    rows = marts.query(
        "SELECT clock, source, why, count(*) AS windows FROM sla_clocks WHERE counts AND state = 'not_measured' "
        "GROUP BY ALL ORDER BY windows DESC, clock LIMIT 4"
    )
    for clock, source, why, windows in rows.iter_rows():
        yield f"{clock.replace('_', ' ')} of {plain(source)}: {windows:,} not measured, {in_words(why)}"
    left_out = marts.query("SELECT outcome, count(*) AS n FROM tickets WHERE ticket IN (SELECT ticket FROM sla_clocks "
                           "WHERE NOT counts) GROUP BY outcome ORDER BY n DESC")  # fmt: skip
    if left_out.height:
        ends = ", ".join(f"{outcome} {count:,}" for outcome, count in left_out.iter_rows())
        tickets = counted(int(left_out["n"].sum()), "ticket")
        yield f"left out of attainment: {tickets} ({ends}); `helmdesk coverage` has more"


def _table(title: str, *columns: str, caption: str | None = None) -> Table:
    caption_text = None if caption is None else Text(caption)
    table = Table(
        title=title, title_justify="left", caption=caption_text, caption_justify="left", title_style="bold", box=SIMPLE
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _states(marts: MartReader) -> Table:
    rows = marts.query("SELECT status, count(*) AS tickets FROM tickets GROUP BY status ORDER BY tickets DESC")
    table = _table(f"Tickets by state ({rows['tickets'].sum():,})", "state", "tickets")
    for status, tickets in rows.iter_rows():
        table.add_row(status, f"{tickets:,}")
    return table


def _attainment(marts: MartReader) -> list[Table]:
    """One table a clock, a row a priority."""
    rows = marts.query(
        "SELECT clock, value AS priority, met, breached, running, at_risk, share_met, low, high FROM attainment "
        "WHERE dimension IN ('priority', 'all') AND clocks > 0"
    )
    tables = []
    for (clock,), of_clock in rows.group_by("clock", maintain_order=True):
        title = f"SLA attainment by priority: {str(clock).replace('_', ' ')}"
        table = _table(
            title, "priority", "met", "breached", "running", "at risk", "share met", "95 %",
            caption="share met = met / (met + breached), all windows; Wilson interval",
        )  # fmt: skip
        for row in sorted(of_clock.iter_rows(named=True), key=lambda r: ORDER.get(r["priority"], 9)):
            share = "–" if row["share_met"] is None else f"{row['share_met']:.1%}"
            interval = "–" if row["low"] is None else f"{row['low']:.1%} – {row['high']:.1%}"
            counts = (f"{row[name]:,}" for name in ("met", "breached", "running", "at_risk"))
            table.add_row(row["priority"], *counts, share, interval)
        tables.append(table)
    return sorted(tables, key=lambda table: str(table.title))


def _clocks(marts: MartReader) -> Table:
    rows = marts.query(
        "SELECT clock, count(*) FILTER (state = 'breached') AS breached, "
        "count(*) FILTER (state = 'breached' AND stopped_at IS NULL) AS breached_open, "
        "count(*) FILTER (state = 'at_risk') AS at_risk FROM sla_clocks GROUP BY clock ORDER BY clock"
    )
    alerts = marts.query("SELECT count(*) FROM alerts WHERE kind = 'sla'").item()
    table = _table(
        "Breaches", "clock", "breached", "of these still open", "at risk now", caption=counted(alerts, "alert")
    )
    for clock, *counts in rows.iter_rows():
        table.add_row(clock, *(f"{count:,}" for count in counts))
    return table


def _load(marts: MartReader) -> Table | Text:
    """One row a group; where there is none, what to do about it."""
    rows, caption = marts.frame("group_load").sort("utilisation", descending=True, nulls_last=True), allocation(marts)
    if rows.is_empty():
        return Text.assemble(("Allocation", "bold"), f"\n{caption}\n")
    table = _table("Allocation", "group", "before", "new", "after", "slots", "full", caption=caption)
    for row in rows.iter_rows(named=True):
        full = "–" if row["utilisation"] is None else f"{row['utilisation']:.0%}"
        numbers = (f"{row[name]:,}" for name in ("load_before", "allocated", "load_after", "capacity"))
        idle = "" if row["status"] == "active" else f" ({row['status']})"
        table.add_row(Text(plain(row["group_name"] or row["group_id"]) + idle), *numbers, full)
    return table


def _confidence(marts: MartReader) -> Table | Text:
    latest = marts.frame("classifications").sort("created_at").unique("ticket", keep="last")
    by_product = (
        latest.group_by("product")
        .agg(pl.len(), pl.col("confidence").mean(), pl.col("needs_review").sum().alias("review"))
        .sort("len", descending=True)
    )
    if by_product.is_empty():
        return Text.assemble(("Classification", "bold"), "\nno ticket was classified by then\n")
    grounded, drafted = marts.query("SELECT count(*) FILTER (grounded), count(*) FROM suggestions").row(0)
    table = _table(
        "Classification", "product", "tickets", "mean confidence", "for a person",
        caption=drafts(grounded, drafted),
    )  # fmt: skip
    for product, tickets, confidence, review in by_product.iter_rows():
        table.add_row(Text(plain(product or "–")), f"{tickets:,}", f"{confidence:.0%}", f"{review:,}")
    return table


def _print_rejected(marts: MartReader, out: Console) -> None:
    """Whole files first: `row` says which of a file it is, and is empty for all of it."""
    rows = marts.frame("rejected").sort(pl.col("row").is_not_null(), maintain_order=True)
    out.print(f"[bold]Rejected rows and files ({rows.height})[/], kept with their reasons")
    for row in rows.head(8).iter_rows(named=True):
        place = row["origin"] if row["row"] is None else f"{row['origin']} row {row['row']}"
        out.print(f"  {place}  {row['reason']}", markup=False, highlight=False, soft_wrap=True)
    if rows.height > 8:
        out.print(f"  … and {rows.height - 8} more in the mart `rejected`")
