"""The marts by program, by SQL and as files: with the rights of whoever asks, and nothing else in reach."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from engine.access import Right, User, UserRole
from engine.shared.errors import BadInput, HelmdeskError, NotAllowed, NotFound, Unavailable
from engine.timeline import EntryType, TimelineEntry, Visibility
from pipelines.app.container import App, open_app
from pipelines.export_format import Format
from pipelines.jobs.cycle import CycleRun
from pipelines.jobs.export import export_mart
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.marts import MartReader, open_marts
from pipelines.marts.closed_sql import answer
from pipelines.marts.publication import file_of
from pipelines.marts.registry import MARTS
from tests.pipelines.small_desk import AS_OF, write_export

SECRET, FOR_ITS_PEOPLE, PUBLIC = "the board knows of it", "only the expert may know", "we are on it"


def take_in(app: App, folder: Path, title: str, number: str = "") -> str:
    """Twenty generated tickets, the first with this title; its key."""
    file = write_export(folder, 20) / "tickets.jsonl"
    first, *others = file.read_text(encoding="utf-8").splitlines()
    ticket = json.loads(first) | {"title": title}
    ticket["ticket_id"] += number
    file.write_text("\n".join([json.dumps(ticket), *others]), encoding="utf-8")
    if number:
        (folder / "events.jsonl").unlink()
    ingest(app, folder, source="helmdesk", at=AS_OF)
    return f"{ticket['source']}:{ticket['ticket_id']}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("home")
    with open_app(home=place) as app:
        bring_people(app, app.settings.data / "people")
        key = take_in(app, place / "export", "=HYPERLINK(1)")
        visible = {SECRET: Visibility.INTERNAL, FOR_ITS_PEOPLE: Visibility.ENVELOPE_ONLY, PUBLIC: Visibility.PUBLIC}
        app.store.put([
            TimelineEntry(id=text[:9], ticket_id=key, type=EntryType.NOTE, visibility=seen, author_id="ana",
                          content=text, created_at=AS_OF)
            for text, seen in visible.items()
        ])  # fmt: skip
        app.store.put([
            User(id="reader", name="Rea", roles=(UserRole.AGENT,)),
            User(id="boss", name="Bo", roles=(UserRole.MANAGER,)),
        ])  # fmt: skip
        CycleRun(app, AS_OF).walk(["evaluate", "publish"])
    return place


def test_marts_open_lazily_with_their_question_and_dictionary(home: Path) -> None:
    with open_marts(home) as marts:
        assert marts.as_of == AS_OF
        assert marts.tickets.question == "What is the state of each ticket?"
        assert marts.tickets.columns["created_at"].unit == "UTC"
        frame = marts.tickets.frame()
        assert marts.tickets.lazy().select(pl.len()).collect().item() == frame.height == len(marts.tickets.pandas())
        assert marts.tickets.relation().count("*").fetchall() == [(frame.height,)]
        assert marts.sql("SELECT count(*) AS n FROM tickets").item() == frame.height
        assert {"tickets", "sla_clocks"} <= set(dir(marts))
        with pytest.raises(NotFound, match="did you mean tickets"):
            marts["tickts"]
        with pytest.raises(AttributeError, match="did you mean tickets"):
            marts.tickts  # noqa: B018


def test_marts_open_from_anywhere(home: Path, tmp_path: Path) -> None:
    code = f"from pipelines.marts import open_marts; print(open_marts(r'{home}').tickets.frame().height)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(ran.stdout) > 0


def test_fractions_stay_fractions_and_sums_are_whole(home: Path) -> None:
    with open_marts(home) as marts:
        assert marts.sql("SELECT 1.5 AS half, sum(1) AS n FROM tickets").row(0) == (1.5, marts.tickets.frame().height)


def test_no_file_without_its_entry(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_app(home=home) as app:
        boss = next(iter(app.store.all(User, id="boss")))
        with app.store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE audit_log RENAME TO gone")
        try:
            with pytest.raises(Exception, match="audit_log"):
                export_mart(app, boss, "tickets", Format.CSV, tmp_path / "t.csv")
        finally:
            with app.store.engine.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE gone RENAME TO audit_log")
    assert not list(tmp_path.iterdir())


def test_an_empty_home_says_what_fills_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="helmdesk cycle"):
        open_marts(tmp_path)


def test_internal_entries_open_by_their_right_alone(home: Path) -> None:
    with open_marts(home, user="boss") as marts:
        texts = marts.internal_entries.frame()["text"].to_list()
        assert SECRET in texts
        assert None in texts
        assert not {FOR_ITS_PEOPLE, PUBLIC} & set(texts)
    with open_marts(home, user="reader") as marts:
        assert "internal_entries" not in list(marts)
        with pytest.raises(NotAllowed, match="takes the right read_internal"):
            marts["internal_entries"]
        with pytest.raises(NotAllowed):
            answer(marts.reader, "SELECT * FROM internal_entries")
        with pytest.raises(duckdb.CatalogException):
            marts.sql("SELECT * FROM internal_entries")


def test_no_mart_that_everybody_reads_holds_internal_text(home: Path) -> None:
    with MartReader(home / "marts") as reader:
        for name, mart in MARTS.items():
            file = file_of(reader.publication.folder, name)
            held = {text for text in (SECRET, FOR_ITS_PEOPLE) if text in str(pl.read_parquet(file).to_dicts())}
            assert not held or mart.right == Right.READ_INTERNAL, name
            if mart.right != Right.READ:
                assert file.parent.stat().st_mode & 0o077 == 0


ATTACKS = [
    "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('{home}/helmdesk.db')",
    "SELECT * FROM read_parquet('{restricted}')", "SELECT * FROM '{restricted}'", "SELECT * FROM glob('/*')",
    "COPY (SELECT 1) TO '{home}/out.csv'", "ATTACH '{home}/helmdesk.db' AS other", "INSTALL httpfs", "LOAD sqlite",
    "SET enable_external_access = true", "PRAGMA enable_external_access = true", "RESET lock_configuration",
    "CREATE TABLE x AS SELECT 1", "DROP TABLE tickets", "SELECT 1; SELECT 2", "EXPORT DATABASE '{home}/all'",
    "SELECT getenv('HOME')", "EXPLAIN SELECT 1", "SELECT * FROM home", "SELECT * FROM query('ATTACH ''x.db''')", "",
    "SELECT * FROM sqlite_scan('{home}/helmdesk.db', 'tickets')", "CALL pragma_version()", "not sql",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_sql_reaches_nothing_but_the_marts(home: Path, attack: str) -> None:
    before = sorted(home.rglob("*"))
    with MartReader(home / "marts", rights={Right.READ}) as reader:
        restricted = reader.publication.folder / "restricted" / "internal_entries.parquet"
        with pytest.raises(HelmdeskError) as refused:
            answer(reader, attack.replace("{home}", str(home)).replace("{restricted}", str(restricted)))
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)
    assert sorted(home.rglob("*")) == before


def test_sql_answers_and_names_what_is_close(home: Path) -> None:
    with MartReader(home / "marts") as reader:
        assert answer(reader, "SELECT count(*) AS n FROM tickets").item() == reader.publication.rows["tickets"]
        with pytest.raises(BadInput, match="The mart tickets is close"):
            answer(reader, "SELECT * FROM ticket")
        with pytest.raises(Unavailable, match=r"longer than 0\.2 s"):
            answer(reader, "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7",
                   seconds=0.2)  # fmt: skip


def exported(home: Path, kind: Format, file: Path, user: str = "boss", mart: str = "tickets") -> App:
    with open_app(home=home) as app:
        found = next(iter(app.store.all(User, id=user)))
        export_mart(app, found, mart, kind, file)
    return app


def test_an_export_says_what_it_holds_and_is_read_by_each_tool(home: Path, tmp_path: Path) -> None:
    csv, parquet = tmp_path / "t.csv", tmp_path / "t.parquet"
    exported(home, Format.CSV, csv)
    exported(home, Format.PARQUET, parquet)
    first = csv.read_text(encoding="utf-8").splitlines()
    skip = int(first[0].split("skip ")[1].split()[0])
    assert all(line.startswith("# ") for line in first[:skip])
    assert f"# as_of: {AS_OF.isoformat()}" in first
    rows = [
        pl.read_csv(csv, skip_lines=skip), pl.from_pandas(pd.read_csv(csv, skiprows=skip)),
        pl.DataFrame(duckdb.read_csv(str(csv), skiprows=skip).to_arrow_table()), pl.read_parquet(parquet),
    ]  # fmt: skip
    assert len({(frame.height, tuple(frame.columns)) for frame in rows}) == 1
    assert "'=HYPERLINK(1)" in rows[0]["subject"].to_list()
    assert "=HYPERLINK(1)" in rows[-1]["subject"].to_list()
    assert rows[0]["created_at"][0].endswith("Z")
    assert json.loads(pl.read_parquet_metadata(parquet)["helmdesk"])["rows"] == str(rows[-1].height)


def test_an_export_takes_the_right_and_is_noted(home: Path, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="export"):
        exported(home, Format.CSV, tmp_path / "no.csv", user="reader")
    assert not list(tmp_path.iterdir())
    exported(home, Format.CSV, tmp_path / "yes.csv", mart="sla_clocks")
    with open_app(home=home) as app:
        log = app.store.frame("audit_log").filter(pl.col("kind") == "exported")
    assert log.select("subject", "actor").rows()[-1] == ("sla_clocks", "boss")


def test_current_leads_other_tools_to_the_publication_in_force(home: Path) -> None:
    def rows() -> int:
        return duckdb.sql(f"SELECT count(*) FROM '{home}/marts/current/tickets.parquet'").fetchall()[0][0]

    before = rows()
    with open_app(home=home) as app:
        take_in(app, home / "again", "One more", number="-2")
        CycleRun(app, AS_OF).walk(["publish"])
    assert rows() == before + 1
