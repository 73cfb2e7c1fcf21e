"""The shipped enrichment policy and small cases for its tests."""

from datetime import timedelta
from pathlib import Path

import polars as pl

from tests.triage.conftest import DATA, MONDAY
from triage.contracts import TicketText
from triage.enrichment.contracts import CaseFacts
from triage.enrichment.policy import load_enrichment_policy
from triage.store import TEXT

FILE: Path = DATA / "policies" / "enrichment.yaml"
POLICY = load_enrichment_policy(FILE)


def case(key: str, content: str, *, day: float = 0, **facts: object) -> CaseFacts:
    """A case opened so many days after Monday; `resolved_day` counts the same way."""
    text = {name: facts.pop(name) for name in ("subject", "priority", "tier") if name in facts}
    resolved = facts.pop("resolved_day", None)
    return CaseFacts(
        ticket=TicketText(ticket_id=key, content=content, **text),
        created_at=MONDAY + timedelta(days=day),
        resolved_at=None if resolved is None else MONDAY + timedelta(days=float(resolved)),
        **facts,
    )


def facts(*cases: CaseFacts) -> pl.DataFrame:
    """These cases as the frame that a snapshot makes of them."""
    instants = dict.fromkeys(("created_at", "resolved_at"), pl.Datetime("us", "UTC"))
    names = (*TEXT, *(CaseFacts.model_fields.keys() - {"ticket"}))
    types = dict.fromkeys(names, pl.String()) | instants | dict.fromkeys(("messages", "reopened"), pl.Int64())
    rows = [vars(one) | vars(one.ticket) | {"ticket": one.ticket_id} for one in cases]
    return pl.DataFrame([[row[name] for name in names] for row in rows], schema=types, orient="row")
