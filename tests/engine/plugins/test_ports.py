"""Every plugin keeps the same promises, shown on the example message at its foot."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.contracts import AllocationDecision, Outcome, Responses, Status
from engine.plugins import freshdesk, jira, servicenow, webhook, zendesk
from engine.plugins.posting import to_url
from engine.plugins.registry import handler_plugin, source_names, source_plugin
from engine.plugins.webhook import receive
from engine.shared.errors import BadInput, NotAllowed, NotFound
from tests.engine.plugins.samples import MAPPINGS, whole

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
ZENDESK = {"Id": 7, "Subject": "No mail", "Created at": "2026-03-02 09:00", "Status": "Open", "Tags": "a b"}
MESSAGES = {
    "webhook": webhook.EXAMPLE,
    "helmdesk": webhook.EXAMPLE,
    "servicenow": servicenow.EXAMPLE_INCIDENT,
    "jira": jira.EXAMPLE_ISSUE,
    "zendesk-csv": ZENDESK,
    "zendesk": zendesk.EXAMPLE_TICKET,
    "freshdesk": freshdesk.EXAMPLE_TICKET,
}


def decision(**changes: Any) -> AllocationDecision:
    values = {
        "ticket_id": "servicenow:INC7", "decided_at": AT, "outcome": Outcome.ALLOCATED, "group_id": "g1",
        "group_name": "Network", "rationale": "Network is the best match.", "score": 0.877, **changes,
    }  # fmt: skip
    return AllocationDecision(**values)


@pytest.mark.parametrize("name", MESSAGES)
class TestSources:
    def test_a_message_becomes_one_ticket(self, name: str) -> None:
        told = receive(MESSAGES[name], source=name, plugin=lambda n: source_plugin(n, mappings=MAPPINGS))
        assert (len(told.tickets), told.rejected) == (1, ())
        assert told.tickets[0].created_at.tzinfo is not None

    def test_the_same_message_is_the_same_ticket(self, name: str) -> None:
        plugin = source_plugin(name, mappings=MAPPINGS)
        assert plugin.parse(MESSAGES[name]) == plugin.parse(MESSAGES[name])

    def test_a_file_of_messages_says_the_same(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / "messages.jsonl"
        path.write_text(json.dumps(MESSAGES[name]) + "\n", encoding="utf-8")
        plugin = source_plugin(name, mappings=MAPPINGS)
        assert whole(plugin, path) == plugin.parse(MESSAGES[name])

    def test_nonsense_is_refused_with_a_reason(self, name: str) -> None:
        plugin = source_plugin(name, mappings=MAPPINGS)
        if name == "jira":
            with pytest.raises(BadInput, match="no issue with `fields`"):
                plugin.parse({"hello": "world"})
        else:
            told = plugin.parse({"hello": "world"})
            assert told.tickets == ()
            assert told.rejected[0].reason
            assert told.rejected[0].content == {"hello": "world"}


def outbox(file: Path) -> Any:
    return handler_plugin("outbox", mappings=MAPPINGS, send_to=file)


def test_sending_twice_is_sending_once(tmp_path: Path) -> None:
    first, second = (outbox(tmp_path / "out/decisions.jsonl") for _ in range(2))
    payload = first.payload(decision())
    assert len({plugin.send(payload, key="INC7/1") for plugin in (first, first, second)}) == 1
    lines = (tmp_path / "out/decisions.jsonl").read_text().splitlines()
    assert [json.loads(line)["payload"] for line in lines] == [first.payload(decision())]


def test_a_waiting_ticket_is_not_handed_over(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="stays in the queue"):
        outbox(tmp_path / "o").payload(decision(outcome=Outcome.WAITING, group_id=None))


def test_a_file_brings_no_groups(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="people import"):
        outbox(tmp_path / "o").groups()


@pytest.mark.parametrize(
    ("changes", "priority", "status"),
    [
        ({"priority": "1"}, "critical", "waiting_customer"),
        ({"priority": "4", "state": "2"}, "low", "in_progress"),
        ({"priority": "", "state": {"value": "1", "display_value": "New"}}, "medium", "new"),
        ({"priority": "9", "hold_reason": "4"}, "medium", "waiting_vendor"),
        ({"hold_reason": ""}, "high", "waiting_internal"),
    ],
)
def test_servicenow_words(changes: dict[str, Any], priority: str, status: str) -> None:
    incident = {**servicenow.EXAMPLE_INCIDENT["result"], **changes}
    ticket = source_plugin("servicenow", mappings=MAPPINGS).parse({"result": [incident]}).tickets[0]
    assert (ticket.priority, ticket.status, ticket.group, ticket.requester) == (priority, status, "287ebd7d", "681c")
    assert ticket.key == "servicenow:INC0010023"


def test_servicenow_without_category_is_other() -> None:
    incident = {**servicenow.EXAMPLE_INCIDENT["result"], "category": ""}
    assert source_plugin("servicenow", mappings=MAPPINGS).parse(incident).tickets[0].category == "other"


def jira_told(**fields: Any) -> Any:
    issue = json.loads(json.dumps(jira.EXAMPLE_ISSUE["issue"]))
    issue["changelog"] |= fields.pop("changelog", {})
    issue["fields"] |= fields
    return source_plugin("jira", mappings=MAPPINGS).parse({"issue": issue})


def test_a_jira_changelog_is_the_history() -> None:
    told = jira_told()
    assert [f"{e.at:%H:%M} {e.kind} {e.value or ''}".strip() for e in told.events] == [
        "09:00 created",
        "09:10 customer_message",
        "09:20 priority high",
        "09:30 assignee acc-ana",
        "09:30 status in_progress",
        "09:40 response",
        "12:00 status waiting_customer",
    ]
    assert told.events[0].data == {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}
    ticket = told.tickets[0]
    assert (ticket.status, ticket.description) == (Status.WAITING_CUSTOMER, "Pages take ten seconds.")
    assert (ticket.tags, f"{ticket.first_response_at:%H:%M}") == (("proxy", "slow"), "09:40")


def test_a_jira_change_has_the_id_of_its_changelog() -> None:
    assert jira_told().events[-1].id == "jira:SUP-42/changelog/3/status"


def test_an_end_without_its_change_is_told_by_the_dates() -> None:
    fields = {"status": {"name": "Done"}, "resolutiondate": "2026-03-02T12:00:00.000+0100", "comment": None}
    told = jira_told(changelog={"total": 0, "histories": []}, **fields)
    assert (told.events, f"{told.tickets[0].resolved_at:%H:%M}") == ((), "11:00")


def test_without_comments_an_answer_is_not_told() -> None:
    ticket = jira_told(comment=None).tickets[0]
    assert (ticket.first_response_at, ticket.responses) == (None, Responses.NONE)


def test_a_changelog_that_is_cut_off_is_no_history() -> None:
    told = jira_told(changelog={"total": 200})
    assert (len(told.tickets), [event.kind for event in told.events]) == (1, ["customer_message", "response"])


def test_an_unknown_jira_status_refuses_the_issue() -> None:
    entry = {"id": "9", "created": "2026-03-02T14:00:00.000+0100", "items": [
        {"field": "status", "fromString": "Waiting for customer", "toString": "Limbo"}]}  # fmt: skip
    told = jira_told(changelog={"total": 1, "histories": [entry]})
    assert told.tickets == ()
    assert told.rejected[0].reason == "history: status 'Limbo' is not in the mapping's values"


@pytest.mark.parametrize(
    "broken",
    [
        {"changelog": {"total": 1, "histories": [7]}},
        {"changelog": {"total": 1, "histories": [{"id": 1, "created": 5, "items": []}]}},
        {"changelog": {"total": 1, "histories": [{"id": 1, "created": "soon", "items": [{"field": "status"}]}]}},
        {"changelog": {"total": 1, "histories": [{"id": 1, "created": "2026-03-02", "items": [None]}]}},
        {"comment": {"comments": [3]}},
        {"comment": {"comments": [{"created": "soon"}]}},
    ],
)
def test_a_misshapen_jira_history_refuses_the_issue(broken: dict[str, Any]) -> None:
    told = jira_told(**broken)
    assert (told.tickets, len(told.rejected)) == ((), 1)


@pytest.mark.parametrize("document", [{"content": 3}, {"content": [3, {"content": {}}]}, [1]])
def test_a_misshapen_jira_description_is_no_text(document: Any) -> None:
    assert jira_told(description=document).tickets[0].description.strip() == ""


@pytest.mark.parametrize("depth", [20, 100, 480, 900, 5000])
def test_deep_nesting_does_no_harm(depth: int, tmp_path: Path) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    path = tmp_path / "deep.jsonl"
    path.write_text(f'{{"number": "1", "state": "1", "opened_at": "2026-03-02", "fields": {deep}}}\n', encoding="utf-8")
    for name in ("servicenow", "jira", "helmdesk", "webhook"):
        told = whole(source_plugin(name, mappings=MAPPINGS), path)
        assert len(told.tickets) + len(told.rejected) == 1
        told.model_dump_json()


def test_a_webhook_text_has_ten_to_ten_thousand_characters() -> None:
    plugin = source_plugin("webhook", mappings=MAPPINGS)
    told = plugin.parse({"tickets": [webhook.EXAMPLE, {**webhook.EXAMPLE, "title": "x", "description": ""}]})
    assert (len(told.tickets), told.rejected[0].row) == (1, 2)
    assert told.rejected[0].reason == "title and description have 1 characters together, expected 10 to 10000"


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(
        BadInput, match="freshdesk, helmdesk, jira, jira-csv, servicenow, servicenow-csv, webhook, zendesk"
    ):
        receive({}, source="pigeon", plugin=lambda name: source_plugin(name, mappings=MAPPINGS))


def test_a_mapping_of_ones_own_makes_a_source(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("source: mine\ncolumns: {ticket_id: Id, created_at: At}\n")
    assert source_plugin("anything", mappings=MAPPINGS, mapping=mine).name == "anything"
    assert "mine" in source_names(tmp_path)
    with pytest.raises(NotFound):
        source_plugin("x", mappings=MAPPINGS, mapping=tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("engine.plugins.nowhere:Source", "can't be loaded"),
        ("engine.plugins.files:Nothing", "can't be loaded"),
        ("engine.plugins.files:MappedFiles", "its options do not fit"),
        ("engine", "sources.new.plugin"),
    ],
)
def test_a_broken_plugin_entry_is_refused(tmp_path: Path, entry: str, said: str) -> None:
    (tmp_path / "plugins.yaml").write_text(f"sources: {{new: {{plugin: '{entry}'}}}}\n")
    with pytest.raises(BadInput, match=said):
        source_plugin("new", mappings=tmp_path)


def test_a_file_that_is_no_outbox_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("dear diary\n")
    with pytest.raises(BadInput, match="not an outbox"):
        outbox(other).send({}, key="INC7/1")
    assert other.read_text() == "dear diary\n"


@pytest.mark.parametrize("rest", ['{"ke', '{"key": "INC2/1", "payl', '{"key": "INC2/1", "payload": {"n": 2}}'])
def test_a_killed_writer_leaves_no_half_line(tmp_path: Path, rest: str) -> None:
    out = tmp_path / "decisions.jsonl"
    outbox(out).send({"n": 1}, key="INC1/1")
    out.write_text(out.read_text() + rest)
    outbox(out).send({"n": 2}, key="INC2/1")
    outbox(out).send({"n": 3}, key="INC3/1")
    assert [json.loads(line)["payload"]["n"] for line in out.read_text().splitlines()] == [1, 2, 3]


def test_a_note_without_an_end_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("dear diary")
    with pytest.raises(BadInput, match="not an outbox"):
        outbox(other).send({}, key="INC7/1")
    assert other.read_text() == "dear diary"


def test_only_web_addresses_are_posted_to() -> None:
    with pytest.raises(BadInput, match="not an http or https address"):
        to_url("file:///etc/passwd")


@pytest.mark.parametrize(
    ("name", "changes", "outcome"),
    [
        ("zendesk", {"status": "deleted"}, "deleted"),
        ("zendesk", {"status": "closed", "tags": ["vip", "closed_by_merge"]}, "merged"),
        ("zendesk", {"status": "closed", "tags": ["closed_by_merger"]}, None),
        ("freshdesk", {"spam": True}, "spam"),
        ("freshdesk", {"deleted": True}, "deleted"),
    ],
)
def test_what_does_not_count_is_told_by_status_or_tag(name: str, changes: dict[str, Any], outcome: str | None) -> None:
    message = {"zendesk": zendesk.EXAMPLE_TICKET["ticket"], "freshdesk": freshdesk.EXAMPLE_TICKET}[name]
    assert isinstance(message, dict)
    found = source_plugin(name, mappings=MAPPINGS).parse({**message, **changes})
    assert found.tickets[0].outcome == outcome


@pytest.mark.parametrize("part", [{"audits": [{"id": 1}]}, {"audits": ["x"]}, {"audits": [{"created_at": "soon"}]}])
def test_half_an_audit_refuses_its_ticket(part: dict[str, Any]) -> None:
    found = source_plugin("zendesk", mappings=MAPPINGS).parse({**zendesk.EXAMPLE_TICKET, **part})
    assert (found.tickets, len(found.rejected)) == ((), 1)


def test_changes_that_end_elsewhere_are_no_history() -> None:
    """The last change led to pending, the ticket is open: its dates tell what they can, its messages stay."""
    ticket = {**zendesk.EXAMPLE_TICKET["ticket"], "status": "open"}  # type: ignore[dict-item]
    found = source_plugin("zendesk", mappings=MAPPINGS).parse({**zendesk.EXAMPLE_TICKET, "ticket": ticket})
    assert [event.kind for event in found.events] == ["message", "response"]
    assert found.tickets[0].first_response_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_an_incident_without_an_answer_waits_for_one() -> None:
    """The journal is whole, and nobody of the desk wrote to the caller."""
    incident = {**servicenow.EXAMPLE_INCIDENT["result"], "sys_audit": [], "sys_journal_field": [
        {"sys_id": "j1", "element": "work_notes", "sys_created_by": "ana", "sys_created_on": "2026-03-02 14:30:00"},
    ]}  # fmt: skip
    found = source_plugin("servicenow", mappings=MAPPINGS).parse({"result": incident}).tickets[0]
    assert (found.responses, found.first_response_at) == ("replies", None)
