"""A database gets its tables by migrations alone, and they are the ones that the rooms declare."""

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from engine.shared.errors import BadInput, Unavailable
from engine.storage import migrate, open_store
from engine.storage.connect import engine_for
from engine.storage.sql import SqlStore
from engine.storage.tables import metadata
from tests.ports.examples import ANA, LATER, MONDAY, delivery
from tests.ports.racers import claim
from tests.processes import meet

pytestmark = pytest.mark.usefixtures("real_migrations")


def rooms() -> list[sa.MetaData]:
    from sla.alerting.store import metadata as sla
    from triage.enrichment.tables import metadata as enrichment
    from triage.feedback.tables import metadata as triage
    from triage.llm.tables import metadata as hosted

    return [metadata, sla, enrichment, *{triage, hosted}]


def owned(declared: sa.MetaData) -> set[str]:
    return {name for name, table in declared.tables.items() if "owned_by" not in table.info}


def tables(url: str) -> set[str]:
    engine = engine_for(url)
    names = set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    return names


def objects(url: str) -> set[str]:
    """Tables, their columns and triggers."""
    engine = engine_for(url)
    inspector = sa.inspect(engine)
    names = tables(url)
    columns = {f"{table}.{column['name']}" for table in names for column in inspector.get_columns(table)}
    engine.dispose()
    return names | columns | triggers(url)


def triggers(url: str) -> set[str]:
    engine = engine_for(url)
    on_sqlite = engine.dialect.name == "sqlite"
    asked = (
        "name FROM sqlite_master WHERE type = 'trigger'"
        if on_sqlite
        else "tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with engine.connect() as connection:
        names = set(connection.execute(sa.text(f"SELECT {asked}")).scalars())
    engine.dispose()
    return names


def test_migrated_tables_are_the_declared_ones(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    engine = engine_for(empty_url)
    with engine.connect() as connection:
        for declared in rooms():
            mine = owned(declared)
            only_mine = {"include_object": lambda thing, name, kind, *_: kind != "table" or name in mine}  # noqa: B023
            context = MigrationContext.configure(connection, opts={"compare_type": True, **only_mine})
            assert compare_metadata(context, declared) == []
    engine.dispose()
    assert tables(empty_url) == set().union(*map(owned, rooms()))


def test_down_leaves_nothing_and_up_works_again(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, "base")
    assert (tables(empty_url), migrate.current(empty_url), migrate.is_empty(empty_url)) == (set(), None, True)
    migrate.upgrade(empty_url)
    store = open_store(empty_url)
    assert store.ingest(delivery(), at=LATER).created == 1
    migrate.downgrade(empty_url, "base")
    assert tables(empty_url) == set()


def test_every_revision_goes_down_and_up(empty_url: str) -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(migrate._config(empty_url))
    assert scripts.get_current_head() == migrate.head()
    assert {script.revision for script in scripts.walk_revisions()} == migrate.revisions()
    known = {}
    for revision in sorted(migrate.revisions()):
        migrate.upgrade(empty_url, revision)
        assert migrate.current(empty_url) == revision
        known[revision] = objects(empty_url)
    for revision in reversed(known):
        assert objects(empty_url) == known[revision], revision
        migrate.downgrade(empty_url, "-1")
    migrate.upgrade(empty_url)
    assert objects(empty_url) == known[migrate.head()]
    assert migrate.current(empty_url) == migrate.head()


def test_an_empty_database_is_made_ready(empty_url: str) -> None:
    assert open_store(empty_url).counts()["tickets"] == 0
    assert migrate.current(empty_url) == migrate.head()


def test_an_older_database_asks_to_be_migrated(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0001")
    with pytest.raises(Unavailable, match="helmdesk migrate"):
        open_store(empty_url)
    migrate.upgrade(empty_url)
    open_store(empty_url)


def test_guards_come_to_a_database_made_before_them_and_what_it_holds_stays(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    before = SqlStore(empty_url)
    before.ingest(delivery(), at=MONDAY)
    claim(before, "servicenow:INC1", ANA)
    history, ticket = before.history("servicenow:INC1"), before.ticket("servicenow:INC1")
    before.close()
    migrate.downgrade(empty_url, "0008")
    assert "owner_stays" not in triggers(empty_url)
    migrate.upgrade(empty_url)
    store = SqlStore(empty_url)
    assert (store.history("servicenow:INC1"), store.ticket("servicenow:INC1")) == (history, ticket)
    with pytest.raises(sa.exc.IntegrityError, match="recorded transfer"), store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE tickets SET owner_id = 'eve'"))
    assert {"events_stay", "events_are_kept", "accepted_by_stays", "owner_stays"} <= triggers(empty_url)
    store.close()


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TABLE customers (id INTEGER)", "not helmdesk's"),
        ("CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES ('9z')", "newer"),
    ],
)
def test_a_foreign_or_newer_database_is_left_alone(empty_url: str, statement: str, why: str) -> None:
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        for part in statement.split(";"):
            connection.execute(sa.text(part))
    with pytest.raises(BadInput, match=why):
        open_store(empty_url)
    engine.dispose()


def open_as_process(url: str) -> int:
    meet()
    return len(open_store(url).counts())


def test_processes_that_start_at_once_share_one_migration(empty_url: str, process_pool: ProcessPoolExecutor) -> None:
    assert list(process_pool.map(open_as_process, [empty_url] * 2)) == [len(metadata.tables)] * 2


@pytest.mark.parametrize("move", [migrate.upgrade, migrate.downgrade])
def test_a_revision_that_is_not_there_is_named(empty_url: str, move: Callable[[str, str], None]) -> None:
    with pytest.raises(BadInput, match=r"9z.*knows 0001"):
        move(empty_url, "9z")


def test_migrating_says_nothing(empty_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    migrate.upgrade(empty_url)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("wrong", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "no address"], ids=str)
def test_addresses_that_are_not_supported_are_named(wrong: str) -> None:
    with pytest.raises(BadInput):
        open_store(wrong)


def test_a_database_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="embedded alternative is sqlite") as raised:
        open_store("postgresql+psycopg://me:secret@localhost:1/none")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("path", ["notes.txt", "notes.txt/helmdesk.db", "."])
def test_a_path_that_holds_no_database_is_unavailable(tmp_path: Path, path: str) -> None:
    (tmp_path / "notes.txt").write_text("Monday: call the customer back.\n" * 50)
    with pytest.raises(Unavailable, match=re.escape(str(tmp_path / path))):
        open_store(f"sqlite:///{tmp_path / path}")


def test_importing_the_room_stays_cheap(tmp_path: Path) -> None:
    code = "import sys, engine.storage; print(sorted({'sqlalchemy', 'alembic'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
