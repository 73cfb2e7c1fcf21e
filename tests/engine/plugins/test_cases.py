"""Small inputs of each kind that people have on their disks, each with its right answer (`../shared/cases`)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.contracts import Delivery, Kind, Status
from engine.plugins.files import MappedFiles
from engine.plugins.mapping import TicketMapping, load_mapping
from engine.plugins.registry import source_plugin
from tests.engine.plugins.samples import MAPPINGS, refusals, whole

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
FACTS, FILES = CASES / "facts", CASES / "files"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="../shared/cases is not there")

DESK: dict[str, Any] = {
    "source": "desk",
    "columns": {
        "ticket_id": "Ticket", "title": "Subject", "description": "Text", "created_at": "Opened",
        "resolved_at": "Solved", "status": "State", "priority": "Prio",
    },
    "values": {"status": {"Closed": "closed", "Open": "in_progress"}},
    "dates": ["%d/%m/%Y %H:%M"],
}  # fmt: skip


def read(name: str, **changes: Any) -> Delivery:
    mapping = TicketMapping.model_validate(DESK | changes)
    return whole(MappedFiles("desk", mapping=mapping), FILES / name)


def mapped(path: Path, **mapping: Any) -> Delivery:
    return whole(MappedFiles("test", mapping=TicketMapping.model_validate({"source": "test", **mapping})), path)


def opened(told: Delivery) -> list[str]:
    return [f"{ticket.created_at:%Y-%m-%d %H:%M:%S}" for ticket in told.tickets]


def timeline(told: Delivery) -> list[str]:
    return [f"{e.ticket_id[5:]} {e.at:%d %H:%M} {e.kind} {e.value or ''}".strip() for e in told.events]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("semicolon_cp1252.csv", {"delimiter": ";", "encoding": "cp1252"}),
        ("semicolon_cp1252.csv", {"delimiter": "auto", "encoding": "auto"}),
        ("utf16.csv", {"delimiter": "\t", "encoding": "utf-16"}),
        ("utf16.csv", {"delimiter": "auto", "encoding": "auto"}),
        ("sep_line.csv", {}),
        ("sep_line.csv", {"delimiter": "auto", "encoding": "auto"}),
        ("title_lines.csv", {"skip_rows": 2}),
        ("title_lines.csv", {"skip_rows": 2, "delimiter": "auto", "encoding": "auto"}),
        ("trailing_blank_rows.csv", {}),
    ],
)
def test_the_same_table_in_any_dress(name: str, form: dict[str, Any]) -> None:
    told = read(name, **form)
    assert told.rejected == ()
    assert [(t.ticket_id, t.title, t.description) for t in told.tickets] == [
        ("T-1", "Cannot print", "Paper jam,\nsecond floor"),
        ("T-2", "VPN drops", "Müller: drops after 5 min"),
        ("T-3", "New laptop", "needs 16 GB"),
    ]
    assert opened(told) == ["2025-04-03 09:15:00", "2025-04-05 14:02:00", "2025-04-13 16:30:00"]
    assert [t.status for t in told.tickets] == [Status.CLOSED, Status.IN_PROGRESS, Status.CLOSED]


def test_months_in_spanish_and_a_solution_before_the_opening() -> None:
    told = read("date_es_month.csv", dates=["%d/%m/%Y %H:%M", "language:es"])
    assert opened(told) == ["2025-01-03 09:15:00", "2025-04-05 14:02:00", "2025-12-13 16:30:00"]
    third = told.tickets[2]
    assert (third.status, third.resolved_at, third.closed_at) == (Status.CLOSED, None, None)
    assert third.external_metadata["dropped"] == {
        "resolved_at": "column Solved: '14/04/2025 10:00' is before Opened '13/dic/25 4:30 PM'"
    }


def test_day_numbers_of_a_spreadsheet_to_the_nearest_second() -> None:
    told = read("date_serial.csv", dates=["excel", "%d/%m/%Y %H:%M"])
    assert opened(told) == ["2025-04-03 09:14:59", "2025-04-05 14:01:58", "2025-04-13 16:30:00"]
    assert told.tickets[0].resolved_at == datetime(2025, 4, 3, 11, 40, tzinfo=UTC)


def test_a_zone_by_name_and_a_column_without_one() -> None:
    dates = ["%Y-%m-%d %H:%M:%S %Z", "%d/%m/%Y %H:%M"]
    told = read("date_est.csv", dates=dates, time_zone="America/New_York")
    assert opened(told)[0] == "2025-04-03 14:15:00"
    assert told.tickets[0].resolved_at == datetime(2025, 4, 3, 15, 40, tzinfo=UTC)  # New York's summer time


def test_ids_that_excel_damaged_are_refused() -> None:
    told = read("id_sci.csv")
    assert told.tickets == ()
    assert [reason for _, reason in refusals(told)] == [
        "column Ticket: '2,02508E+15' is what Excel left of a longer number; export again with that column as text"
    ] * 3


def test_ids_that_excel_wrote_as_text_are_plain() -> None:
    assert [ticket.ticket_id for ticket in read("id_excel_text.csv").tickets] == ["000123", "000124", "000125"]


def test_an_array_of_issues_with_lists_of_objects() -> None:
    told = mapped(
        FILES / "github_issues.json",
        columns={"ticket_id": "number", "title": "title", "description": "body", "created_at": "created_at",
                 "closed_at": "closed_at", "status": "state", "tags": "labels[].name", "requester": "user.login"},
        values={"status": {"open": "in_progress", "closed": "closed"}},
    )  # fmt: skip
    (ticket,) = told.tickets
    assert (ticket.ticket_id, ticket.tags, ticket.requester) == ("5", ("bug", "urgent"), "c-9")
    assert (ticket.closed_at, ticket.external_metadata) == (datetime(2026, 3, 3, 9, tzinfo=UTC), {})


def test_what_jiras_search_answers_is_read_whole() -> None:
    told = whole(source_plugin("jira", mappings=MAPPINGS), FILES / "jira_search.json")
    assert [(t.ticket_id, t.tags) for t in told.tickets] == [("HD-1", ("vpn",)), ("HD-2", ())]
    assert [line for line in timeline(told) if line.startswith("HD-1") and "status" in line] == [
        "HD-1 02 09:30 status in_progress",
        "HD-1 02 12:00 status resolved",
    ]


def test_components_are_words() -> None:
    told = mapped(
        FILES / "jira_search.json",
        columns={"ticket_id": "key", "created_at": "fields.created", "category": "fields.components[].name"},
        dates=["%Y-%m-%dT%H:%M:%S%.f%z"],
    )
    assert [ticket.category for ticket in told.tickets] == ["Network", "other"]


def test_days_alone_in_berlin_and_what_does_not_exist() -> None:
    told = whole(MappedFiles("berlin", mapping=load_mapping(FACTS / "berlin.yaml")), FACTS / "berlin.csv")
    assert [(t.ticket_id, t.created_at) for t in told.tickets] == [
        ("1", datetime(2026, 5, 31, 22, tzinfo=UTC)),
        ("2", datetime(2026, 5, 31, 22, 30, tzinfo=UTC)),
        ("3", datetime(2026, 5, 31, 21, 30, tzinfo=UTC)),
    ]
    written = "an instant written as %d.%m.%Y %H:%M or %d.%m.%Y in Europe/Berlin"
    assert refusals(told) == [
        (4, f"column Eröffnet: '06/01/2026' is not {written}; a column is read in one order of day and month"),
        (5, "column Eröffnet: '29.03.2026 02:30' is an hour that does not exist in Europe/Berlin: its clocks skip it"),
    ]


def test_closed_without_an_end_is_closed_and_no_more() -> None:
    told = whole(MappedFiles("mini", mapping=load_mapping(FACTS / "closed_no_time.yaml")), FACTS / "closed_no_time.csv")
    assert [(t.status, t.resolved_at, t.closed_at) for t in told.tickets][:2] == [(Status.CLOSED, None, None)] * 2
    assert {ticket.responses for ticket in told.tickets} == {"none"}


EVENT_LOG: dict[str, Any] = {
    "columns": {"ticket_id": "case", "status": "activity"},
    "values": {"status": {"Opened": "new", "In Progress": "in_progress", "Awaiting User": "waiting_customer",
                          "Resolved": "resolved"}},
    "updates": {"at": "timestamp", "actor": "resource"},
}  # fmt: skip


def test_an_event_log_of_three_columns() -> None:
    told = mapped(FACTS / "event_log.csv", **EVENT_LOG)
    assert timeline(told) == [
        "C-1 02 09:00 created", "C-1 02 09:20 status in_progress", "C-1 02 10:00 status waiting_customer",
        "C-1 02 14:00 status in_progress", "C-1 02 15:30 status resolved",
        "C-2 02 11:00 created", "C-2 03 08:00 status in_progress", "C-2 03 09:00 status resolved",
        "C-2 05 09:00 status in_progress",
    ]  # fmt: skip
    assert [(t.created_at.hour, t.status, t.responses, t.first_response_at) for t in told.tickets] == [
        (9, Status.RESOLVED, "none", None),
        (11, Status.IN_PROGRESS, "none", None),
    ]


def test_a_logs_first_touch_is_an_answer_only_where_the_mapping_says_so() -> None:
    told = mapped(FACTS / "event_log.csv", **EVENT_LOG, first_response="first_touch")
    assert [f"{t.first_response_at:%d %H:%M} {t.responses}" for t in told.tickets] == [
        "02 09:20 replies",
        "03 08:00 replies",
    ]


FIELD_HISTORY: dict[str, Any] = {
    "history": {"ticket": "ticket", "field": "field", "from": "from", "to": "to", "at": "changed_at",
                "by": "changed_by"},
    "values": {"status": {"new": "new", "open": "in_progress", "pending": "waiting_customer", "solved": "resolved"},
               "priority": {"normal": "medium", "high": "high"}},
}  # fmt: skip


def test_a_field_history_is_a_ticket_with_its_history() -> None:
    told = mapped(FACTS / "field_history.csv", **FIELD_HISTORY, first_response="first_touch")
    assert timeline(told) == [
        "77 02 09:00 created", "77 02 09:40 status in_progress", "77 02 09:40 response",
        "77 02 10:00 status waiting_customer", "77 03 08:00 priority high", "77 04 08:00 status in_progress",
        "77 04 09:30 status resolved",
    ]  # fmt: skip
    (ticket,) = told.tickets
    assert (ticket.status, ticket.priority, ticket.resolved_at) == (
        Status.RESOLVED, "high", datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    )  # fmt: skip
    assert told.events[0].data == {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}
    assert [event.actor for event in told.events if event.kind == Kind.PRIORITY] == ["mia"]


def test_a_field_history_without_a_first_touch_does_not_tell_an_answer() -> None:
    (ticket,) = mapped(FACTS / "field_history.csv", **FIELD_HISTORY).tickets
    assert (ticket.responses, ticket.first_response_at) == ("none", None)
