"""The table of operations: who may, what is checked, its commands; whatever is done, only a transfer moves an owner."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import BaseModel, ValidationError
from typer.testing import CliRunner

from engine import lifecycle
from engine.access import User, UserRole, user_of
from engine.cases import Incident
from engine.contracts import Delivery, Kind, Ticket
from engine.envelopes import Envelope
from engine.kanban import KanbanView
from engine.reminders import Reminder
from engine.resolutions import Resolution
from engine.shared.errors import BadInput, HelmdeskError, NotAllowed, NotFound
from engine.tasks import Task
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.triage_tickets import text_of
from pipelines.operations import ACTIONS, OPERATIONS, Operation, arguments, perform
from tests.engine.people import AGENTS, ANA, BEN, DIRK, LIMITS, MONDAY, TEAMS, a_desk, delivered, later, on_leave
from tests.ports.memory_store import MemoryStore
from triage.contracts import Citation, Suggestion


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A desk with a ticket of a customer and a draft that answers it."""
    with open_app(home=tmp_path) as opened:
        opened.store.put([*TEAMS, *AGENTS, LIMITS])
        opened.store.ingest(Delivery(tickets=(delivered(1, title="VPN", requester="rob"),)), at=MONDAY)
        cited = (Citation(index=1, article_id="a", title="T", url="https://help.example", snippet="s"),)
        draft = Suggestion(
            id="s-1", ticket_id="web:1", text="Restart it [1].", grounded=True, citations=cited,
            model_used="extractive", created_at=MONDAY,
        )  # fmt: skip
        opened.triage.store.save_suggestions([text_of(opened.store.ticket("web:1"))], [draft], at=MONDAY)
        yield opened


def do(app: App, name: str, key: str | None = "INC-1", *, by: User | None = None, **given: Any) -> Any:
    return perform(app, OPERATIONS[name], user=by or user_of(ANA), key=key, arguments=given, at=later(1))


def command(app: App, *words: str) -> Any:
    home = str(app.settings.home)
    return CliRunner().invoke(command_line, ["--home", home, *words], catch_exceptions=True)


class TestPerforming:
    def test_a_ticket_is_named_by_its_reference(self, app: App) -> None:
        assert do(app, "ticket accept").owner_id == "ana"

    def test_a_role_without_the_right_is_refused(self, app: App) -> None:
        auditor = User(id="ana", name="Ana", roles=(UserRole.AUDITOR,))
        with pytest.raises(NotAllowed, match="has no right to work"):
            do(app, "ticket accept", by=auditor)
        with pytest.raises(NotAllowed, match="has no right to supervise"):
            do(app, "desk orphans", None)
        assert app.store.ticket("web:1").owner_id is None

    def test_this_machines_user_is_no_agent(self, app: App) -> None:
        somebody = User(id="local:me", name="me", roles=(UserRole.ADMIN, UserRole.SUPERVISOR))
        with pytest.raises(NotAllowed, match="done by an agent, not by me"):
            do(app, "ticket accept", by=somebody)
        assert do(app, "desk orphans", None, by=somebody) == []

    def test_every_wrong_argument_is_named(self, app: App) -> None:
        do(app, "ticket accept")
        with pytest.raises(BadInput, match=r"ticket close: survey\.csat: .* 5.*; note: "):
            do(app, "ticket close", survey={"csat": 6}, note="x")
        with pytest.raises(BadInput, match="say which ticket"):
            do(app, "ticket accept", None)
        with pytest.raises(BadInput, match="timezone"):
            do(app, "ticket due", due="2026-12-01T09:00", reason="agreed")

    def test_nested_arguments_reach_the_desk(self, app: App) -> None:
        do(app, "ticket accept")
        claim = {"what_went_wrong": "outage", "why_eligible": "goodwill", "type": "refund", "amount": "12.50"}
        assert str(do(app, "grant propose", claim=claim).amount) == "12.50"
        reminder = do(
            app, "ticket remind", trigger_at="2026-04-01T09:00Z", message="call", recurring={"frequency": "daily"}
        )
        assert reminder.recurring.interval == 1


class TestReplying:
    def test_the_draft_is_sent_as_it_is_and_learns_of_it(self, app: App) -> None:
        do(app, "ticket accept")
        do(app, "ticket reply", draft=True)
        assert self.outcomes(app) == [("sent", 0.0)]
        assert app.desk.store.frame("timeline_entries")["content"].to_list() == ["Restart it [1]."]

    def test_an_edited_draft_is_kept_with_how_much_was_rewritten(self, app: App) -> None:
        do(app, "ticket accept")
        do(app, "ticket reply", draft=True, text="Restart it twice.")
        [(outcome, distance)] = self.outcomes(app)
        assert (outcome, 0 < distance < 0.6) == ("edited", True)

    def test_ones_own_words_say_nothing_of_the_draft(self, app: App) -> None:
        do(app, "ticket accept")
        do(app, "ticket reply", text="We call you.")
        assert self.outcomes(app) == []

    def test_a_refused_reply_is_no_feedback(self, app: App) -> None:
        with pytest.raises(NotAllowed, match="accept it first"):
            do(app, "ticket reply", draft=True)
        assert self.outcomes(app) == []

    def outcomes(self, app: App) -> list[tuple[str, float]]:
        frame = app.store.frame("feedback")
        return list(frame.select("outcome", "distance").iter_rows())


class TestCommands:
    def test_a_day_by_commands(self, app: App, tmp_path: Path) -> None:
        file = tmp_path / "reply.txt"
        for words in (
            ["ticket", "accept", "INC-1", "--by", "ana"],
            ["ticket", "reply", "INC-1", "--edit-from-draft", str(file), "--by", "ana"],
            ["ticket", "reply", "INC-1", "--edit-from-draft", str(file), "--by", "ana"],
            ["ticket", "envelope", "INC-1", "--reason", "DNS", "--team", "network", "--by", "ana"],
        ):
            done = command(app, *words)
            assert done.exit_code == 0, (done.output, done.exception)
        [envelope] = json.loads(command(app, "desk", "envelopes", "--by", "fin", "--json").output)
        for words in (
            ["desk", "envelope", "accept", envelope["id"], "--by", "fin"],
            ["desk", "envelope", "complete", envelope["id"], "--summary", "zone was missing", "--by", "fin"],
            ["ticket", "resolve", "INC-1", "--summary", "Added.", "--what-went-wrong", "outage", "--by", "ana"],
            ["ticket", "close", "INC-1", "--csat", "5", "--nps", "9", "--lesson", "docs=say it", "--by", "ana"],
        ):
            done = command(app, *words)
            assert done.exit_code == 0, (done.output, done.exception)
        history = app.store.history("web:1")
        assert [event.value for event in history if event.kind == Kind.STATUS][-1] == "closed"
        assert app.store.ticket("web:1").owner_id == "ana"

    def test_orphans_lead_to_the_transfer(self, app: App) -> None:
        do(app, "ticket accept")
        app.store.put([ANA.model_copy(update={"is_active": False})])
        [left] = json.loads(command(app, "desk", "orphans", "--by", "dirk", "--json").output)
        words = left["transfer"].replace("AGENT", "ben").replace("MANAGER", "dirk").split()[1:]
        assert command(app, *words).exit_code == 0
        assert app.store.ticket("web:1").owner_id == "ben"

    def test_an_unknown_person_is_no_one(self, app: App) -> None:
        done = command(app, "ticket", "accept", "INC-1", "--by", "zoe")
        assert isinstance(done.exception, NotFound)
        assert "zoe" in str(done.exception)


KEYS: dict[str, type[BaseModel]] = {
    "envelope_id": Envelope,
    "task_id": Task,
    "reminder_id": Reminder,
    "resolution_id": Resolution,
    "view_id": KanbanView,
    "incident_id": Incident,
}
CLAIM = {"what_went_wrong": "outage", "why_eligible": "goodwill", "type": "refund", "amount": "80"}
GIVEN: dict[str, list[Any]] = {
    "claim": [CLAIM], "survey": [{"csat": 4}], "recurring": [{"frequency": "daily"}], "minutes": [1, 30],
    "due": [later(50)], "trigger_at": [later(9)], "since": [MONDAY], "until": [later(99)], "title": ["t"],
    "reason": ["because"], "text": ["hello"], "summary": ["done"], "message": ["call"], "name": ["mine"],
    "ticket": ["web:1"], "assigned_to": ["ben", "fin"], "to": ["ben", "cleo", "waiting_customer"],
    "uri": ["https://logs.example/1"], "component": ["DLP"],
}  # fmt: skip
"""What an argument may be, where its type is no list of words."""
DONE_BY_THE_DESK = [one for one in OPERATIONS.values() if one.use_case not in ACTIONS or one.use_case == "reply"]


def _values(name: str, annotation: Any) -> list[Any]:
    is_list = isinstance(annotation, type) and issubclass(annotation, StrEnum)
    return list(annotation) if is_list else GIVEN.get(name, ["ana"])


PEOPLE = {agent.id: agent for agent in AGENTS}


class AnySequence(RuleBasedStateMachine):
    """Whatever agents do in whatever order, with people leaving and coming back meanwhile."""

    @initialize()
    def open(self) -> None:
        self.store, self.at = MemoryStore(), MONDAY
        self.desk = a_desk(self.store, delivered(1, requester="rob"), delivered(2))
        self.seen: dict[str, Ticket] = {}
        self.by_transfer = False
        self.desk.accept("web:1", by="ana", at=self.at)

    @rule(chance=st.randoms(use_true_random=True))
    def do_some(self, chance: Random) -> None:
        """Drawn evenly, which takes them further than simplest first."""
        for _ in range(10):
            operation = chance.choice(DONE_BY_THE_DESK)
            self.by_transfer = operation.use_case == "transfer"
            self.at += timedelta(minutes=chance.randrange(90))
            with suppress(HelmdeskError, ValidationError):
                self._do(operation, chance.choice([*[ANA] * 6, *[BEN] * 3, *AGENTS]).id, chance)
            self.owner_changes_by_transfer_alone()

    @rule(agent=st.sampled_from([ANA, BEN]), state=st.sampled_from(["here", "here", "here", "left", "away", "short"]))
    def come_and_go(self, agent: Any, state: str) -> None:
        self.by_transfer = False
        now = {"here": agent, "left": agent.model_copy(update={"is_active": False})}
        self.store.put([now.get(state) or on_leave(agent, 40 if state == "away" else 20, since=1)])

    @rule(to=st.sampled_from(["ben", "cleo"]), reason=st.sampled_from(["termination", "extended_leave"]))
    def hand_over(self, to: str, reason: Any) -> None:
        self.by_transfer = True
        try:
            self.desk.transfer("web:1", to=to, reason=reason, by=DIRK.id, at=self.at)
        except HelmdeskError:
            return

    @invariant()
    def owner_changes_by_transfer_alone(self) -> None:
        for now in self.store.tickets():
            before = self.seen.get(now.id, now)
            if before.owner_id is not None and not self.by_transfer:
                assert now.owner_id == before.owner_id
            assert before.accepted_by in {None, now.accepted_by}
            self.seen[now.id] = now

    @invariant()
    def state_is_what_the_history_says(self) -> None:
        for now in self.store.tickets():
            history = self.store.history(now.id)
            born = {name: history[0].data[name] for name in ("status", "priority", "tier", "type")}
            assert lifecycle.replay(born, history) == lifecycle.state_of(now)

    def _do(self, operation: Operation, by: str, chance: Random) -> None:
        given = {
            name: chance.choice(_values(name, field.annotation))
            for name, field in arguments(operation).model_fields.items()
            if field.is_required() or (name in GIVEN and chance.random() < 0.5)
        }
        if operation.use_case == "reply":
            self.desk.reply("web:1", by=by, text="hello", at=self.at)
            return
        model = arguments(operation).model_validate(given)
        names = operation.function.__annotations__
        more = {
            name: value
            for name, value in (("by", by), ("at", self.at), ("reader", user_of(PEOPLE[by])))
            if name in names
        }
        chosen = {name: getattr(model, name) for name in type(model).model_fields}
        getattr(self.desk, operation.use_case)(*self._key(operation, chance), **chosen, **more)

    def _key(self, operation: Operation, chance: Random) -> list[str]:
        if operation.key is None:
            return []
        if operation.key == "ticket_id":
            return [chance.choice(["web:1", "web:1", "web:2"])]
        kind = KEYS.get(operation.key)
        held: list[Any] = self.store.all(kind) if kind else []
        return [chance.choice([one.id for one in held] or ["none"])]


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(stateful_step_count=10, deadline=None)
