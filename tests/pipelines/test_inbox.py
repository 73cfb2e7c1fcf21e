"""Whatever is dropped into the inbox is taken in or filed under refused with its reason, and the rest goes on."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contracts import Agent, IngestReport
from engine.errors import BadInput
from pipelines import inbox
from pipelines.inbox import take_in
from pipelines.jobs.ingest import ingest
from pipelines.settings import shipped_data
from pipelines.wiring import House, open_house
from tests.pipelines.small_desk import fill_inbox

PEOPLE = shipped_data() / "people"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(home=tmp_path) as opened:
        yield opened


def drop(house: House, name: str, content: str = "") -> Path:
    file = house.settings.home / "inbox" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def filed(house: House, name: str) -> list[str]:
    """What lies below a folder of the inbox, without the instant before each name."""
    found = (path for path in (house.settings.home / "inbox" / name).rglob("*") if path.is_file())
    return sorted(path.name.partition("-")[2] for path in found)


def reasons(house: House) -> list[str]:
    return [refused.reason for refused in house.store.rejected()]


@pytest.mark.parametrize("name", ["people", "people/team-of-may"])
def test_people_are_taken_in_as_a_folder_or_loose(house: House, name: str) -> None:
    shutil.copytree(PEOPLE, house.settings.home / "inbox" / name)
    assert take_in(house) == IngestReport()
    assert len(house.store.all(Agent)) == len(house.people.agents)
    assert inbox.waiting(house.settings.home / "inbox") == []
    assert "README.md" not in filed(house, "refused")


def test_loose_people_files_wait_until_all_six_are_there(house: House) -> None:
    drop(house, "people/agents.yaml", (PEOPLE / "agents.yaml").read_text(encoding="utf-8"))
    assert take_in(house) == IngestReport()
    assert (house.store.all(Agent), filed(house, "refused")) == ([], [])
    shutil.copytree(PEOPLE, house.settings.home / "inbox" / "people", dirs_exist_ok=True)
    take_in(house)
    assert house.store.all(Agent)


def test_a_broken_people_folder_is_refused_with_its_reason(house: House) -> None:
    shutil.copytree(PEOPLE, house.settings.home / "inbox" / "people" / "may")
    drop(house, "people/may/agents.yaml", "agents: [{id: a}]\n")
    assert take_in(house).rejected == 1
    assert "agents.0" in reasons(house)[0]
    assert house.store.all(Agent) == []


def test_a_refused_file_is_among_the_rejected_rows_and_the_rest_goes_on(house: House) -> None:
    fill_inbox(house.settings.home, tickets=3)
    drop(house, "helmdesk/broken.jsonl")
    report = take_in(house)
    assert (report.created, report.rejected) == (3, 1)
    (kept,) = house.store.rejected()
    assert (kept.source, kept.origin, kept.row) == ("helmdesk", "broken.jsonl", None)
    assert "broken.jsonl" in kept.reason
    assert filed(house, "refused") == ["broken.jsonl", "broken.jsonl.reason.txt"]


def test_a_file_beside_the_source_folders_is_refused_with_what_to_do(house: House) -> None:
    drop(house, "export.csv", "a,b\n1,2\n")
    assert take_in(house).rejected == 1
    assert "inbox/<source>/" in reasons(house)[0]
    assert filed(house, "refused") == ["export.csv", "export.csv.reason.txt"]


def test_a_file_still_being_written_is_left_alone(house: House) -> None:
    for name in (".export.csv", "helmdesk/.part.jsonl", ".git/config", "people/.agents.yaml"):
        drop(house, name)
    assert take_in(house) == IngestReport()
    assert reasons(house) == []


@pytest.mark.parametrize("prefix", ["", "may-"])
def test_loose_tickets_are_taken_in_with_the_events_beside_them(house: House, prefix: str) -> None:
    given = fill_inbox(house.settings.home, tickets=3)
    for name in ("tickets.jsonl", "events.jsonl"):
        (given / name).rename(given.parent / f"{prefix}{name}")
    given.rmdir()
    report = take_in(house)
    assert (report.created, report.rejected, report.events > 6) == (3, 0, True)
    assert filed(house, "done") == [f"{prefix}events.jsonl", f"{prefix}tickets.jsonl"]


def test_a_file_that_vanishes_meanwhile_stops_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = drop(house, "helmdesk/a.jsonl")
    fill_inbox(house.settings.home, tickets=2)
    lying = inbox.waiting(house.settings.home / "inbox")
    monkeypatch.setattr(inbox, "waiting", lambda _: lying)
    gone.unlink()
    assert take_in(house).created == 2
    assert "there is no such file" in reasons(house)[0]


def test_a_mapping_that_is_gone_refuses_its_files_only(house: House) -> None:
    drop(house, "no-such-source/a.csv", "a\n1\n")
    fill_inbox(house.settings.home, tickets=2)
    report = take_in(house)
    assert (report.created, report.rejected) == (2, 1)


def test_a_path_too_long_is_named_in_one_line(house: House) -> None:
    with pytest.raises(BadInput, match="name too long") as refused:
        ingest(house, house.settings.home / f"{'x' * 300}.jsonl", source="helmdesk", at=house.now())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["x" * 245 + ".jsonl", os.fsdecode(b"\xff.jsonl")])
def test_an_odd_name_is_refused_like_any_other(house: House, name: str) -> None:
    drop(house, f"helmdesk/{name}")
    assert take_in(house).rejected == 1
    assert len(filed(house, "refused")) == 2
    assert take_in(house).rejected == 0


@pytest.mark.parametrize("name", ["tickets.jsonl", "tickets.csv"])
def test_a_pipe_is_called_no_file(house: House, name: str) -> None:
    os.mkfifo(house.settings.home / name)
    with pytest.raises(BadInput, match="neither a file nor a folder"):
        ingest(house, house.settings.home / name, source="servicenow-csv", at=house.now())


def test_two_long_names_are_both_kept(house: House) -> None:
    for first in "ab":
        drop(house, f"helmdesk/{first}{'x' * 220}.jsonl", first)
    take_in(house)
    assert len(filed(house, "done")) == 2
