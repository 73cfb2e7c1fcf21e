"""Clocks, triage, allocation and the desk by HTTP say what the product says elsewhere."""

import json
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.allocation.batch import allocate as decide
from engine.contracts import Kind
from pipelines import actions
from pipelines.app import identity
from pipelines.jobs.allocate import backlog, current_groups, hours_to_shift
from pipelines.marts import MartReader
from pipelines.snapshot import Snapshot
from tests.pipelines.service.conftest import AGENT, Served

GIVEN = {
    "tickets": [{"id": "A-1", "created_at": "2026-03-02T09:15:00Z", "priority": "high"}],
    "events": [{"ticket": "A-1", "ts": "2026-03-02T10:00:00Z", "kind": "response"}],
    "as_of": "2026-03-02T12:00:00Z",
}


class TestSla:
    def test_given_tickets_are_evaluated_and_not_stored(self, served: Served) -> None:
        before = served.app.store.ticket_count()
        answer = served.ask("POST", "/sla/tickets", json=GIVEN).json()
        found = {row["clock"]: (row["state"], row["elapsed"], row["stopped_at"]) for row in answer["clocks"]}
        assert found["first_response"] == ("met", 2_700, "2026-03-02T10:00:00Z")
        assert served.app.store.ticket_count() == before

    @pytest.mark.parametrize("wrong", [
        {"tickets": []}, {"as_of": 5}, {"as_of": "2026-03-02T12:00:00"}, {"more": 1},
        {"tickets": [{"id": 7, "created_at": "2026-03-02T09:15:00Z"}]}, {"tickets": [{"id": "a", "created_at": False}]},
        {"events": [{"ticket": "A-1", "ts": "2026-03-02T10:00:00Z", "kind": "response", "seq": True}]},
    ])  # fmt: skip
    def test_what_does_not_fit_is_refused(self, served: Served, wrong: dict[str, object]) -> None:
        assert served.ask("POST", "/sla/tickets", json=GIVEN | wrong).status_code == 422

    def test_a_tickets_clocks_are_its_ledgers(self, served: Served) -> None:
        at = datetime(2026, 7, 17, 15, tzinfo=UTC)
        answer = served.ask("GET", f"/sla/tickets/{served.ticket}", params={"as_of": at.isoformat()}).json()
        ledgers = [ledger.as_data() for ledger in actions.explain(served.app, served.ticket, as_of=at)]
        assert answer["ledgers"] == ledgers
        by_clock = {(row["clock"], row["window"]): row["elapsed"] for row in answer["clocks"]}
        assert {(one["clock"], one["window"]): one["elapsed"] for one in ledgers}.items() <= by_clock.items()

    def test_the_dashboard_counts_every_ticket_once(self, served: Served) -> None:
        whole = served.ask("GET", "/sla/dashboard").json()
        with MartReader(served.app.settings.marts_folder) as marts:
            assert whole["total"] == marts.publication.rows["tickets"]
            worst = {"breached": 0, "at_risk": 1, "on_track": 2, "met": 3}
            rows = marts.query("SELECT ticket, state FROM sla_clocks WHERE is_current").rows()
        states: dict[str, str] = {}
        for ticket, state in rows:
            states[ticket] = min(states.get(ticket, state), state, key=lambda word: worst.get(word, 9))
        assert whole["by_state"] == {state: list(states.values()).count(state) for state in set(states.values())}
        assert whole["breach_rate"] == round(100 * list(states.values()).count("breached") / len(states), 2)

    def test_filters_divide_the_dashboard(self, served: Served) -> None:
        whole = served.ask("GET", "/sla/dashboard").json()
        parts = [served.ask("GET", "/sla/dashboard", params={"priority": word}).json()["total"]
                 for word in ("critical", "high", "medium", "low")]  # fmt: skip
        breached = served.ask("GET", "/sla/dashboard", params={"sla_state": "breached"}).json()
        assert sum(parts) == whole["total"] > max(parts)
        assert (breached["by_state"], breached["breach_rate"]) == ({"breached": whole["by_state"]["breached"]}, 100)


class TestTriage:
    def test_classifies_by_the_taxonomy_and_stores_nothing(self, served: Served) -> None:
        before = served.app.triage.store.usage()
        text = {"subject": "Login", "content": "Single sign-on fails with a SAML error"}
        answer = served.ask("POST", "/triage/classify", json=text)
        assert answer.json()["product"] in served.app.triage.taxonomy.product.labels
        assert served.app.triage.store.usage() == before

    @pytest.mark.parametrize(("length", "status"), [(10_000, 200), (10_001, 422), (0, 422)])
    def test_a_text_has_at_most_10_000_characters(self, served: Served, length: int, status: int) -> None:
        assert served.ask("POST", "/triage/classify", json={"content": "a" * length}).status_code == status

    def test_an_answer_cites_its_sources(self, served: Served) -> None:
        answer = served.ask(
            "POST", "/triage/respond", json={"question": "OAuth app discovery shows only part of the connected apps"}
        ).json()
        assert answer["grounded"]
        assert all(f"[{cited['index']}]" in answer["text"] for cited in answer["citations"])

    def test_without_an_answer_it_says_so(self, served: Served) -> None:
        answer = served.ask("POST", "/triage/respond", json={"question": "Which cake goes with green tea?"}).json()
        assert (answer["grounded"], answer["citations"]) == (False, [])

    @pytest.mark.parametrize(("top_k", "status"), [(1, 200), (20, 200), (0, 422), (21, 422), (True, 422), ("5", 422)])
    def test_looks_at_1_to_20_passages(self, served: Served, top_k: object, status: int) -> None:
        answer = served.ask("POST", "/triage/respond", json={"question": "mfa", "top_k": top_k})
        assert answer.status_code == status

    def test_stats_count_all_claims(self, served: Served) -> None:
        answer = served.ask("GET", "/triage/stats").json()
        assert answer["classifications"] == sum(answer["products"].values()) == sum(answer["urgencies"].values()) == 40
        assert answer["documents"] > 10


class TestHandler:
    def waiting(self, served: Served, number: str) -> str:
        receipt = served.post_ticket({"ticket_id": number, "title": "no network", "description": "since today"}).json()
        served.eventually(lambda: "waiting" not in served.app.receipts.status(receipt["receipt"]).state)
        return f"webhook:{number}"

    def ask(self, served: Served, path: str, body: dict[str, object], key: str = "outbox", handler: str = "outbox"):  # type: ignore[no-untyped-def]
        return served.ask("POST", f"/api/v1/handlers/{path}", key, headers={"X-Handler-ID": handler}, json=body)

    def test_decides_for_one_ticket_and_tells_the_handler(self, served: Served) -> None:
        ticket = self.waiting(served, "H-1")
        answer = self.ask(served, "allocate", {"ticket": "H-1"}).json()
        assert (answer["allocated"], answer["decision"]["ticket_id"]) == (1, ticket)
        assert served.app.store.ticket(ticket).group_id == answer["decision"]["group_id"]
        assert served.app.outbox.known([f"{ticket}/decision/1"])

    def test_decides_like_the_whole_backlog_does(self, served: Served) -> None:
        ticket, app = self.waiting(served, "H-2"), served.app
        snapshot = Snapshot(app, app.now())
        waiting = [one for one in backlog(app, snapshot) if one.id == ticket]
        groups = current_groups(snapshot)
        hours = hours_to_shift(app.policies.sla, groups, app.now())
        expected = decide(waiting, groups, app.policies.allocation, app.now(), hours_to_shift=hours)[0]
        one = self.ask(served, "allocate", {"ticket": ticket}).json()["decision"]
        assert (one["group_id"], one["score"]) == (expected.group_id, pytest.approx(expected.score, abs=0.001))

    def test_decides_for_all_that_wait(self, served: Served) -> None:
        ticket = self.waiting(served, "H-3")
        assert self.ask(served, "allocate", {}).json()["allocated"] >= 1
        assert served.app.store.ticket(ticket).group_id
        assert self.ask(served, "allocate", {}).json()["new"] == 0

    def test_a_ticket_that_has_a_group_is_not_decided_again(self, served: Served) -> None:
        ticket = self.waiting(served, "H-4")
        self.ask(served, "allocate", {"ticket": ticket})
        assert self.ask(served, "allocate", {"ticket": ticket}).status_code == 403

    def test_only_the_handler_in_use_asks(self, served: Served) -> None:
        assert self.ask(served, "allocate", {}, handler="bmc").status_code == 404
        assert self.ask(served, "allocate", {}, key="webhook").status_code == 403
        assert self.ask(served, "allocate", {}, key="agent").status_code == 403

    def test_a_refusal_stands_in_the_history_once(self, served: Served) -> None:
        ticket = self.waiting(served, "H-5")
        assert self.ask(served, "decisions/answer", {"ticket": ticket, "outcome": "accepted"}).status_code == 403
        group = self.ask(served, "allocate", {"ticket": ticket}).json()["decision"]["group_id"]
        refusal = {"ticket": ticket, "outcome": "refused", "reason": "closed for the day"}
        answers = [self.ask(served, "decisions/answer", refusal).json() for _ in range(2)]
        assert [answer["new"] for answer in answers] == [True, False]
        notes = [event for event in served.app.store.history(ticket) if event.data.get("handler_outcome")]
        assert [(event.actor, event.reason) for event in notes] == [("outbox", "closed for the day")]
        assert served.app.store.ticket(ticket).group_id == group

    def test_a_reassigned_ticket_has_the_group_it_went_to(self, served: Served) -> None:
        ticket = self.waiting(served, "H-6")
        self.ask(served, "allocate", {"ticket": ticket})
        moved = {"ticket": ticket, "outcome": "reassigned", "group_id": "grp-elsewhere"}
        assert self.ask(served, "decisions/answer", moved).json()["group_id"] == "grp-elsewhere"
        assert served.app.store.history(ticket)[-1].kind == Kind.GROUP

    def test_a_ticket_that_goes_back_is_where_it_went_back_to(self, served: Served) -> None:
        ticket = self.waiting(served, "H-7")
        self.ask(served, "allocate", {"ticket": ticket})
        for group in ("grp-here", "grp-there", "grp-here"):
            moved = {"ticket": ticket, "outcome": "reassigned", "group_id": group}
            assert self.ask(served, "decisions/answer", moved).json()["new"]
        assert served.app.store.ticket(ticket).group_id == "grp-here"


class TestDesk:
    def test_a_ticket_is_created_and_accepted_by_whoever_holds_the_key(self, served: Served) -> None:
        created = served.ask("POST", "/desk/tickets/create", json={"title": "By phone"}).json()
        accepted = served.ask("POST", f"/api/v1/desk/tickets/{created['id']}/accept").json()
        assert (accepted["owner_id"], accepted["accepted_by"]) == (AGENT, AGENT)

    @pytest.mark.parametrize("minutes", [True, 1.5, "5", None])
    def test_numbers_are_numbers(self, served: Served, minutes: object) -> None:
        assert served.ask("POST", "/desk/reminders/none/snooze", json={"minutes": minutes}).status_code == 422

    @pytest.mark.parametrize(
        ("door", "given"),
        [
            ("prefer", '{"channel": "No Such"}'),
            ("prefer", '{"quiet_from": "18:00Z", "quiet_to": "08:00Z"}'),
            ("reminders", '{"ahead_hours": NaN}'),
            ("tickets/create", f'{{"title": "{"x" * 501}"}}'),
        ],
    )
    def test_what_the_desk_cant_work_with_is_refused(self, served: Served, door: str, given: str) -> None:
        json_type = {"Content-Type": "application/json"}
        answer = served.ask("POST", f"/desk/{door}", content=given, headers=json_type)
        assert (answer.status_code, next(iter(json.loads(given))) in answer.json()["detail"]) == (422, True)

    def test_no_problem_tells_of_this_machine(self, served: Served) -> None:
        key = identity.create_key(served.app, by=identity.local_user(served.app), source="nobody")
        named = {"Authorization": f"Bearer {key}", "X-Source-ID": "nobody"}
        answer = served.ask("POST", "/api/v1/webhooks/ticket", None, json={"number": "1"}, headers=named)
        assert (answer.status_code, "no source 'nobody'" in answer.json()["detail"]) == (422, True)
        settings = served.app.settings
        assert not any(str(folder) in answer.text for folder in (settings.home, settings.data))

    def test_a_rule_of_the_desk_is_a_problem(self, served: Served) -> None:
        answer = served.ask("POST", "/desk/tickets/nothing/accept")
        assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
        assert "nothing" in answer.json()["detail"]


class TestHealth:
    def test_ready_names_each_part(self, served: Served) -> None:
        found = served.ask("GET", "/ready", None).json()
        assert found["ready"]
        assert set(found["parts"]) == {"store", "receipts", "outbox", "marts", "models", "index"}

    def test_metrics_are_prometheus(self, served: Served) -> None:
        served.ask("GET", "/health", None)
        text = served.ask("GET", "/metrics", None).text
        families = {family.name: family for family in text_string_to_metric_families(text)}
        health = [one for one in families["helmdesk_requests"].samples if one.labels.get("route") == "/health"]
        assert health[0].value >= 1
        assert families["helmdesk_marts_age_seconds"].samples[0].value > 0

    def test_what_is_not_there_is_a_problem_too(self, served: Served) -> None:
        answer = served.ask("GET", "/api/v1/nowhere")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


class TestPublished:
    def test_tickets_outside_their_contract_are_those_of_the_command(self, served: Served) -> None:
        answer = served.ask("GET", "/desk/outside")
        with MartReader(served.app.settings.marts_folder) as marts:
            found = actions.outside(marts)
        assert (answer.status_code, [one["reference"] for one in answer.json()]) == (200, found["reference"].to_list())

    def test_a_week_of_signals_takes_the_right_to_export(self, served: Served) -> None:
        assert served.ask("GET", "/desk/backlogs", "agent").status_code == 403
        answer = served.ask("GET", "/desk/backlogs?week=2026-W28", "lead").json()
        assert (answer["monday"], answer["signals"]) == ("2026-07-06", [])
        assert "'2026-28' is no week" in served.ask("GET", "/desk/backlogs?week=2026-28", "lead").json()["detail"]
