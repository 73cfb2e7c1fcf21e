"""Opened 01:16, first row Active at 01:23 with an assignee: responded 01:23."""

from pathlib import Path

from engine.contracts import Kind
from tests.engine.plugins.test_update_logs import log


def test_the_first_row_counts_from_its_own_time(tmp_path: Path) -> None:
    told = log(tmp_path, ["1 | Active | 29/2/2016 01:23 | assigned_to 31 | opened_at 29/2/2016 01:16"])
    assert told.events[0].data["status"] == "new"
    assert f"{told.tickets[0].first_response_at:%H:%M}" == "01:23"
    assert [f"{e.at:%H:%M} {e.value}" for e in told.events if e.kind == Kind.STATUS] == ["01:23 in_progress"]


def test_one_first_logged_as_resolved_has_a_resolution_time(tmp_path: Path) -> None:
    (ticket,) = log(tmp_path, ["1 | Resolved | 29/2/2016 01:23 | opened_at 29/2/2016 01:16"]).tickets
    assert (f"{ticket.created_at:%H:%M}", f"{ticket.resolved_at:%H:%M}") == ("01:16", "01:23")
