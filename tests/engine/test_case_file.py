"""What hangs on a ticket: each by whom it concerns, once, in its history; addresses with keys stay outside."""

from datetime import datetime
from typing import Any

import pytest

from engine import cases, escalations, lifecycle
from engine.access import user_of
from engine.contracts import Company, Kind, Priority
from engine.desk import Desk
from engine.envelopes import Envelope
from engine.escalations import Escalation, Side
from engine.reminders import Reminder
from engine.shared.errors import BadInput, NotAllowed, NotFound
from engine.storage.ports import Store
from tests.engine.people import ANA, FIN, POLICIES, a_desk, delivered, later

POLICY = cases.load(POLICIES / "cases.yaml")
BUILT_HERE = escalations.EscalationPolicy(
    components={"VPN": {Side.ENGINEERING: "network", Side.PRODUCT: "network"}, "Fax": {Side.ENGINEERING: "legal"}},
    update_hours={Priority.CRITICAL: 4, Priority.HIGH: 24},
)


def worked_on(store: Store, *tickets: Any) -> Desk:
    """A desk whose first ticket Ana owns, where the network team builds the VPN."""
    desk = a_desk(store, *tickets)
    desk.policies = desk.policies._replace(escalations=BUILT_HERE)
    desk.accept("web:1", by="ana", at=later(1))
    return desk


def linked(store: Store, ticket_id: str = "web:1") -> list[tuple[str, str | None]]:
    return [(event.data["what"], event.value) for event in store.history(ticket_id) if event.kind == Kind.LINKED]


class TestCaseFile:
    def test_everything_stands_in_the_history_and_moves_no_state(self, store: Store) -> None:
        desk = worked_on(store, delivered(1), delivered(2))
        desk.add_resource(
            "web:1", resource="gw-7", region="us-east-1", settings={"mode": "strict"}, by="ana", at=later(2)
        )
        incident = desk.open_incident("web:1", by="ana", at=later(3))
        desk.attach_evidence("web:1", kind=cases.EvidenceKind.LOG, uri="s3://logs/7", by="ana", at=later(4))
        desk.link_runbook("web:1", runbook="vpn.md", by="ana", at=later(5))
        assert linked(store) == [
            ("resource", "gw-7"), ("incident", incident.id), ("evidence", "log"), ("runbook", "vpn.md"),
        ]  # fmt: skip
        written = [entry.content for entry in desk.read_timeline("web:1", reader=user_of(ANA))]
        assert {"ana: resource gw-7", f"ana: incident {incident.id}"} <= set(written)
        history, ticket = store.history("web:1"), store.ticket("web:1")
        assert lifecycle.replay(history[0].data, history) == lifecycle.state_of(ticket)
        [resource] = store.all(cases.AffectedResource, ticket_id="web:1")
        assert (resource.region, resource.config_snapshot) == ("us-east-1", {"mode": "strict"})

    def test_a_case_is_read_by_whose_ticket_it_is(self, store: Store) -> None:
        desk = worked_on(store)
        link = desk.link_runbook("web:1", runbook="x", by="ben", at=later(2))
        assert desk.read_case("web:1", reader=user_of(ANA)) == [link]
        assert desk.read_case("web:1", reader=user_of(FIN)) == []

    @pytest.mark.parametrize(("priority", "severity"), [("critical", "SEV1"), ("high", "SEV2"), ("low", "SEV4")])
    def test_an_incidents_severity_is_its_tickets_priority(self, store: Store, priority: str, severity: str) -> None:
        desk = worked_on(store, delivered(1, priority=priority, title="VPN down"))
        incident = desk.open_incident("web:1", by="ana", at=later(2))
        assert (incident.severity, incident.title) == (severity, "VPN down")

    def test_tickets_and_incidents_are_many_to_many(self, store: Store) -> None:
        desk = worked_on(store, delivered(1), delivered(2))
        first, second = (desk.open_incident("web:1", title=name, by="ana", at=later(2)) for name in ("A", "B"))
        desk.link_incident("web:2", incident=first.id, by="ben", at=later(3))
        with pytest.raises(NotAllowed, match=f"INC-2 has incident {first.id} already"):
            desk.link_incident("web:2", incident=first.id, by="ben", at=later(3))
        with pytest.raises(NotFound, match="There is no incident web:9"):
            desk.link_incident("web:2", incident="web:9", by="ben", at=later(3))
        closed = desk.close_incident(first.id, by="ben", actions=("renew certificates",), at=later(4))
        assert store.get(cases.Incident, first.id) == closed
        assert [one.id for one in desk.incidents()] == [second.id]
        assert [linked(store, ticket)[-1] for ticket in ("web:1", "web:2")] == [("incident closed", first.id)] * 2
        with pytest.raises(NotAllowed, match="closed already"):
            desk.close_incident(first.id, by="ben", at=later(5))

    def test_only_whom_it_concerns_adds(self, store: Store) -> None:
        desk = worked_on(store)
        with pytest.raises(NotAllowed, match="INC-1 is for Cloud; Fin is none of them"):
            desk.link_runbook("web:1", runbook="x", by="fin", at=later(2))
        asked = desk.open_envelope("web:1", team_id="network", reason="DNS", by="ana", at=later(2))
        desk.accept_envelope(asked.id, by="fin", at=later(3))
        desk.link_runbook("web:1", runbook="x", by="fin", at=later(4))
        assert linked(store) == [("runbook", "x")]

    @pytest.mark.parametrize("uri", [
        "https://ana:hunter2@logs.example/a", "https://ghp_hunter2@logs.example/a", "https://x.example/?token=hunter2",
        "https://x.example/a?X-Amz-Signature=hunter2", "https://x.example/?sig=hunter2", "https://x.example/?apiKey=hunter2",
        "https://x.example/#access_token=hunter2", "http://x.example/hunter2", "file:///etc/hunter2",
        "javascript:hunter2", "https:hunter2", "https://[hunter2", "https://x.example/hunter2 b", "hunter2",
    ])  # fmt: skip
    def test_an_address_that_opens_is_refused_and_kept_nowhere(self, store: Store, uri: str) -> None:
        desk = worked_on(store)
        before = store.counts()
        with pytest.raises(BadInput) as refused:
            desk.attach_evidence("web:1", kind=cases.EvidenceKind.TRACE, uri=uri, by="ana", at=later(2))
        assert "hunter2" not in str(refused.value)
        assert store.counts() == before

    @pytest.mark.parametrize(
        "uri", ["https://x.example/?page=2&design=3", "s3://bucket/key", "https://x.example/a%20b"]
    )
    def test_a_plain_address_is_taken_as_it_is(self, uri: str) -> None:
        assert cases.check_address(f" {uri}\n", POLICY) == uri


class TestEscalations:
    def ask(self, desk: Desk, side: Side = Side.ENGINEERING, **given: Any) -> Escalation:
        facts = {"component": "VPN", "reason": "it drops", "by": "ana", "at": later(2)} | given
        return desk.escalate("web:1", side=side, **facts)

    def test_the_owning_team_is_asked_by_an_envelope(self, store: Store) -> None:
        desk = worked_on(store)
        made = self.ask(desk, bug="NET-7")
        envelope = store.get(Envelope, made.id)
        assert (envelope.team_id, store.ticket("web:1").owner_id, made.bug) == ("network", "ana", "NET-7")
        assert store.all(Escalation) == [made]

    def test_a_component_nobody_owns_is_refused_whole(self, store: Store) -> None:
        desk = worked_on(store)
        before = store.counts()
        for component, why in {
            "Radio": "no engineering team for 'Radio'; there are VPN, Fax",
            None: "no confirmed",
        }.items():
            with pytest.raises(BadInput, match=why):
                self.ask(desk, component=component)
        with pytest.raises(NotAllowed, match="Nobody is in Legal"):
            self.ask(desk, component="Fax")
        assert store.counts() == before

    @pytest.mark.parametrize(("priority", "hours", "is_overdue"), [
        ("critical", 3.9, False), ("critical", 4, True), ("high", 23, False), ("high", 24, True), ("low", 2000, False),
    ])  # fmt: skip
    def test_an_update_is_due_by_the_priority(
        self, store: Store, priority: str, hours: float, is_overdue: bool
    ) -> None:
        desk = worked_on(store, delivered(1, priority=priority))
        self.ask(desk)
        [waiting] = desk.waiting_escalations(at=later(2 + hours))
        assert waiting.is_overdue == is_overdue
        assert len(desk.waiting_escalations(at=later(2 + hours), overdue=True)) == is_overdue

    def test_the_teams_word_is_an_update_and_the_owners_question_none(self, store: Store) -> None:
        desk = worked_on(store, delivered(1, priority="critical"))
        made = self.ask(desk)
        desk.accept_envelope(made.id, by="fin", at=later(3))
        desk.note("web:1", by="ana", text="Any news?", envelope_id=made.id, at=later(4))
        assert self.due(desk) == later(7)
        desk.note("web:1", by="fin", text="Reproduced.", envelope_id=made.id, at=later(5))
        assert self.due(desk) == later(9)
        desk.complete_envelope(made.id, by="fin", summary="fixed", at=later(6))
        assert desk.waiting_escalations(at=later(99)) == []

    def test_the_owner_is_reminded_once_of_each_update(self, store: Store) -> None:
        desk = worked_on(store, delivered(1, priority="critical"))
        made = self.ask(desk)
        assert desk.remind_of_updates(at=later(5)) == []
        [reminder] = desk.remind_of_updates(at=later(6))
        assert (reminder.agent_id, reminder.message) == (
            "ana",
            "INC-1: engineering (network) has been silent since 2026-03-02 11:00Z.",
        )
        assert desk.remind_of_updates(at=later(7)) == []
        desk.accept_envelope(made.id, by="fin", at=later(8))
        assert [len(desk.remind_of_updates(at=later(at))) for at in (11, 12, 13)] == [0, 1, 0]
        assert len(store.all(Reminder)) == 2

    def test_product_hears_what_it_weighs(self, store: Store) -> None:
        companies = [("a", 1000), ("b", None), ("c", 50)]
        store.put([Company(id=key, name=key, annual_revenue_eur=arr) for key, arr in companies])
        desk = worked_on(store, *(delivered(n, company=key, requester="r") for n, key in enumerate("aabc", start=1)))
        for number, nps in ((2, 6), (3, 7)):
            desk.accept(f"web:{number}", by="dirk", at=later(1))
            desk.resolve(f"web:{number}", by="dirk", summary="s", at=later(1))
            desk.close(f"web:{number}", by="dirk", survey=cases.Answers(csat=2, nps=nps), at=later(1))
        made = self.ask(desk, Side.PRODUCT, similar=["web:2", "web:3"])
        assert made.impact is not None
        assert made.impact.in_words == "tickets 3, customers 2, 1,000 EUR a year at risk (of 1 not known), detractors 1"
        assert self.ask(desk, at=later(3)).impact is None
        assert store.all(Escalation, side=Side.PRODUCT) == [made]

    def due(self, desk: Desk) -> datetime | None:
        [waiting] = desk.waiting_escalations(at=later(6))
        return waiting.next_update_at


def test_closing_tells_the_backlogs_what_a_case_was_part_of(store: Store) -> None:
    desk = worked_on(store)
    incident = desk.open_incident("web:1", title="VPN down", by="ana", at=later(2))
    asked = desk.escalate("web:1", side=Side.PRODUCT, component="VPN", reason="r", by="ana", at=later(3))
    desk.cancel_envelope(asked.id, by="ana", reason="no longer", at=later(4))
    desk.resolve("web:1", by="ana", summary="s", at=later(5))
    desk.close("web:1", by="ana", lessons={cases.Backlog.PRODUCT: "drops at 9"}, at=later(6))
    told = {signal.backlog.value: signal.summary for signal in store.all(cases.FeedbackSignal)}
    assert told == {"reliability": f"part of incident {incident.id}: VPN down", "product": "drops at 9"}


def test_a_case_that_closes_by_itself_tells_them_too(store: Store) -> None:
    desk = worked_on(store)
    incident = desk.open_incident("web:1", title="VPN down", by="ana", at=later(2))
    desk.resolve("web:1", by="ana", summary="s", at=later(3))
    desk.close_resolved(["web:1"], at=later(days=60))
    [signal] = store.all(cases.FeedbackSignal)
    assert (signal.backlog, signal.summary) == (cases.Backlog.RELIABILITY, f"part of incident {incident.id}: VPN down")


def test_the_shipped_owners_have_people_and_every_component_both_sides() -> None:
    from pipelines.app.people_files import load_people
    from pipelines.app.settings import shipped_data
    from triage.taxonomy import load_taxonomy

    policy = escalations.load(POLICIES / "escalations.yaml")
    people = load_people(shipped_data() / "people")
    manned = {team for agent in people.agents if agent.is_active for team in agent.teams} & {t.id for t in people.teams}
    assert {team for teams in policy.components.values() for team in teams.values()} <= manned
    assert set(load_taxonomy(shipped_data() / "taxonomies" / "products.yaml").product.labels) <= set(policy.components)
