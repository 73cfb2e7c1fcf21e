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


def test_no_mapping_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_mapping(tmp_path / "none.yaml")
