"""What a ticket's text and facts tell beside its product: language, complexity, error codes, tone, urgency."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from triage.enrichment.complexity import amounts, complexity_of
from triage.enrichment.contracts import CaseFacts, Enrichment
from triage.enrichment.languages import language_of
from triage.enrichment.policy import EnrichmentPolicy
from triage.enrichment.sentiment import sentiment_of
from triage.evidence import error_codes
from triage.sanitize import clean_ticket, whole_text
from triage.taxonomy import Taxonomy
from triage.urgency import urgency_of

MOST_CODES = 20


def enrich(
    cases: Sequence[CaseFacts], policy: EnrichmentPolicy, taxonomy: Taxonomy, *, at: datetime
) -> list[Enrichment]:
    """One enrichment a case, in order. Whatever the text holds, only these values depend on it."""
    return [_enriched(case, policy, taxonomy, at) for case in cases]


def input_hashes(cases: Sequence[CaseFacts], policy: EnrichmentPolicy, taxonomy: Taxonomy) -> dict[str, str]:
    """By ticket the SHA-256 of everything the enrichment and the relatives of a case rest on: another one means they
    are out of date."""
    rules = [policy.digest, taxonomy.digest]
    return {case.ticket_id: _input_hash(case, rules) for case in cases}


def _input_hash(case: CaseFacts, rules: list[str]) -> str:
    given = "\0".join([facts_in_words(case), case.ticket.subject, case.ticket.content, *rules])
    return hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()


def facts_in_words(case: CaseFacts) -> str:
    """All facts but subject and content as JSON with sorted keys, as pydantic writes them."""
    ticket = {name: value for name, value in vars(case.ticket).items() if name not in {"subject", "content"}}
    return _json(vars(case) | {"ticket": ticket})


_json = json.JSONEncoder(sort_keys=True, default=lambda at: at.isoformat().replace("+00:00", "Z")).encode


def _enriched(case: CaseFacts, policy: EnrichmentPolicy, taxonomy: Taxonomy, at: datetime) -> Enrichment:
    text = whole_text(clean_ticket(case.ticket))
    language = language_of(text, policy.languages)
    complexity = complexity_of(amounts(text, case, taxonomy), policy.complexity)
    tone = sentiment_of(text, language.code if language else None, policy.sentiment)
    urgency = urgency_of(
        text,
        priority=case.ticket.priority,
        tier=case.ticket.tier,
        taxonomy=taxonomy,
        facts=_sla_fact(case.sla_state, policy),
    )
    return Enrichment(
        ticket_id=case.ticket_id,
        language=language.code if language else None,
        language_confidence=language.confidence if language else None,
        complexity=complexity.score,
        complexity_parts=complexity.parts,
        error_codes=tuple(error_codes(text, taxonomy))[:MOST_CODES],
        sentiment=tone.value if tone else None,
        sentiment_phrases=tone.phrases if tone else (),
        urgency=urgency.level,
        urgency_reasons=urgency.reasons,
        suggested_priority=None if urgency.level == case.ticket.priority else urgency.level,
        created_at=at,
    )


def _sla_fact(state: str | None, policy: EnrichmentPolicy) -> dict[str, float]:
    points = policy.urgency.sla.get(state or "", 0.0)
    return {f"a promise is {state.replace('_', ' ')}": points} if state and points else {}
