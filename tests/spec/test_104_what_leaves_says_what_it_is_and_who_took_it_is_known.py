"""Bo exports the tickets: the file says as of when, and the log says who took how many."""

from pathlib import Path

import polars as pl

from engine.access import User, UserRole
from pipelines.app.container import open_app
from pipelines.export_format import Format
from pipelines.jobs.export import export_mart
from tests.dashboards.marts_by_hand import NOON, published, ticket


def test_file_and_log_say_so(tmp_path: Path) -> None:
    published(tmp_path, tickets=[ticket("INC-1", subject="=HYPERLINK(1)")]).close()
    bo, file = User(id="bo", name="Bo", roles=(UserRole.MANAGER,)), tmp_path / "tickets.csv"
    with open_app(home=tmp_path) as app:
        export_mart(app, bo, "tickets", Format.CSV, file)
        (row,) = app.store.frame("audit_log").filter(pl.col("kind") == "exported").iter_rows(named=True)
    text = file.read_text(encoding="utf-8")
    assert f"# as_of: {NOON.isoformat()}" in text
    assert "'=HYPERLINK(1)" in text
    assert (row["actor"], row["subject"]) == ("bo", "tickets")
