"""The numbers of looking back: how long people waited, what came back, why promises broke, and what it costs."""

import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures.selection import ALL_CLOCKS, ALL_HISTORY, Period, Selection, clocks_where, id_of, value_of
from pipelines.marts import MartReader

WAITED = "epoch(c.stopped_at) - epoch(c.window_start)"


def response_times(reader: MartReader, chosen: Selection = ALL_CLOCKS, dimension: str | None = None) -> pl.DataFrame:
    """One row a clock (and value of the dimension): stopped, mean and median seconds, wall and business time."""
    value, key, join = _value(dimension)
    where, values = clocks_where(chosen, reader, join)
    return reader.query(
        f"""SELECT c.clock, {value} AS value, {key} AS id, count(*) AS stopped, avg({WAITED}) AS mean_seconds,
        median({WAITED}) AS median_seconds, avg(c.elapsed) AS mean_business_seconds,
        median(c.elapsed) AS median_business_seconds
        {where} AND c.stopped_at IS NOT NULL AND c.clock IN ('first_response', 'resolution')
        GROUP BY ALL ORDER BY ALL""",
        values,
    )


def reopens(reader: MartReader, chosen: Selection = ALL_CLOCKS, dimension: str | None = None) -> pl.DataFrame:
    """One row a value of the dimension: resolved, reopened, share_reopened and its 95 % interval low, high."""
    value, key, join = _value(dimension)
    where, values = clocks_where(chosen._replace(clocks=("resolution",)), reader, join)
    found = reader.query(
        f"""SELECT {value} AS value, {key} AS id, count(*) AS resolved, count(*) FILTER (NOT c.is_current) AS reopened
        {where} AND c.stopped_at IS NOT NULL GROUP BY ALL ORDER BY ALL""",
        values,
    )
    return with_share(found, "share_reopened", pl.col("reopened"), pl.col("resolved"))


def reasons(reader: MartReader, chosen: Selection = ALL_CLOCKS, dimension: str | None = None) -> pl.DataFrame:
    """One row a value of the dimension and reason: breaches, and the mean seconds behind them (all business time)."""
    value, key, join = _value(dimension)
    where, values = clocks_where(chosen, reader, f"{_REASONS} {join}")
    return reader.query(
        f"""SELECT {value} AS value, {key} AS id, b.reason, count(*) AS breaches,
        avg(b.seconds_to_pick_up) AS seconds_to_pick_up,
        avg(b.seconds_waiting_internal) AS seconds_waiting_internal, avg(b.seconds_in_work) AS seconds_in_work,
        avg(b.over_by) AS over_by {where} GROUP BY ALL ORDER BY value, breaches DESC, b.reason""",
        values,
    )


def worst_breaches(reader: MartReader, chosen: Selection = ALL_CLOCKS, *, limit: int = 25) -> pl.DataFrame:
    """Breached windows with their reason, the furthest over target first."""
    where, values = clocks_where(chosen, reader, f"{_REASONS} LEFT JOIN names a ON {_AGENT}")
    return reader.query(
        f"""SELECT c.ticket, c.reference, c.clock, b.reason, b.over_by, b.seconds_to_pick_up,
        b.seconds_waiting_internal, b.seconds_in_work, c.priority, coalesce(a.name, c.agent_id) AS agent
        {where} ORDER BY b.over_by DESC, c.ticket, c.clock, c."window" LIMIT {int(limit)}""",
        values,
    )


def time_in_state(reader: MartReader) -> pl.DataFrame:
    """One row a status but closed, where nothing is waited for: the mart's row over all tickets, the longest first."""
    return reader.query(
        """SELECT * EXCLUDE (dimension, value) FROM time_in_state WHERE dimension = 'all' AND status <> 'closed'
        ORDER BY total_seconds DESC, status"""
    )


def credits_owed(reader: MartReader) -> pl.DataFrame:
    """One row a customer and month, the latest month first: breaches, their sum and what is owed (% of the fee)."""
    return reader.query(
        """SELECT coalesce(n.name, s.company_id) AS customer, s.company_id, s.month, s.breaches, s.still_running,
        s.summed_percent, s.credit_percent, s.is_capped, s.preset
        FROM sla_credits s LEFT JOIN names n ON n.dimension = 'company_id' AND n.value = s.company_id
        ORDER BY s.month DESC, s.credit_percent DESC, s.summed_percent DESC, customer"""
    )


def credited(reader: MartReader, company_id: str, month: object) -> pl.DataFrame:
    """The breaches behind one customer's credit of a month, the dearest first."""
    return reader.query(
        """SELECT ticket, reference, clock, priority, times_target, credit_percent, is_final FROM credited_breaches
        WHERE company_id = ? AND month = ? ORDER BY credit_percent DESC, reference, clock, "window" """,
        [company_id, month],
    )


def alerts_by_day(reader: MartReader, *, days: int | None = None) -> pl.DataFrame:
    """One row a day (desk's time zone), level and kind: how many alerts fired."""
    since, values = _since("triggered_at", days, reader)
    return reader.query(
        f"""SELECT CAST(timezone(?, triggered_at) AS DATE) AS day, level, alert_type, count(*) AS alerts FROM alerts
        WHERE {since} GROUP BY ALL ORDER BY ALL""",
        [reader.publication.time_zone, *values],
    )


def volume(reader: MartReader, period: Period = ALL_HISTORY) -> pl.DataFrame:
    """One row a day (desk's time zone), oldest first: created, resolved, reopened, left_out, open_at_end."""
    parts, values = period.holds_day("day")
    return reader.query(f"SELECT * FROM volume WHERE {' AND '.join(['true', *parts])} ORDER BY day", values)


def coverage(reader: MartReader) -> pl.DataFrame:
    """One row a source and fact: tickets, known, unknown, share_known, why."""
    return reader.query("SELECT * FROM source_coverage")


def outcomes(reader: MartReader, source: str) -> pl.DataFrame:
    """How its tickets ended: outcome, tickets, and what they count in."""
    return reader.query(
        """SELECT outcome, tickets, counts_in_attainment AS attainment, counts_as_resolved AS resolved,
        counts_in_reopens AS reopens, counts_in_credits AS credits FROM source_outcomes
        WHERE source = ? ORDER BY tickets DESC, outcome""",
        [source],
    )


def left_out(reader: MartReader, source: str) -> pl.DataFrame:
    """Its ended tickets whose outcome does not count in attainment."""
    return reader.query(
        """SELECT t.ticket, t.reference, t.subject, t.outcome FROM tickets t
        JOIN source_outcomes o ON o.source = t.source AND o.outcome = t.outcome
        WHERE t.source = ? AND NOT o.counts_in_attainment ORDER BY t.created_at DESC, t.ticket""",
        [source],
    )


def machine_mail(reader: MartReader, source: str) -> pl.DataFrame:
    """Its tickets that a machine seems to have written, unless somebody said of them more than that they ended."""
    return reader.query(
        """SELECT ticket, reference, subject, status FROM tickets WHERE source = ? AND is_machine_mail
        AND coalesce(outcome, 'solved') = 'solved' ORDER BY created_at DESC, ticket""",
        [source],
    )


def refusals(reader: MartReader, source: str) -> pl.DataFrame:
    """Why rows were refused: reason (what is quoted in it left out), rows, and the first file of them."""
    return reader.query(
        """SELECT regexp_replace(reason, ?, '…', 'g') AS reason, count(*) AS rows, min(origin) AS file
        FROM rejected WHERE source = ? GROUP BY 1 ORDER BY rows DESC, 1 LIMIT 50""",
        ["'[^']*'", source],
    )


def agreement(reader: MartReader, source: str) -> pl.DataFrame:
    """One row a clock: verdicts of the source compared, alike, and those of clocks that we have not decided."""
    return reader.query(
        """SELECT clock, count(agrees) AS compared, count(*) FILTER (agrees) AS agree,
        count(*) FILTER (agrees IS NULL) AS undecided FROM source_verdicts
        WHERE source = ? GROUP BY clock ORDER BY clock""",
        [source],
    )


def differing(reader: MartReader, source: str, *, limit: int = 200) -> pl.DataFrame:
    """Tickets of which the source's own SLA says something else."""
    return reader.query(
        f"SELECT * FROM source_verdicts WHERE source = ? AND NOT agrees ORDER BY ticket, clock LIMIT {int(limit)}",
        [source],
    )


_REASONS = """JOIN breach_reasons b ON b.ticket = c.ticket AND b.clock = c.clock AND b."window" = c."window" """
_AGENT = "a.dimension = 'agent_id' AND a.value = c.agent_id"


def _value(dimension: str | None) -> tuple[str, str, str]:
    """The reader's word, the id and the join of a dimension."""
    if dimension is None:
        return "'all'", "'all'", ""
    value, join = value_of(dimension)
    return value, id_of(dimension), join


def _since(column: str, days: int | None, reader: MartReader) -> tuple[str, list[object]]:
    if days is None:
        return "true", []
    return f"{column} > CAST(? AS TIMESTAMPTZ) - to_days(CAST(? AS INTEGER))", [reader.publication.as_of, days]
