"""Tickets, their changes, their comments and their people, each in its file, are read as one."""

from pathlib import Path
from typing import Any

import pytest

from engine.contracts import Delivery, Kind
from engine.plugins.files import MappedFiles
from engine.plugins.mapping import TicketMapping
from engine.shared.errors import BadInput
from tests.engine.plugins.samples import whole

MAPPING: dict[str, Any] = {
    "source": "test",
    "columns": {"ticket_id": "id", "created_at": "opened", "status": "state", "requester": "by", "assignee": "agent",
                "resolved_at": "solved"},
    "values": {
        "status": {"new": "new", "open": "in_progress", "solved": "resolved"},
        "author_role": {"staff": "agent", "client": "customer", "robot": "automation"},
    },
    "tables": {"tickets": "tickets*.csv", "history": "changes.csv", "comments": "comments.csv", "users": "users.csv"},
    "history": {"ticket": "ticket", "field": "field", "from": "old", "to": "new", "at": "at", "by": "who"},
    "comments": {"ticket": "ticket", "at": "at", "author": "who", "public": "public", "id": "nr"},
    "users": {"id": "id", "name": "name", "author_role": "role"},
}  # fmt: skip
FILES = {
    "tickets.csv": "id,opened,state,by,agent,solved\n1,2026-03-02 09:00,solved,u7,u1,2026-03-02 15:00\n"
    "2,2026-03-02 10:00,open,u7,,\n",
    "changes.csv": "ticket,field,old,new,at,who\n1,status,new,open,2026-03-02 09:30,u1\n"
    "1,status,open,solved,2026-03-02 15:00,u1\n1,description,a,b,2026-03-02 15:00,u1\n"
    "2,status,new,open,2026-03-02 11:00,u1\n",
    "comments.csv": "nr,ticket,at,who,public\n1,1,2026-03-02 09:10,u1,false\n2,1,2026-03-02 09:40,u1,true\n"
    "3,1,2026-03-02 10:00,u7,true\n4,1,2026-03-02 10:01,bot,true\n5,1,2026-03-02 14:00,u1,true\n",
    "users.csv": "id,name,role\nu1,Ana,staff\nu7,Kim,client\nbot,Robot,robot\n",
}


def told(folder: Path, files: dict[str, str], **changes: Any) -> Delivery:
    for name, text in files.items():
        (folder / name).write_text(text)
    return whole(MappedFiles("test", mapping=TicketMapping.model_validate(MAPPING | changes)), folder)


def added(name: str, row: str) -> dict[str, str]:
    return FILES | {name: f"{FILES[name]}{row}\n"}


def test_files_that_belong_together_tell_one_story(tmp_path: Path) -> None:
    delivery = told(tmp_path, FILES)
    assert delivery.rejected == ()
    assert [f"{e.at:%H:%M} {e.kind} {e.value or ''}".strip() for e in delivery.events if e.ticket_id == "test:1"] == [
        "09:00 created", "09:10 message", "09:30 status in_progress", "09:40 response", "10:00 customer_message",
        "10:01 message", "14:00 response", "15:00 status resolved",
    ]  # fmt: skip
    first, second = delivery.tickets
    assert (f"{first.first_response_at:%H:%M}", first.requester, first.assignee) == ("09:40", "Kim", "Ana")
    assert (second.first_response_at, second.responses) == (None, "replies")
    spoken = {e.id: e.data for e in delivery.events if e.kind in (Kind.RESPONSE, Kind.MESSAGE)}
    assert spoken["test:1/message/1"] == {"author_role": "agent", "visibility": "internal"}
    assert spoken["test:1/message/4"] == {"author_role": "automation", "visibility": "public"}


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("changes.csv", "1,status,solved,limbo,2026-03-02 16:00,u1", "history: status 'limbo' is not in the mapping's"),
        ("changes.csv", "1,status,solved,open,soon,u1", "column at: 'soon' is not an instant"),
        ("changes.csv", "1,status", "the row has 2 cells, the header 6"),
        ("comments.csv", "6,1,2026-03-02 16:00,u1,perhaps", "column public: 'perhaps' is not one of true, yes"),
        ("comments.csv", "6,1,,u1,true", "column at is empty and must not be"),
    ],
)
def test_a_bad_row_in_any_file_holds_its_ticket_back(tmp_path: Path, name: str, row: str, reason: str) -> None:
    delivery = told(tmp_path, added(name, row))
    assert [ticket.ticket_id for ticket in delivery.tickets] == ["2"]
    (refused,) = delivery.rejected
    assert (refused.origin, refused.reason[: len(reason)]) == (name, reason)
    assert "ticket 1 is held back: 1 of its" in refused.reason


def test_an_author_whom_nobody_knows_holds_the_ticket_back(tmp_path: Path) -> None:
    delivery = told(tmp_path, added("comments.csv", "6,1,2026-03-02 16:00,u99,true"))
    assert [ticket.ticket_id for ticket in delivery.tickets] == ["2"]
    assert "'u99', who wrote to it, is neither its requester nor among the users" in delivery.rejected[0].reason


def test_the_requester_is_the_customer_without_a_role(tmp_path: Path) -> None:
    files = FILES | {"users.csv": FILES["users.csv"].replace("Kim,client", "Kim,")}
    kinds = [event.kind for event in told(tmp_path, files).events]
    assert kinds.count(Kind.CUSTOMER_MESSAGE) == 1


def test_rows_of_no_ticket_are_told_once(tmp_path: Path) -> None:
    delivery = told(tmp_path, added("changes.csv", "9,status,new,open,2026-03-02 16:00,u1"))
    assert [each.reason for each in delivery.rejected] == [
        "there is no ticket '9' among the tickets; 1 rows of it are left out"
    ]


def test_a_history_with_a_row_missing_is_none(tmp_path: Path) -> None:
    gap = FILES["changes.csv"].replace(
        "1,status,new,open,2026-03-02 09:30,u1\n", "1,status,new,new,2026-03-02 09:30,u1\n"
    )
    ticket = told(tmp_path, FILES | {"changes.csv": gap}).tickets[0]
    assert ticket.external_metadata["history_left_out"] == (
        "status was left as new and at 2026-03-02 15:00:00 is in_progress: a row is missing"
    )
    assert f"{ticket.resolved_at:%H:%M}" == "15:00"


def test_a_history_that_does_not_end_where_the_ticket_is_is_none(tmp_path: Path) -> None:
    short = FILES["changes.csv"].replace("1,status,open,solved,2026-03-02 15:00,u1\n", "")
    delivery = told(tmp_path, FILES | {"changes.csv": short})
    assert [e.kind for e in delivery.events if e.ticket_id == "test:1" and e.kind in (Kind.CREATED, Kind.STATUS)] == []
    assert f"{delivery.tickets[0].resolved_at:%H:%M}" == "15:00"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("comments.csv", "has no file named comments.csv"),
        ("tickets.csv", r"has no file named tickets\*.csv"),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, missing: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        told(tmp_path, {name: text for name, text in FILES.items() if name != missing})


def test_a_missing_column_is_named_with_its_table(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"comments.csv: there is no column 'who', which the mapping names at comments"):
        told(tmp_path, FILES | {"comments.csv": "nr,ticket,at,public\n"})
    with pytest.raises(BadInput, match="reads several files together; give the folder"):
        MappedFiles("test", mapping=TicketMapping.model_validate(MAPPING)).read(tmp_path / "tickets.csv")


def test_a_history_alone_with_a_row_missing_is_held_back(tmp_path: Path) -> None:
    alone = {key: MAPPING[key] for key in ("source", "values", "history")}
    text = "ticket,field,old,new,at,who\n1,status,,new,2026-03-02 09:00,u1\n1,status,open,solved,2026-03-02 15:00,u1\n"
    (tmp_path / "h.csv").write_text(text)
    delivery = whole(MappedFiles("test", mapping=TicketMapping.model_validate(alone)), tmp_path / "h.csv")
    assert delivery.tickets == ()
    assert delivery.rejected[0].reason == (
        "ticket 1 is held back: status was left as new and at 2026-03-02 15:00:00 is in_progress: a row is missing"
    )
