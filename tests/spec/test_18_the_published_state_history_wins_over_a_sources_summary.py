"""Incident 0000045 is Resolved in the row of 08:53 and again of 11:29: resolved at 08:53, the column is kept."""

from pathlib import Path

from tests.engine.plugins.test_update_logs import log

ROWS = ["45 | New | 29/2/2016 01:16", "45 | Resolved | 29/2/2016 08:53", "45 | Resolved | 29/2/2016 11:29"]


def test_the_row_that_became_resolved_counts(tmp_path: Path) -> None:
    (ticket,) = log(tmp_path, ROWS, resolved_at="29/2/2016 11:29").tickets
    assert f"{ticket.resolved_at:%H:%M}" == "08:53"
    assert ticket.external_metadata["reported"] == {"resolved_at": "2016-02-29T11:29:00+00:00"}
