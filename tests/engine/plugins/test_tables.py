"""A file that can't be read is refused before anything of it is taken; a row that does not fit is named."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from engine.contracts import Status
from engine.plugins.files import MappedFiles
from engine.plugins.tables import _distinct
from engine.shared.errors import BadInput
from tests.engine.plugins.samples import read, refusals, simple, whole, written

GOOD = "id,opened,note\n1,2026-03-02 09:00,first\n2,2026-03-02 10:00,\n"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.CSV"])
def test_a_table_becomes_tickets(tmp_path: Path, name: str) -> None:
    told = read(tmp_path, GOOD, name)
    assert [t.key for t in told.tickets] == ["test:1", "test:2"]
    assert told.tickets[0].created_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert [t.external_metadata for t in told.tickets] == [{"note": "first"}, {}]
    assert told.rejected == ()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n\n", "no header line"),
        ("a.csv", "id,opened\n1,caf\xe9\n".encode("latin-1"), "set `encoding` in the mapping"),
        ("a.csv", b'id,opened\n1,"2026-03-02\n2,x\n', "line 2: has a quotation mark that is not closed"),
        ("a.csv.gz", gzip.compress(GOOD.encode() * 500, mtime=0)[:-20], "cut off or damaged"),
        ("a.csv.gz", b"id,opened\n", "cut off or damaged"),
        ("a.parquet", b"PAR1 nothing", "not a whole Parquet file"),
        ("a.xlsx", b"PK", "cut off or damaged"),
        ("a.xls", b"<html>", "not a workbook that can be read"),
        ("a.docx", b"PK", "not a table that can be read"),
        ("a.csv", b"id,when\n1,2\n", "no column 'opened', which the mapping names at columns.created_at"),
        ("a.jsonl", b'{"id": 1}\n', "no column 'opened'"),
    ],
)
def test_a_file_that_is_no_table_is_refused_at_once(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadInput) as refusal:
        MappedFiles("test", mapping=simple()).read(path)
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_a_missing_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    plugin = MappedFiles("test", mapping=simple())
    with pytest.raises(BadInput, match="no such file"):
        plugin.read(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="the folder has no file"):
        plugin.read(tmp_path)


def test_a_header_alone_brings_nothing(tmp_path: Path) -> None:
    assert whole(MappedFiles("test", mapping=simple()), written(tmp_path, "id,opened\n")).tickets == ()


def test_ragged_lines_are_named_and_kept(tmp_path: Path) -> None:
    told = read(tmp_path, "id,opened,note\n1,2026-03-02\n2,2026-03-02,a,b\n\n3,2026-03-02,c\n")
    assert refusals(told) == [(1, "the row has 2 cells, the header 3"), (2, "the row has 4 cells, the header 3")]
    assert told.rejected[1].content == {"id": "2", "opened": "2026-03-02", "note": "a", "(beyond the header)": ["b"]}
    assert [t.ticket_id for t in told.tickets] == ["3"]


def test_quotes_and_line_breaks_stay_in_their_cell(tmp_path: Path) -> None:
    told = read(tmp_path, 'id,opened,text\n1,2026-03-02,"a ""b""\nc, d"\n', columns={"description": "text"})
    assert told.tickets[0].description == 'a "b"\nc, d'


def test_a_nul_byte_is_refused_and_shown(tmp_path: Path) -> None:
    told = read(tmp_path, "id,opened,note\n1,2026-03-02,a\x00b\n")
    assert refusals(told) == [(1, "column note has a NUL byte")]
    assert told.rejected[0].content["note"] == "a␀b"


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert len(read(tmp_path, "\ufeff" + GOOD).tickets) == 2


def test_another_encoding_is_read_when_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id;opened;text\n1;2026-03-02;café\n".encode("cp1252"))
    mapping = simple(encoding="cp1252", delimiter=";", columns={"title": "text"})
    assert whole(MappedFiles("test", mapping=mapping), path).tickets[0].title == "café"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "cp1252", "idna"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
def test_a_file_in_another_encoding_than_named_is_refused(tmp_path: Path, encoding: str, name: str) -> None:
    path, content = tmp_path / name, b"id,opened\n1,\x9d\xe9\n"
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(BadInput, match=rf"not {encoding} text \(.*set `encoding` in the mapping"):
        MappedFiles("test", mapping=simple(encoding=encoding)).read(path)


def test_json_lines_are_flattened(tmp_path: Path) -> None:
    lines = '{"id": 7, "meta": {"opened": "2026-03-02T09:00:00+01:00", "deep": {"x": [1, 2]}}}\n[1]\n{bad\n'
    told = read(tmp_path, lines, "a.jsonl", columns={"created_at": "meta.opened"})
    assert (told.tickets[0].ticket_id, told.tickets[0].external_metadata) == ("7", {"meta.deep.x": "[1, 2]"})
    assert refusals(told) == [(n, "the line is not one JSON object in Unicode") for n in (2, 3)]


def test_parquet_keeps_instants(tmp_path: Path) -> None:
    opened = pl.Series([datetime(2026, 3, 2, 8, tzinfo=UTC)]).dt.convert_time_zone("Europe/Berlin")
    pl.DataFrame({"id": [1], "opened": opened, "state": ["new"], "list": [[1, 2]]}).write_parquet(
        tmp_path / "a.parquet"
    )
    plugin = MappedFiles("test", mapping=simple(columns={"status": "state"}))
    ticket = whole(plugin, tmp_path / "a.parquet").tickets[0]
    assert (ticket.created_at, ticket.status) == (datetime(2026, 3, 2, 8, tzinfo=UTC), Status.NEW)
    assert ticket.external_metadata == {"list": "[1, 2]"}


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "a.csv")
    written(tmp_path, "id,opened\n9,2026-03-02\n", "b.csv.gz")
    (tmp_path / "readme.txt").write_text("not a table")
    assert [t.ticket_id for t in whole(MappedFiles("test", mapping=simple()), tmp_path).tickets] == ["1", "2", "9"]


def test_no_delivery_has_more_than_two_thousand_tickets(tmp_path: Path) -> None:
    rows = "".join(f"{n},2026-03-02\n" for n in range(4_500))
    parts = list(MappedFiles("test", mapping=simple()).read(written(tmp_path, "id,opened\n" + rows)))
    assert [len(part.tickets) for part in parts] == [2000, 2000, 500]


def test_reading_again_gives_the_same(tmp_path: Path) -> None:
    plugin, path = MappedFiles("test", mapping=simple()), written(tmp_path, GOOD)
    assert list(plugin.read(path)) == list(plugin.read(path))


def test_every_column_gets_a_name_of_its_own() -> None:
    assert _distinct(["Id", "X", "X", "X (2)", "", "(column 5)"]) == [
        "Id",
        "X",
        "X (2)",
        "X (2) (2)",
        "(column 5)",
        "(column 5) (2)",
    ]
