"""Whatever is done at the desk, the ticket's state follows from its events alone."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine import envelopes, flags, lifecycle, ownership
from engine.contracts import Agent, Event, Priority, Status, Ticket
from engine.shared.errors import NotAllowed
from tests.engine.people import AGENTS, ANA, BEN, DIRK, MONDAY, POLICIES, a_ticket

LIFECYCLES = lifecycle.load(POLICIES / "lifecycle.yaml")
OWNERSHIP = ownership.load(POLICIES / "ownership.yaml")
ENVELOPES = envelopes.load(POLICIES / "envelopes.yaml")
FLAGS = flags.load(POLICIES / "flags.yaml")

AGENT = st.one_of(st.sampled_from((ANA, BEN)), st.sampled_from(AGENTS))
STEP = st.one_of(
    st.tuples(st.just("accept"), AGENT),
    st.tuples(st.just("move"), AGENT, st.sampled_from(Status)),
    st.tuples(st.just("respond"), AGENT),
    st.tuples(st.just("reprioritise"), AGENT, st.sampled_from(Priority)),
    st.tuples(st.just("transfer"), st.just(DIRK), AGENT),
    st.tuples(st.just("release"), AGENT),
    st.tuples(st.just("ask"), AGENT),
    st.tuples(st.just("help"), AGENT, st.integers(0, 3)),
    st.tuples(st.just("finish"), AGENT, st.integers(0, 3)),
    st.tuples(st.just("cancel"), AGENT, st.integers(0, 3)),
    st.tuples(st.just("flag"), AGENT, st.sampled_from(flags.FlagType)),
)


STEPS = st.lists(st.tuples(STEP, st.integers(0, 300)), max_size=30).map(lambda steps: [*OPENING, *steps])
OPENING = [(("accept", ANA), 5), (("ask", ANA), 5), (("help", BEN, 0), 5)]


class Day:
    """A ticket and all that was done to it; what is not allowed is not done."""

    def __init__(self, preset: lifecycle.Preset) -> None:
        self.preset, self.at = preset, MONDAY
        self.ticket: Ticket = a_ticket()
        self.asked: list[envelopes.Envelope] = []
        self.events: list[Event] = []

    def do(self, what: str, by: Agent, *more: Any, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)
        try:
            self.ticket, events = getattr(self, what)(by, *more)
        except NotAllowed:
            return
        self.events += events

    def accept(self, by: Agent) -> lifecycle.Change:
        return ownership.accept(self.ticket, by=by, load=0, at=self.at, preset=self.preset)

    def move(self, by: Agent, to: Status) -> lifecycle.Change:
        return lifecycle.transition(self.ticket, to=to, by=by.id, at=self.at, preset=self.preset)

    def respond(self, by: Agent) -> lifecycle.Change:
        return lifecycle.respond(self.ticket, by=by.id, at=self.at)

    def reprioritise(self, by: Agent, to: Priority) -> lifecycle.Change:
        return lifecycle.reprioritise(self.ticket, to=to, by=by.id, at=self.at)

    def transfer(self, by: Agent, to: Agent) -> lifecycle.Change:
        reason = ownership.TransferReason.TERMINATION
        owner = next(agent for agent in AGENTS if agent.id == (self.ticket.owner_id or "ana"))
        left = owner.model_copy(update={"is_active": False})
        return ownership.transfer(self.ticket, owner=left, to=to, reason=reason, by=by, at=self.at, policy=OWNERSHIP)

    def release(self, by: Agent) -> lifecycle.Change:
        return ownership.release(self.ticket, by=by.id, at=self.at)

    def ask(self, by: Agent) -> lifecycle.Change:
        return self._step(
            envelopes.open_for(
                self.ticket,
                key=f"e{len(self.asked)}",
                by=by.id,
                reason="help",
                at=self.at,
                policy=ENVELOPES,
                preset=self.preset,
                others=self.asked,
                team_id="network",
            )
        )

    def help(self, by: Agent, number: int) -> lifecycle.Change:
        return self._step(envelopes.accept(self.ticket, self._asked(number), by=by, at=self.at))

    def finish(self, by: Agent, number: int) -> lifecycle.Change:
        return self._step(
            envelopes.complete(
                self.ticket,
                self._asked(number),
                by=by.id,
                summary="done",
                at=self.at,
                preset=self.preset,
                others=self.asked,
            )
        )

    def cancel(self, by: Agent, number: int) -> lifecycle.Change:
        asked = self._asked(number)
        return self._step(
            envelopes.cancel(
                self.ticket, asked, by=by.id, at=self.at, preset=self.preset, reason="moot", others=self.asked
            )
        )

    def flag(self, by: Agent, kind: flags.FlagType) -> lifecycle.Change:
        flagged = flags.add(
            self.ticket, key=f"f{len(self.events)}", type=kind, by=by.id, reason="seen", at=self.at, policy=FLAGS
        )
        return flagged.ticket, flagged.events

    def _asked(self, number: int) -> envelopes.Envelope:
        if not self.asked:
            raise NotAllowed("no envelope yet")
        return self.asked[number % len(self.asked)]

    def _step(self, step: envelopes.Enveloped) -> lifecycle.Change:
        self.asked = [e for e in self.asked if e.id != step.envelope.id] + [step.envelope]
        return step.ticket, step.events


@given(
    st.sampled_from(sorted(LIFECYCLES.presets)),
    st.one_of(STEPS, st.lists(st.tuples(STEP, st.integers(0, 300)), max_size=30)),
)
def test_replay_gives_the_ticket(preset: str, steps: list[tuple[tuple[Any, ...], int]]) -> None:
    day = Day(LIFECYCLES.preset(preset))
    created = {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}
    for step, minutes in steps:
        day.do(*step, minutes=minutes)
        assert lifecycle.replay(created, day.events) == lifecycle.state_of(day.ticket)


@given(STEPS)
def test_owner_changes_by_transfer_alone(steps: list[tuple[tuple[Any, ...], int]]) -> None:
    day = Day(LIFECYCLES.preset())
    for step, minutes in steps:
        before = day.ticket
        day.do(*step, minutes=minutes)
        after = day.ticket
        if before.owner_id is not None and step[0] != "transfer":
            assert after.owner_id == before.owner_id
        assert before.accepted_by in {None, after.accepted_by}


@given(STEPS)
def test_escalated_means_an_open_envelope(steps: list[tuple[tuple[Any, ...], int]]) -> None:
    day = Day(LIFECYCLES.preset())
    for step, minutes in steps:
        day.do(*step, minutes=minutes)
        assert day.ticket.escalated == any(envelope.is_open for envelope in day.asked)
