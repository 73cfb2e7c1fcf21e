"""`helmdesk triage review` and `feedback`: what waits, people's answers, what was done with drafts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Delivery, StandardTicket, Status
from engine.shared.errors import BadInput, Conflict, NotFound
from engine.storage.audit import verify
from pipelines import actions
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.review import ANSWERS, WITHDRAWALS
from pipelines.jobs.triage_tickets import text_of
from tests.pipelines.small_desk import AS_OF
from triage.contracts import Citation, Classification, Guess, Suggestion

SUBJECTS = {"INC-1": "Connector \x1b[31moffline", "INC-2": "Which plan do we have?", "INC-3": "Sure", "INC-4": "Done"}
SURE = {"INC-1": 0.5, "INC-2": 0.3, "INC-3": 0.9, "INC-4": 0.1}


def delivered(number: int, reference: str) -> StandardTicket:
    return StandardTicket(
        ticket_id=reference, source="demo", ticket_number=reference, title=SUBJECTS[reference], description="Help.",
        created_at=AS_OF - timedelta(days=9 - number),
        status=Status.CLOSED if reference == "INC-4" else Status.NEW,
    )  # fmt: skip


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_app(home=tmp_path, embedder="wordllama") as opened:
        tickets = tuple(delivered(number, reference) for number, reference in enumerate(SUBJECTS))
        opened.store.ingest(Delivery(tickets=tickets), at=AS_OF)
        texts = [text_of(ticket) for ticket in opened.store.tickets()]
        claims = [
            Classification(
                id=f"c-{text.ticket_id}", ticket_id=text.ticket_id, product="SWG", urgency="low",
                confidence=(sure := SURE[text.ticket_id.removeprefix("demo:")]), reasoning="r", needs_review=sure < 0.6,
                runner_up=Guess(label="ZTNA", confidence=0.05), model_used="local", created_at=AS_OF,
            )
            for text in texts
        ]  # fmt: skip
        opened.triage.store.save_classifications(texts, claims, at=AS_OF)
        cited = (Citation(index=1, article_id="ztna-301", title="T", url="https://help.example", snippet="s"),)
        drafts = [
            Suggestion(id=f"s-{n}", ticket_id=f"demo:INC-{n}", text="Restart it [1].", grounded=n == 1,
                       citations=cited if n == 1 else (), model_used="extractive", created_at=AS_OF)
            for n in (1, 2)
        ]  # fmt: skip
        opened.triage.store.save_suggestions(texts, drafts, at=AS_OF)
        yield opened


def run(app: App, *words: object) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), "triage", *map(str, words)])


@pytest.fixture(autouse=True)
def _small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")


def test_queue_lists_open_tickets_least_certain_first(app: App) -> None:
    told = run(app, "review").output.splitlines()
    assert told[0] == "INC-2  SWG 30% or ZTNA 5%  Which plan do we have?"
    assert told[1:3] == ["    Help.", "    why: r"]
    assert told[3].startswith("INC-1  SWG 50%")
    assert told[-1] == "waiting for a person: 2 open tickets"
    assert "\x1b" not in "".join(told)


def test_closed_tickets_are_listed_when_asked_for(app: App) -> None:
    told = run(app, "review", "--closed", "--limit", 1).output.splitlines()
    assert told[0].startswith("INC-4")
    assert told[-1] == "waiting for a person: 3 tickets, 1 shown"


def test_answer_leaves_the_queue_and_confirms_the_product(app: App) -> None:
    done = run(app, "review", "INC-2", "--label", "general", "--by", "ana", "--note", "asks for the plan")
    assert done.output == "demo:INC-2 is about GENERAL, triage said SWG; it counts from the next triage on\n"
    assert [queued.reference for queued in actions.review_queue(app)] == ["INC-1"]
    assert app.store.ticket("INC-2").product == "GENERAL"
    event = app.store.history("demo:INC-2")[-1]
    assert (event.kind, event.value, event.actor, event.reason) == ("classified", "GENERAL", "ana", "asks for the plan")


def test_second_answer_replaces_the_first_and_keeps_it(app: App) -> None:
    for label, who in (("DLP", "ana"), ("ZTNA", "ben")):
        actions.answer_review(app, "INC-2", label=label, by=who)
    assert app.store.ticket("INC-2").product == "ZTNA"
    assert [one.label for one in app.triage.feedback.review_history("demo:INC-2")] == ["DLP", "ZTNA"]


@pytest.mark.parametrize(
    ("words", "error", "why"),
    [
        (["review", "INC-1", "--note", "for whom?"], BadInput, "TICKET --label"),
        (["review", "--by", "ana"], BadInput, "TICKET --label"),
        (["review", "INC-1", "--label", "ZTNA", "--by", ""], BadInput, "needs the name"),
        (["review", "INC-1", "--label", "ZTNA", "--note", "caf\udce9"], BadInput, "no UTF-8"),
        (["review", "INC-9"], NotFound, "INC-9"),
        (["review", "\udcff"], BadInput, "no UTF-8"),
        (["review", "\udcff", "--label", "ZTNA"], BadInput, "no UTF-8"),
        (["feedback", "\udcff", "--sent"], BadInput, "no UTF-8"),
        (["feedback", "INC-1", "--sent", "--by", "  "], BadInput, "needs the name"),
        (["feedback", "INC-1", "--sent", "--by", "\udcff"], BadInput, "no UTF-8"),
        (["feedback", "INC-1", "--rejected", "caf\udce9"], BadInput, "no UTF-8"),
        (["review", "--label", "ZTNA"], BadInput, "TICKET --label"),
        (["review", "INC-1", "--label", "VPN"], BadInput, "'VPN' is no label"),
        (["review", "INC-9", "--label", "ZTNA"], NotFound, "INC-9"),
        (["feedback", "INC-1"], BadInput, "one of --sent"),
        (["feedback", "INC-1", "--sent", "--rejected", "no"], BadInput, "one of --sent"),
        (["feedback", "INC-1", "--edited", "nowhere.txt"], BadInput, "nowhere.txt can't be opened: No such file"),
        (["feedback", "INC-2", "--sent"], BadInput, "no answer to judge"),
        (["feedback", "INC-3", "--sent"], NotFound, "No reply was drafted for INC-3; run `helmdesk triage`"),
        (["feedback", "INC-4", "--sent"], NotFound, "drafts are for open tickets and it is closed"),
    ],
)
def test_what_cannot_be_kept_is_refused(app: App, words: list[str], error: type[Exception], why: str) -> None:
    done = run(app, *words)
    assert isinstance(done.exception, error)
    assert why in str(done.exception)
    assert (app.triage.feedback.answer_count(), app.triage.feedback.feedback()) == (0, [])


def test_one_ticket_is_shown_with_guesses_reasons_and_labels(app: App) -> None:
    told = run(app, "review", "INC-3").output.splitlines()
    assert told[0] == "INC-3  Sure"
    assert [line.strip() for line in told[2:5]] == ["text: Help.", "guesses: SWG 90% or ZTNA 5%", "why: r"]
    assert told[5].startswith("answer with --label and one of CASB, SWG, ZTNA")
    assert app.triage.feedback.answer_count() == 0


def test_reply_with_a_byte_order_mark_is_the_draft_itself(app: App, tmp_path: Path) -> None:
    (tmp_path / "reply.txt").write_bytes(b"\xef\xbb\xbfRestart it [1].")
    assert run(app, "feedback", "INC-1", "--edited", tmp_path / "reply.txt").output == "demo:INC-1: draft sent\n"


def test_sent_edited_and_rejected_are_told_apart(app: App, tmp_path: Path) -> None:
    (tmp_path / "reply.txt").write_text("Restart it now [1].\n", encoding="utf-8")
    said = [["--sent"], ["--edited", tmp_path / "reply.txt"], ["--rejected", "wrong version"]]
    told = [run(app, "feedback", "INC-1", *words).output for words in said]
    assert told[1] == "demo:INC-1: draft edited, 21% of it rewritten\n"
    kept = app.triage.feedback.feedback_of("demo:INC-1")
    assert [one.outcome for one in kept] == ["sent", "edited", "rejected"]
    assert (kept[2].reason, kept[2].label, kept[2].articles) == ("wrong version", "SWG", ("ztna-301",))


def test_feedback_on_a_draft_nobody_saw_is_refused(app: App) -> None:
    with pytest.raises(Conflict, match="newer draft"):
        actions.record_feedback(app, "INC-1", by="ana", shown="An older text.")
    assert app.triage.feedback.feedback() == []


def test_a_reference_of_two_sources_is_listed_and_refused_by_its_keys(app: App) -> None:
    twin = delivered(1, "INC-2").model_copy(update={"source": "other"})
    app.store.ingest(Delivery(tickets=(twin,)), at=AS_OF)
    assert run(app, "review").output.startswith("demo:INC-2  SWG 30%")
    refused = run(app, "review", "INC-2", "--label", "ZTNA").exception
    assert "one of demo:INC-2, other:INC-2" in str(refused)
    assert run(app, "review", "demo:INC-2", "--label", "ZTNA").exit_code == 0


def test_an_answer_taken_back_teaches_and_counts_no_more(app: App) -> None:
    run(app, "review", "INC-2", "--label", "DLP", "--by", "ana")
    assert run(app, "review", "--undo", "--by", "ana").output == "ana took back that demo:INC-2 is about DLP\n"
    assert (app.triage.feedback.answers(), app.triage.feedback.tickets_answered(after=0)) == ({}, 0)
    assert app.store.ticket("INC-2").product is None
    assert [queued.reference for queued in actions.review_queue(app)] == ["INC-2", "INC-1"]
    nothing = run(app, "review", "--undo", "--by", "ana").exception
    assert (type(nothing), "ana gave no answer" in str(nothing)) == (NotFound, True)
    assert isinstance(run(app, "review", "INC-2", "--undo").exception, BadInput)


def test_taking_back_brings_the_answer_before_it_into_force(app: App) -> None:
    for label, who in (("DLP", "ana"), ("ZTNA", "ben")):
        actions.answer_review(app, "INC-2", label=label, by=who)
    assert actions.reviewers_agree(app) == (1, 0)
    assert actions.withdraw_review(app, by="ben").label == "ZTNA"
    assert app.store.ticket("INC-2").product == "DLP"
    assert [one.label for one in app.triage.feedback.review_history("demo:INC-2")] == ["DLP"]
    assert actions.reviewers_agree(app) == (0, 0)


def test_an_answer_that_was_replaced_is_taken_back_without_changing_the_ticket(app: App) -> None:
    for label, who in (("DLP", "ana"), ("DLP", "ben")):
        actions.answer_review(app, "INC-2", label=label, by=who)
    assert actions.reviewers_agree(app) == (1, 1)
    actions.withdraw_review(app, by="ana")
    assert app.store.ticket("INC-2").product == "DLP"
    assert (found := verify(app.store, also=[ANSWERS, WITHDRAWALS])).found == 0, found


def test_a_training_before_the_withdrawal_knew_the_answer(app: App) -> None:
    answered = actions.answer_review(app, "INC-2", label="DLP", by="ana")
    gone = actions.withdraw_review(app, by="ana")
    assert gone.model_dump() == answered.model_dump(exclude={"is_spot_check", "before"})
    assert app.triage.feedback.answers(as_of=answered.answered_at) == {"demo:INC-2": gone}
