"""4 of 9 rows refused at 5 %: no ticket, no rejected row."""

from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from pipelines.app.container import App
from pipelines.jobs.ingest import ingest
from tests.engine.people import later


def test_nothing_is_taken_in(app: App, tmp_path: Path) -> None:
    file, mapping = tmp_path / "export.csv", tmp_path / "own.yaml"
    rows = [f"{number},{'2026-03-02T09:00:00Z' if number < 6 else 'soon'}" for number in range(1, 10)]
    file.write_text("\n".join(["id,opened", *rows]) + "\n")
    mapping.write_text("source: crm\ncolumns: {ticket_id: id, created_at: opened}\n")
    with pytest.raises(BadInput, match="Nothing of it was taken in"):
        ingest(app, file, source="crm", mapping=mapping, at=later(1), max_refused=0.05)
    counts = app.store.counts()
    assert (counts["tickets"], counts["rejected_rows"]) == (0, 0)
    assert ingest(app, file, source="crm", mapping=mapping, at=later(1), max_refused=0.5).created == 5
