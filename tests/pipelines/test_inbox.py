"""Whatever is dropped into the inbox is taken in or filed under refused with its reason, and the rest goes on."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.contracts import Agent, IngestReport
from engine.shared import tabular
from engine.shared.errors import BadInput
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs import inbox
from pipelines.jobs.inbox import take_in
from pipelines.jobs.ingest import ingest
from tests.pipelines.small_desk import fill_inbox

PEOPLE = shipped_data() / "people"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_app(home=tmp_path) as opened:
        yield opened


def drop(app: App, name: str, content: str = "") -> Path:
    file = app.settings.home / "inbox" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def filed(app: App, name: str) -> list[str]:
    """What lies below a folder of the inbox, without the instant before each name."""
    found = (path for path in (app.settings.home / "inbox" / name).rglob("*") if path.is_file())
    return sorted(path.name.partition("-")[2] for path in found)


def reasons(app: App) -> list[str]:
    return [refused.reason for refused in app.store.rejected()]


@pytest.mark.parametrize("name", ["people", "people/team-of-may"])
def test_people_are_taken_in_as_a_folder_or_loose(app: App, name: str) -> None:
    shutil.copytree(PEOPLE, app.settings.home / "inbox" / name)
    assert take_in(app) == IngestReport()
    assert len(app.store.all(Agent)) == len(app.people.agents)
    assert inbox.waiting(app.settings.home / "inbox") == []
    assert "README.md" not in filed(app, "refused")


def test_loose_people_files_wait_until_all_six_are_there(app: App) -> None:
    drop(app, "people/agents.yaml", (PEOPLE / "agents.yaml").read_text(encoding="utf-8"))
    assert take_in(app) == IngestReport()
    assert (app.store.all(Agent), filed(app, "refused")) == ([], [])
    shutil.copytree(PEOPLE, app.settings.home / "inbox" / "people", dirs_exist_ok=True)
    take_in(app)
    assert app.store.all(Agent)


def test_a_broken_people_folder_is_refused_with_its_reason(app: App) -> None:
    shutil.copytree(PEOPLE, app.settings.home / "inbox" / "people" / "may")
    drop(app, "people/may/agents.yaml", "agents: [{id: a}]\n")
    assert take_in(app).rejected == 1
    assert "agents[0]" in reasons(app)[0]
    assert app.store.all(Agent) == []


def test_a_refused_file_is_among_the_rejected_rows_and_the_rest_goes_on(app: App) -> None:
    fill_inbox(app.settings.home, tickets=3)
    drop(app, "helmdesk/broken.jsonl")
    report = take_in(app)
    assert (report.created, report.rejected) == (3, 1)
    (kept,) = app.store.rejected()
    assert (kept.source, kept.origin, kept.row) == ("helmdesk", "broken.jsonl", None)
    assert "broken.jsonl" in kept.reason
    assert filed(app, "refused") == ["broken.jsonl", "broken.jsonl.reason.txt"]


def test_a_file_beside_the_source_folders_is_refused_with_what_to_do(app: App) -> None:
    drop(app, "export.csv", "a,b\n1,2\n")
    assert take_in(app).rejected == 1
    assert "inbox/<source>/" in reasons(app)[0]
    assert filed(app, "refused") == ["export.csv", "export.csv.reason.txt"]


def test_a_file_still_being_written_is_left_alone(app: App) -> None:
    for name in (".export.csv", "helmdesk/.part.jsonl", ".git/config", "people/.agents.yaml"):
        drop(app, name)
    assert take_in(app) == IngestReport()
    assert reasons(app) == []


@pytest.mark.parametrize("prefix", ["", "may-"])
def test_loose_tickets_are_taken_in_with_the_events_beside_them(app: App, prefix: str) -> None:
    given = fill_inbox(app.settings.home, tickets=3)
    for name in ("tickets.jsonl", "events.jsonl"):
        (given / name).rename(given.parent / f"{prefix}{name}")
    given.rmdir()
    report = take_in(app)
    assert (report.created, report.rejected, report.events > 6) == (3, 0, True)
    assert filed(app, "done") == [f"{prefix}events.jsonl", f"{prefix}tickets.jsonl"]


def test_a_file_that_vanishes_meanwhile_stops_nothing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = drop(app, "helmdesk/a.jsonl")
    fill_inbox(app.settings.home, tickets=2)
    lying = inbox.waiting(app.settings.home / "inbox")
    monkeypatch.setattr(inbox, "waiting", lambda _: lying)
    gone.unlink()
    assert take_in(app).created == 2
    assert "there is no such file" in reasons(app)[0]


def test_a_mapping_that_is_gone_refuses_its_files_only(app: App) -> None:
    drop(app, "no-such-source/a.csv", "a\n1\n")
    fill_inbox(app.settings.home, tickets=2)
    report = take_in(app)
    assert (report.created, report.rejected) == (2, 1)


def test_a_path_too_long_is_named_in_one_line(app: App) -> None:
    with pytest.raises(BadInput, match="name too long") as refused:
        ingest(app, app.settings.home / f"{'x' * 300}.jsonl", source="helmdesk", at=app.now())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["x" * 245 + ".jsonl", os.fsdecode(b"\xff.jsonl")])
def test_an_odd_name_is_refused_like_any_other(app: App, name: str) -> None:
    drop(app, f"helmdesk/{name}")
    assert take_in(app).rejected == 1
    assert len(filed(app, "refused")) == 2
    assert take_in(app).rejected == 0


@pytest.mark.parametrize("name", ["tickets.jsonl", "tickets.csv"])
def test_a_pipe_is_called_no_file(app: App, name: str) -> None:
    os.mkfifo(app.settings.home / name)
    with pytest.raises(BadInput, match="neither a file nor a folder"):
        ingest(app, app.settings.home / name, source="servicenow-csv", at=app.now())


def test_two_long_names_are_both_kept(app: App) -> None:
    for first in "ab":
        drop(app, f"helmdesk/{first}{'x' * 220}.jsonl", first)
    take_in(app)
    assert len(filed(app, "done")) == 2


SECRET = "id,opened\n1,2026-03-02\n"


def linked(app: App, name: str, *, folder: bool = False) -> Path:
    """A link in the inbox to a file, or to a folder with it, that lies elsewhere."""
    elsewhere = app.settings.home / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "tickets.jsonl").write_text(SECRET)
    link = app.settings.home / "inbox" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere if folder else elsewhere / "tickets.jsonl", target_is_directory=folder)
    return elsewhere


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("helmdesk/tickets.jsonl", False),
        ("helmdesk/of-may", True),
        ("helmdesk/of-may/tickets.jsonl", False),
        ("helmdesk", True),
        ("tickets.jsonl", False),
        ("people/agents.yaml", False),
        ("people/of-may", True),
    ],
)
def test_a_link_is_refused_and_what_it_points_to_stays(app: App, name: str, folder: bool) -> None:
    elsewhere = linked(app, name, folder=folder)
    assert take_in(app) == IngestReport(rejected=1)
    assert "is a link, which the inbox does not follow" in reasons(app)[0]
    assert (elsewhere / "tickets.jsonl").read_text() == SECRET
    assert inbox.waiting(app.settings.home / "inbox") == []
    assert app.store.tickets() == []


def test_events_that_are_a_link_are_not_read_beside_their_tickets(app: App) -> None:
    drop(app, "helmdesk/tickets.jsonl", "{}\n")
    linked(app, "helmdesk/events.jsonl")
    assert take_in(app) == IngestReport(rejected=1)
    assert "events.jsonl: is a link" in reasons(app)[0]
    assert inbox.waiting(app.settings.home / "inbox") == []


@pytest.mark.parametrize(
    ("swapped", "what", "why"),
    [
        ("helmdesk/tickets.jsonl", "link", "is a link or lies behind one"),
        ("helmdesk/of-may", "link", "is a link or lies behind one"),
        ("helmdesk/tickets.jsonl", "pipe", "is no regular file"),
    ],
)
def test_what_is_swapped_after_the_look_is_not_followed(
    app: App, swapped: str, what: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes to the inbox puts something else in place of what was looked at, before it is opened."""
    place = app.settings.home / "inbox" / swapped
    drop(app, f"{swapped}/tickets.jsonl" if place.suffix == "" else swapped, "{}\n")
    opened = tabular.open_bytes

    def swap_and_open(file: Path) -> BinaryIO:
        if not (app.settings.home / "away").exists():
            place.rename(app.settings.home / "away")
            os.mkfifo(place) if what == "pipe" else linked(app, swapped, folder=place.suffix == "")
        return opened(file)

    monkeypatch.setattr(tabular, "open_bytes", swap_and_open)
    assert take_in(app) == IngestReport(rejected=1)
    assert why in reasons(app)[0]
