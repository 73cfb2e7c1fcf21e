"""What could not be taken in, was not sent or failed: each with the reason in words and the way to mend it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl
import yaml

from engine.shared.errors import HelmdeskError, in_a_line
from engine.storage.outbox import NOTICES, Standing
from engine.storage.receipts import WAITING
from pipelines.app.container import App
from pipelines.jobs.deliver import orphans
from pipelines.jobs.rules import rules_in_force

LISTED = 200
STALE = timedelta(hours=1)
"""A receipt or a parcel whose time has come waits no longer where a service or a schedule runs."""


class Failure(NamedTuple):
    """`alike` things that failed in one way. `key` is what a retry takes, `destination` what can be
    dropped."""

    what: str
    why: str
    mend: str
    command: str | None = None
    alike: int = 1
    last: datetime | None = None
    key: str | None = None
    destination: str | None = None
    ticket: str | None = None
    tries: int = 0


class Look(NamedTuple):
    """What a look at one part found; `fault` says why it could not be looked at."""

    failures: list[Failure]
    total: int
    fault: str | None = None


MENDING = (
    (r"Field required", "Fill this field in the file", "name its column in {mapping}"),
    (r"Input should be '", "Write one of these words in the file", "say in {mapping} what the source's word means"),
    (r"timezone", "Write the instant with its zone, such as 2026-03-02T09:00:00Z", "give {mapping} the source's zone"),
    (r"is before", "Correct the order of the instants at the source, and export again", ""),
    (r"JSON", "Repair the line: one JSON object a line, and no line cut off", ""),
    (r"there is no ticket", "Deliver the ticket before its events or with them, then ingest the file again", ""),
    (r"column", "Give the column the name it should have", "name the column it has in {mapping}"),
    (r"", "Correct this in the file, and ingest it again: what is known already is not taken twice", ""),
)
"""What to change in the file, and in a mapping if the source has one, by how a reason reads."""


def rejected(app: App) -> Look:
    """Rows that could not be taken in and were not since, by source, file and reason (what is quoted in it left out),
    the last first."""
    rows = _not_mended(app, app.store.frame("rejected_rows"))
    pattern = pl.col("reason").str.replace_all("'[^']*'", "…")
    found = (
        rows.group_by("source", "origin", pattern=pattern)
        .agg(pl.len(), pl.col("reason").first(), pl.col("row").first(), pl.col("received_at").max())
        .sort("received_at", "source", "origin", "pattern", descending=[True, False, False, False])
    )
    failures = [_rejected(app, row) for row in found.head(LISTED).iter_rows(named=True)]
    return Look(failures, rows.height)


def _not_mended(app: App, rows: pl.DataFrame) -> pl.DataFrame:
    """Without those whose ticket is new since, or whose event is there; of a ticket that was known before it can't be
    said."""
    contents = [json.loads(content) for content in rows["content"]]
    events = {str(content["id"]) for content in contents if "kind" in content and content.get("id")}
    columns = {source: _mapped_ids(app, source) for source in rows["source"].unique()}
    named = [_tickets(one, content, columns[one]) for one, content in zip(rows["source"], contents, strict=True)]
    keys = {key for one in named for key in one}
    born = app.store.frame("events", ["ticket_id", "recorded_at"], where={"kind": {"created"}, "ticket_id": keys})
    since, there = dict(born.iter_rows()), set(app.store.frame("events", ["id"], where={"id": events})["id"])
    keep = [
        str(content.get("id")) not in there
        if "kind" in content
        else not any(key in since and since[key] > received for key in of)
        for content, of, received in zip(contents, named, rows["received_at"], strict=True)
    ]
    return rows.filter(pl.Series(keep, dtype=pl.Boolean))


def _tickets(source: str, content: Mapping[str, Any], columns: Mapping[str, str]) -> list[str]:
    """The keys under which the ticket of a rejected row would be kept: its own words, or those of a mapping."""
    own = {str(content.get("source", source)): content.get("ticket_id")}
    mapped = {name: content.get(column) for name, column in columns.items()}
    return [f"{name}:{key}" for known in (own, mapped) for name, key in known.items() if key]


def _mapped_ids(app: App, source: str) -> dict[str, str]:
    """By the source of its tickets, the column in which a mapping finds a ticket's id."""
    found = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in _mappings(app, source)]
    return {str(one.get("source", source)): str(one["columns"]["ticket_id"]) for one in found
            if isinstance(one, dict) and "ticket_id" in (one.get("columns") or {})}  # fmt: skip


def _mappings(app: App, source: str) -> list[Path]:
    return sorted((app.settings.data / "mappings").glob(f"{source}*.yaml"))


def _rejected(app: App, row: Mapping[str, object]) -> Failure:
    source, origin, reason = str(row["source"]), str(row["origin"]), str(row["reason"])
    received = row["received_at"] if isinstance(row["received_at"], datetime) else None
    first = f", first in row {row['row']}" if row["row"] else ""
    mend, command = _mending(app, source, origin, reason, is_file=row["row"] is None)
    return Failure(f"{source}: {origin}{first}", reason, mend, command, int(str(row["len"])), received)


def _mending(app: App, source: str, origin: str, reason: str, *, is_file: bool) -> tuple[str, str | None]:
    mapping = next(iter(_mappings(app, source)), None)
    in_file, in_mapping = next(mend for pattern, *mend in MENDING if re.search(pattern, reason))
    other = f", or {in_mapping.format(mapping=f'data/mappings/{mapping.name}')}" if mapping and in_mapping else ""
    words = f"{in_file}{other}."
    if origin.startswith("receipt"):
        return f"{words} The sender posts it again; a body that was posted before is not taken twice.", None
    if origin.startswith("pull"):
        return f"{words} The next pull brings it again once it changes there.", app.settings.command(f"pull {source}")
    if is_file:
        folder = app.settings.home / "inbox" / "refused" / source
        return (
            f"{words} The file lies in {folder}, with its reason beside it.",
            app.settings.command(f"inspect {quote(Path(origin).name)}"),
        )
    return words, app.settings.command(f"ingest {quote(origin)} --source {source} --dry-run")


def unsent(app: App) -> Look:
    """What was refused, failed, or waits for longer than STALE; and what waits for a destination that is not in use."""
    now, ways = app.now(), orphans(app)
    found = [
        one
        for one in app.outbox.standings()
        if one.state == "refused" or one.attempts or one.destination in ways or one.next_attempt_at < now - STALE
    ]
    left = Counter(one.destination for one in found if one.destination in ways)
    gone = [
        Failure(f"to {to.removeprefix(NOTICES)}", "nobody sends it", ways[to],
                app.settings.command(f"deliver --drop {to}"), count, destination=to)
        for to, count in left.items()
    ]  # fmt: skip
    others = [_unsent(app, one) for one in found if one.destination not in ways]
    return Look([*gone, *others[:LISTED]], len(found))


def _unsent(app: App, one: Standing) -> Failure:
    to = one.destination.removeprefix(NOTICES)
    again, was_tried = app.settings.command(f"deliver --retry {quote(one.key)}"), one.attempts or one.state == "refused"
    if one.state == "refused":
        mend = f"{to} refused it: correct what it names there, then let it be sent again."
    elif one.attempts:
        tries = "once" if one.attempts == 1 else f"{one.attempts} times"
        mend = f"It was tried {tries} and is tried again by itself at {one.next_attempt_at:%Y-%m-%d %H:%MZ}, or now."
    else:
        mend, again = "Nobody sends: run the delivery, or a schedule that has it.", app.settings.command("deliver")
    return Failure(
        f"{one.kind} to {to}", one.last_error or "not tried yet", mend, again,
        last=one.created_at, key=one.key if was_tried else None, ticket=one.ticket_id, tries=one.attempts,
    )  # fmt: skip


def receipts(app: App) -> Look:
    """Payloads of which something could not be taken in, and those that nobody reads."""
    counts, troubled = app.receipts.counts(), app.receipts.troubled(limit=LISTED)
    found = [
        Failure(f"{one.source}: receipt {one.receipt}, {one.state}", one.error or "",
                "The sender corrects this and posts it again under another idempotency key.", last=one.received_at)
        for one in troubled
    ]  # fmt: skip
    first = next(iter(app.receipts.waiting(1)), None)
    if first and first.received_at < app.now() - STALE:
        waiting = Failure(f"{counts[WAITING]:,} receipts wait", "the service or a cycle takes them in, and neither did",
                          "Take them in now, and run the service or a schedule.", app.settings.command("cycle"),
                          counts[WAITING], first.received_at)  # fmt: skip
        found = [waiting, *found]
    return Look(found, sum(one.alike for one in found))


def rules(app: App) -> Look:
    """Rules of the desk that can never act."""
    mend = "Name in data/policies/rules.yaml what there is, or bring in the people that it names."
    never = [
        Failure(
            f"{one.rule}: on {one.event} {one.action} {one.to}", one.why_never, mend, app.settings.command("rules list")
        )
        for one in rules_in_force(app)
        if one.why_never
    ]
    return Look(never, len(never))


def policies(app: App) -> Look:
    """Policy files that are not in force as they are."""
    found = []
    for name, why in app.policies.refusals().items():
        last_good = app.settings.home / "policies" / name
        meanwhile = f" Schedules go on with the last good version in {last_good}." if last_good.is_dir() else ""
        mend = f"Correct the file as the reason says; it is taken up when it is next asked for.{meanwhile}"
        found.append(Failure(f"policy {name}", why, mend, app.settings.command("doctor")))
    return Look(found, len(found))


def stages(app: App) -> Look:
    """Work whose last run failed."""
    every = app.last_runs.every()
    if not every:
        return Look([], 0, "no run is on record yet; a cycle, or a stage by itself, leaves one")
    found = [
        Failure(
            one.work,
            one.error,
            f"It began at {one.began_at:%Y-%m-%d %H:%MZ} and took {one.took.total_seconds():.1f} s; "
            + (
                f"it last succeeded at {one.succeeded_at:%Y-%m-%d %H:%MZ}."
                if one.succeeded_at
                else "it never succeeded."
            )
            + " Once the reason is mended, run it again.",
            app.settings.command(f"{AGAIN.get(one.work, one.work)}"),
            last=one.ended_at,
        )
        for one in every
        if one.error
    ]
    return Look(found, len(found))


AGAIN: Mapping[str, str] = MappingProxyType(
    {"triage": "cycle", "enrich": "cycle", "ingest": "cycle", "retrain": "triage retrain"}
)
"""The command that does a work again, where it has another name."""
PARTS: Mapping[str, Callable[[App], Look]] = MappingProxyType(
    {
        "rejected": rejected,
        "sending": unsent,
        "receipts": receipts,
        "stages": stages,
        "rules": rules,
        "policies": policies,
    }
)


def look(app: App) -> dict[str, Look]:
    """Each part looked at; one that can't be says why, and holds up no other."""
    return {name: _look(app, part) for name, part in PARTS.items()}


def _look(app: App, part: Callable[[App], Look]) -> Look:
    try:
        return part(app)
    except HelmdeskError as error:
        return Look([], 0, in_a_line(error))
