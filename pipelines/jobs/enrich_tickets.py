"""Tell of every new or changed ticket what its text and facts say beside its product, and which it may belong to."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from more_itertools import chunked

from engine.contracts import Kind, SlaEffect
from pipelines.app.container import App
from pipelines.progress import Progress, silent
from pipelines.snapshot import Snapshot
from triage.enrichment.contracts import CaseFacts
from triage.enrichment.policy import EnrichmentPolicy
from triage.store import TEXT, texts_of

if TYPE_CHECKING:
    from triage.enrichment.contracts import Related
    from triage.enrichment.store import EnrichmentInput

BATCH = 256
WORST_FIRST = ("breached", "at_risk", "on_track")


class Enriched(NamedTuple):
    """How many tickets were enriched; `related` counts those of them that have a candidate."""

    enriched: int
    unchanged: int
    related: int


def enrich_tickets(app: App, snapshot: Snapshot, *, progress: Progress = silent) -> Enriched:
    """Enrich what was never enriched or rests on something that changed (its text, a fact, the policy, the taxonomy).

    Work is saved batch by batch, the candidates before it: an interrupted run goes on where it stopped.
    """
    from triage.enrichment.enrich import enrich, input_hashes

    policy, store, at = app.policies.enrichment, app.triage.enrichment, snapshot.as_of
    facts = facts_of(snapshot.tickets_now, snapshot.events, snapshot.claims, snapshot.clocks)
    earlier = inputs_of(app)
    hashes = input_hashes(facts, policy, app.triage.taxonomy)
    changed = [ticket for ticket, found in hashes.items() if not _is_known(earlier.get(ticket), found)]
    waiting = facts.filter(facts["ticket"].is_in(changed))
    inputs = {key: one for some in waiting.iter_slices(BATCH) for key, one in signed(some, hashes, policy).items()}
    marks = {ticket: one.signature for ticket, one in (earlier | inputs).items()}
    with_candidates = 0
    for some in chunked(relate(app, facts, changed, marks), BATCH):
        store.save_related(dict(some), at=at)
        with_candidates += sum(bool(found) for _, found in some)
    progress("enrich", 0, waiting.height)
    for done, batch in enumerate(waiting.iter_slices(BATCH)):
        store.save(enrich(cases_of(batch), policy, app.triage.taxonomy, at=at), inputs=inputs)
        progress("enrich", done * BATCH + batch.height, waiting.height)
    return Enriched(waiting.height, facts.height - waiting.height, with_candidates)


def inputs_of(app: App) -> "dict[str, EnrichmentInput]":
    """What is kept of every enriched ticket."""
    from triage.enrichment.store import EnrichmentInput

    rows = app.store.frame("enrichments", ["ticket_id", *EnrichmentInput._fields]).iter_rows()
    return {ticket: EnrichmentInput(*rest) for ticket, *rest in rows}


def signed(facts: pl.DataFrame, hashes: dict[str, str], policy: EnrichmentPolicy) -> "dict[str, EnrichmentInput]":
    """What will be known of each ticket: its hash and its signature."""
    from triage.enrichment.duplicates import signatures_of
    from triage.enrichment.store import EnrichmentInput

    marks = signatures_of(cases_of(facts), policy.duplicates)
    return {ticket: EnrichmentInput(hashes[ticket], mark) for ticket, mark in marks.items()}


def relate(
    app: App, facts: pl.DataFrame, changed: Sequence[str], signatures: dict[str, bytes]
) -> "Iterator[tuple[str, tuple[Related, ...]]]":
    """Ticket by ticket, the candidates of what changed, compared with the whole backlog, and of the tickets that have
    one of those as a candidate; only the texts of likely pairs are read again.

    They are to be kept before the enrichments: those say that a ticket is done.
    """
    from triage.enrichment.duplicates import related_in_turn, within_reach

    if not changed:
        return iter(())
    names = {*changed}
    pairs = app.store.frame("related_tickets", ["ticket_id", "other_id"]).iter_rows()
    fresh = names | {ticket for ticket, other in pairs if other in names}
    policy = app.policies.enrichment.duplicates
    reached = facts.filter(facts["ticket"].is_in(within_reach(facts, signatures, policy, fresh)))
    cases = cases_of(reached)
    return related_in_turn(cases, policy, signatures=signatures, fresh=fresh)


def facts_of(tickets: pl.DataFrame, events: pl.DataFrame, claims: pl.DataFrame, clocks: pl.DataFrame) -> pl.DataFrame:
    """Every ticket with the facts that enriching needs (columns `FACTS`), the oldest first, from parts of a snapshot
    (`tickets_now`).

    The product is the confirmed one, else the one that triage was sure of.
    """
    newest = claims.sort("created_at", "id").unique("ticket", keep="last")
    sure = newest.filter(~pl.col("needs_review")).select("ticket", claimed="product")
    known = tickets.sort("created_at", "ticket")
    for facts in (sure, _counts(events), _worst_states(clocks)):
        known = known.join(facts, on="ticket", how="left", maintain_order="left")
    return known.select(
        *TEXT,
        requester="requester_id",
        company="company_id",
        product=pl.coalesce("product", "claimed"),
        created_at="created_at",
        resolved_at="resolved_at",
        messages=pl.col("messages").fill_null(0),
        reopened=pl.col("reopened").fill_null(0),
        sla_state="sla_state",
    )


def cases_of(facts: pl.DataFrame) -> list[CaseFacts]:
    """The cases of these tickets, in their order: 2 kB each, so that of a whole store there is one list at a time."""
    names, fields = facts.columns[len(TEXT) :], {*CaseFacts.model_fields}
    known_facts = (dict(zip(names, row, strict=True)) for row in facts.drop(TEXT).iter_rows())
    return [
        CaseFacts.model_construct(_fields_set=fields, ticket=text, **found)
        for text, found in zip(texts_of(facts), known_facts, strict=True)
    ]


def _is_known(earlier: "EnrichmentInput | None", content_hash: str) -> bool:
    return earlier is not None and earlier.content_hash == content_hash


def _counts(events: pl.DataFrame) -> pl.DataFrame:
    """By ticket: what was written on it, and how often it was reopened."""
    return events.group_by("ticket").agg(
        messages=(pl.col("kind") == Kind.MESSAGE.value).sum(),
        reopened=(pl.col("kind").is_in([Kind.MESSAGE, Kind.STATUS]) & (pl.col("sla_effect") == SlaEffect.REOPEN)).sum(),
    )


def _worst_states(clocks: pl.DataFrame) -> pl.DataFrame:
    """By ticket: the worst state of its running clocks."""
    running = clocks.filter("is_current", pl.col("stopped_at").is_null(), pl.col("state").is_in(WORST_FIRST))
    rank = pl.col("state").replace_strict(list(WORST_FIRST), [0, 1, 2], return_dtype=pl.Int64())
    return running.sort(rank).group_by("ticket").agg(sla_state=pl.first("state").cast(pl.String))
