"""What every handler promises of its system, each on loopback as its documentation has it: a decision arrives once,
whatever happens to an answer, and groups come with the load they have there."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from engine.contracts import AllocationDecision, Outcome, StandardTicket
from engine.contracts import Delivery as Tickets
from engine.plugins.handlers.jira import JiraHandler
from engine.plugins.ports import HandlerPlugin, LockedOut, Refused, TryLater
from engine.plugins.pull.site import Account
from engine.plugins.registry import handler_plugin
from engine.shared.errors import BadInput, NotAllowed
from pipelines.app.container import open_app
from pipelines.jobs.deliver import Delivered
from tests.pipelines.test_deliver import deliver_when_free, kill_before_the_mark
from tests.pipelines.vendors import HANDLERS, TOKEN, Bmc, ServiceNow, Vendor, Webhook, bmc, servicenow, serving
from tests.ports.examples import LATER

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
NUMBERS = {"servicenow": "INC{:07}", "jira": "SUP-{}", "bmc": "INC{:012}", "webhook": "{}"}
NETWORKS = {"servicenow": servicenow.NETWORK, "bmc": bmc.NETWORK}
BEFORE_LAST = {"servicenow": 4, "jira": 3, "bmc": 5, "webhook": 0}
"""Requests for one decision before the one by which all is done."""
OPTIONS = """
handlers:
  jira: {plugin: "engine.plugins.handlers.jira:JiraHandler", options: {project: SUP}}
  servicenow:
    plugin: engine.plugins.handlers.servicenow:ServiceNowHandler
    options: {columns: {u_skills: capabilities}}
  bmc: {plugin: "engine.plugins.handlers.bmc:BmcHandler", options: {columns: {Skills: capabilities}}}
"""


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture(params=HANDLERS)
def system(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    with serving(HANDLERS[request.param](7)) as started:
        yield started


def handler(system: Vendor, folder: Path) -> HandlerPlugin:
    (folder / "plugins.yaml").write_text(OPTIONS, encoding="utf-8")
    system.account = system.account if system.source != "webhook" else f"Bearer {TOKEN}"
    user = "" if system.source == "webhook" else "desk@example.com"
    return handler_plugin(system.source, mappings=folder, send_to=Account("handler", system.url, user, TOKEN))


def decision(system: Vendor, number: int = 1, **changes: Any) -> AllocationDecision:
    values = {
        "ticket_id": f"{system.source}:{NUMBERS[system.source].format(number)}", "decided_at": AT, "score": 0.877,
        "outcome": Outcome.ALLOCATED, "group_id": NETWORKS.get(system.source, "Network"), "group_name": "Network",
        "rationale": "Network is the best match [code]here[/code].", **changes,
    }  # fmt: skip
    return AllocationDecision(**values)


def send(plugin: HandlerPlugin, system: Vendor, number: int = 1, *, decided: int = 1) -> str:
    made = decision(system, number)
    return plugin.send(plugin.payload(made), key=f"{made.ticket_id}/decision/{decided}")


def group(system: Vendor, number: int = 1) -> Any:
    ticket = system.tickets[number - 1]
    match system.source:
        case "servicenow":
            return ticket.get("assignment_group")
        case "jira":
            return next((part["name"] for part in ticket["fields"].get("components", ())), None)
        case "bmc":
            return ticket["Assigned Group ID"]
    return ticket["group"]


def given(system: Vendor, number: int = 1) -> tuple[Any, int]:
    """The group that a ticket has there, and how many notes of ours."""
    places = {"servicenow": f"{number:032x}", "webhook": f"webhook:{number}"}
    name = places.get(system.source, NUMBERS[system.source].format(number))
    return group(system, number), sum(place == name for place, _ in system.notes)


def expected(system: Vendor) -> tuple[str, int]:
    return NETWORKS.get(system.source, "Network"), 1


def test_a_decision_arrives_with_its_reason(system: Vendor, tmp_path: Path) -> None:
    send(handler(system, tmp_path), system)
    assert given(system) == expected(system)
    assert given(system, 2) == (None, 0)
    text = json.dumps(system.notes[0][1])
    assert "Network is the best match" in text
    assert (
        '"View Access": "Internal"' in text or "work_notes" in text or '"internal": true' in text or "decided" in text
    )


def test_sent_again_it_changes_nothing(system: Vendor, tmp_path: Path) -> None:
    for _ in range(2):
        send(handler(system, tmp_path), system)
    assert given(system) == expected(system)


def test_what_was_moved_there_meanwhile_stays_moved(system: Vendor, tmp_path: Path) -> None:
    send(handler(system, tmp_path), system)
    system.tickets[0] |= {"assignment_group": "m", "Assigned Group ID": "m", "group": "m"}
    system.tickets[0].get("fields", {})["components"] = [{"name": "m"}]
    send(handler(system, tmp_path), system)
    assert given(system) == ("m", 1)


def test_decision_10_is_not_decision_1(system: Vendor, tmp_path: Path) -> None:
    plugin = handler(system, tmp_path)
    for decided in (10, 1):
        send(plugin, system, decided=decided)
    assert given(system) == (expected(system)[0], 2)


@pytest.mark.parametrize("trouble", ["lost", "half"])
def test_an_answer_lost_anywhere_doubles_nothing(system: Vendor, tmp_path: Path, trouble: str) -> None:
    for number in range(1, BEFORE_LAST[system.source] + 2):
        system.trouble = [*[""] * (number - 1), trouble]
        with suppress(TryLater):
            send(handler(system, tmp_path), system, number)
        assert system.trouble == []
        send(handler(system, tmp_path), system, number)
        assert given(system, number) == expected(system)


def test_lasting_trouble_is_for_later(system: Vendor, tmp_path: Path) -> None:
    plugin = handler(system, tmp_path)
    system.trouble = [(503, {})] * 9
    with pytest.raises(TryLater, match="answered 503"):
        send(plugin, system)
    system.trouble = []
    send(plugin, system)
    assert given(system) == expected(system)


def test_the_pause_asked_for_is_kept(system: Vendor, tmp_path: Path) -> None:
    plugin = handler(system, tmp_path)
    for call in (lambda: send(plugin, system), plugin.groups):
        system.trouble = [(429, {"Retry-After": "90"})]
        with pytest.raises(TryLater) as later:
            call()
        assert (later.value.after, given(system)) == (timedelta(seconds=90), (None, 0))


def test_wrong_credentials_name_their_setting(system: Vendor, tmp_path: Path) -> None:
    plugin = handler(system, tmp_path)
    system.account = "Basic another"
    if isinstance(system, Bmc):
        system.password = "another"
    with pytest.raises(LockedOut, match="HELMDESK_HANDLER_TOKEN"):
        send(plugin, system)
    with pytest.raises(LockedOut):
        plugin.groups()


def test_an_unknown_ticket_is_refused(system: Vendor, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"0 rows|0 entries|404"):
        send(handler(system, tmp_path), system, 99)


def test_a_waiting_ticket_is_not_handed_over(system: Vendor, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="stays in the queue"):
        handler(system, tmp_path).payload(decision(system, outcome=Outcome.WAITING, group_id=None))


def test_groups_come_with_their_load(system: Vendor, tmp_path: Path) -> None:
    plugin = handler(system, tmp_path)
    for number in (1, 2, 3):
        send(plugin, system, number)
    groups = {each["group_id"]: each for each in plugin.groups()}
    network = groups[expected(system)[0]]
    assert (network["name"], network["current_load"]) == ("Network", 3)
    if system.source in NETWORKS:
        assert network["capabilities"][0] == "network"
        assert {each["name"]: each["status"] for each in groups.values()}["Mail"] == "inactive"
    assert len(groups) == {"servicenow": 2, "jira": 2, "bmc": 3, "webhook": 1}[system.source]


@pytest.mark.parametrize("answer", [{}, {"result": [{}], "entries": [{}], "groups": 3}, "a page"])
def test_an_answer_of_another_shape_is_for_later(
    system: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    plugin, right = handler(system, tmp_path), system.answer

    def other(method: str, path: str, asked: dict[str, str], content: Any) -> Any:
        return right(method, path, asked, content) if "login" in path or "serverInfo" in path else answer

    monkeypatch.setattr(system, "answer", other)
    with pytest.raises(TryLater):
        plugin.groups()


def test_killed_before_the_mark_doubles_nothing(
    system: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler(system, tmp_path)  # which account it is
    is_webhook = isinstance(system, Webhook)
    for name, value in {
        "": system.source, "_URL": system.url, "_USER": "" if is_webhook else "desk@example.com", "_TOKEN": TOKEN
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HELMDESK_HANDLER{name}", value)
    made = decision(system)
    with open_app(home=tmp_path) as app:
        ticket = StandardTicket(ticket_id=made.ticket_id.partition(":")[2], source=system.source, created_at=AT)
        app.store.ingest(Tickets(tickets=(ticket,)), at=LATER)
        app.store.record_decisions([made], at=LATER, destination=app.handler)
        kill_before_the_mark(app)
        assert given(system) == expected(system)
        assert deliver_when_free(app) == Delivered(1, 0, 0, 0)
    assert given(system) == expected(system)


@pytest.fixture
def now(tmp_path: Path) -> Iterator[ServiceNow]:
    system = ServiceNow(2)
    with serving(system):
        yield system


def test_servicenow_knows_a_ticket_by_its_sys_id(now: ServiceNow, tmp_path: Path) -> None:
    plugin = handler(now, tmp_path)
    made = decision(now, ticket_id=f"servicenow:{2:032x}")
    plugin.send(plugin.payload(made), key="k")
    assert given(now, 2) == expected(now)


def test_servicenow_knows_a_group_by_its_name(now: ServiceNow, tmp_path: Path) -> None:
    plugin = handler(now, tmp_path)
    plugin.send(plugin.payload(decision(now, group_id="grp-network")), key="k")
    assert given(now) == expected(now)


@pytest.mark.parametrize("group_id", ["c" * 32, "grp-disks"])
def test_servicenow_is_given_no_group_it_does_not_have(now: ServiceNow, tmp_path: Path, group_id: str) -> None:
    plugin = handler(now, tmp_path)
    with pytest.raises(Refused, match="has 0 groups"):
        plugin.send(plugin.payload(decision(now, group_id=group_id, group_name="Disks")), key="k")
    assert given(now) == (None, 0)


def test_a_group_that_servicenow_leaves_out_is_refused_as_often_as_it_is_sent(now: ServiceNow, tmp_path: Path) -> None:
    plugin = handler(now, tmp_path)
    now.locked.add(f"{1:032x}")
    for _ in range(2):
        with pytest.raises(Refused, match="may HELMDESK_HANDLER_USER write assignment_group"):
            send(plugin, now)
    assert given(now) == (None, 0)


def test_a_token_of_bmc_that_ran_out_is_renewed(tmp_path: Path) -> None:
    with serving(Bmc(3)) as system:
        assert isinstance(system, Bmc)
        plugin = handler(system, tmp_path)
        send(plugin, system, 1)
        send(plugin, system, 2)
        assert system.logins == 1
        system.token = ""
        send(plugin, system, 3)
        assert (system.logins, given(system, 3)) == (2, expected(system))


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({"field": "labels"}, {"labels": ["EMEA-desk"]}),
        ({"field": "customfield_10100"}, {"customfield_10100": {"name": "EMEA desk"}}),
        ({"field": "customfield_10100", "shape": "value"}, {"customfield_10100": {"value": "EMEA desk"}}),
        ({"field": "customfield_10100", "shape": "text"}, {"customfield_10100": "EMEA desk"}),
    ],
)
def test_jira_has_the_group_in_the_field_of_choice(options: dict[str, str], written: dict[str, Any]) -> None:
    with serving(HANDLERS["jira"](1)) as system:
        plugin = JiraHandler("jira", send_to=Account("handler", system.url, "desk@example.com", TOKEN), **options)
        plugin.send(plugin.payload(decision(system, group_id="EMEA desk")), key="k")
        assert written.items() <= system.tickets[0]["fields"].items()


def test_jira_lists_groups_of_its_own_by_their_prefix() -> None:
    with serving(HANDLERS["jira"](1)) as system:
        account = Account("handler", system.url, "desk@example.com", TOKEN)
        plugin = JiraHandler("jira", send_to=account, field="customfield_1", prefix="desk-")
        assert plugin._names() == ["desk-a", "desk-b"]


def test_jira_refuses_a_component_it_does_not_have(tmp_path: Path) -> None:
    with serving(HANDLERS["jira"](1)) as system:
        plugin = handler(system, tmp_path)
        with pytest.raises(Refused, match="Component name is not valid"):
            plugin.send(plugin.payload(decision(system, group_id="Disks")), key="k")


def test_options_that_fit_nothing_are_refused() -> None:
    account = Account("handler", "http://127.0.0.1:9", "", TOKEN)
    with pytest.raises(BadInput, match="shape 'list' is none of name, value, text"):
        JiraHandler("jira", send_to=account, shape="list")
    with pytest.raises(BadInput, match="`project`"):
        JiraHandler("jira", send_to=account).groups()
