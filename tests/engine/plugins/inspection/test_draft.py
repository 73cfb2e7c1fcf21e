"""What a draft must not get wrong: where it stands how a ticket ended, and that a log is no table."""

import json
from pathlib import Path

import pytest

from engine.contracts import StandardTicket
from engine.plugins.files import MappedFiles
from engine.plugins.inspection.draft import Draft, draft_of
from engine.plugins.inspection.overview import overview_of
from engine.plugins.inspection.vocabulary import load_vocabulary
from engine.plugins.mapping import TicketMapping

VOCABULARY = load_vocabulary(Path("data/exports"))
TICKET = {"created_at": "2026-03-02T09:00:00Z", "subject": "x", "via": {"channel": "email"}, "requester_id": 1}


def drafted(path: Path) -> Draft:
    return draft_of(overview_of(path, VOCABULARY), VOCABULARY, answers={}, take_guesses=True, time_zone="UTC")


def tickets(path: Path) -> list[StandardTicket]:
    draft = drafted(path)
    assert draft.open == []
    plugin = MappedFiles("a", mapping=TicketMapping.model_validate(draft.mapping))
    return [ticket for delivery in plugin.read(path) for ticket in delivery.tickets]


def test_of_status_and_tags_the_first_that_says_something_wins(tmp_path: Path) -> None:
    told = [
        ("solved", ["vpn"]),
        ("closed", ["vpn", "closed_by_merge"]),
        ("deleted", []),
        ("solved", ["closed_by_merge"]),
    ]
    rows = [TICKET | {"id": n, "status": status, "tags": tags} for n, (status, tags) in enumerate(told)]
    (tmp_path / "z.json").write_text(json.dumps({"tickets": rows}))
    assert [ticket.outcome for ticket in tickets(tmp_path / "z.json")] == [None, "merged", "deleted", "merged"]


def test_a_tag_among_others_says_how_it_ended(tmp_path: Path) -> None:
    head = "Id,Subject,Created at,Status,Via,Tags"
    rows = [
        f"{n},x,2026-03-02 09:00,{status},Mail,{tags}"
        for n, (status, tags) in enumerate([("Closed", "vpn closed_by_merge"), ("Deleted", "vpn"), ("Solved", "vpn")])
    ]
    (tmp_path / "z.csv").write_text("\n".join([head, *rows]))
    assert [ticket.outcome for ticket in tickets(tmp_path / "z.csv")] == ["merged", "deleted", None]


def test_a_status_says_it_beside_a_resolution(tmp_path: Path) -> None:
    rows = ["A-1,2026-03-02 09:00,Closed,Duplicate", "A-2,2026-03-02 09:00,Canceled,", "A-3,2026-03-02 09:00,Done,Done"]
    (tmp_path / "j.csv").write_text("\n".join(["Key,Created,Status,Resolution", *rows]))
    assert [ticket.outcome for ticket in tickets(tmp_path / "j.csv")] == ["duplicate", "cancelled", None]


@pytest.mark.parametrize("head", ["time:timestamp,concept:name,case:concept:name", "Zeitpunkt,Aktivitaet,Fall"])
def test_a_log_is_no_table_of_rows(tmp_path: Path, head: str) -> None:
    rows = [f"2026-03-02T09:0{n}:00Z,{what},C{n // 3}" for n, what in enumerate(["New", "In Progress", "Closed"] * 2)]
    (tmp_path / "log.csv").write_text("\n".join([head, *rows]))
    assert [ticket.ticket_id for ticket in tickets(tmp_path / "log.csv")] == ["C0", "C1"]


def test_a_row_of_totals_is_no_question(tmp_path: Path) -> None:
    rows = ["high,1,2026-03-02 09:00,open,5", "low,2,2026-03-02 09:00,open,6", "Summe,,,,11"]
    (tmp_path / "a.csv").write_text("\n".join(["Priority,Ticket,Created,Status,Minutes", *rows]))
    assert [ticket.ticket_id for ticket in tickets(tmp_path / "a.csv")] == ["1", "2"]
