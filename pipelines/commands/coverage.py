"""`helmdesk coverage`: what each source tells, what is not known or does not count, and where its own SLA differs."""

import json as as_json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from pipelines.snapshot import Snapshot

REASONS_SHOWN = 5
CLOCKS = {"first_response": "first response", "resolution": "resolution"}


def coverage(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Say what is known of each source's tickets, left out by outcome, refused, and judged otherwise by its own SLA."""
    from pipelines.snapshot import Snapshot

    with open_here(context) as app:
        found = report(Snapshot(app, app.now()))
    typer.echo(as_json.dumps(found, default=str) if json else "\n".join(_lines(found)))


def report(snapshot: "Snapshot") -> dict[str, Any]:
    """By source: tickets, fields (known, unknown, share_known, why), left_out by outcome, proposed as machine_mail,
    refused with its reasons, and agreement by clock (compared, agree, differ: tickets)."""
    import polars as pl

    from pipelines.marts import sources

    fields, ends, verdicts = sources.coverage(snapshot), sources.outcomes(snapshot), sources.verdicts(snapshot)
    tickets = dict(snapshot.tickets.group_by("source").len().sort("source").iter_rows())
    machines = dict(snapshot.proposed_machine_mail.group_by("source").len().iter_rows())
    refused = snapshot.rejected
    names = sorted({*tickets, *refused["source"]})
    return {
        "as_of": snapshot.as_of,
        "time_zone": snapshot.time_zone,
        "measured_by": _measured_by(snapshot),
        "sources": {
            name: {
                "tickets": tickets.get(name, 0),
                "fields": {row.pop("field"): row for row in _of(fields, name)},
                "left_out": {
                    row["outcome"]: row["tickets"] for row in _of(ends.filter(~pl.col("counts_in_attainment")), name)
                },
                "proposed": machines.get(name, 0),
                "refused": refused.filter(pl.col("source") == name).height,
                "refused_because": _reasons(refused.filter(pl.col("source") == name)),
                "agreement": {clock: _agreement(verdicts, name, clock) for clock in CLOCKS},
            }
            for name in names
        },
    }


def _measured_by(snapshot: "Snapshot") -> dict[str, Any]:
    """The SLA policy, the zones of the calendars its clocks run on, and what keeps clocks from starting under it."""
    from pipelines.clock_replay import clock_inputs
    from sla.reporting.never_started import never_started, sentence

    rules, clocks = snapshot.policies.sla, snapshot.clocks
    used = [rules.calendars[name] for name in clocks["calendar"].drop_nulls().unique() if name in rules.calendars]
    inputs = clock_inputs(snapshot.tickets_now, snapshot.events, rules)
    waiting = never_started(clocks, *inputs, policies=rules.policies, calendars=rules.calendars, as_of=snapshot.as_of)
    return {
        "policy": rules.policies.name,
        "time_zones": sorted({str(calendar.tz) for calendar in used if not calendar.always}),
        "never_started": sentence(len(waiting), rules.policies),
    }


def _of(frame: "pl.DataFrame", source: str) -> list[dict[str, Any]]:
    import polars as pl

    return frame.filter(pl.col("source") == source).drop("source").to_dicts()


def _reasons(refused: "pl.DataFrame") -> list[dict[str, Any]]:
    """Reasons with their count and one row each, the most frequent first; what is quoted in them does not tell them
    apart."""
    import polars as pl

    kind = pl.col("reason").str.replace_all(r"'[^']*'|\"[^\"]*\"|\d+", "…")
    found = refused.group_by(kind=kind).agg(rows=pl.len(), example=pl.col("reason").first(), row=pl.col("row").first())
    return found.sort("rows", "kind", descending=[True, False]).drop("kind").head(REASONS_SHOWN).to_dicts()


def _agreement(verdicts: "pl.DataFrame", source: str, clock: str) -> dict[str, Any]:
    import polars as pl

    own = verdicts.filter((pl.col("source") == source) & (pl.col("clock") == clock) & pl.col("agrees").is_not_null())
    agree = int(own["agrees"].sum())
    differ = own.filter(~pl.col("agrees"))["reference"].head(REASONS_SHOWN).to_list()
    return {"compared": own.height, "agree": agree, "differ": own.height - agree, "examples": differ}


def _lines(found: dict[str, Any]) -> "Iterator[str]":
    from engine.not_measured import in_words

    by = found["measured_by"]
    yield f"days, weeks and months in {found['time_zone']}"
    if set(by["time_zones"]) - {found["time_zone"]}:
        yield (
            f"measured by policy `{by['policy']}`, working hours in {', '.join(by['time_zones'])}; for your own hours "
            "and targets: helmdesk policy init FOLDER"
        )
    if by["never_started"]:
        yield by["never_started"]
    if not found["sources"]:
        yield "no ticket was taken in yet: helmdesk ingest FILE --mapping MAPPING"
    for name, facts in found["sources"].items():
        yield f"\n{plain(name)}: {counted(facts['tickets'], 'ticket')}, {counted(facts['refused'], 'refused row')}"
        for field, row in facts["fields"].items():
            if field in CLOCKS and row["unknown"]:
                yield (
                    f"  {CLOCKS[field]}: {row['unknown']:,} of {row['tickets']:,} not measured, most: "
                    f"{in_words(row['why'])}"
                )
            elif field in CLOCKS:
                yield f"  {CLOCKS[field]}: measured on all {row['tickets']:,}"
        parts = [f"{field} {row['share_known']:.0%}" for field, row in facts["fields"].items() if field not in CLOCKS]
        yield f"  known: {', '.join(parts)}"
        if facts["left_out"]:
            ends = ", ".join(f"{outcome} {tickets:,}" for outcome, tickets in facts["left_out"].items())
            yield f"  left out: {sum(facts['left_out'].values()):,} ({ends})"
        if facts["proposed"]:
            yield (
                f"  a machine seems to have written {counted(facts['proposed'], 'ticket')}, counted until a person "
                "says so: helmdesk outcomes"
            )
        for clock, both in facts["agreement"].items():
            if both["compared"]:
                differ = f"; differ: {', '.join(map(plain, both['examples']))}" if both["differ"] else ""
                yield (
                    f"  {CLOCKS[clock]}: its own SLA says the same of {both['agree']:,} of {both['compared']:,}{differ}"
                )
        for reason in facts["refused_because"]:
            yield f"  refused {reason['rows']:,}: {plain(' '.join(reason['example'].split()))}"
