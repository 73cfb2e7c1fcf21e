"""`helmdesk audit verify` says whether anything recorded was changed, and where; nothing is published over a loss."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.shared.errors import BadInput
from pipelines import marts
from pipelines.app.container import open_app
from pipelines.cli import command_line
from pipelines.jobs.ingest import ingest
from pipelines.jobs.publish import publish
from pipelines.marts import chain_heads
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF, write_export


@pytest.fixture(scope="module")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    with open_app(home=home, embedder="wordllama") as app:
        ingest(app, source="helmdesk", path=write_export(home / "export", 12), at=AS_OF)
        publish(app, Snapshot(app, AS_OF))
    return home


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published_home, tmp_path / "home"))


def verified(home: Path) -> tuple[int, dict[str, Any]]:
    ran = CliRunner().invoke(command_line, ["--home", str(home), "audit", "verify", "--json"])
    return ran.exit_code, json.loads(ran.output)


def change(home: Path, *statements: str) -> None:
    with closing(sqlite3.connect(home / "helmdesk.db")) as connection:
        for trigger in ("events_stay", "events_are_kept"):
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def some_ticket(home: Path) -> str:
    with closing(sqlite3.connect(home / "helmdesk.db")) as connection:
        return str(connection.execute("SELECT id FROM tickets ORDER BY id LIMIT 1 OFFSET 4").fetchone()[0])


def test_an_untouched_home_is_whole(home: Path) -> None:
    code, found = verified(home)
    assert (code, found["ok"], found["tickets"], found["broken"]) == (0, True, 12, [])
    assert found["events"] > 24
    assert (found["publication"]["tickets"], found["publication"]["fault"]) == (12, None)
    said = CliRunner().invoke(command_line, ["--home", str(home), "audit", "verify"])
    assert "every chain is whole" in said.output


def test_a_changed_event_is_the_first_that_is_named(home: Path) -> None:
    ticket = some_ticket(home)
    change(home, f"UPDATE events SET actor = 'eve' WHERE ticket_id = '{ticket}' AND version = 2")
    code, found = verified(home)
    assert (code, found["ok"], found["found"]) == (1, False, 1)
    assert (found["broken"][0]["ticket"], found["broken"][0]["version"]) == (ticket, 2)
    said = CliRunner().invoke(command_line, ["--home", str(home), "audit", "verify"])
    assert said.exit_code == 1
    assert said.output.startswith(f"{ticket} version 2")


def test_a_removed_ticket_is_found_by_what_was_published(home: Path) -> None:
    ticket = some_ticket(home)
    change(home, f"DELETE FROM events WHERE ticket_id = '{ticket}'", f"DELETE FROM tickets WHERE id = '{ticket}'")
    code, found = verified(home)
    assert (code, [one["ticket"] for one in found["broken"]]) == (1, [ticket])
    with open_app(home=home, embedder="wordllama") as app:
        publish(app, Snapshot(app, AS_OF))
    assert verified(home) == (1, found | {"publication": verified(home)[1]["publication"]})


def test_changed_heads_of_a_publication_are_found(home: Path) -> None:
    (marts.current(home / "marts").folder / chain_heads.FILE).write_bytes(b"PAR1")
    code, found = verified(home)
    assert (code, found["ok"], found["broken"]) == (1, False, [])
    assert "not as it was published" in found["publication"]["fault"]


def test_without_a_publication_the_chains_alone_are_walked(home: Path) -> None:
    shutil.rmtree(home / "marts")
    code, found = verified(home)
    assert (code, found["ok"], found["publication"]) == (0, True, None)


def test_an_emptied_store_is_not_published_over_marts(home: Path) -> None:
    (home / "helmdesk.db").unlink()
    with open_app(home=home, embedder="wordllama") as app:
        with pytest.raises(BadInput, match=r"no ticket, but the marts .* speak of 12: put the database back"):
            publish(app, Snapshot(app, AS_OF))
        assert marts.MartReader(app.settings.marts_folder).frame("tickets").height == 12
        shutil.rmtree(home / "marts")
        assert publish(app, Snapshot(app, AS_OF)).rows["tickets"] == 0
