"""A mapping that can't be used is refused with its file, its key and the reason."""

from pathlib import Path

import pytest

from engine.plugins.mapping import load_mapping
from engine.shared.errors import BadInput, NotFound
from tests.engine.plugins.samples import MAPPINGS

GOOD = """
source: mine
columns: {ticket_id: Id, created_at: Opened, priority: Prio}
values: {priority: {A: high}}
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("dates: ['%Q']", "'%Q' is no date format"),
        ("dates: ['%H:%M']", "is no date format"),
        ("time_zone: Mars/Phobos", "not an IANA time zone"),
        ("encoding: utf-99", "no text encoding"),
        ("delimiter: ';;'", "delimiter"),
        ("ignore: [Prio]", "ignore: 'Prio' is mapped as well"),
        ("required: [status]", "nothing is mapped to the required field 'status'"),
        ("constants: {priority: low}", "'priority' has a column already"),
        ("constants: {tier: gold}", "constants: tier: Input should be 'enterprise'"),
        ("optional: [colour]", "'colour' is no field of a ticket"),
        ("colour: red", "colour: Extra inputs are not permitted"),
        ("source: other", "'source' is given twice"),
        ("dates: ['%d/%m/%Y', '%m/%d/%Y %H:%M']", "read one column in two orders of day and month"),
        ("dates: ['language:klingon']", "dateparser knows no such language"),
        ("zone_names: {IST: India}", "'India' is no offset like +05:30"),
        ("durations: {resolved_at: minutes}", "'resolved_at' has no column"),
        ("durations: {created_at: minutes}", "'created_at' is no later instant"),
        ("durations: {resolved_at: business_hours}", "business time has no instant without the source's own calendar"),
        ("durations: {resolved_at: fortnights}", "'fortnights' is no unit"),
        ("skip_rows: -1", "skip_rows"),
        ("records: 'a[]'", "records"),
        ("history: {ticket: t, field: f, to: n, at: a}", "a file of changed fields has those of `history`"),
        ("comments: {ticket: t, at: a, author: w}", "give its columns under `comments` and its files under"),
        ("tables: {tickets: t.csv, history: h.csv}", "give its columns under `history` and its files under"),
    ],
)
def test_a_broken_mapping_is_refused(tmp_path: Path, more: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD + more, encoding="utf-8")
    with pytest.raises(BadInput) as refusal:
        load_mapping(path)
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("created_at: Opened, ", "", "required field 'created_at'"),
        ("A: high", "A: highest", "'highest' is none of critical, high"),
        ("A: high", "yes: high", "put that key in quotes"),
        ("source: mine", "source: My Source", "source"),
        ("priority: {A: high}", "status: {Mail: null}", "only in an event log may a word of the status mean nothing"),
        ("priority: Prio", "priority: (row)", "only ticket_id can be (row)"),
        ("ticket_id: Id", "number: Id", "'number' is no field of a ticket"),
    ],
)
def test_a_mapping_that_says_nonsense_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput) as refusal:
        load_mapping(path)
    assert said in str(refusal.value)


@pytest.mark.parametrize("name", sorted(p.name for p in MAPPINGS.glob("*.yaml") if p.name != "plugins.yaml"))
def test_every_mapping_that_is_shipped_loads(name: str) -> None:
    assert load_mapping(MAPPINGS / name).columns["ticket_id"]


RELATED = """
source: mine
columns: {ticket_id: Id, created_at: Opened}
tables: {tickets: t.csv, comments: c.csv}
comments: {ticket: t, at: a, author: w}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RELATED, "map author_role, here or in `users`; who is of the desk is not guessed"),
        ("source: mine\nhistory: {ticket: t, field: f, to: n, at: a, fields: {x: title}}", "'title' has no history"),
        ("source: mine\nupdates: {at: a}", "required field 'ticket_id'"),
        (
            "source: mine\nupdates: {at: a}\ncolumns: {ticket_id: i}\ntables: {tickets: t.csv}",
            "an event log tells its history itself",
        ),
    ],
)
def test_a_mapping_of_histories_that_is_not_whole_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as refusal:
        load_mapping(tmp_path / "mine.yaml")
    assert said in str(refusal.value)


def test_no_mapping_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_mapping(tmp_path / "none.yaml")
