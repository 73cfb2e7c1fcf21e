"""What a ticket's text and facts tell beside its product: language, complexity, error codes, tone, urgency."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from json.encoder import encode_basestring_ascii

import polars as pl

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


def input_hashes(facts: pl.DataFrame, policy: EnrichmentPolicy, taxonomy: Taxonomy) -> dict[str, str]:
    """By ticket the SHA-256 of everything the enrichment and the relatives of a case rest on: another one means they
    are out of date. Facts have the columns `FACTS`."""
    rules = f"{policy.digest}\0{taxonomy.digest}"
    texts = facts.select("ticket", "subject", "content").iter_rows()
    return {
        ticket: sha256(f"{words}\0{subject}\0{content}\0{rules}".encode()).hexdigest()
        for words, (ticket, subject, content) in zip(facts_in_words(facts), texts, strict=True)
    }


def facts_in_words(facts: pl.DataFrame) -> Iterator[str]:
    """All facts of a case but subject and content, row by row: JSON with sorted keys, as pydantic writes them."""
    return map(_WORDS.format, *(_words(facts[name]) for name in (*_OF_CASE, *_OF_TICKET)))


_OF_CASE = sorted(CaseFacts.model_fields.keys() - {"ticket"})
_OF_TICKET = ("language", "priority", "ticket", "tier")
_WORDS = '{{{{{}, "ticket": {{{{"language": {{}}, "priority": {{}}, "ticket_id": {{}}, "tier": {{}}}}}}}}}}'.format(
    ", ".join(f'"{name}": {{}}' for name in _OF_CASE)
)


def _words(values: pl.Series) -> Iterator[str]:
    """Numbers and texts as JSON, instants in ISO 8601 with `Z` and no more of the second than there is."""
    if isinstance(values.dtype, pl.Datetime):
        values = values.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ").str.replace(".000000Z", "Z", literal=True)
    to_word = encode_basestring_ascii if values.dtype == pl.String else str
    return ("null" if value is None else to_word(value) for value in values.to_list())


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
