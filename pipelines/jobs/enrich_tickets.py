"""Tell of every new or changed ticket what its text and facts say beside its product, and which it may belong to."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from more_itertools import chunked

from engine.contracts import Kind, SlaEffect, Ticket
from pipelines.app.container import App
from pipelines.jobs.evaluate_sla import replay
from pipelines.jobs.triage_tickets import text_of
from pipelines.progress import Progress, silent
from triage.enrichment.contracts import CaseFacts
from triage.enrichment.policy import EnrichmentPolicy

if TYPE_CHECKING:
    from triage.enrichment.store import EnrichmentStore, Kept

BATCH = 256
WORST_FIRST = ("breached", "at_risk", "on_track")


class Enriched(NamedTuple):
    enriched: int
    unchanged: int
    related: int


def enrich_tickets(
    app: App, *, at: datetime, clocks: pl.DataFrame | None = None, progress: Progress = silent
) -> Enriched:
    """Enrich what was never enriched or rests on something that changed (its text, a fact, the policy, the taxonomy).

    `clocks` spares the replay of the SLA clocks if it was just done for the same instant. Work is saved batch by batch,
    the candidates before it: an interrupted run goes on where it stopped. `related` counts the tickets that have a
    candidate among those looked at.
    """
    from triage.enrichment.enrich import enrich, input_hash

    policy, store = app.policies.enrichment, app.triage.enrichment
    cases, kept = case_facts(app, replay(app, as_of=at) if clocks is None else clocks), store.kept()
    hashes = {case.ticket_id: input_hash(case, policy, app.triage.taxonomy) for case in cases}
    waiting = [case for case in cases if not _is_known(kept.get(case.ticket_id), hashes[case.ticket_id])]
    inputs = signed(waiting, hashes, policy)
    marks = {key: one.signature for key, one in (kept | inputs).items()}
    related = relate(store, cases, waiting, marks, policy=policy, at=at)
    progress("enrich", 0, len(waiting))
    for done, batch in enumerate(chunked(waiting, BATCH)):
        store.save(enrich(batch, policy, app.triage.taxonomy, at=at), inputs=inputs)
        progress("enrich", done * BATCH + len(batch), len(waiting))
    return Enriched(len(waiting), len(cases) - len(waiting), related)


def signed(cases: Sequence[CaseFacts], hashes: dict[str, str], policy: EnrichmentPolicy) -> "dict[str, Kept]":
    """What will be known of each case: its hash and its signature."""
    from triage.enrichment.duplicates import signatures_of
    from triage.enrichment.store import Kept

    marks = signatures_of(cases, policy.duplicates) if cases else {}
    return {key: Kept(hashes[key], mark) for key, mark in marks.items()}


def relate(
    store: "EnrichmentStore",
    cases: Sequence[CaseFacts],
    changed: Sequence[CaseFacts],
    signatures: dict[str, bytes],
    *,
    policy: EnrichmentPolicy,
    at: datetime,
) -> int:
    """Compare what changed with the whole backlog; only the texts of likely pairs are read again.

    Comes before the enrichments are saved: those say that a ticket is done.
    """
    from triage.enrichment.duplicates import related

    if not changed:
        return 0
    names = {case.ticket_id for case in changed}
    found = related(cases, policy.duplicates, signatures=signatures, fresh=names | store.pointing_at(names))
    store.save_related(found, at=at)
    return sum(bool(candidates) for candidates in found.values())


def case_facts(app: App, clocks: pl.DataFrame | None = None) -> list[CaseFacts]:
    """Every ticket with the facts that enriching needs."""
    tickets = app.store.tickets()
    messages, reopened = _counts(app)
    sla, products = _sla_states(clocks), _products(app, tickets)
    return [
        CaseFacts(
            ticket=text_of(ticket),
            requester=ticket.requester_id,
            company=ticket.company_id,
            product=products.get(ticket.id),
            created_at=ticket.created_at,
            resolved_at=ticket.resolved_at,
            messages=messages.get(ticket.id, 0),
            reopened=reopened.get(ticket.id, 0),
            sla_state=sla.get(ticket.id),
        )
        for ticket in tickets
    ]


def _is_known(kept: "Kept | None", content_hash: str) -> bool:
    return kept is not None and kept.content_hash == content_hash


def _products(app: App, tickets: Sequence[Ticket]) -> dict[str, str]:
    """The confirmed product, else the one that triage was sure of."""
    claims = app.triage.store.latest([ticket.id for ticket in tickets if ticket.product is None])
    sure = {key: claim.product for key, claim in claims.items() if not claim.needs_review}
    return sure | {ticket.id: ticket.product for ticket in tickets if ticket.product is not None}


def _counts(app: App) -> tuple[dict[str, int], dict[str, int]]:
    """By ticket: what was written on it, and how often it was reopened."""
    kinds = [Kind.MESSAGE.value, Kind.STATUS.value]
    events = app.store.frame("events", ["ticket_id", "kind", "sla_effect"], where={"kind": kinds})
    counted = events.group_by("ticket_id").agg(
        messages=(pl.col("kind") == Kind.MESSAGE.value).sum(),
        reopened=(pl.col("sla_effect") == SlaEffect.REOPEN.value).sum(),
    )
    messages, reopened = {}, {}
    for key, written, again in counted.iter_rows():
        messages[key], reopened[key] = written, again
    return messages, reopened


def _sla_states(clocks: pl.DataFrame | None) -> dict[str, str]:
    """The worst state of each ticket's running clocks."""
    if clocks is None:
        return {}
    running = clocks.filter("is_current", pl.col("stopped_at").is_null(), pl.col("state").is_in(WORST_FIRST))
    rank = pl.col("state").replace_strict(list(WORST_FIRST), [0, 1, 2], return_dtype=pl.Int64())
    worst = running.sort(rank, maintain_order=True).group_by("ticket", maintain_order=True).agg(pl.first("state"))
    return dict(worst.iter_rows())
