"""Retraining: learn again from what people answered; what was learned takes over only if it is not worse."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from engine.shared.errors import BadInput, Conflict
from pipelines.app.container import App
from pipelines.jobs.triage_tickets import text_of
from triage.contracts import TicketText
from triage.feedback.champion import Split, Verdict, compare, reason_to_retrain, split_by_time, unseen_rows
from triage.feedback.drift import Drift, Mix, drift, mix_from, mix_of
from triage.feedback.policy import RetrainPolicy
from triage.feedback.reviews import Review, rows_to_learn, text_read
from triage.feedback.store import ModelRun
from triage.learning.product_model import LabelledText

if TYPE_CHECKING:
    from triage.classify import ProductClassifier
    from triage.learning.train import Model

SEED = 20
REFERENCE_TICKETS = 500
BY_HAND = "asked for by hand"


class Retrained(NamedTuple):
    """Why a training was due (None: it was not), what was known then, and what came of it.

    `new_answers` counts tickets: one that was answered again since the last training counts once.
    """

    reason: str | None
    new_answers: int
    drift: Drift
    run: ModelRun | None
    verdict: Verdict | None


def retrain(app: App, *, at: datetime, force: bool = False) -> Retrained:
    """Learn from all answers but the newest tickets', compare on those, and let the better model take over.

    Raises BadInput with nothing to learn from, and by `force` with too little to test on, before anything is learned;
    Conflict if another training took over meanwhile.
    """
    app.triage.forget_classifier()
    in_force, answer_count = app.triage.feedback.in_force(), app.triage.feedback.answer_count()
    runs = app.triage.feedback.runs()
    new = app.triage.feedback.tickets_answered(after=runs[-1].reviews_seen if runs else 0)
    shifted = measure_drift(app, at=at)
    policy = app.policies.learning.retrain
    reason = BY_HAND if force else reason_to_retrain(new, has_drifted=shifted.is_shifted, policy=policy)
    if reason is None:
        return Retrained(None, new, shifted, None, None)
    from triage.model_files import save_model

    answers = list(app.triage.feedback.answers(as_of=at).values())
    if not answers:
        raise BadInput("Nobody has answered a review yet, so there is nothing to learn; see `helmdesk triage review`")
    split = split_by_time(answers, _seen(app), policy)
    if force:
        _check_test(len(answers), len(split.test), policy)
    model = _learn(app, split, at=at)
    challenger = _classifier(app, model)
    champion = app.triage.local_classifier
    verdict = compare(_right(app, champion, split.test), _right(app, challenger, split.test), policy, seed=SEED)
    reference = _reference(app, challenger, model, at=at) if verdict.takes_over else None
    run = _run(model, challenger, champion, verdict, reference, reason=reason, reviews_seen=answer_count, at=at)
    if verdict.takes_over:
        run = run.model_copy(update={"succeeds": in_force.number if in_force else 0})
    file = app.settings.models_folder / run.file
    save_model(file, model._replace(about=run.measured))
    try:
        run = app.triage.feedback.add_run(run)
    except Conflict:
        file.unlink(missing_ok=True)
        raise
    app.triage.forget_classifier()
    return Retrained(reason, new, shifted, run, verdict)


def _check_test(answers: int, tested: int, policy: RetrainPolicy) -> None:
    """Raises BadInput where no model could take over, whatever it learned."""
    if tested < policy.least_tested:
        more = max(1, ceil((policy.least_tested - tested) / policy.tested_share))
        raise BadInput(
            f"Of {answers} answered tickets {tested} would test the new model, {policy.least_tested} are needed for it "
            f"to take over; answer about {more} more (`helmdesk triage review`). Nothing was learned"
        )


def measure_drift(app: App, *, at: datetime) -> Drift:
    """The claims of the model in force on tickets of the last weeks, against those on tickets of its training period;
    for a model without one kept, against its claims on the tickets before."""
    policy = app.policies.learning.drift
    opened = app.store.frame("tickets").select(ticket="id", opened_at="created_at")
    claims = app.triage.feedback.claims_of(app.triage.local_classifier.name).join(opened, on="ticket")
    start = at - timedelta(days=policy.window_days)
    is_recent = (pl.col("opened_at") > start) & (pl.col("opened_at") <= at)
    run = app.triage.model_in_force()
    is_in_use = run is not None and run.name == app.triage.local_classifier.name
    before = mix_from(run.reference) if run and is_in_use else mix_of(claims.clear())
    if before.tickets < policy.least_tickets:
        before = mix_of(claims.filter(pl.col("opened_at") <= start))
    return drift(before, mix_of(claims.filter(is_recent)), policy)


def _seen(app: App) -> set[str]:
    """The texts that the model in use was learned from."""
    from triage.model_files import read_model

    file = app.triage.model_file()
    if file is not None and app.triage.local_classifier.is_trained:
        return set(read_model(file).texts)
    contents = app.triage.taxonomy.product.labels.values()
    return {text for content in contents for text in (*content.phrases, *content.examples)}


def _learn(app: App, split: Split, *, at: datetime) -> "Model":
    """From the taxonomy, labelled rows there are, and people's answers, which win where a text is labelled twice."""
    from triage.learning.train import learn_name, train

    labels = app.triage.taught_taxonomy.product.labels
    phrases = {label: (learn_name(label), *content.phrases) for label, content in labels.items()}
    given = [LabelledText(text, label) for label, content in labels.items() for text in content.examples]
    until = min((one.opened_at for one in split.test), default=at)
    further = unseen_rows([*given, *_labelled_before(app, until)], split.test)
    by_text = {row.text: row for row in (*further, *rows_to_learn(split.learn))}
    return train(list(by_text.values()), app.triage.embedder, at=at, phrases=phrases, quick=app.triage.quick)


def _labelled_before(app: App, until: datetime) -> list[LabelledText]:
    """Rows of the model that HELMDESK_MODEL names, else the shipped labels of sample tickets opened before."""
    if app.settings.model is not None:
        from triage.model_files import read_model

        return read_model(app.settings.model).rows
    labels = shipped_labels(app.settings.data / "tickets")
    tickets = app.store.tickets(ids=list(labels)) if labels else []
    return [
        LabelledText(text_read(text_of(ticket)), labels[ticket.id]) for ticket in tickets if ticket.created_at < until
    ]


def shipped_labels(folder: Path) -> dict[str, str]:
    """The product of each shipped sample ticket by its key; empty where there is no such file."""
    from engine.shared.policy_file import read_yaml

    if not (folder / "labels.csv").is_file():
        return {}
    source = read_yaml(folder / "sample.yaml", what="description of the sample")["source"]
    rows = pl.read_csv(folder / "labels.csv", infer_schema=False).select("external_id", "product").drop_nulls()
    return {f"{source}:{key}": label for key, label in rows.iter_rows()}


def _classifier(app: App, model: "Model") -> "ProductClassifier":
    from triage.local_cascade import open_trained

    return open_trained(model, app.triage.embedder, app.triage.taxonomy, clock=app.now, quick=app.triage.quick)


def _right(app: App, classifier: "ProductClassifier", test: Sequence[Review]) -> Any:
    """Whether the classifier says what the person said, a flag an answer."""
    import numpy as np

    known = {ticket.id: text_of(ticket) for ticket in app.store.tickets(ids=[one.ticket_id for one in test])}
    claims = classifier.products([_as_answered(known.get(one.ticket_id), one) for one in test])
    return np.array([claim.product == one.label for claim, one in zip(claims, test, strict=True)], dtype=bool)


def _as_answered(ticket: TicketText | None, answer: Review) -> TicketText:
    """The ticket, or the text that was answered where the ticket reads otherwise by now."""
    if ticket is not None and text_read(ticket) == answer.text:
        return ticket
    return TicketText(ticket_id=answer.ticket_id, content=answer.text)


def _run(
    model: "Model",
    challenger: "ProductClassifier",
    champion: "ProductClassifier",
    verdict: Verdict,
    reference: Mix | None,
    *,
    reason: str,
    reviews_seen: int,
    at: datetime,
) -> ModelRun:
    """What is kept of a training; `measured` goes into the model's file, too."""
    sha256 = str(model.about["data_sha256"])
    return ModelRun(
        name=challenger.name,
        file=f"classifier-{at:%Y%m%dT%H%M%S%f}Z-{sha256[:8]}.model",
        data_sha256=sha256,
        champion=champion.name,
        reason=reason,
        learned_rows=len(model.texts),
        reviews_seen=reviews_seen,
        tested=verdict.tested,
        champion_right=verdict.champion_right,
        challenger_right=verdict.challenger_right,
        difference_low=verdict.low,
        took_over=verdict.takes_over,
        measured=model.about | {"comparison": verdict.as_data() | {"champion": champion.name, "reason": reason}},
        reference=reference.as_data() if reference else {},
        trained_at=at,
    )


def _reference(app: App, challenger: "ProductClassifier", model: "Model", *, at: datetime) -> Mix:
    """What the new model says of the newest 500 tickets of its time that it did not learn from."""
    learned = set(model.texts)
    known = sorted((one for one in app.store.tickets() if one.created_at <= at), key=lambda one: one.created_at)
    foreign = [text for text in map(text_of, known) if text_read(text) not in learned][-REFERENCE_TICKETS:]
    claims = [(claim.product, claim.confidence) for claim in challenger.products(foreign)]
    return mix_of(pl.DataFrame(claims, schema={"product": pl.String(), "confidence": pl.Float64()}, orient="row"))
