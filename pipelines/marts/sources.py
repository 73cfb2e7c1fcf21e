"""What each source tells and what it does not: facts known, ends that do not count, and its own verdict beside ours."""

import dataframely as dy
import polars as pl

from engine.outcomes import Figure
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.marts.sla_clocks import BUSINESS
from pipelines.snapshot import Snapshot

SOURCE = "Name of the source."
NOTHING = {"channel": "unknown", "category": "other", "subject": "", "content": ""}
"""What stands in a ticket where its source says nothing."""
FIELDS = (
    "subject",
    "content",
    "category",
    "channel",
    "language",
    "requester_id",
    "company_id",
    "group_id",
    "assignee_id",
)
ENDS = ("first_response", "resolution")


class SourceCoverage(dy.Schema):
    source = col.text(SOURCE, primary_key=True)
    field = col.text(
        "A fact about tickets: a column of `tickets`, `content` (the text), or `first_response` and `resolution`: "
        "whether these clocks can be measured.",
        primary_key=True,
    )
    tickets = col.count("Tickets; of `first_response` and `resolution` windows of clocks that count.", unit="count")
    known = col.count("Of them, those of which the source tells it.")
    unknown = col.count("The rest.")
    share_known = col.share("`known` / `tickets`.", nullable=True)
    why = col.text("The most frequent reason why a clock is not measured (`why` of `sla_clocks`).", nullable=True)

    @dy.rule()
    def known_and_unknown_are_all(cls) -> pl.Expr:
        return pl.col("tickets") == pl.col("known") + pl.col("unknown")


class SourceOutcomes(dy.Schema):
    source = col.text(SOURCE, primary_key=True)
    outcome = col.text("How tickets ended; `unknown` where the source says only that they did.", primary_key=True)
    tickets = col.count("Ended tickets.", unit="tickets")
    counts_in_attainment = col.yes_no("Whether they count in promises kept and broken.")
    counts_as_resolved = col.yes_no("Whether they count in the volume of resolved.")
    counts_in_reopens = col.yes_no("Whether they count in reopens.")
    counts_in_credits = col.yes_no("Whether they count in credits.")


class SourceVerdicts(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    source = col.text(SOURCE)
    clock = col.text("`first_response` or `resolution`.", primary_key=True)
    theirs = col.text("What the source's own SLA says: `met` or `breached`.")
    ours = col.text("What we say: `breached` if any window is, else the state of the last.")
    agrees = col.yes_no("Whether both say the same; null where ours is not decided.", nullable=True)
    policy = col.text("The SLA policy by which we say so.", nullable=True)
    target = col.count("What it promises.", unit=BUSINESS, nullable=True)
    elapsed = col.count("What was used of it.", unit=BUSINESS, nullable=True)
    paused = col.count("What passed while the clock was paused.", unit=BUSINESS, nullable=True)
    calendar = col.text("The calendar on which both are counted.", nullable=True)


def coverage(snapshot: Snapshot) -> pl.DataFrame:
    """Facts of tickets, then of clocks that count, by source."""
    tickets, clocks = snapshot.tickets, snapshot.counted(Figure.ATTAINMENT)
    parts = [
        tickets.group_by("source").agg(
            field=pl.lit(name), tickets=pl.len(), known=_is_known(name).sum(), why=pl.lit(None, pl.String)
        )
        for name in FIELDS
    ]
    promised = clocks.filter(~pl.col("state").cast(pl.String).is_in(["no_target", "no_clock"]))
    for clock in ENDS:
        own = promised.filter(pl.col("clock").cast(pl.String) == clock)
        parts.append(
            own.group_by("source").agg(
                field=pl.lit(clock),
                tickets=pl.len(),
                known=pl.col("why").is_null().sum(),
                why=pl.col("why").drop_nulls().mode().sort().first(),
            )
        )
    found = pl.concat(parts).with_columns(pl.col("tickets", "known").cast(pl.Int64))
    order = pl.col("field").replace_strict([*FIELDS, *ENDS], range(len(FIELDS) + len(ENDS)), return_dtype=pl.Int64)
    return found.with_columns(
        unknown=pl.col("tickets") - pl.col("known"), share_known=pl.col("known") / pl.col("tickets")
    ).sort("source", order)


def _is_known(name: str) -> pl.Expr:
    return pl.col(name).is_not_null() & (pl.col(name) != NOTHING.get(name, ""))


def outcomes(snapshot: Snapshot) -> pl.DataFrame:
    ended = snapshot.tickets.filter(~pl.col("is_open")).group_by("source", "outcome").agg(tickets=pl.len())
    figures = {
        "counts_in_attainment": Figure.ATTAINMENT,
        "counts_as_resolved": Figure.RESOLVED,
        "counts_in_reopens": Figure.REOPENS,
        "counts_in_credits": Figure.CREDITS,
    }
    counted = ended.with_columns(**{name: ~snapshot.left_out(figure) for name, figure in figures.items()})
    named = counted.with_columns(pl.col("outcome").fill_null("unknown"), pl.col("tickets").cast(pl.Int64))
    return named.sort("source", "outcome")


def verdicts(snapshot: Snapshot) -> pl.DataFrame:
    """A row a ticket and clock of which the source has a verdict, or an end that its SLA computed."""
    theirs = snapshot.tickets.filter(pl.col("source_verdict").is_not_null()).select("ticket", "source_verdict")
    clocks = snapshot.ticket_clocks.join(theirs, on="ticket").with_columns(pl.col("clock", "state").cast(pl.String))
    clocks = clocks.filter(pl.col("clock").is_in(ENDS))

    def stated(path: str) -> pl.Expr:
        return pl.coalesce(
            pl.when(pl.col("clock") == clock).then(pl.col("source_verdict").str.json_path_match(f"$.{clock}{path}"))
            for clock in ENDS
        )

    due = stated("_due_at").str.to_datetime(time_zone="UTC", time_unit="us", strict=False)
    by_then = pl.coalesce("stopped_at", pl.lit(snapshot.as_of, pl.Datetime("us", "UTC")))
    is_stopped = pl.col("stopped_at").is_not_null()
    by_due = pl.when(by_then > due).then(pl.lit("breached")).when((by_then <= due) & is_stopped).then(pl.lit("met"))
    is_decided = pl.col("ours").is_in(["met", "breached"])
    return (
        clocks.with_columns(theirs=pl.coalesce(stated(""), by_due))
        .filter(pl.col("theirs").is_not_null())
        .sort("ticket", "clock", "window")
        .group_by("ticket", "clock", maintain_order=True)
        .agg(
            pl.col("reference", "source", "theirs", "policy", "target", "elapsed", "paused", "calendar").last(),
            ours=pl.when((pl.col("state") == "breached").any())
            .then(pl.lit("breached"))
            .otherwise(pl.col("state").last()),
        )
        .with_columns(agrees=pl.when(is_decided).then(pl.col("ours") == pl.col("theirs")))
    )


MARTS = {
    "source_coverage": Mart("What does each source tell, and what is not known?", SourceCoverage, coverage),
    "source_outcomes": Mart("How did tickets end, and which of them count?", SourceOutcomes, outcomes),
    "source_verdicts": Mart("Where do we and the source's own SLA differ?", SourceVerdicts, verdicts),
}
