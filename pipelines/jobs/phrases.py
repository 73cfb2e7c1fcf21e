"""Phrases that people's answers speak for: what is proposed to a lead, and the lead's yes or no."""

from datetime import datetime
from typing import NamedTuple

from engine.storage.audit_log import Entry
from engine.storage.seals import RECORDS, Covered
from pipelines.app.container import App
from triage.feedback.phrases import PhraseDecision, Proposal, decide, in_force, proposals
from triage.feedback.tables import phrase_decisions

PHRASES = Covered(phrase_decisions, ("number", *PhraseDecision.model_fields), ("number",))
"""Decisions on phrases, by what the log says of each."""

NAMED = ("companies", "contacts", "agents")
"""Tables of people and companies, whose names no phrase holds."""
TURNS = 7_341_024
"""The lock by which leads decide one after the other."""


class Phrases(NamedTuple):
    """What waits for a lead, and the decisions that accepted what is in use."""

    proposed: list[Proposal]
    accepted: list[PhraseDecision]


def phrases(app: App) -> Phrases:
    decided = app.triage.feedback.phrase_decisions()
    used = set(in_force(decided))
    last = {(one.label, one.phrase): one for one in decided if (one.label, one.phrase) in used}
    return Phrases(_proposed(app, decided), list(last.values()))


def decide_phrase(app: App, phrase: str, *, label: str, is_accepted: bool, by: str, at: datetime) -> PhraseDecision:
    """Keep a lead's yes or no, with an entry in the audit log; the next triage goes by it. Raises NotFound for what is
    not proposed, Conflict for what was refused before, BadInput."""
    proposed = _proposed(app, app.triage.feedback.phrase_decisions())
    with app.store.transaction(lock=TURNS) as connection:
        decision = decide(
            phrase, label=label, is_accepted=is_accepted, by=by, at=at, proposed=proposed,
            decided=app.triage.feedback.phrase_decisions(), taxonomy=app.triage.taxonomy,
        )  # fmt: skip
        number = app.triage.feedback.add_decision(decision, within=connection)
        sealed = {RECORDS: dict([PHRASES.seal({"number": number, **decision.model_dump()})])}
        kind = "phrase_accepted" if is_accepted else "phrase_refused"
        data = {"label": decision.label, "texts": decision.texts, **sealed}
        app.store.put([], entry=Entry(kind, at, decision.phrase, decision.decided_by, data), within=connection)
    return decision


def _proposed(app: App, decided: list[PhraseDecision]) -> list[Proposal]:
    names = [name for table in NAMED for name in app.store.frame(table, ["name"])["name"].drop_nulls()]
    answers, policy = list(app.triage.feedback.answers().values()), app.policies.learning.phrases
    return proposals(answers, app.triage.taxonomy, policy, names=names, decided=decided)
