"""Every tenth incident of a real ServiceNow log (UCI, CC BY 4.0) through ingest and the SLA replay; that all of them
are read is a test of the reader's."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.app.container import App, open_app
from pipelines.clock_replay import AS_CREATED, clock_events
from pipelines.jobs.evaluate_sla import evaluate_sla
from pipelines.jobs.ingest import ingest
from pipelines.snapshot import Snapshot
from sla.clocks.evaluate import evaluate_all

LOG = Path(__file__).resolve().parents[3] / "shared" / "data" / "servicenow_incident_log.csv.gz"
AS_OF = datetime(2016, 6, 1, tzinfo=UTC)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not LOG.exists(), reason="the ServiceNow log is not beside the project"),
]


INCIDENTS = 1_426


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tenth = tmp_path_factory.mktemp("log") / LOG.name
    with gzip.open(LOG, "rt", encoding="utf-8") as rows, gzip.open(tenth, "wt", encoding="utf-8") as some:
        some.write(next(rows))
        some.writelines(row for row in rows if row.partition(",")[0].endswith("7"))
    return tenth


@pytest.fixture(scope="module")
def app(log: Path, tmp_path_factory: pytest.TempPathFactory) -> App:
    opened = open_app(home=tmp_path_factory.mktemp("servicenow"))
    report = ingest(opened, log, source="servicenow-csv", at=opened.now())
    assert (report.created, report.rejected) == (INCIDENTS, 0)
    return opened


def test_second_ingest_skips_everything(app: App, log: Path) -> None:
    report = ingest(app, log, source="servicenow-csv", at=app.now())
    assert (report.created, report.updated, report.skipped, report.events) == (0, 0, INCIDENTS, 0)


def test_every_incident_gets_both_clocks_and_an_archive_wakes_nobody(app: App) -> None:
    snapshot = Snapshot(app, AS_OF)
    evaluated = evaluate_sla(app, snapshot)
    current = snapshot.clocks.filter("is_current")
    assert current.group_by("clock").len()["len"].to_list() == [INCIDENTS, INCIDENTS]
    assert set(current["state"].cast(pl.String)) == {"met", "breached"}
    assert evaluated.raised.alerts == 0


def test_batch_says_what_the_plain_reference_says(app: App) -> None:
    snapshot = Snapshot(app, AS_OF)
    some = snapshot.clocks["ticket"].unique().sort().gather_every(10)
    tickets = snapshot.tickets_now.select(**AS_CREATED).filter(pl.col("id").is_in(some.implode()))
    events = clock_events(snapshot.events).filter(pl.col("ticket").is_in(some.implode()))
    plain = evaluate_all(
        tickets.to_dicts(), events.to_dicts(), app.policies.sla.policies, app.policies.sla.calendars, AS_OF
    )
    fields = ["ticket", "clock", "window", "state", "elapsed", "paused", "due_at"]
    batch = snapshot.clocks.filter(pl.col("ticket").is_in(some.implode())).select(fields)
    expected = {tuple(str(row[field]) for field in fields) for row in plain}
    assert {tuple(str(value) for value in row) for row in batch.iter_rows()} == expected
