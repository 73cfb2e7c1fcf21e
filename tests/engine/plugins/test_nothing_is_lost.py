"""Whatever lies in a file, every row of it ends as a ticket or as a refused row, and nothing falls over."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from engine.contracts import Delivery
from engine.plugins.files import HelmdeskFiles, MappedFiles
from engine.plugins.mapping import Updates
from engine.plugins.ports import SourcePlugin
from engine.plugins.registry import source_plugin
from tests.engine.plugins.samples import MAPPINGS, simple, whole

COLUMNS = {"title": "title", "priority": "prio", "urgency": "urgency", "latitude": "lat", "tags": "labels"}
HEADER = ["id", "opened", "title", "prio", "urgency", "lat", "labels", "extra"]
odd = st.one_of(
    st.sampled_from(["", " ", "1", "2026-03-02", "2026-03-02T09:00:00Z", "high", "0001-01-01", "nan", "[1]", "[", "é"]),
    st.text(max_size=8),
)
scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd, st.just("half \ud800"))
json_ = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3))
record = st.dictionaries(st.sampled_from([*HEADER, "ticket_id", "source", "created_at", "key", "fields"]), json_)


def read(plugin: SourcePlugin, name: str, text: str) -> Delivery:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode())
        told = whole(plugin, path)
    json.dumps([r.content for r in told.rejected], allow_nan=False, ensure_ascii=False).encode()
    assert all(refused.reason for refused in told.rejected)
    return told


@given(st.lists(st.lists(odd, min_size=1, max_size=9).filter(lambda row: row != [""]), max_size=6))
def test_csv_rows(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, *rows])
    told = read(MappedFiles("test", mapping=simple(columns=COLUMNS)), "a.csv", text.getvalue())
    assert len(told.tickets) + len(told.rejected) == sum(any(map(str.strip, row)) for row in rows)


@given(st.lists(record, min_size=1, max_size=6))
def test_json_lines(records: list[dict[str, object]]) -> None:
    records[0] = {**dict.fromkeys(["id", "opened", *COLUMNS.values()]), **records[0]}
    lines = "".join(json.dumps(each) + "\n" for each in records)
    mapping = simple(columns=COLUMNS, optional=["ticket_id", "created_at", *COLUMNS])
    for plugin in (
        MappedFiles("test", mapping=mapping),
        HelmdeskFiles(),
        source_plugin("jira", mappings=MAPPINGS),
        source_plugin("servicenow", mappings=MAPPINGS),
    ):
        told = read(plugin, "a.jsonl", lines)
        assert len(told.tickets) + len(told.rejected) == len(records), plugin.name


@given(st.lists(st.tuples(st.sampled_from("ab"), odd, odd, odd), max_size=8))
def test_update_rows(rows: list[tuple[str, str, str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("id", "opened", "at", "state", "who"), *((r[0], "2026-03-01", *r[1:]) for r in rows)])
    mapping = simple(columns={"status": "state", "assignee": "who"}, updates=Updates(at="at"))
    told = read(MappedFiles("test", mapping=mapping), "a.csv", text.getvalue())
    taken = {ticket.ticket_id for ticket in told.tickets}
    held = [each.content["id"] for each in told.rejected]
    assert sorted([*taken, *held]) == sorted({row[0] for row in rows})
