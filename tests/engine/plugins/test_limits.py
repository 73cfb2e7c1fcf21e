"""A file that would fill the memory or the day ends in one line, within seconds and within bounds; real ones are made
here and read in a process of its own, whose peak memory is measured."""

import gzip
import json
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.plugins.files import HelmdeskFiles, MappedFiles
from engine.plugins.mapping import TicketMapping, load_mapping
from engine.shared.errors import BadInput
from tests.engine.plugins.workbook_samples import workbook
from tests.processes import ended

MB = 1024 * 1024
MOST_MEMORY = 700
"""MB at the peak; what is imported takes 250 of them."""
MOST_SECONDS = 20
"""Of CPU."""


def read(kind: str, path: Path) -> None:
    """Says how it ended, the peak of its memory and its CPU; the memory is bounded by the system too, so that a failing
    test harms no other."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    before = resource.getrusage(resource.RUSAGE_SELF)
    columns = {"ticket_id": "id", "created_at": "opened"}
    updates = {"columns": {"ticket_id": "case:concept:name"}, "updates": {"at": "time:timestamp"}}
    try:
        match kind:
            case "mapping":
                load_mapping(path)
            case "desk":
                list(HelmdeskFiles().read(path))
            case "xes":
                list(MappedFiles("a", mapping=TicketMapping.model_validate({"source": "a", **updates})).read(path))
            case _:
                list(MappedFiles("a", mapping=TicketMapping(source="a", columns=columns, encoding=kind)).read(path))
        print("read")
    except BadInput as error:
        print(error)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(int(peak.split()[1]) // 1024, used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime)


class Reading(NamedTuple):
    said: str
    megabytes: int
    seconds: float


def reading(kind: str, path: Path) -> Reading:
    done = ended(read, kind, path)
    assert done.code == 0, done.text[-2000:]
    *said, used = done.text.splitlines()
    assert len(said) == 1, said
    return Reading(said[0], int(used.split()[0]), float(used.split()[1]))


def long_description(folder: Path) -> Path:
    return _streamed(folder / "a.csv", b'id,opened,note\n1,2026-03-02,"', b"x" * MB, 300, b'"\n')


def open_quotation(folder: Path) -> Path:
    return _streamed(folder / "a.csv", b'id,opened,note\n1,2026-03-02,"', b"2,2026-03-02,x\n" * 70_000, 100, b"\n")


def long_line(folder: Path) -> Path:
    return _streamed(folder / "a.jsonl", b'{"id": 1, "opened": "2026-03-02", "note": "', b"x" * MB, 300, b'"}\n')


def gz_of_rows(folder: Path) -> Path:
    row = gzip.compress(b"1,2026-03-02,x\n" * (64 * MB // 15))
    return _streamed(folder / "a.csv.gz", gzip.compress(b"id,opened,note\n"), row, 100, b"")


def gz_of_nothing(folder: Path) -> Path:
    return _streamed(folder / "a.csv.gz", gzip.compress(b"id,opened\n"), gzip.compress(bytes(64 * MB)), 100, b"")


def gz_document(folder: Path) -> Path:
    part = gzip.compress(b'{"id": 1, "opened": "2026-03-02"},' * (64 * MB // 34))
    return _streamed(folder / "a.json.gz", gzip.compress(b"["), part, 40, gzip.compress(b'{"id": 2}]'))


def zip_of_rows(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as member:
        member.write(b"id,opened,note\n")
        for _ in range(200):
            member.write(b"1,2026-03-02,x\n" * (MB // 15))
    return folder / "a.zip"


def workbook_of_blanks(folder: Path) -> Path:
    sheet = f"<worksheet><sheetData>{' ' * (300 * MB)}</sheetData></worksheet>"
    (folder / "a.xlsx").write_bytes(workbook({"T": []}, raw={"xl/worksheets/sheet1.xml": sheet}))
    return folder / "a.xlsx"


def workbook_with_a_far_cell(folder: Path) -> Path:
    sheet = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'  # noqa: E501
    (folder / "a.xlsx").write_bytes(workbook({"T": []}, raw={"xl/worksheets/sheet1.xml": sheet}))
    return folder / "a.xlsx"


def large_document(folder: Path) -> Path:
    return _streamed(folder / "a.json", b"[", b'{"id": 1, "opened": "2026-03-02"},' * 30_000, 140, b'{"id": 2}]')


def xes_attribute(folder: Path) -> Path:
    return _streamed(
        folder / "a.xes", b'<log><trace><string key="concept:name" value="', b"x" * MB, 300, b'"/></trace></log>'
    )


def xes_entities(folder: Path) -> Path:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    (folder / "a.xes").write_text(f'<!DOCTYPE log [<!ENTITY l0 "lol">{levels}]><log>&l11;</log>')
    return folder / "a.xes"


def wide_table(folder: Path) -> Path:
    header = ",".join(["id", "opened", *(f"c{n}" for n in range(100_000))])
    (folder / "a.csv").write_text(f"{header}\n1,2026-03-02{',x' * 100_000}\n")
    return folder / "a.csv"


def table_of_like_headers(folder: Path) -> Path:
    (folder / "a.csv").write_text(f"id,opened{',x' * 4_000}\n1,2026-03-02{',x' * 4_000}\n")
    return folder / "a.csv"


def wide_record(folder: Path) -> Path:
    (folder / "a.json").write_text(
        json.dumps([{"id": 1, "opened": "2026-03-02"} | {f"k{n}": n for n in range(200_000)}])
    )
    return folder / "a.json"


def records_each_with_other_keys(folder: Path) -> Path:
    rows = [json.dumps({"id": n, "opened": "2026-03-02", f"k{n}": "x"}) for n in range(100_000)]
    (folder / "a.jsonl").write_text("\n".join(rows))
    return folder / "a.jsonl"


def mapping_of_merges(folder: Path) -> Path:
    keys = ", ".join(f"k{n}: v" for n in range(10))
    levels = (f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 9)}]}}" for n in range(1, 12))
    (folder / "a.yaml").write_text("\n".join([f"l0: &l0 {{{keys}}}", *levels, "source: a"]))
    return folder / "a.yaml"


def mapping_of_aliases(folder: Path) -> Path:
    levels = (f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    (folder / "a.yaml").write_text("\n".join(["l0: &l0 [x]", *levels, "source: a"]))
    return folder / "a.yaml"


def large_mapping(folder: Path) -> Path:
    return _streamed(folder / "a.yaml", b"source: a\nignore:\n", b"- column\n" * 100_000, 300, b"")


def _streamed(path: Path, head: bytes, part: bytes, times: int, tail: bytes) -> Path:
    with path.open("wb") as stream:
        stream.write(head)
        for _ in range(times):
            stream.write(part)
        stream.write(tail)
    return path


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell the peak memory")
@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (long_description, "utf-8", "line 2: is in a row of more than 16 MB"),
        (open_quotation, "utf-8", "is in a row of more than 16 MB, or a quotation mark is open"),
        (long_line, "utf-8", "line 1: is in a row of more than 16 MB"),
        (long_line, "desk", "line 1: is in a row of more than 16 MB"),
        (gz_of_rows, "utf-8", "unpacks to more than 100 times its size"),
        (gz_of_rows, "auto", "unpacks to more than 100 times its size"),
        (gz_of_nothing, "utf-8", "is in a row of more than 16 MB"),
        (gz_document, "utf-8", "unpacks to more than"),
        (zip_of_rows, "utf-8", "unpacks to more than 100 times its size"),
        (workbook_of_blanks, "utf-8", "unpacks to more than"),
        (workbook_with_a_far_cell, "utf-8", "has cells as far as row 1,048,576, column 16,384"),
        (large_document, "utf-8", "is larger than 128 MB"),
        (wide_table, "utf-8", "has more than 5,000 columns"),
        (table_of_like_headers, "utf-8", "read"),
        (wide_record, "utf-8", "has more than 5,000 columns"),
        (records_each_with_other_keys, "utf-8", "has more than 5,000 columns"),
        (xes_attribute, "xes", "an event is larger than 16 MB"),
        (xes_entities, "xes", "declares a document type"),
        (mapping_of_merges, "mapping", "its aliases stand for more than 10,000 values"),
        (mapping_of_aliases, "mapping", "its aliases stand for more than 10,000 values"),
        (large_mapping, "mapping", "it is larger than 4 MB"),
    ],
)
def test_what_is_too_much_ends_in_one_line(tmp_path: Path, make: Callable[[Path], Path], kind: str, said: str) -> None:
    done = reading(kind, make(tmp_path))
    assert said in done.said
    assert done.megabytes < MOST_MEMORY, done
    assert done.seconds < MOST_SECONDS, done


@pytest.mark.slow
def test_the_largest_row_that_is_allowed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": 1, "opened": "2026-03-02", "note": "x" * (15 * MB)}) + "\n")
    assert reading("utf-8", path).said == "read"


@pytest.mark.slow
def test_a_log_that_packs_well_is_read(tmp_path: Path) -> None:
    rows = "".join(f"{n},2026-03-02 09:00,Resolved by the desk of the network group\n" for n in range(20_000))
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(f"id,opened,note\n{rows}".encode()))
    assert reading("utf-8", path).said == "read"
