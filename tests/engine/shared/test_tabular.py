"""A record is named by the line it begins on; a line by its place in the file, packed or not."""

import gzip
import io
from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from engine.shared.tabular import json_lines, lines, records, utf8_text


def test_a_record_has_the_line_it_begins_on() -> None:
    text = io.StringIO('a;b\r\n\r\n"1\n2";"x ""y"""\n3;4', newline="")
    assert list(records(text, "a.csv", ";")) == [(1, ["a", "b"]), (3, ["1\n2", 'x "y"']), (5, ["3", "4"])]


def test_an_open_quotation_mark_is_named_where_its_record_begins() -> None:
    found = records(io.StringIO('a,b\n"1\n2",3\n4,"5\n6,7\n8,9\n', newline=""), "a.csv", ",")
    assert [next(found), next(found)] == [(1, ["a", "b"]), (2, ["1\n2", "3"])]
    with pytest.raises(BadInput, match=r"^a\.csv, line 4: has a quotation mark that is not closed"):
        next(found)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "A.JSONL.GZ"])
def test_lines_have_their_number_packed_or_not(tmp_path: Path, name: str) -> None:
    content = "\ufeff{}\n\n  \n[1]\r\n2".encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.lower().endswith("gz") else content)
    assert list(lines(tmp_path / name)) == [(1, "{}\n"), (4, "[1]\r\n"), (5, "2")]
    assert utf8_text(tmp_path / name) == "{}\n\n  \n[1]\r\n2"
    with pytest.raises(BadInput, match=rf"{name}, line 4: is no JSON object"):
        list(json_lines(tmp_path / name))


def test_a_damaged_file_is_refused_alike_by_every_reader(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 5_000)[:-9])
    for read in (utf8_text, lambda file: list(lines(file)), lambda file: list(json_lines(file))):
        with pytest.raises(BadInput, match=r"a\.jsonl\.gz can't be unpacked, it is cut off or damaged"):
            read(tmp_path / "a.jsonl.gz")
