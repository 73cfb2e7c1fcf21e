"""Classify what nobody looked at yet, and draft replies for what is still open.

A taxonomy may name the sources it was made for (`sources`; the shipped one names the demo's). Tickets of others are
classified too, but held for review, until a taxonomy of one's own or a trained model is in use; then they are
classified again.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

import polars as pl
from more_itertools import chunked

from engine.contracts import Event, Kind, Ticket
from engine.standings import OPEN
from pipelines.app.container import App
from pipelines.jobs import lessons
from pipelines.progress import Progress, silent
from pipelines.snapshot import Snapshot
from triage.contracts import FOR_A_PERSON, Classification, Suggestion, TicketText
from triage.knowledge.retrieve import question_of
from triage.ports import Classifier
from triage.store import texts_of

BATCH = 128
"""Tickets that are classified, kept and counted as progress at once."""
Claim = TypeVar("Claim", Classification, Suggestion)
FOREIGN = "its source is none that the labels were made for"
"""Ends the reasoning of a claim that is held for that."""


class Triaged(NamedTuple):
    """What one run did; `hosted` counts what became of the tickets that a cascade looked at (`Cascade.counts`)."""

    classified: int
    needs_review: int
    drafted: int
    hosted: dict[str, int]

    def counts(self) -> Mapping[str, int]:
        own = {"classified": self.classified, "needs_review": self.needs_review, "drafted": self.drafted}
        return own | {f"hosted: {name}": count for name, count in self.hosted.items()}


def triage_tickets(app: App, snapshot: Snapshot, *, progress: Progress = silent) -> Triaged:
    """Classify every ticket that was never classified or has changed since; draft for open ones without a suggestion.

    Work is saved batch by batch: an interrupted run goes on where it stopped.
    """
    from triage.llm.cascade import Cascade

    app.settings.check_model()
    _ = app.policies.wording, app.policies.articles  # a broken file is told of before anything is kept
    foreign = foreign_tickets(app, snapshot.tickets_now)
    if foreign:
        _tell_of(app, snapshot.tickets_now, foreign)
    claims = classify(
        app,
        snapshot.tickets_now,
        at=snapshot.as_of,
        progress=progress,
        foreign=foreign,
        again=held_claims(snapshot.latest_claims) - foreign,
    )
    counts = dict(app.triage.classifier.counts) if claims and isinstance(app.triage.classifier, Cascade) else {}
    drafted = draft(app, snapshot.tickets_now, at=snapshot.as_of, progress=progress)
    return Triaged(len(claims), sum(claims), drafted, counts)


def foreign_tickets(app: App, tickets: pl.DataFrame) -> set[str]:
    """Those of these tickets for which the labels in use were not made; none where a trained model gives the labels."""
    if not (made_for := app.triage.taxonomy.sources):
        return set()
    foreign = tickets.filter(~pl.col("source").is_in(made_for))["ticket"]
    has_own = not foreign.is_empty() and app.triage.model_file() and app.triage.local_classifier.is_trained
    return set() if has_own else set(foreign)


def held_claims(claims: pl.DataFrame) -> set[str]:
    """The tickets whose claim was held because their source is a foreign one."""
    return set(claims.filter(pl.col("reasoning").str.ends_with(f"{FOREIGN}."))["ticket"])


def _tell_of(app: App, tickets: pl.DataFrame, foreign: Collection[str]) -> None:
    sources = tickets.filter(pl.col("ticket").is_in(foreign))["source"].unique().sort().to_list()
    app.log.warning(
        f"classified by labels made for {', '.join(app.triage.taxonomy.sources)} and held for review: "
        f"{len(foreign):,} of {', '.join(sources)}; give your own labels: `helmdesk triage train --data LABELLED.csv "
        "--out MODEL.npz`, then HELMDESK_MODEL=MODEL.npz, or HELMDESK_TAXONOMY=YOURS.yaml"
    )


def held(claim: Classification) -> Classification:
    """The claim for a person to confirm. Its id comes before that of the same claim when it is no longer held."""
    because = "; ".join([claim.reasoning.removesuffix("."), FOREIGN])
    if not claim.needs_review:
        because = f"{claim.reasoning} {FOR_A_PERSON}{FOREIGN}"
    return claim.model_copy(update={"id": f"+{claim.id}", "needs_review": True, "reasoning": f"{because}."})


def classify(
    app: App,
    tickets: pl.DataFrame,
    *,
    at: datetime,
    progress: Progress = silent,
    foreign: Collection[str] = (),
    again: Collection[str] = (),
    by: Classifier | None = None,
) -> list[bool]:
    """Classify those of a snapshot's tickets of now that need it, and those to look at `again`, the longest last, by
    the classifier in use or another one; each claim is kept with its event, that on a `foreign` ticket held. Returns of
    each whether a person should look."""
    new = app.triage.store.pending(tickets)
    other = tickets.filter(pl.col("ticket").is_in({*again} - {text.ticket_id for text in new}))
    waiting = sorted([*new, *texts_of(other)], key=lambda text: len(text.content))
    needs_review: list[bool] = []
    progress("classify", 0, len(waiting))
    for batch in chunked(waiting, BATCH):
        found = claims_on(app, batch, at=at, foreign=foreign, by=by)
        events = [_classified(claim, app.settings.actor) for claim in found]
        with app.store.transaction() as connection:
            app.triage.store.save_classifications(batch, found, at=at, within=connection)
            app.store.append(events, at=app.now(), within=connection)
        needs_review += [claim.needs_review for claim in found]
        progress("classify", len(needs_review), len(waiting))
    return needs_review


def claims_on(
    app: App,
    texts: Sequence[TicketText],
    *,
    at: datetime,
    foreign: Collection[str],
    by: Classifier | None = None,
) -> list[Classification]:
    """The claim on each, as of that instant; nothing is kept."""
    claims = (dated(claim, at) for claim in (by or app.triage.classifier).classify(texts))
    return [held(claim) if claim.ticket_id in foreign else claim for claim in claims]


def drafts_for(app: App, texts: Sequence[TicketText], *, at: datetime) -> list[Suggestion]:
    """The draft for each from the index as it is; nothing is kept."""
    passages = app.triage.index.search([question_of(text) for text in texts])
    return [dated(suggestion, at) for suggestion in app.triage.drafter.draft(texts, passages)]


def draft(app: App, tickets: pl.DataFrame, *, at: datetime, progress: Progress = silent) -> int:
    """Draft for open ones of these tickets without a draft that no machine seems to have written, the oldest first, at
    most `draft_limit`; each is kept with its event. Returns how many are new."""
    drafted = app.store.frame("suggestions", ["ticket_id"])["ticket_id"]
    open_ones = tickets.filter(
        pl.col("status").is_in(OPEN), ~pl.col("ticket").is_in(drafted.implode()), ~pl.col("is_machine_mail")
    )
    waiting = texts_of(open_ones.sort("created_at", "ticket").head(app.settings.draft_limit))
    if not waiting:
        return 0
    app.triage.sync_knowledge()
    lessons.sync(app)
    done = 0
    progress("draft", 0, len(waiting))
    for batch in chunked(waiting, BATCH):
        drafts = drafts_for(app, batch, at=at)
        events = [_drafted(suggestion, app.settings.actor) for suggestion in drafts]
        with app.store.transaction() as connection:
            app.triage.store.save_suggestions(batch, drafts, at=at, within=connection)
            app.store.append(events, at=app.now(), within=connection)
        done += len(drafts)
        progress("draft", done, len(waiting))
    return done


def text_of(ticket: Ticket) -> TicketText:
    """What triage may know of a ticket."""
    return TicketText(
        ticket_id=ticket.id,
        subject=ticket.subject,
        content=ticket.content,
        priority=ticket.priority,
        tier=ticket.tier,
        language=ticket.language,
    )


def dated(claim: Claim, at: datetime) -> Claim:
    """A claim speaks of the instant the job speaks of, so that a cycle as of last week reads like last week's."""
    return claim.model_copy(update={"created_at": at})


def _classified(claim: Classification, actor: str) -> Event:
    return Event(
        id=f"classified/{claim.id}",
        ticket_id=claim.ticket_id,
        kind=Kind.CLASSIFIED,
        at=claim.created_at,
        value=claim.product,
        actor=actor,
        reason=claim.reasoning,
        data={"confidence": claim.confidence, "needs_review": claim.needs_review, "model": claim.model_used},
    )


def _drafted(suggestion: Suggestion, actor: str) -> Event:
    return Event(
        id=f"drafted/{suggestion.id}",
        ticket_id=suggestion.ticket_id,
        kind=Kind.DRAFTED,
        at=suggestion.created_at,
        actor=actor,
        data={"grounded": suggestion.grounded, "sources": [c.article_id for c in suggestion.citations]},
    )
