"""A table is read in every form in which systems hand it out, and what can't be told is asked for, never guessed."""

import gzip
import json
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.contracts import Delivery, StandardTicket
from engine.plugins.files import MappedFiles
from engine.shared.errors import BadInput
from tests.engine.plugins.samples import read, refusals, simple, whole, written
from tests.engine.plugins.workbook_samples import workbook

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEADER = ["id", "opened", "note"]


def told(path: Path, content: bytes | None = None, **changes: Any) -> Delivery:
    if content is not None:
        path.write_bytes(content)
    return whole(MappedFiles("test", mapping=simple(**changes)), path)


def refusal(path: Path, content: bytes, **changes: Any) -> str:
    with pytest.raises(BadInput) as refused:
        told(path, content, **changes)
    return str(refused.value)


def only(delivery: Delivery) -> StandardTicket:
    assert delivery.rejected == ()
    (ticket,) = delivery.tickets
    return ticket


def test_a_workbook_is_read_with_its_instants_and_numbers(tmp_path: Path) -> None:
    rows = [["Report"], [], HEADER, [7, NINE, 1.5], [], ["X-8", "2026-03-02 09:00", True]]
    delivery = told(tmp_path / "a.xlsx", workbook({"Tickets": rows}), skip_rows=1)
    assert delivery.rejected == ()
    assert [(t.ticket_id, t.created_at, t.external_metadata["note"]) for t in delivery.tickets] == [
        ("7", NINE, "1.5"),
        ("X-8", NINE, "true"),
    ]


def test_a_workbooks_instants_are_to_the_nearest_second(tmp_path: Path) -> None:
    a_hair_less = NINE - timedelta(milliseconds=1)
    assert only(told(tmp_path / "a.xlsx", workbook({"T": [HEADER, ["1", a_hair_less]]}))).created_at == NINE


def test_the_sheet_is_named_where_several_have_cells(tmp_path: Path) -> None:
    both = workbook({"Cover": [["Report"]], "Tickets": [HEADER, ["1", "2026-03-02 09:00"]]})
    assert "has the sheets Cover, Tickets; name one under `sheet`" in refusal(tmp_path / "a.xlsx", both)
    assert "has no sheet 'Tikets'; it has Cover, Tickets" in refusal(tmp_path / "a.xlsx", both, sheet="Tikets")
    assert only(told(tmp_path / "a.xlsx", both, sheet="Tickets")).created_at == NINE
    empty_cover = workbook({"Cover": [], "Tickets": [HEADER, ["1", "2026-03-02 09:00"]]})
    assert only(told(tmp_path / "a.xlsx", empty_cover)).created_at == NINE


def test_a_workbook_of_the_old_form_is_read(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("tickets.xls"), tmp_path / "a.xls")
    ticket = only(told(tmp_path / "a.xls", columns={"priority": "prio"}))
    assert (ticket.ticket_id, ticket.created_at, ticket.priority) == (
        "7",
        datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
        "high",
    )


RECORD = {"id": 1, "opened": "2026-03-02T09:00:00Z"}


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
@pytest.mark.parametrize(
    ("document", "records"),
    [
        ([RECORD], None),
        ({"total": 1, "tickets": [RECORD], "labels": ["x"]}, None),
        ({"data": {"issues": [RECORD], "cursor": None}}, None),
        ({"answer": {"page": {"rows": [RECORD]}}, "users": [{"id": 9}]}, "answer.page.rows"),
        ({"tickets": [RECORD], "users": [{"id": 9}]}, "tickets"),
    ],
)
def test_a_json_document_is_its_list(tmp_path: Path, name: str, document: Any, records: str | None) -> None:
    content = json.dumps(document).encode()
    packed = gzip.compress(content) if name.endswith("gz") else content
    assert only(told(tmp_path / name, packed, records=records)).created_at == NINE


@pytest.mark.parametrize(
    ("document", "records", "said"),
    [
        ('{"tickets": [{"id": 1}], "users": [{"id": 9}]}', None, "has the lists tickets, users; name the one"),
        ('{"total": 0}', None, "has no list of objects"),
        ('{"tickets": {"id": 1}}', "tickets", "there is no list at 'tickets'"),
        ('{"id": 1}\n{"id": 2}', None, "a file with one object a line is called .jsonl"),
        ("[" * 100_000, None, "nested too deep"),
        ("{", None, "is no JSON document"),
    ],
)
def test_another_json_document_is_refused(tmp_path: Path, document: str, records: str | None, said: str) -> None:
    assert said in refusal(tmp_path / "a.json", document.encode(), records=records)


def test_an_empty_list_is_no_ticket(tmp_path: Path) -> None:
    assert told(tmp_path / "a.json", b'{"issues": [], "total": 0}') == Delivery()


def test_a_record_that_is_none_is_named(tmp_path: Path) -> None:
    delivery = told(tmp_path / "a.json", json.dumps([RECORD, 5]).encode())
    assert refusals(delivery) == [(2, "the record is not one JSON object in Unicode")]


def packed(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


TABLE = b"id,opened\n1,2026-03-02 09:00\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("export/tickets.csv", TABLE),
        ("tickets.csv.gz", gzip.compress(TABLE, mtime=0)),
        ("t.tsv", TABLE.replace(b",", b"\t")),
        ("t.json", json.dumps([RECORD]).encode()),
        ("t.jsonl", json.dumps(RECORD).encode()),
        ("t.xlsx", workbook({"T": [HEADER, ["1", "2026-03-02 09:00"]]})),
    ],
)
def test_a_zip_is_the_one_table_in_it(tmp_path: Path, name: str, content: bytes) -> None:
    path = packed(tmp_path / "a.zip", ("__MACOSX/._x", b"x"), ("export/.DS_Store", b"x"), (name, content))
    assert only(told(path)).created_at == NINE


def test_a_zip_with_several_tables_is_refused(tmp_path: Path) -> None:
    packed(tmp_path / "a.zip", ("a.csv", TABLE), ("b.csv", TABLE))
    with pytest.raises(BadInput, match="has 2 files in it, and is read with exactly one"):
        told(tmp_path / "a.zip")
    packed(tmp_path / "a.zip", ("a.docx", TABLE))
    with pytest.raises(BadInput, match=r"a\.docx in it is not a table"):
        told(tmp_path / "a.zip")


XES = b"""<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <global scope="event"><string key="concept:name" value="none"/></global>
  <trace><string key="concept:name" value="C-1"/><string key="desk" value="Porto"/>
    <event><string key="concept:name" value="Opened"/><date key="time:timestamp" value="2026-03-02T09:00:00Z"/></event>
    <event><string key="concept:name" value="Mail sent"/>
      <date key="time:timestamp" value="2026-03-02T09:30:00Z"/></event>
    <event><string key="concept:name" value="Done"/><string key="org:resource" value="ana"/>
      <date key="time:timestamp" value="2026-03-02T11:00:00+01:00"/></event></trace>
</log>"""
LOG: dict[str, Any] = {
    "columns": {"ticket_id": "case:concept:name", "status": "concept:name"},
    "values": {"status": {"Opened": "new", "Done": "resolved", "Mail sent": None}},
    "updates": {"at": "time:timestamp", "actor": "org:resource"},
}


@pytest.mark.parametrize("name", ["a.xes", "a.xes.gz"])
def test_a_log_in_xes_is_a_history(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(XES, mtime=0) if name.endswith("gz") else XES)
    mapping = simple().model_validate({"source": "test", **LOG})
    delivery = whole(MappedFiles("test", mapping=mapping), path)
    assert [(f"{e.at:%H:%M}", e.kind, e.value, e.actor) for e in delivery.events] == [
        ("09:00", "created", None, "test"),
        ("10:00", "status", "resolved", "ana"),
    ]
    assert only(delivery).external_metadata == {"case:desk": "Porto"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (XES[:-8], "no whole XES log"),
        (b"<html></html>", "no XES log; it begins with <html>"),
        (b'<!DOCTYPE log [<!ENTITY a "b">]><log/>', "declares a document type"),
    ],
)
def test_another_xml_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.xes").write_bytes(content)
    with pytest.raises(BadInput, match=said):
        MappedFiles("test", mapping=simple().model_validate({"source": "test", **LOG})).read(tmp_path / "a.xes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id\n1\n", "can't tell what separates"),
        ("id,a;b\n1,2;3\n", "can't tell what separates"),
    ],
)
def test_a_delimiter_that_can_not_be_told_is_asked_for(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path / "a.csv", text.encode(), delimiter="auto")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_told_by_the_file(tmp_path: Path, encoding: str, delimiter: str) -> None:
    row = ["1", "2026-03-02 09:00", '"Müller, said; a|b\tand ""so"""']
    text = "\n".join(delimiter.join(cells) for cells in (["id", "opened", "note"], row)) + "\n"
    ticket = only(told(tmp_path / "a.csv", text.encode(encoding), encoding="auto", delimiter="auto"))
    assert (ticket.created_at, ticket.external_metadata) == (NINE, {"note": 'Müller, said; a|b\tand "so"'})


def test_a_text_that_is_not_western_is_not_taken_for_one(tmp_path: Path) -> None:
    text = "id,opened,note\n1,2026-03-02,Не работает печать в кабинете\n".encode("cp1251")
    assert "neither Unicode nor Western text" in refusal(tmp_path / "a.csv", text, encoding="auto")


@pytest.mark.parametrize("blank", [",,", " , ,", ",", ",,,,"])
def test_blank_rows_are_no_rows(tmp_path: Path, blank: str) -> None:
    delivery = read(tmp_path, f"id,opened,note\n1,2026-03-02,a\n{blank}\n2,2026-03-02,b\n{blank}\n")
    assert ([t.ticket_id for t in delivery.tickets], delivery.rejected) == (["1", "2"], ())


@pytest.mark.parametrize(
    "row", ["Total,,2", "Grand total,,", "Summe,,12,50", "Total: 3,,", ",,Total 3", "Gesamtergebnis,,1.234", "Итого,,5"]
)
def test_rows_of_totals_are_left_out_and_named(tmp_path: Path, row: str) -> None:
    cells = row.split(",", 2)
    delivery = read(tmp_path, f'id,opened,note\n1,2026-03-02,a\n{cells[0]},{cells[1]},"{cells[2]}"\n')
    assert [t.ticket_id for t in delivery.tickets] == ["1"]
    assert refusals(delivery) == [(2, "a row of totals, no ticket: left out")]


def test_a_ticket_that_is_called_total_is_a_ticket(tmp_path: Path) -> None:
    assert [t.ticket_id for t in read(tmp_path, "id,opened,note\nTotal,2026-03-02,no access\n").tickets] == ["Total"]


def test_the_rows_number_is_an_id_where_there_is_none(tmp_path: Path) -> None:
    columns = {"ticket_id": "(row)"}
    assert [t.ticket_id for t in read(tmp_path, "opened\n2026-03-02\n2026-03-03\n", columns=columns).tickets] == [
        "1",
        "2",
    ]
    written(tmp_path, "opened\n2026-03-02\n", "b.csv")
    with pytest.raises(BadInput, match="row numbers are ids of one file alone"):
        MappedFiles("test", mapping=simple(columns=columns)).read(tmp_path)


@pytest.mark.parametrize("damaged", ["2,02508E+15", "2.02508E+15", "1E+05", "2.02508e+15"])
def test_ids_that_a_spreadsheet_cut_are_refused(tmp_path: Path, damaged: str) -> None:
    delivery = read(tmp_path, f'id,opened\n"{damaged}",2026-03-02\nE+12,2026-03-02\n1E5,2026-03-02\n')
    assert [t.ticket_id for t in delivery.tickets] == ["E+12", "1E5"]
    assert "is what Excel left of a longer number" in delivery.rejected[0].reason


@pytest.mark.parametrize(
    ("unit", "cell", "answered"),
    [
        ("seconds", "90", "09:01:30"), ("minutes", "90", "10:30:00"), ("minutes", "1,5", "09:01:30"),
        ("hours", "1.25", "10:15:00"), ("days", "0", "09:00:00"), ("clock", "26:30", "11:30:00"),
        ("clock", "0:00:05", "09:00:05"), ("words", "1h 30m", "10:30:00"), ("words", "2 hours, 5 min", "11:05:00"),
        ("words", "1 day 3 s", "09:00:03"),
    ],
)  # fmt: skip
def test_a_duration_with_its_unit_is_an_instant(tmp_path: Path, unit: str, cell: str, answered: str) -> None:
    text = f'id,opened,answered\n1,2026-03-02 09:00,"{cell}"\n'
    columns = {"first_response_at": "answered"}
    ticket = only(read(tmp_path, text, columns=columns, durations={"first_response_at": unit}))
    assert f"{ticket.first_response_at:%H:%M:%S}" == answered


@pytest.mark.parametrize(
    ("unit", "cell"), [("minutes", "-5"), ("minutes", "1h"), ("clock", "1:75"), ("words", "2 moons")]
)
def test_what_is_no_duration_is_dropped(tmp_path: Path, unit: str, cell: str) -> None:
    text = f'id,opened,answered\n1,2026-03-02 09:00,"{cell}"\n'
    columns = {"first_response_at": "answered"}
    ticket = only(read(tmp_path, text, columns=columns, durations={"first_response_at": unit}))
    assert ticket.external_metadata["dropped"] == {
        "first_response_at": f"column answered: '{cell}' is not a duration in {unit}"
    }
