"""The desk's own files: bad lines are named, a history comes with its ticket, reading again brings nothing new."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from engine.contracts import Kind
from engine.plugins.files import HelmdeskFiles
from engine.plugins.ports import CHUNK
from engine.shared.errors import BadInput
from tests.engine.plugins.samples import refusals, whole

AT = "2026-03-02T09:00:00Z"


def folder(base: Path, tickets: list[Any], events: list[Any] = []) -> Path:  # noqa: B006
    for name, lines in (("tickets", tickets), ("events", events)):
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        if text:
            (base / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return base


def ticket(key: str, **more: Any) -> dict[str, Any]:
    return {"ticket_id": key, "source": "sample", "created_at": AT, **more}


def event(key: str, kind: str = "created", **more: Any) -> dict[str, Any]:
    return {"ticket_id": f"sample:{key}", "kind": kind, "at": AT, **more}


def test_tickets_come_with_their_history(tmp_path: Path) -> None:
    told = whole(HelmdeskFiles(), folder(tmp_path, [ticket("1"), ticket("2")], [event("1"), event("1", "response")]))
    assert [t.key for t in told.tickets] == ["sample:1", "sample:2"]
    assert [(e.ticket_id, e.kind) for e in told.events] == [("sample:1", Kind.CREATED), ("sample:1", Kind.RESPONSE)]


def test_a_tickets_file_alone_finds_its_events(tmp_path: Path) -> None:
    path = folder(tmp_path, [ticket("1")], [event("1")]) / "tickets.jsonl"
    assert len(whole(HelmdeskFiles(), path).events) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{bad", "Invalid JSON"),
        ("[1]", "the whole row: Input should be an object, got [1]"),
        ("[" * 5000, "Invalid JSON: recursion limit exceeded"),
        ({"ticket_id": "9", "source": "sample"}, "created_at: Field required"),
        (ticket("9", priority="P1"), "priority: Input should be 'critical', 'high', 'medium' or 'low', got 'P1'"),
        (ticket("9", color="red"), "color: Extra inputs are not permitted, got 'red'"),
        (ticket("9", source="My Source"), "source: String should match pattern"),
        (ticket("9", created_at="2026-03-02T09:00:00"), "created_at: Input should have timezone info"),
        (ticket("9", created_at="9999-12-31T23:59:59-05:00"), "is out of reach in UTC"),
        (ticket("9", resolved_at="2026-03-01T09:00:00Z"), "resolved_at 2026-03-01 09:00:00 is before created_at"),
        (ticket("9", title="a\x00b"), "the text has a NUL character"),
        (ticket("9", external_metadata={"x": float("nan")}), "NaN is not a JSON number"),
        (ticket("1"), "ticket_id: sample:1 was already in line 1"),
        ('{"ticket_id": "\\ud800", "source": "s", "created_at": "2026-03-02T09:00:00Z"}', "Invalid JSON"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_goes_on(tmp_path: Path, line: Any, reason: str) -> None:
    told = whole(HelmdeskFiles(), folder(tmp_path, [ticket("1"), "", line, ticket("2")]))
    assert [t.ticket_id for t in told.tickets] == ["1", "2"]
    assert [row for row, _ in refusals(told)] == [3]
    assert reason in told.rejected[0].reason
    assert told.rejected[0].content
    json.dumps(told.rejected[0].content, allow_nan=False).encode()


def test_the_word_nan_in_a_text_is_a_word(tmp_path: Path) -> None:
    assert len(whole(HelmdeskFiles(), folder(tmp_path, [ticket("1", title="NaN and Infinity")])).tickets) == 1


def test_events_of_refused_and_unknown_tickets_are_refused(tmp_path: Path) -> None:
    events = [event("1"), event("bad"), event("none"), event("1", "explosion"), event("1", at="soon")]
    told = whole(HelmdeskFiles(), folder(tmp_path, [ticket("1"), ticket("bad", tier="gold")], events))
    assert len(told.events) == 1
    reasons = {(refused.origin, refused.row): refused.reason for refused in told.rejected}
    assert set(reasons) == {("tickets.jsonl", 2), *(("events.jsonl", row) for row in (2, 3, 4, 5))}
    assert len(told.rejected) == len(reasons)
    assert reasons["events.jsonl", 2] == "ticket_id: there is no ticket 'sample:bad' in this delivery"


def test_a_long_file_comes_in_deliveries_with_their_events(tmp_path: Path) -> None:
    keys = [str(number) for number in range(CHUNK + 5)]
    events = [event(key) for key in reversed(keys)]
    deliveries = list(HelmdeskFiles().read(folder(tmp_path, [ticket(key) for key in keys], events)))
    assert [len(delivery.tickets) for delivery in deliveries] == [CHUNK, 5]
    for delivery in deliveries:
        assert [e.ticket_id for e in delivery.events] == [t.key for t in delivery.tickets]


def test_events_without_an_id_get_one_from_their_content(tmp_path: Path) -> None:
    path = folder(tmp_path, [ticket("1")], [event("1"), event("1", "message"), event("1", "message", id="mine")])
    ids = [e.id for e in whole(HelmdeskFiles(), path).events]
    assert len(set(ids)) == 3
    assert ids[2] == "mine"
    assert ids == [e.id for e in whole(HelmdeskFiles(), path).events]


def test_a_history_stays_with_its_ticket_across_deliveries(tmp_path: Path) -> None:
    keys = [str(n) for n in range(2_500)]
    path = folder(tmp_path, [ticket(key) for key in keys], [event(key) for key in reversed(keys)])
    for part in HelmdeskFiles().read(path):
        assert len(part.tickets) <= 2_000
        assert {t.key for t in part.tickets} == {e.ticket_id for e in part.events}


@pytest.mark.parametrize("content", [None, b"", "é\n".encode("latin-1")])
def test_files_that_can_not_be_read_are_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "tickets.jsonl").write_bytes(content)
    with pytest.raises(BadInput, match=r"tickets\.jsonl"):
        HelmdeskFiles().read(tmp_path)


def test_events_alone_are_no_tickets(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give the folder"):
        HelmdeskFiles().read(folder(tmp_path, [ticket("1")], [event("1")]) / "events.jsonl")


def test_no_events_yet_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "tickets.jsonl").write_text('{"ticket_id":"1","source":"desk","created_at":"2026-03-02T09:00:00Z"}\n')
    (tmp_path / "events.jsonl").touch()
    for given in (tmp_path, tmp_path / "tickets.jsonl"):
        assert len(whole(HelmdeskFiles(), given).tickets) == 1


@pytest.mark.parametrize("name", ["README.md", "tickets.json", "tickets.csv", "tickets", "tickets.csv.gz"])
def test_only_files_of_tickets_are_read_as_such(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps(ticket("1")) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"reads \*\.jsonl, \*\.ndjson, .*--mapping"):
        HelmdeskFiles().read(tmp_path / name)


def test_packed_tickets_come_with_their_packed_history(tmp_path: Path) -> None:
    for name, line in (("tickets", ticket("1")), ("events", event("1"))):
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(json.dumps(line).encode()))
    told = whole(HelmdeskFiles(), tmp_path / "tickets.jsonl.gz")
    assert (len(told.tickets), len(told.events)) == (1, 1)
