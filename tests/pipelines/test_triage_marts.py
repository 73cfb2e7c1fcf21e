"""The marts about triage, each cell worked out again with SQL over the store's own rows, and the report on them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from structlog.testing import capture_logs
from typer.testing import CliRunner

from engine.shared.errors import Unavailable
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.publish import publish
from pipelines.marts import MartReader
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF, triaged_desk
from triage.contracts import Article

Desk = tuple[MartReader, App]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Sixty tickets classified and drafted; people checked twenty claims and judged six drafts."""
    home: Path = tmp_path_factory.mktemp("home")
    with triaged_desk(home) as app, MartReader(app.settings.marts_folder) as reader:
        yield reader, app


def stored(desk: Desk, sql: str) -> pl.DataFrame:
    """DuckDB over the marts and the store's tables `reviews`, `feedback`, `classifications`, `suggestions`."""
    reader, app = desk
    connection = reader._connection.cursor()
    for table in ("reviews", "feedback"):
        rows = pl.read_database(f"SELECT * FROM {table}", app.store.engine.connect())
        connection.register(f"kept_{table}", rows.to_arrow())
    for table in ("classifications", "suggestions"):
        connection.register(f"kept_{table}", app.store.frame(table).to_arrow())
    return pl.DataFrame(connection.sql(sql).to_arrow_table())


def same(found: pl.DataFrame, again: pl.DataFrame, keys: list[str]) -> None:
    assert found.height > 0
    columns = [name for name in found.columns if name in again.columns]
    assert_frame_equal(
        found.select(columns).sort(keys), again.select(columns).sort(keys), check_dtypes=False, rel_tol=1e-9
    )


def test_calibration_counted_with_sql(desk: Desk) -> None:
    again = stored(
        desk,
        """SELECT model_used, least(floor(confidence * 10), 9) / 10 AS lower, count(*) AS answered,
        count(*) FILTER (said = label) AS agreed, avg(confidence) AS mean_confidence,
        count(*) FILTER (said = label) / count(*) AS share_agreed
        FROM kept_reviews WHERE number IN (SELECT max(number) FROM kept_reviews GROUP BY ticket_id) GROUP BY ALL""",
    )
    found = desk[0].frame("calibration")
    same(found, again, ["model_used", "lower"])
    assert found["answered"].sum() == 20
    assert ((found["low"] <= found["share_agreed"]) & (found["share_agreed"] <= found["high"])).all()


def test_the_answer_that_counts_is_the_last(desk: Desk) -> None:
    reviews = desk[0].frame("reviews")
    assert reviews["ticket"].is_unique().all()
    assert reviews.filter("is_right").height + reviews.filter(~pl.col("is_right")).height == 20
    assert set(reviews.filter(~pl.col("is_right"))["label"]) == {"GENERAL"}


def test_ledger_counted_with_sql(desk: Desk) -> None:
    again = stored(
        desk,
        " UNION ALL ".join(
            f"""SELECT CAST(created_at AS DATE) AS day, '{operation}' AS operation, model_used, count(*) AS tickets,
            avg(latency_ms) AS mean_latency_ms, CAST(sum(prompt_tokens) AS BIGINT) AS prompt_tokens,
            CAST(sum(completion_tokens) AS BIGINT) AS completion_tokens, sum(cost) AS cost
            FROM kept_{table} GROUP BY ALL"""
            for operation, table in (("classify", "classifications"), ("draft", "suggestions"))
        ),
    )
    same(desk[0].frame("cost_ledger"), again, ["day", "operation", "model_used"])


def test_feedback_counted_with_sql(desk: Desk) -> None:
    cuts = {"all": "'all'", "model": "model_used", "label": "label"}
    again = stored(
        desk,
        " UNION ALL ".join(
            f"""SELECT '{name}' AS dimension, {value} AS value, count(*) AS drafts,
            count(*) FILTER (outcome = 'sent') AS sent, count(*) FILTER (outcome = 'edited') AS edited,
            count(*) FILTER (outcome = 'rejected') AS rejected,
            count(*) FILTER (outcome <> 'rejected' AND distance <= 0.5) AS accepted,
            avg(distance) AS mean_distance FROM kept_feedback GROUP BY ALL"""
            for name, value in cuts.items()
        ),
    )
    found = desk[0].frame("draft_feedback").filter(pl.col("dimension") != "article")
    same(found, again, ["dimension", "value"])
    assert found.filter(dimension="all").select("sent", "edited", "rejected").row(0) == (2, 2, 2)


def test_articles_and_gaps_speak_of_the_drafts(desk: Desk) -> None:
    reader, app = desk
    drafts = Snapshot(app, AS_OF).latest_drafts.rename({"ticket": "ticket_id"})
    cited = {c["article_id"] for row in drafts.filter("grounded")["citations"] for c in json.loads(row)}
    useless = reader.frame("unhelpful_articles")
    never = set(useless.filter(why="never cited")["article_id"])
    assert never.isdisjoint(cited)
    assert reader.frame("coverage_gaps")["tickets"].sum() <= drafts.filter(~pl.col("grounded")).height


def test_only_articles_of_the_index_are_called_unhelpful(tmp_path: Path) -> None:
    article = Article(id="own-1", title="Badge", url="own-1", text="Show the badge.")
    with open_app(home=tmp_path, embedder="wordllama") as app:
        publish(app, Snapshot(app, AS_OF))
        with MartReader(app.settings.marts_folder) as reader:
            assert reader.frame("unhelpful_articles").is_empty()
        app.triage.index.sync([article], source="own")
        publish(app, Snapshot(app, AS_OF))
        with MartReader(app.settings.marts_folder) as reader:
            assert reader.frame("unhelpful_articles").select("article_id", "why").rows() == [("own-1", "never cited")]


def test_a_damaged_index_is_told_and_the_last_publication_stays(tmp_path: Path) -> None:
    article = Article(id="own-1", title="Badge", url="own-1", text="Show the badge.")
    with open_app(home=tmp_path, embedder="wordllama") as app:
        app.triage.index.sync([article], source="own")
        publish(app, Snapshot(app, AS_OF))
    manifest = tmp_path / "knowledge.milvus.db" / "collections" / "knowledge" / "manifest.json"
    manifest.write_bytes(b"{}")
    done = CliRunner().invoke(
        command_line, ["--home", str(tmp_path), "publish"], env={"HELMDESK_EMBEDDER": "wordllama"}
    )
    assert isinstance(done.exception, Unavailable)
    assert "is damaged: its manifest does not name what it holds; delete it and run" in str(done.exception)
    with MartReader(tmp_path / "marts") as reader:
        assert (reader.publication.as_of, reader.frame("unhelpful_articles").height) == (AS_OF, 1)


def test_a_file_in_the_place_of_the_index_is_told(tmp_path: Path) -> None:
    (tmp_path / "knowledge.milvus.db").write_bytes(b"damaged")
    with open_app(home=tmp_path, embedder="wordllama") as app, pytest.raises(Unavailable, match="if it is damaged"):
        publish(app, Snapshot(app, AS_OF))


def test_an_index_that_another_process_holds_stops_no_publication(tmp_path: Path) -> None:
    held = str(tmp_path / "knowledge.milvus.db")
    hold = "import sys, pymilvus; c = pymilvus.MilvusClient(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold, held], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with open_app(home=tmp_path, embedder="wordllama") as app, capture_logs() as log:
            publish(app, Snapshot(app, AS_OF))
        holder.kill()
    assert ["in use by another process" in entry["reason"] for entry in log] == [True]


def test_report_reads_the_publication(desk: Desk) -> None:
    home = str(desk[1].settings.home)
    told = CliRunner().invoke(command_line, ["--home", home, "triage", "report"])
    assert told.exit_code == 0, told.output
    assert "60 tickets classified" in told.output
    assert "how often people agreed" in told.output
    assert "rejected" in told.output
    data = json.loads(CliRunner().invoke(command_line, ["--home", home, "triage", "report", "--json"]).output)
    assert sum(row["answered"] for row in data["calibration"]) == 20
